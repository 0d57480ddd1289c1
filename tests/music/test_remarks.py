"""What is said of songs that a network was not made for, and that nothing is said of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from songs import (
    BAR,
    STEP,
    TPQ,
    a_modality,
    a_score,
    a_track,
    conversion_parts,
    converted_song,
    core,
    noise,
    tune,
)

from audiocycle.errors import AudioCycleWarning
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.midi.file import write_score
from audiocycle.music.midi.score import score_of, song_of
from audiocycle.music.notes import Notes


def score(notes: Notes, *metres: tuple[int, int, int]) -> Any:
    return a_score(a_track(*zip(*(c.tolist() for c in notes.columns[:4]), strict=True)), metres=metres)


def note(made: Any, adapter: PianoRollAdapter | None = None, **options: Any) -> str:
    return converted_song(song_of(made), adapter=adapter, **options)[1].note


def test_nothing_is_said_of_an_ordinary_song() -> None:
    assert note(score(tune(16))) == ""
    assert note(score(tune(16), (0, 4, 4))) == ""
    assert note(score(tune(16), (0, 4, 4), (15 * BAR, 2, 4))) == ""  # the last bar is short


@pytest.mark.parametrize(("top", "bottom"), [(3, 4), (6, 8), (12, 8), (2, 2), (2, 4), (7, 8)])
def test_nothing_is_said_of_other_metres(top: int, bottom: int) -> None:
    assert note(score(tune(16, 3), (0, top, bottom))) == ""


def test_what_passes_through_is_said_with_its_reason() -> None:
    odd = score(tune(16), (0, 1, 64))
    why = "in 1/64, whose bars are no whole steps of the straight grid"
    assert note(odd) == f"nothing was converted, the result is a copy: its notes lie {why}"
    mixed = score(tune(16), (0, 4, 4), (4 * BAR, 1, 64), (8 * BAR, 3, 4))
    assert note(mixed) == f"32 of its 128 notes stayed as they are: 32 {why}"
    upbeat = a_score(a_track((0, TPQ, 60, 64), *((TPQ + i * TPQ, 2 * TPQ + i * TPQ, 60, 64) for i in range(16)), (0, 9, 20, 9)), metres=[(0, 1, 4), (TPQ, 4, 4)])
    assert note(upbeat) == "2 of its 18 notes stayed as they are: 1 outside MIDI 24 to 107, 1 in the upbeat"
    late = a_score(a_track((0, BAR, 60, 64), (BAR - 9, BAR, 60, 64)))
    assert note(late) == "1 of its 2 notes stayed as they are: 1 at the very end of the last bar"


def test_free_playing_is_told_with_its_share() -> None:
    free = a_track(*((i * 501, i * 501 + 400, 60 + i % 7, 64) for i in range(64)))
    assert (
        "of its onsets lie on the straight grid (below 50% the result may make little sense): a free performance?"
        in note(a_score(free), beats="file")
    )
    thirds = [beat * TPQ + late for beat in range(64) for late in (0, 160, 320)]
    triplets = a_track(*((start, start + 100, 60 + start % 7, 64) for start in thirds))
    assert "100% lie on the triplet grid: choose a model of that" in note(a_score(triplets))
    assert "grid" not in note(a_score(triplets), PianoRollAdapter(grid="triplet"))
    swung = a_track(*((start, start + 100, 60 + start % 7, 64) for start in thirds if start % TPQ != 160))
    assert "grid" not in note(a_score(swung))


def test_an_upbeat_is_told_until_the_first_bar_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    upbeat = score(tune(16, upbeat=1), (0, 4, 4))
    assert note(upbeat).startswith("its bars were taken to begin a quarter note later than the file says")
    assert "first_bar" not in note(upbeat, first_bar=0.0)
    assert note(upbeat, first_bar=1.0) == "1 of its 129 notes stayed as they are: 1 in the upbeat"
    assert "seems to be in 3/4" in note(score(tune(16, 3)))
    monkeypatch.setattr("audiocycle.music.bar_lines.CERTAIN", 1e9)
    assert note(upbeat).endswith("(an upbeat?): try `first_bar=1`")


def test_the_first_bar_is_where_it_is_said_to_be() -> None:
    """The song behind an upbeat is converted as it is without one; the upbeat stays as it is."""
    network = noise(3)

    def made(upbeat: int) -> Any:
        bare = score(tune(16), (0, 4, 4))
        if upbeat:
            bare = bare.shift_time(upbeat * TPQ)
            bare.time_signatures = type(bare.time_signatures)([core.TimeSignatureTick(0, 4, 4)])
            bare.tracks[0].notes.append(core.NoteTick(0, STEP, 79, 80))
        return score_of(converted_song(song_of(bare), network, first_bar=float(upbeat))[0])

    plain, moved = (
        sorted((n.time, n.end, n.pitch, n.velocity) for n in made(upbeat).tracks[0].notes)
        for upbeat in (0, 3)
    )
    assert (0, STEP, 79, 80) in moved
    moved = [
        (a - 3 * TPQ, b - 3 * TPQ, pitch, velocity)
        for a, b, pitch, velocity in moved
        if (a, pitch) != (0, 79)
    ]
    assert [row[:3] for row in moved] == [row[:3] for row in plain]


def test_the_outcome_of_a_file_and_a_warning_in_python_say_so(tmp_path: Path) -> None:
    odd = score(tune(16), (0, 1, 64))
    write_score(tmp_path / "in.mid", odd)
    outcome = a_modality().convert(tmp_path / "in.mid", tmp_path / "out.mid", *conversion_parts())
    assert outcome.note.startswith("nothing was converted")
    assert json.loads(json.dumps(outcome.note)) == outcome.note
    with pytest.warns(AudioCycleWarning, match="nothing was converted"):
        a_modality().convert_item(odd, *conversion_parts())
