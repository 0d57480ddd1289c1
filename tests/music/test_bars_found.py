"""Where a song's bars are: the file's, moved by an upbeat, at estimated beats, at those of a file; and what is said of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from free_playing import TICKS_PER_SECOND, Take, apart, f_measure, take
from songs import TPQ, a_score, a_track, converted_song, core, noise, tune

from audiocycle.errors import ConfigError, InputError
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.bars_found import Bars, bars_found
from audiocycle.music.midi.score import score_of, song_of
from audiocycle.music.midi.strokes import find_strokes, parts_of
from audiocycle.music.options import MusicOptions


def bars(score: Any, grid: str = "straight", **options: Any) -> Bars:
    song = song_of(score)
    notes = parts_of(find_strokes(song.chunks))[1]
    return bars_found(song, "song.mid", notes, PianoRollAdapter(grid=grid), MusicOptions(**options))


def lines(found: Bars) -> Any:
    """Seconds of beats."""
    return found.layout.spans[0].lines / TICKS_PER_SECOND


def new_notes(made: Take, **options: Any) -> Any:
    """Seconds at which notes begin that a network with an opinion of everything added."""
    song = song_of(made.score)
    before = {(note.time, note.pitch) for note in score_of(song).tracks[0].notes}
    after = score_of(converted_song(song, noise(1, busy=0.02), **options)[0])
    return (
        np.array([n.time for t in after.tracks for n in t.notes if (n.time, n.pitch) not in before])
        / TICKS_PER_SECOND
    )


def test_new_notes_lie_on_the_players_grid() -> None:
    for seed in range(3):
        made = take(seed, beat=0.9, upbeat=seed % 2)
        assert (apart(new_notes(made), made.grid()) < 0.06).mean() > 0.95
        assert (apart(new_notes(made, beats="file"), made.grid()) < 0.06).mean() < 0.8


def test_the_song_keeps_its_time() -> None:
    score = take(0).score
    score.tempos.append(core.TempoTick(0, 120.0))
    song = song_of(score)
    made = converted_song(song, noise(1))[0]
    assert (made.tempos, made.signatures, made.per_quarter) == (
        song.tempos,
        song.signatures,
        song.per_quarter,
    )


@pytest.mark.parametrize(("metre", "upbeat"), [(4, 0), (4, 1), (4, 2), (3, 0), (3, 1)])
def test_bars_begin_where_they_are_played(metre: int, upbeat: int) -> None:
    made = take(3, metre=metre, upbeat=upbeat)
    span = bars(made.score).layout.spans[0]
    found = span.ticks(span.bars) / TICKS_PER_SECOND
    assert f_measure(made.beats[upbeat::metre], found) > 0.9
    assert (np.diff(span.bars) == 4 * metre).mean() > 0.9


def test_compound_beats_have_six_steps() -> None:
    made = take(0, metre=2, n_bars=40, triple=True, beat=0.7)
    span = bars(made.score).layout.spans[0]
    assert set(span.sizes.tolist()) == {6}
    assert "in thirds" in bars(made.score).said
    swung = bars(take(0, swing=0.66).score)
    assert set(swung.layout.spans[0].sizes.tolist()) == {4}


def test_it_is_said_what_was_done_and_how_to_undo_it() -> None:
    made = take(0)
    found = bars(made.score)
    assert not found.by_file
    assert found.said.startswith("only ")
    assert re.search(
        r"so its beats were estimated from what is played \(9[67] beats, 4 in a bar; 9\d% of its onsets lie",
        found.said,
    )
    assert found.said.endswith("of its onsets lie on their grid); `beats=file` keeps the file's")
    asked = bars(made.score, beats="estimate")
    assert asked.said.startswith("its beats were estimated")
    np.testing.assert_array_equal(lines(asked), lines(found))
    assert (bars(made.score, beats="file").said, bars(made.score, beats="file").by_file) == ("", True)


def test_what_keeps_to_the_grid_keeps_the_files_bars() -> None:
    on_grid = tune(16)
    assert bars(a_score(a_track(*np.column_stack(on_grid.columns[:4]).tolist()))).said == ""
    swung = [
        (start, start + 100, 60 + i % 7, 64)
        for i, start in enumerate(s for beat in range(64) for s in (beat * TPQ, beat * TPQ + 320))
    ]
    assert bars(a_score(a_track(*swung))).by_file


def test_an_estimate_of_notes_anywhere_is_called_unsure() -> None:
    random = np.random.default_rng(0)
    start = np.sort(random.integers(0, 60 * TICKS_PER_SECOND, 500))
    anywhere = a_score(a_track(*((int(s), int(s) + 200, int(random.integers(40, 80)), 64) for s in start)))
    for options in ({}, {"beats": "estimate"}):
        assert "which is unsure (below 75%)" in bars(anywhere, **options).said


def test_a_certain_upbeat_moves_the_bars() -> None:
    notes = tune(16, upbeat=3)
    score = a_score(a_track(*np.column_stack(notes.columns[:4]).tolist()), metres=[(0, 4, 4)])
    found = bars(score)
    assert found.layout.spans[0].start == 3 * TPQ
    assert (
        found.said
        == "its bars were taken to begin 3 quarter notes later than the file says, as harmony and bass do; `first_bar=0` keeps the file's"
    )
    for first in (0.0, 1.0):
        kept = bars(score, first_bar=first)
        assert (kept.layout.spans[0].start, kept.said) == (first * TPQ, "")


def test_marked_beats_are_the_grid(tmp_path: Path) -> None:
    made = take(0, metre=3, upbeat=2)
    times = made.beats[:-1]
    path = tmp_path / "take.csv"
    path.write_text("\n".join(f"{time:.4f},{(i - 2) % 3 + 1}" for i, time in enumerate(times)))
    found = bars(made.score, beats=str(path))
    span = found.layout.spans[0]
    np.testing.assert_allclose(lines(found)[: len(times) - 2], times[2:], atol=1e-3)
    assert set(np.diff(span.bars).tolist()) == {12}
    assert found.said.startswith(
        "its beats are those of take.csv (74 beats, 3 in a bar, the first bar after 2; "
    )
    path.write_text(json.dumps(times.tolist()))
    unmarked = bars(made.score, beats=str(path)).layout.spans[0]
    np.testing.assert_allclose(unmarked.lines[:-1], span.lines[:-1], atol=1)
    moved = bars(made.score, beats=str(path), first_bar=1.0).layout.spans[0]
    assert moved.start == round(times[1] * TICKS_PER_SECOND)


def test_files_of_beats_for_other_songs_leave_notes_alone(tmp_path: Path) -> None:
    made = take(0)
    path = tmp_path / "half.txt"
    path.write_text("\n".join(f"{time:.4f}" for time in made.beats[:40]))
    note = converted_song(song_of(made.score), noise(1), beats=str(path))[1].note
    assert "behind the last bar" in note
    with pytest.raises(InputError, match="cannot be read"):
        bars(made.score, beats=str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="beats="):
        MusicOptions(beats=" ")


def test_any_tempo_map_is_followed() -> None:
    """The same seconds as ticks of a file whose tempo changes."""
    made = take(2)
    plain = song_of(made.score)
    score = made.score
    score.tempos.extend([core.TempoTick(0, 60.0), core.TempoTick(7 * TPQ, 200.0)])
    mapped = song_of(score)
    ticks = np.arange(0, 40 * TPQ, 77)
    np.testing.assert_allclose(mapped.ticks(mapped.seconds(ticks)), ticks, atol=1e-6)
    np.testing.assert_allclose(plain.ticks(plain.seconds(ticks)), ticks, atol=1e-6)


def test_two_notes_are_no_piece() -> None:
    few = a_score(a_track((100, 200, 60, 64), (731, 800, 62, 64)))
    assert bars(few).by_file
    assert bars(few, beats="estimate").layout.spans[0].n_bars >= 1
    far = replace(take(0), rows=take(0).rows[:1])
    assert bars(far.score, beats="estimate").layout.spans[0].n_bars >= 1


def test_what_lasts_for_hours_is_left_to_its_file() -> None:
    slow = a_score(a_track(*((i * 5000, i * 5000 + 100, 60, 64) for i in range(3000))))
    assert bars(slow).by_file
    with pytest.raises(InputError, match="up to 3 hours; split it, or take the file's"):
        bars(slow, beats="estimate")
