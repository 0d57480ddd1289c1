"""Loudness as broadcasters measure it: is the converted voice as loud as the recording that it came from?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError
from audiocycle.spec import FloatArray

BLOCK_SECONDS, STEP_SECONDS = 0.4, 0.1
ABSOLUTE_GATE, RELATIVE_GATE = -70.0, -10.0
"""LUFS below which a block is silence; LU below the mean of the others at which it is a pause."""

DEFINITION = (
    "Loudness difference: integrated loudness of the converted recording less the source's, in LU (1 LU is 1 dB): "
    "K-weighting, blocks of 0.4 s every 0.1 s, gates at -70 LUFS and 10 LU below the mean (ITU-R BS.1770-5, mono)."
)


def loudness_difference(reference: FloatArray, converted: FloatArray, sample_rate: int) -> float:
    """How much louder the converted recording is, in LU; NaN where one of both has no block above the gate."""
    loudness = [integrated_loudness(samples, sample_rate) for samples in (reference, converted)]
    if not np.all(np.isfinite(loudness)):
        return float("nan")
    return loudness[1] - loudness[0]


def integrated_loudness(samples: FloatArray, sample_rate: int) -> float:
    """Gated loudness of a mono recording in LUFS; minus infinity for silence.

    Parameters:
        samples: ``(N,)`` in [-1, 1]. Shorter than a block of 0.4 s: padded with silence to one.
        sample_rate: in Hz.

    Raises:
        ConfigError: samples are not mono.

    Source: ITU-R BS.1770-5, annex 1.
    """
    if samples.ndim != 1:
        raise ConfigError(f"loudness is measured of mono samples (N,), got shape {samples.shape}")
    block, step = round(BLOCK_SECONDS * sample_rate), round(STEP_SECONDS * sample_rate)
    padded = np.pad(np.asarray(samples, np.float64), (0, max(block - len(samples), 0)))
    squares = np.concatenate([[0.0], np.cumsum(np.square(_k_weighted(padded, sample_rate)))])
    starts = np.arange(0, len(padded) - block + 1, step)
    energies = (squares[starts + block] - squares[starts]) / block
    energies = energies[_lufs(energies) > ABSOLUTE_GATE]
    if not len(energies):
        return float("-inf")
    energies = energies[_lufs(energies) > _lufs(energies.mean()) + RELATIVE_GATE]
    return float(_lufs(energies.mean()))


def k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """Second-order sections ``(2, 6)`` of the K-weighting: the head's high shelf, then the low cut.

    BS.1770 prints coefficients for 48 kHz only. They are the bilinear transform of these analogue filters, which
    give its table to all its digits, and other rates their filters.

    Source: ITU-R BS.1770-5, tables 1 and 2; analogue parameters from De Man 2018,
    "Evaluation of implementations of the EBU R128 loudness measurement".
    """
    k, q = np.tan(np.pi * 1681.974450955533 / sample_rate), 0.7071752369554196
    high = 10.0 ** (3.999843853973347 / 20.0)
    band = high**0.4996667741545416
    shelf = [high + band * k / q + k * k, 2.0 * (k * k - high), high - band * k / q + k * k]
    below = [1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k]
    k, q = np.tan(np.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    cut = [1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k]
    return np.stack(
        [
            np.concatenate([shelf, below]) / below[0],
            np.concatenate([[1.0, -2.0, 1.0], np.array(cut) / cut[0]]),
        ]
    )


def _k_weighted(samples: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    from scipy.signal import sosfilt

    filtered: NDArray[np.float64] = sosfilt(k_weighting(sample_rate), samples)
    return filtered


def _lufs(energy: FloatArray | np.floating) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(-0.691 + 10.0 * np.log10(np.maximum(energy, 0.0)))
