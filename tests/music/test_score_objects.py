"""Scores in memory through a conversion: what it does not touch comes back as it was, whatever a MIDI file could hold of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from songs import (
    BAR,
    STEP,
    MusicModality,
    PianoRollAdapter,
    ScoreRenderer,
    a_score,
    a_track,
    core,
    noise,
    scores,
    table,
    tables,
    translation,
    without_notes,
)

from audiocycle.errors import InputError, OutputError
from audiocycle.music.midi.file import as_bytes, from_pretty_midi, score_from_bytes
from audiocycle.music.options import MusicOptions


def converted_item(item: Any, seed: int = 0, **options: Any) -> Any:
    """What a network with an opinion of everything makes of an item."""
    adapter, chosen = PianoRollAdapter(), MusicOptions(**options)
    network = translation(noise(seed, busy=0.05), adapter, chosen)
    return MusicModality(adapter).convert_item(item, ScoreRenderer(adapter), network, chosen)


def rich(n_tracks: int = 20) -> Any:
    """More tracks than channels, each with moves of its own, pedals without controllers, overlaps, and tracks without notes."""
    parts = []
    for i in range(n_tracks):
        part = a_track((0, BAR, 40 + i, 60), (STEP, 2 * STEP, 40 + i, 50), name=f"part {i}", program=i)
        part.controls.append(core.ControlChangeTick(i, 7, i))
        part.pitch_bends.append(core.PitchBendTick(i, i - 8192))
        part.pedals.append(core.PedalTick(i, STEP))
        parts.append(part)
    return a_score(*parts, a_track(name="kit", is_drum=True), a_track(name="rest", program=9))


def test_without_strength_everything_comes_back() -> None:
    score = rich()
    assert converted_item(score, strength=0.0) == score


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(score=scores())
@settings(max_examples=30, deadline=None)
def test_without_strength_generated_scores_come_back(score: Any) -> None:
    assert converted_item(score, strength=0.0) == score


def test_with_full_strength_only_melodic_notes_change() -> None:
    score = rich()
    made = converted_item(score)
    assert without_notes(made) == without_notes(score)
    assert tables(made) != tables(score)
    assert table(made.tracks[20]) == []
    assert [list(part.pedals) for part in made.tracks] == [list(part.pedals) for part in score.tracks]


def test_the_given_score_is_not_changed_and_few_ticks_become_more() -> None:
    score = a_score(a_track((0, 4, 60, 64), (4, 8, 62, 64)), tpq=4)
    score.tracks[0].pedals.append(core.PedalTick(1, 0))
    before = score.copy()
    made = converted_item(score, strength=0.0)
    assert score == before
    assert (made.ticks_per_quarter, tables(made)) == (96, [[(0, 96, 60, 64), (96, 192, 62, 64)]])
    assert [(pedal.time, pedal.duration) for pedal in made.tracks[0].pedals] == [(24, 0)]


def test_usual_programs_are_the_only_other_change() -> None:
    score = a_score(a_track((0, BAR, 40, 64), program=87), a_track((0, BAR, 36, 64), program=5, is_drum=True))
    made = converted_item(score, strength=0.0, programs="target")
    assert [part.program for part in made.tracks] == [32, 5]
    assert tables(made) == tables(score)


def test_a_score_is_as_long_as_it_was() -> None:
    score = a_score(a_track(*((i * STEP, (i + 1) * STEP, 60, 64) for i in range(32))))
    silent = MusicOptions(threshold=0.99)
    adapter = PianoRollAdapter()
    network = translation(lambda features: features * 0.0, adapter, silent)
    made = MusicModality(adapter).convert_item(score, ScoreRenderer(adapter), network, silent)
    assert made.end() >= score.end()


def test_merged_scores_keep_pedals_that_are_no_controllers() -> None:
    score = a_score(a_track((0, BAR, 60, 64)))
    score.tracks[0].pedals.extend([core.PedalTick(0, STEP), core.PedalTick(STEP, STEP)])
    for made in (
        converted_item(score, strength=0.0, tracks="merge"),
        score_from_bytes(as_bytes(score, "s.mid"), "s.mid"),
    ):
        assert [(pedal.time, pedal.duration) for pedal in made.tracks[0].pedals] == [(0, STEP), (STEP, STEP)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda part: part.pitch_bends.append(core.PitchBendTick(0, -9000)),
            "pitch bends of -8,192 to 8,191",
        ),
        (lambda part: part.pitch_bends.append(core.PitchBendTick(0, 8192)), "pitch bends of -8,192 to 8,191"),
        (lambda part: part.pitch_bends.append(core.PitchBendTick(0, 1_000_000)), "pitch bends of"),
        (lambda part: part.controls.append(core.ControlChangeTick(0, 200, 1)), "controllers of 0 to 127"),
        (lambda part: part.controls.append(core.ControlChangeTick(0, 7, 200)), "controllers of 0 to 127"),
        (lambda part: setattr(part, "program", 200), "programs of 0 to 127"),
    ],
)
def test_values_that_midi_does_not_have_are_refused_in_one_line(
    change: Callable[[Any], None], words: str
) -> None:
    score = a_score(a_track((0, BAR, 60, 64)))
    change(score.tracks[0])
    with pytest.raises(OutputError, match=f"^score: cannot be written, a MIDI file holds only {words}"):
        converted_item(score)
    with pytest.raises(OutputError, match=r"^s\.mid: cannot be written"):
        as_bytes(score, "s.mid")


def test_the_outermost_bends_are_written() -> None:
    score = a_score(a_track((0, BAR, 60, 64)))
    score.tracks[0].pitch_bends.extend([core.PitchBendTick(0, -8192), core.PitchBendTick(1, 8191)])
    assert score_from_bytes(as_bytes(score, "s.mid"), "s.mid") == score


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda part: setattr(part, "name", "ピアノ"),
            "pretty_midi writes only Western European names and lyrics; rename them",
        ),
        (lambda part: setattr(part.notes[0], "velocity", 300), "cannot be written as MIDI"),
    ],
)
def test_pretty_midi_objects_that_cannot_be_written_are_refused_in_one_line(
    change: Callable[[Any], None], words: str
) -> None:
    pretty_midi = pytest.importorskip("pretty_midi")
    midi = pretty_midi.PrettyMIDI()
    midi.instruments.append(pretty_midi.Instrument(0, name="Flöte"))
    midi.instruments[0].notes.append(pretty_midi.Note(64, 60, 0.0, 1.0))
    from_pretty_midi(midi)
    change(midi.instruments[0])
    with pytest.raises(InputError, match=f"^PrettyMIDI object: {words}"):
        from_pretty_midi(midi)
