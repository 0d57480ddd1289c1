"""What goes beside rolls: beside those that training keeps, and beside those of a span on its way through a conversion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.grid import Span
from audiocycle.music.options import MusicOptions
from audiocycle.spec import FloatArray, Stats

if TYPE_CHECKING:
    from audiocycle.music.notes import Notes


@dataclass(frozen=True)
class ScoreSide:
    """Beside all phrases of a score, for training.

    Attributes:
        programs: (3, 128) its notes by register and program.
        places: (N,) where each phrase begins, quarter notes.
        swing: (3, 2) where its off-beats lie, how many tell that, and how much its bars differ, by level.
        accents: (2, 3, 16) sums, and counts, of how much louder notes are than those around them, by line and place in the bar.
    """

    programs: NDArray[np.int64]
    places: NDArray[np.float64]
    swing: NDArray[np.float64] = field(default_factory=lambda: np.zeros((3, 2)))
    accents: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 3, 16)))


@dataclass(frozen=True)
class SpanSide:
    """Beside the roll of a span.

    Attributes:
        notes: those that the roll shows.
        span: where they are.
    """

    notes: Notes
    span: Span


@dataclass(frozen=True)
class ConvertedSpanSide(SpanSide):
    """Beside the probabilities that a network has for a span: what makes notes of them.

    Attributes:
        source_roll: (C, 84, T) uint8, of the source's notes.
        target: the target genre's statistics.
        options: of the conversion.
    """

    source_roll: FloatArray
    target: Stats
    options: MusicOptions
