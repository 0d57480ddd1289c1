"""Whether what is said sounds like English to the English encoder.

It was trained on English only. Of other languages, and of speech that is hard to hear, it makes states that lie far from all that it makes of English: how far
is the mean cosine of a recording's states (standardised, of unit length) to the nearest of 64 sounds, the centres of k-means of English states.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from audiocycle.spec import FloatArray

SOUNDS = Path(__file__).parent / "english.npy"
"""Made by ``recipes/languages/english.py`` of LibriSpeech (CC BY 4.0)."""
FOREIGN = 0.375
"""Likeness below which it is told (docs/guides/voices.md says how often that is right)."""
FAMILIAR = 0.40
"""Likeness that all but one in a hundred readers have in a quiet room."""
LEAST_SECONDS = 5.0
"""Of speech: of less nothing is told."""
NOTE = (
    "what is said sounds little like English, which is what this model hears (another language, noise, or a song?): more words than usual will be lost"
)


def likeness(said: FloatArray) -> float:
    """Mean cosine of states (S, D), standardised over their recording, to the nearest sound of English."""
    return float((said @ sounds().T).max(axis=1).mean())


def share(likeness: float | None) -> float:
    """From 0, foreign or not known, to 1, English."""
    return 0.0 if likeness is None else float(np.clip((likeness - FOREIGN) / (FAMILIAR - FOREIGN), 0.0, 1.0))


class Familiarity:
    """What was heard of one recording, whose chunks come in order."""

    def __init__(self) -> None:
        self.seconds = self.sum = 0.0

    def add(self, likeness: float, seconds: float) -> None:
        """Take in a chunk with so much speech."""
        self.seconds += seconds
        self.sum += seconds * likeness

    def notes(self) -> Iterator[str]:
        """A line, where it sounds foreign."""
        if self.seconds >= LEAST_SECONDS and self.sum / self.seconds < FOREIGN:
            yield NOTE


@cache
def sounds() -> FloatArray:
    """(K, D), of unit length."""
    return np.asarray(np.load(SOUNDS, allow_pickle=False), np.float32)
