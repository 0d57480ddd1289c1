"""Results of a music model that nobody measured, small, with names that a careless page would stumble over."""

from __future__ import annotations

from typing import Any

import numpy as np
import symusic

from audiocycle.evaluation.music.examples import ANOTHER_SONG
from audiocycle.evaluation.music.measures import (
    GAIN,
    IDENTITY,
    MODEL,
    MUSICIAN_MEASURES,
    RANDOM,
    ROWS,
    SOURCE,
    TRANSFER,
)
from audiocycle.evaluation.music.musician import Line
from audiocycle.evaluation.music.results import MusicDirectionResult, MusicEvaluation, MusicExample
from audiocycle.metrics.estimates import Estimate, estimate

SONGS = ["one", '<img src=x onerror="boom()">', 'it\'s "two" & </script>']
MEASURES = {  # measure: value in each of ROWS
    "strength": (0.75, 0.0, 0.9),
    "song_strength": (0.25, 0.0, 0.95),
    "taken_for": (0.3, 0.1, 0.9),
    "accuracy_strength": (0.8, 0.0, 0.95),
    "chroma_similarity": (0.85, 1.0, 0.35),
    "groove_similarity": (0.8, 1.0, 0.6),
    "note_f1": (0.55, 1.0, 0.06),
    "key_kept": (0.9, 1.0, 0.1),
    "tonnetz_distance": (0.3, 0.0, 1.1),
    "in_notes_per_bar": (0.7, 0.3, 0.8),
    "in_polyphony": (0.75, 0.4, 0.82),
    "in_note_length": (0.9, 0.5, 0.95),
    "in_all_three": (0.6, 0.1, 0.65),
}
NOTES = {  # start and length in quarter notes, pitch
    SOURCE: [(0, 1, 60), (1, 1, 64), (2, 2, 67), (4, 4, 60)],
    TRANSFER: [(0, 1, 60), (1, 0.5, 64), (3, 1, 72), (4, 4, 60)],  # one is kept twice, one resized, one lost, one new
    ANOTHER_SONG: [(0, 0.5, 48), (0.5, 0.5, 50)],
}
LENGTHS = [6.0, 6.0, 2.5]
"""Seconds of the sounds: 120 quarter notes a minute, and 2 s to die away."""


def score(notes: list[tuple[float, float, int]]) -> Any:
    """At MIDI's default tempo."""
    made, track = symusic.Score(480), symusic.Track("piano", 0)
    track.notes.extend([symusic.Note(round(480 * start), round(480 * length), pitch, 90) for start, length, pitch in notes])
    made.tracks.append(track)
    return made


def around(mean: float) -> list[float]:
    """One value for each song."""
    return [mean - 0.05, mean, mean + 0.05]


def over_songs(mean: float) -> Estimate:
    """Of :func:`around`."""
    return estimate([[value] for value in around(mean)], [1.0] * 3)


def direction(source: str, target: str, classifier: bool) -> MusicDirectionResult:
    """Three songs."""
    measures = {name: means for name, means in MEASURES.items() if classifier or ("strength" not in name and name != "taken_for")}
    styles = {"style_time_pitch": Estimate(np.array([0.9])), "style_onset_duration": Estimate(np.array([0.8]))}
    quality = {"polyphony": 3.5, "notes_per_bar": 12.0, "median_note_steps": 2.5, "pitch_class_entropy": 3.0}
    paired = {row: {"chroma_similarity": over_songs(mean), "note_f1": over_songs(mean)} for row, mean in ((MODEL, 0.6), (IDENTITY, 0.4))}
    knob = {s: {"strength": over_songs(0.75 * s), "chroma_similarity": over_songs(1 - 0.2 * s)} for s in (0, 0.25, 0.5, 0.75, 1.0)}
    return MusicDirectionResult(
        source=source,
        target=target,
        names=SONGS,
        phrases=30,
        rows={row: {name: over_songs(means[i]) for name, means in measures.items()} | styles for i, row in enumerate(ROWS)},
        values={row: {name: around(means[i]) for name, means in measures.items()} for i, row in enumerate(ROWS)},
        paired=paired | {GAIN: {name: over_songs(0.2) for name in paired[MODEL]}},
        quality={name: {kind: over_songs(mean) for kind in ("source", "transfer", "target")} for name, mean in quality.items()},
        middles={"notes_per_bar": (4.0, 20.0), "polyphony": (1.5, 4.5), "median_note_steps": (1.0, 4.0)},
        seams={row: {"broken_notes": over_songs(0.25)} for row in ("borders", "inside", "difference")},
        corpora={f"{source}/a": {"songs": 3, "phrases": 30} | ({"seen": True, "accuracy": 0.9} if classifier else {})},
        musician={measure.name: Line(0.1, 0.2, 0.15, (0.05, 0.25), 0.0, 0.25, 4, SONGS[1]) for measure in MUSICIAN_MEASURES},
        knob=knob if classifier else {},
        examples=[MusicExample(SONGS[1], 5, 6, {row: score(notes) for row, notes in NOTES.items()})],
    )


def small_music_evaluation(classifier: bool = True) -> MusicEvaluation:
    """Two directions."""
    directions = {"A->B": direction("A", "B", classifier), "B->A": direction("B", "A", classifier)}
    test = {"corpus": "B/new", "seen": False, "songs": 4, "phrases": 44, "accuracy": 0.625, "left_out": ()}
    known = {"genres": ["A", "B"], "seeds": 3, "trained_on": ["A/a", "B/a"], "tests": [test]}
    rows = {row: directions["A->B"].rows[row] for row in (MODEL, IDENTITY, RANDOM)}
    skipped = {"/data/A/<bad>.mid": "<bad>.mid: no whole 4-bar phrase"}
    return MusicEvaluation('A-B <tiny> & "co"', True, directions, rows, skipped, known if classifier else None, known if classifier else None, {"steps": 7})
