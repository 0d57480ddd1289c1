"""What an evaluation of music found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from audiocycle.evaluation.measure import Row
from audiocycle.evaluation.music.musician import List
from audiocycle.metrics.estimates import Estimate

APART = 0.25
"""Shares of the way to the target; judges that differ by more disagree."""
SURE = 0.8
"""The share of a genre's own songs that a judge should know."""
NEARLY = 0.01
"""A way that is no longer is none."""


@dataclass(frozen=True)
class MusicExample:
    """Some bars of a song, to look at and to listen to.

    Attributes:
        first, last: bars, quarter notes in fours from the beginning of the file, the first being 1.
        scores: by row; symusic scores in ticks, beginning at 0, with what is no note left as it is.
    """

    name: str
    first: int
    last: int
    scores: dict[str, Any]


@dataclass(frozen=True)
class MusicDirectionResult:
    """Results of one direction.

    Attributes:
        names: of the songs.
        rows: by row (:data:`~audiocycle.evaluation.music.measures.ROWS`).
        values: row to measure to one value for each song; without measures that only all songs together have.
        paired: the model and identity against the true counterparts, and their difference; empty where those are not asked for.
        quality: by measure, mean of the source's, the transfers' and the target's phrases.
        middles: by measure of shape, between which values the middle of the target's phrases lies.
        seams: notes that break, each bar: where the network's windows meet, in the same bars where they do not, and the difference;
            empty where all songs are too short for windows to meet in two ways.
        corpora: where the songs are from; with a classifier, whether it was trained on others of the corpus (``seen``), and
            how often it is right there.
        musician: the musician's list of the source's songs, converted, and the target's own.
        knob: strength that is asked for to strength and content; empty where those are not asked for.
    """

    source: str
    target: str
    names: list[str]
    phrases: int
    rows: dict[str, Row]
    values: dict[str, dict[str, list[float]]]
    paired: dict[str, Row]
    quality: dict[str, dict[str, Estimate]]
    middles: dict[str, tuple[float, float]]
    seams: dict[str, Row]
    corpora: dict[str, dict[str, Any]]
    musician: List
    knob: dict[float, Row] = field(default_factory=dict)
    examples: list[MusicExample] = field(default_factory=list)

    @property
    def songs(self) -> int:
        """How many."""
        return len(self.names)

    @property
    def doubts(self) -> list[str]:
        """Sentences: where the two judges see different things, and where the judge of songs knows too little; none without the judges.

        A judge is asked how far the transfers went of the way that the target's own songs are away, as it sees them.
        """
        model, own = self.rows["model"], self.rows["random_target"]
        if "song_strength" not in model:
            return []
        said = []
        right, known = 1.0 - self.rows["identity"]["taken_for"].mean, own["taken_for"].mean
        if min(right, known) < SURE:
            said.append(
                f"The judge of songs knows {right:.0%} of the {self.source} songs and {known:.0%} of the {self.target} songs that it is shown: "
                "its figures are those of another idea of these genres."
            )
        if "strength" in model:
            phrases, songs = (model[name].mean / max(own[name].mean, NEARLY) for name in ("strength", "song_strength"))
            if abs(phrases - songs) > APART:
                wrong = "phrases" if phrases > songs else "songs"
                said.append(
                    f"The judges disagree: by phrases {phrases:.0%} of the way to {self.target}, by songs {songs:.0%}, and {model['taken_for'].mean:.0%} of "
                    f"the songs are taken for {self.target}. Do not rely on the judge of {wrong}."
                )
        return said

    @property
    def extremes(self) -> tuple[str, tuple[str, float], tuple[str, float]]:
        """By which measure songs are told apart, and the worst and the best song, with its value."""
        values = self.values["model"]
        name = next(each for each in ("song_strength", "strength", "in_all_three") if each in values)
        worst, best = int(np.argmin(values[name])), int(np.argmax(values[name]))
        return name, (self.names[worst], values[name][worst]), (self.names[best], values[name][best])


@dataclass(frozen=True)
class MusicEvaluation:
    """Results of a model.

    Attributes:
        parallel: songs of one name are counterparts.
        directions: by name, ``"jazz->classic"``.
        total: mean over the directions, by row.
        skipped: path to reason, of songs that could not be used.
        classifier: what it was trained and tested on; None without one.
        judge: the same of the judge of songs.
        training: how the model was trained, as its bundle says.
    """

    model: str
    parallel: bool
    directions: dict[str, MusicDirectionResult]
    total: dict[str, Row]
    skipped: dict[str, str]
    classifier: dict[str, Any] | None
    judge: dict[str, Any] | None = None
    training: dict[str, Any] = field(default_factory=dict)
