"""Statistics of songs: what they must not depend on, and a few that can be counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.metrics.music.song_notes import song_notes
from audiocycle.metrics.music.song_statistics import song_statistics

NOTE = st.tuples(st.integers(0, 256), st.integers(1, 32), st.integers(24, 107), st.integers(0, 3))


def some(notes):
    start, steps, pitch, part = np.array(notes, np.int64).reshape(-1, 4).T
    return song_notes(start / 4, (start + steps) / 4, pitch, part)


@given(st.lists(NOTE, min_size=0, max_size=50))
def test_all_are_there_and_finite(notes):
    found = song_statistics(some(notes))
    assert found.keys() == song_statistics(song_notes([0.0], [1.0], [60])).keys()
    assert np.isfinite(list(found.values())).all()


@given(st.lists(NOTE, min_size=1, max_size=50))
def test_parts_programs_and_the_place_of_the_song_do_not_count(notes):
    played = some(notes)
    other = song_notes(played.start + 8, played.end + 8, played.pitch, part=3, program=73)
    assert song_statistics(other) == pytest.approx(song_statistics(played))


def test_a_line_of_quarters():
    found = song_statistics(song_notes(np.arange(8.0), np.arange(8.0) + 1, [60, 62, 64, 65, 67, 60, 60, 72]))
    assert found["length_02"] == 1.0
    assert (found["top_step_00"], found["top_step_01"], found["top_step_02"]) == pytest.approx(
        (1 / 7, 4 / 7, 0.0)
    )
    assert (found["top_step_03"], found["top_step_04"], found["top_rising"]) == pytest.approx(
        (1 / 7, 1 / 7, 5 / 7)
    )
    assert found["place_00"] == found["notes_a_beat"] == found["classes_at_once"] == 1.0


def test_swing_is_another_place_and_a_little_rubato_is_not():
    beats = np.repeat(np.arange(8.0), 2)
    swung, straight = beats + np.tile([0, 2 / 3], 8), beats + np.tile([0, 0.5], 8)
    late = straight + np.tile([0.02, -0.03], 8)
    places = [
        [song_statistics(song_notes(t, t + 0.3, 60))[f"place_{i:02}"] for i in range(6)]
        for t in (swung, straight, late)
    ]
    assert places[0] == pytest.approx([0.5, 0, 0, 0, 0.5, 0])
    assert places[1] == places[2] == pytest.approx([0.5, 0, 0, 0.5, 0, 0])


def test_chords_above_their_bass():
    sevenths = song_notes([0, 0, 0, 0], [4, 4, 4, 4], [48, 64, 67, 70])
    found = song_statistics(sevenths)
    assert [k for k in range(11) if found[f"above_bass_{k:02}"]] == [3, 6, 9]
    assert (found["chords"], found["triads"], found["sevenths"], found["seconds"]) == (1.0, 0.0, 1.0, 0.0)
    assert found["interval_class_05"] == pytest.approx(2.0)  # a tritone, counted from both of its ends
    assert found["at_once_03"] == 1.0
