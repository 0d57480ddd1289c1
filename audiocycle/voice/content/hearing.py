"""What the content encoder's states say of a recording as a whole: whether it is speech, and whether two speak at once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import FloatArray

WEIGHTS = Path(__file__).parent / "at_once.npy"
"""Made by ``recipes/content_encoder/at_once.py`` of LibriSpeech (CC BY 4.0)."""


def articulation(states: FloatArray, judged: NDArray[np.bool_]) -> float:
    """How much what is said moves: root of the variance over time, summed over all rows, of (S, D) states; of the judged ones, or all where there are none.

    A recogniser's encoder tells sounds of speech apart, and hardly others (:data:`audiocycle.voice.source_doubts.ARTICULATION`).
    """
    return float(np.sqrt(states[chosen(judged)].var(axis=0, dtype=np.float64).sum()))


def voices_at_once(states: FloatArray, judged: NDArray[np.bool_]) -> float:
    """About 0 where one person speaks, about 1 where two do at once: a linear function of the mean of the judged states, or of all where there are none."""
    known = weights()
    return float(states[chosen(judged)].mean(axis=0, dtype=np.float64) @ known[:-1] + known[-1])


def chosen(judged: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask, or all where it is empty."""
    return judged if judged.any() else ~judged


@cache
def weights() -> FloatArray:
    """(D + 1,) of the states, and an offset."""
    return np.asarray(np.load(WEIGHTS, allow_pickle=False), np.float64)
