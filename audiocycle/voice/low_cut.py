"""What lies below hearing is taken away: an offset (DC), rumble and wind would count as the power of speech.

A Butterworth high-pass whose edge lies below every voice. Files are filtered forwards and backwards, so that nothing moves in time;
a stream, which cannot wait, forwards only. 60 Hz lose 0.15 dB, 20 Hz 60 dB (a stream: 0.02 and 33 dB; a steeper filter would move its lowest partials in time).

Digital silence stays what it was: where a recording stands still for 10 ms, at zero or at its offset, exact zeros come out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import FloatArray
from audiocycle.voice.level import FRAME_SECONDS

BOTH_WAYS, ONE_WAY = (5, 40.0), (6, 38.0)
"""Order and edge in Hz."""
CONTEXT_SECONDS = 0.3
"""After so long the filter has forgotten what was: 100 dB for the slowest of its poles, twice that for files."""
BATCH_SECONDS = 2.0
NOTHING = 1e-15
"""Where a recording stands still and the filter's output is less, it begins anew: it would go on with numbers near the smallest that there
are, each of which costs a hundred times the work."""


@lru_cache(maxsize=16)
def sections(order: int, edge: float, sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Second-order sections (S, 6), and their state (S, 2) after a constant 1."""
    from scipy.signal import butter, sosfilt_zi

    sos: NDArray[np.float64] = butter(order, edge, "highpass", fs=sample_rate, output="sos")
    return sos, np.asarray(sosfilt_zi(sos), dtype=np.float64)


def can_be_cut(sample_rate: int) -> bool:
    """False where hardly anything would be left."""
    return sample_rate > 8 * BOTH_WAYS[1]


def audible_blocks(blocks: Iterator[FloatArray], sample_rate: int) -> Iterator[FloatArray]:
    """Blocks of one recording without what lies below hearing, (N,) float32, as many samples in all.

    Beyond its ends a recording is taken to go on mirrored: neither an offset nor a word that is cut off becomes a thump there. All
    blocks that come back but the last are whole frames of 10 ms.
    """
    from scipy.signal import sosfilt

    if not can_be_cut(sample_rate):
        yield from blocks
        return
    sos, steady = sections(*BOTH_WAYS, sample_rate)
    frame = max(1, round(FRAME_SECONDS * sample_rate))
    context = -(-round(CONTEXT_SECONDS * sample_rate) // frame) * frame
    batch = round(BATCH_SECONDS * sample_rate)
    offset: float | None = None
    state = steady
    raw: list[FloatArray] = []
    half, still = np.zeros(0), np.zeros(0, dtype=bool)  # filtered forwards only, and where the recording stands still
    rest = np.zeros(0, dtype=np.float32)  # of a frame that is not whole yet

    def forwards(samples: FloatArray) -> None:
        nonlocal offset, state, half, still
        moved = samples.astype(np.float64)
        if offset is None:
            offset = float(moved[0])  # an offset and nothing else then gives exact zeros
            lead = np.pad(moved - offset, (context, 0), mode="symmetric")[:context]
            _, state = sosfilt(sos, lead, zi=steady * lead[0])
        made, state = sosfilt(sos, moved - offset, zi=state)
        stands = standing_still(samples, frame)
        if stands[-1] and abs(made[-1]) < NOTHING:
            offset, state = float(moved[-1]), np.zeros_like(state)
        half, still = np.concatenate([half, made]), np.concatenate([still, stands])

    def backwards(keep: int, end: bool) -> FloatArray:
        nonlocal half, still
        ahead = np.pad(half, (0, context), mode="symmetric") if end else half
        made, _ = sosfilt(sos, ahead[::-1], zi=steady * ahead[-1])
        ready = len(half) - keep
        cut = np.where(still[:ready], 0.0, made[::-1][:ready])
        half, still = half[ready:], still[ready:]
        return cut.astype(np.float32)

    for block in blocks:
        raw.append(block)
        if sum(map(len, raw)) < batch + context:
            continue
        whole = np.concatenate([rest, *raw])
        raw.clear()
        end = len(whole) // frame * frame
        forwards(whole[:end])
        rest = whole[end:]
        yield backwards(context, end=False)
    last = np.concatenate([rest, *raw])
    if len(last):
        forwards(last)
    if len(half):
        yield backwards(0, end=True)


def audible(samples: FloatArray, sample_rate: int) -> FloatArray:
    """A whole recording, (N,), as :func:`audible_blocks` gives it."""
    made = list(audible_blocks(iter([samples]), sample_rate)) if len(samples) else []
    return np.concatenate(made) if made else np.zeros(0, dtype=np.float32)


def standing_still(samples: FloatArray, frame: int) -> NDArray[np.bool_]:
    """(N,) which samples are in a frame of equal samples; frames begin at the first sample, the last one may be short."""
    padded = np.pad(samples, (0, -len(samples) % frame), mode="edge").reshape(-1, frame)
    return np.repeat((padded == padded[:, :1]).all(axis=1), frame)[: len(samples)]


class StreamLowCut:
    """The same for a stream, without delay. Whatever the sizes of the blocks, the same samples come out."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate, self.possible = sample_rate, can_be_cut(sample_rate)
        self.frame = max(1, round(FRAME_SECONDS * sample_rate))
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.offset: float | None = None
        self.last = np.float64(np.nan)
        self.standing = 0  # samples since the last change
        self.state = np.zeros((1, 2))

    def push(self, samples: FloatArray) -> FloatArray:
        """(N,) to (N,) float32."""
        from scipy.signal import sosfilt

        if not self.possible or not len(samples):
            return np.asarray(samples, dtype=np.float32)
        sos, _ = sections(*ONE_WAY, self.sample_rate)
        x = np.asarray(samples, dtype=np.float64)
        if self.offset is None:  # it is taken to have been there before
            self.offset, self.state = float(x[0]), np.zeros((len(sos), 2))
        made, self.state = sosfilt(sos, x - self.offset, zi=self.state)
        changes = x != np.concatenate([[self.last], x[:-1]])
        place = np.arange(len(x))
        since = place - np.maximum.accumulate(np.where(changes, place, -1 - self.standing))
        self.last, self.standing = x[-1], int(since[-1])
        still = since >= self.frame
        if still[-1] and abs(made[-1]) < NOTHING:
            self.offset, self.state = float(x[-1]), np.zeros_like(self.state)
        return np.where(still, 0.0, made).astype(np.float32)
