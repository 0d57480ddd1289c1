"""Waveforms in memory, in all the shapes and types that other libraries have for them."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

from audiocycle.errors import InputError
from audiocycle.spec import FloatArray, Signal
from audiocycle.voice.opening import RATES

MOST_AS_CHANNELS = 32
"""More are samples: of (3, 40) and (40, 3) the 3 are channels, and (64, 64) is no waveform."""
WIDE = 8
"""Bytes; no sound is recorded in integers as long."""


def as_waveform(signal: Signal) -> Signal:
    """The signal with samples (N, channels) float32 and its rate as an int.

    Integers are divided by the full scale of their type (unsigned ones have their zero in the middle); floats, lists and integers of 64 bits
    stay as they are. Channels are the shorter axis. What :func:`~audiocycle.voice.opening.open_sound` would scale is scaled there.

    Raises:
        InputError: it is no waveform; the message says what was given, and what will do.
    """
    if not isinstance(signal, Signal):
        given = f"an array {np.shape(signal)}" if isinstance(signal, np.ndarray) else type(signal).__name__
        raise InputError(f"signal: is {given}; give a path, or Signal(samples, sample_rate)")
    return Signal(with_channels_last(as_floats(signal.samples)), as_rate(signal.sample_rate))


def as_rate(rate: Any) -> int:
    """A sample rate in Hz; a whole one may be a float.

    Raises:
        InputError: it is no rate.
    """
    number = rate.item() if isinstance(rate, np.generic) or (isinstance(rate, np.ndarray) and rate.ndim == 0) else rate
    whole = isinstance(number, numbers.Real) and not isinstance(number, bool) and math.isfinite(number) and float(number).is_integer()
    if not whole or not RATES[0] <= number <= RATES[1]:
        raise InputError(f"signal: sample_rate={rate!r} is no rate; give a whole number of Hz, such as 16000")
    return int(number)


def as_floats(samples: Any) -> FloatArray:
    """Samples of any real type as float32, full scale at 1.

    Raises:
        InputError: they are not real numbers, or lists of unequal length.
    """
    try:
        array = np.asarray(samples)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError("signal: its samples are no array; give (N,) or (channels, N) numbers") from error
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "i" and size < WIDE and hasattr(samples, "dtype"):
        return (array / -float(np.iinfo(array.dtype).min)).astype(np.float32)
    if kind == "u" and size < WIDE:
        return (array / 2.0 ** (8 * size - 1) - 1.0).astype(np.float32)
    if kind in "fiu":  # 64 bits are what numbers get whose type nobody chose: they say nothing of a scale
        with np.errstate(over="ignore"):  # what becomes infinite is refused by who reads
            return array.astype(np.float32)
    raise InputError(f"signal: its samples are of type {array.dtype}; give real numbers (float32, int16, ...)")


def with_channels_last(array: FloatArray) -> FloatArray:
    """(N,), (N, channels) or (channels, N) to (N, channels).

    Raises:
        InputError: it has no samples, or other axes.
    """
    shape = array.shape
    if array.size == 0:
        raise InputError(f"signal: holds no samples, they are {shape}; give at least one")
    if array.ndim not in (1, 2) or (array.ndim == 2 and min(shape) > MOST_AS_CHANNELS):
        raise InputError(f"signal: its samples are {shape}; give (N,), (N, channels) or (channels, N)")
    if array.ndim == 1:
        return array[:, None]
    return array.T if shape[0] < shape[1] else array
