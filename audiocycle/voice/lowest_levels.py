"""The lowest levels that recordings of a speaker have: below them, nothing that a network was trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import FloatArray

RARE = 1e-3
"""Share of the frames that may lie below. Of LibriSpeech's speaker 40 this is at -2.3 deviations, the very lowest at -2.8; held to the
first, 250 ms of zeros changed the network's output in speech by 0.06 deviations instead of 0.94, held to the second by 0.08, to -4 by 0.83."""
DEEPEST_DB = 60.0
"""So far below a recording's loud speech all is silence: what is deeper, as digital silence is, counts as being there."""
LOUD = 0.95
"""Quantile of the levels of speech."""


class LowestLevels:
    """Counts levels in steps, for each row by itself, of more recordings than memory holds.

    Args:
        per_decibel: steps of the levels' scale: natural logarithms of power, by default.
    """

    STEP, FLOOR, N_BINS = 0.01, -100.0, 20000

    def __init__(self, per_decibel: float = np.log(10.0) / 10.0) -> None:
        self.deepest = DEEPEST_DB * per_decibel
        self.counts: NDArray[np.int64] | None = None

    def add(self, levels: FloatArray, speech: NDArray[np.bool_]) -> None:
        """Take in a recording: (P, T), T >= 0, of which some frames (T,) are speech."""
        rows, frames = levels.shape
        if self.counts is None:
            self.counts = np.zeros((rows, self.N_BINS), dtype=np.int64)
        if not frames:
            return
        loud = np.quantile(levels[:, speech] if speech.any() else levels, LOUD, axis=1, keepdims=True)
        held = np.maximum(levels.astype(np.float64), loud - self.deepest)
        bins = np.clip(np.floor((held - self.FLOOR) / self.STEP), 0, self.N_BINS - 1).astype(np.intp)
        for row in range(rows):
            self.counts[row] += np.bincount(bins[row], minlength=self.N_BINS)

    @property
    def lowest(self) -> FloatArray:
        """(P, 1); there must be a frame."""
        assert self.counts is not None
        reached = np.cumsum(self.counts, axis=1) > RARE * self.counts.sum(axis=1, keepdims=True)
        return np.asarray(self.FLOOR + self.STEP * reached.argmax(axis=1)[:, None])
