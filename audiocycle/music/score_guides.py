"""Guides of scores, made for training: the target's nearest bars, by melody, harmony and bass, as their mean or one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from audiocycle.music.example_bars import textures
from audiocycle.music.guide import RECIPE, NearestBars, Rolls
from audiocycle.music.texture import ARRANGEMENT, arrangement
from audiocycle.spec import Domain, FloatArray

if TYPE_CHECKING:
    from audiocycle.data.domains import DomainData
    from audiocycle.data.guides import ProgressOf


class ScoreGuides:
    """Makes guides of rolls without velocity (see :class:`~audiocycle.data.guides.GuideMaker`).

    Args:
        steps_per_beat: of the grid.
        neighbours: bars of the target to average.
    """

    by = "nearest bars"

    def __init__(self, steps_per_beat: int, neighbours: int) -> None:
        self.steps_per_beat, self.neighbours = steps_per_beat, neighbours
        self.recipe = repr((neighbours, RECIPE))

    def study(self, domain: Domain, data: DomainData, progress: ProgressOf) -> list[Rolls]:
        """A genre's rolls, (C, 84, T) each."""
        return [np.asarray(item.features, np.uint8) for item in data.items]

    def guides(self, source: list[Rolls], target: list[Rolls]) -> Iterator[FloatArray]:
        """Probabilities (C, 84, T) of what the target would have, for each roll of the source."""
        return map(NearestBars(target, self.steps_per_beat, self.neighbours).guide, source)


class JoinedBars(ScoreGuides):
    """Makes guides of one piece: each song's tune over an accompaniment of the target's own bars (:mod:`audiocycle.music.texture`)."""

    by = "joined bars"

    def __init__(self, steps_per_beat: int) -> None:
        self.steps_per_beat = steps_per_beat
        self.recipe = repr(("joined", ARRANGEMENT))

    def guides(self, source: list[Rolls], target: list[Rolls]) -> Iterator[FloatArray]:
        """Rolls (C, 84, T) of 0 and 1."""
        stats = textures(target, self.steps_per_beat)
        return (arrangement(stats, roll, self.steps_per_beat) for roll in source)
