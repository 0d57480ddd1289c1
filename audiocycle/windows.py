"""Features of any length through a network that was trained on windows of one length: cut, overlap, cross-fade."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import FloatArray

OVERLAP = 4
"""Neighbouring windows share a quarter of their frames, over which one fades into the other."""
BATCH = 16


def window_starts(frames: int, window: int) -> list[int]:
    """First frames of windows that cover ``frames`` >= ``window``; the last one ends at the end."""
    hop = window - window // OVERLAP
    return [*range(0, frames - window, hop), frames - window]


def hand_overs(frames: int, window: int) -> NDArray[np.bool_]:
    """(frames,) over which one window fades into another, as :func:`in_windows` has them; none in what a window holds whole."""
    fades = np.zeros(frames, np.bool_)
    fade = window // OVERLAP
    for start in window_starts(frames, window) if frames > window else ():
        if start > 0:
            fades[start : start + fade] = True
        if start + window < frames:
            fades[start + window - fade : start + window] = True
    return fades


def in_windows(features: FloatArray, window: int, network: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """(..., T) through ``network`` (B, ..., window) -> same, cross-faded where windows overlap; as long as it came.

    A window without anything in it stays as it is: silence has no genre. Fewer frames than a window are repeated to fill one.
    """
    frames = features.shape[-1]
    if frames < window:
        widths = [(0, 0)] * (features.ndim - 1) + [(0, window - frames)]
        return in_windows(np.pad(features, widths, mode="wrap"), window, network)[..., :frames]
    starts = window_starts(frames, window)
    busy = [start for start in starts if features[..., start : start + window].any()]
    fade = window // OVERLAP
    ramp = (np.arange(fade, dtype=np.float32) + 0.5) / fade
    weight = np.concatenate([ramp, np.ones(window - 2 * fade, np.float32), ramp[::-1]])
    total = np.zeros(features.shape, np.float32)
    weights = np.zeros(frames, np.float32)
    for start in set(starts) - set(busy):
        weights[start : start + window] += weight
    for first in range(0, len(busy), BATCH):
        some = busy[first : first + BATCH]
        made = network(np.stack([features[..., start : start + window] for start in some]))
        for start, item in zip(some, made, strict=True):
            total[..., start : start + window] += weight * item
            weights[start : start + window] += weight
    return total / weights
