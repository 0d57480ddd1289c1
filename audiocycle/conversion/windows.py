"""Features of any length through a network that was trained on windows of one length: cut, overlap, cross-fade.

A network knows a window's ends less well than its middle: there it sees one side only. So neighbours share half of their frames, one
fades into the other over the middle half of what they share, and nobody's last eighth is used but at the ends of it all. Where windows
may not begin anywhere (a phrase begins with a bar), they share about as much, and the last one is filled up with silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import WINDOWS_AT_ONCE, FloatArray

Places = NDArray[np.int64]


def window_starts(frames: int, window: int, shifted: bool = False, places: Places | None = None) -> list[int]:
    """First frames of windows that cover ``frames`` >= ``window``; the last one ends at the end, or behind it.

    Args:
        shifted: the second begins earlier, by half of what it usually does, and so do all after it: they meet elsewhere.
        places: (n,) where windows may begin, increasing from 0; None: anywhere. Windows that would else share too little, or meet too
            soon, begin elsewhere.
    """
    hop = window - window // 2
    second = max(1, hop // 2) if shifted else hop
    if frames <= window:
        return [0]
    if places is None:
        return [0, *range(second, frames - window, hop), frames - window]
    last = int([*places[np.searchsorted(places, frames - window) :], frames - window][0])
    starts, fade, before = [0], window // 4, window
    while starts[-1] < last and starts[-1] + window < frames:
        wanted = min(starts[-1] + (second if len(starts) == 1 else hop), last)
        least, most = starts[-1] + max(1, fade // 2, 2 * fade - before), starts[-1] + window - fade
        fitting = places[np.searchsorted(places, least) : np.searchsorted(places, most, side="right")]
        fitting = fitting[fitting <= last]
        nearest = int(fitting[np.abs(fitting - wanted).argmin()]) if len(fitting) else wanted
        before = nearest - starts[-1]
        starts.append(nearest)
    return starts


def fade_starts(starts: list[int], window: int) -> list[int]:
    """First frames of the fades, a quarter of a window long, between neighbours that start there: in the middle of what both hold."""
    return [(one + next_one + window - window // 4) // 2 for one, next_one in pairwise(starts)]


def hand_overs(frames: int, window: int, shifted: bool = False, places: Places | None = None) -> NDArray[np.bool_]:
    """(frames,) over which one window fades into another, as :func:`in_windows` has them; none in what a window holds whole."""
    fades = np.zeros(frames, np.bool_)
    for begin in fade_starts(window_starts(frames, window, shifted, places), window):
        fades[begin : begin + window // 4] = True
    return fades


def in_windows(
    features: FloatArray,
    window: int,
    network: Callable[[FloatArray], FloatArray],
    shifted: bool = False,
    active: NDArray[np.bool_] | None = None,
    places: Places | None = None,
) -> FloatArray:
    """(..., T) through ``network`` (B, ..., window) -> same, cross-faded where windows overlap; as long as it came.

    A window without anything in it stays as it is: silence has no genre, and what is held for a whole window has none either.
    Fewer frames than a window are repeated to fill one.

    Args:
        shifted, places: see :func:`window_starts`.
        active: (T,) where there is something; None: wherever features are not 0.
    """
    frames = features.shape[-1]
    active = np.asarray(features.any(axis=tuple(range(features.ndim - 1)))) if active is None else active
    if frames < window:
        widths = [(0, 0)] * (features.ndim - 1) + [(0, window - frames)]
        wrapped = np.pad(features, widths, mode="wrap"), np.pad(active, widths[-1], mode="wrap")
        return in_windows(wrapped[0], window, network, active=wrapped[1])[..., :frames]
    starts = window_starts(frames, window, shifted, places)
    if behind := max(0, starts[-1] + window - frames):
        features = np.pad(features, [(0, 0)] * (features.ndim - 1) + [(0, behind)])
    busy = [bool(active[start : start + window].any()) for start in starts]
    made = each_through(features, starts, busy, window, network)
    output = np.empty(features.shape, np.float32)
    output[..., :window] = next(made)
    fade = window // 4
    ramp = (np.arange(fade, dtype=np.float32) + 0.5) / max(1, fade)
    for start, begin, item in zip(starts[1:], fade_starts(starts, window), made, strict=True):
        end = begin + fade
        output[..., begin:end] += ramp * (item[..., begin - start : end - start] - output[..., begin:end])
        output[..., end : start + window] = item[..., end - start :]
    return output[..., :frames]


def each_through(
    features: FloatArray, starts: list[int], busy: list[bool], window: int, network: Callable[[FloatArray], FloatArray]
) -> Iterator[FloatArray]:
    """The windows that start there, the busy ones translated in batches, others as they are."""
    windows = [features[..., start : start + window] for start in starts]
    some = [item for item, sounds in zip(windows, busy, strict=True) if sounds]
    translated = (made for first in range(0, len(some), WINDOWS_AT_ONCE) for made in network(np.stack(some[first : first + WINDOWS_AT_ONCE])))
    for item, sounds in zip(windows, busy, strict=True):
        yield next(translated) if sounds else item
