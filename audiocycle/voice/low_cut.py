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
"""Where a stream stands still and the filter's output is less, it begins anew: it would go on with numbers near the smallest that there
are, each of which costs a hundred times the work."""


def high_passed(samples: FloatArray, order: int, edge: float, sample_rate: int) -> FloatArray:
    """A Butterworth high-pass forwards and backwards, whose gain is 1 / (1 + (edge / f)^(2 order)).

    By one FFT, as scipy's filters take half a second to import. It takes its (N,) samples for a circle: what lies near their ends is not to be used.
    """
    frequencies = np.fft.rfftfreq(len(samples), 1.0 / sample_rate)
    power = (frequencies / edge) ** (2 * order)
    made: FloatArray = np.fft.irfft(np.fft.rfft(samples) * (power / (1.0 + power)), len(samples))
    return made


def audible_blocks(blocks: Iterator[FloatArray], sample_rate: int) -> Iterator[FloatArray]:
    """Blocks of one recording without what lies below hearing, (N,) float32, as many samples in all.

    Beyond its ends a recording is taken to go on mirrored: neither an offset nor a word that is cut off becomes a thump there. All
    blocks that come back but the last are whole frames of 10 ms.
    """
    frame = max(1, round(FRAME_SECONDS * sample_rate))
    context, batch = (-(-round(seconds * sample_rate) // frame) * frame for seconds in (CONTEXT_SECONDS, BATCH_SECONDS))
    held, start = np.zeros(0, dtype=np.float32), 0  # held[start] comes next, what is before is its context

    def cut(n_samples: int) -> FloatArray:
        after = len(held) - start - n_samples
        around = np.pad(held - held[start], (context - start, max(0, context - after)), mode="symmetric")
        made = high_passed(around[: n_samples + 2 * context], *BOTH_WAYS, sample_rate)[context : context + n_samples]
        made[standing_still(held[start : start + n_samples], frame)] = 0.0
        return made.astype(np.float32)

    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) - start >= batch + context:
            yield cut(batch)
            begin = max(0, start + batch - context)
            held, start = held[begin:], start + batch - begin
    if len(held) > start:
        yield cut(len(held) - start)


def audible(samples: FloatArray, sample_rate: int) -> FloatArray:
    """A whole recording, (N,), as :func:`audible_blocks` gives it."""
    made = list(audible_blocks(iter([samples]), sample_rate)) if len(samples) else []
    return np.concatenate(made) if made else np.zeros(0, dtype=np.float32)


@lru_cache(maxsize=16)
def sections(order: int, edge: float, sample_rate: int) -> NDArray[np.float64]:
    """A Butterworth high-pass as second-order sections, (S, 6)."""
    from scipy.signal import butter

    sos: NDArray[np.float64] = butter(order, edge, "highpass", fs=sample_rate, output="sos")
    return sos


def standing_still(samples: FloatArray, frame: int) -> NDArray[np.bool_]:
    """(N,) which samples are in a frame of equal samples; frames begin at the first sample, the last one may be short."""
    padded = np.pad(samples, (0, -len(samples) % frame), mode="edge").reshape(-1, frame)
    return np.repeat((padded == padded[:, :1]).all(axis=1), frame)[: len(samples)]


class StreamLowCut:
    """The same for a stream, without delay. Whatever the sizes of the blocks, the same samples come out."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
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

        if not len(samples):
            return np.asarray(samples, dtype=np.float32)
        sos = sections(*ONE_WAY, self.sample_rate)
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
