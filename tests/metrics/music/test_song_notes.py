"""Notes on a line of beats: moments, cells, top line."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.metrics.music.song_notes import moments, song_notes, sounding_cells, spread, top_line

NOTE = st.tuples(st.integers(0, 64), st.integers(1, 16), st.integers(30, 100))


def song(notes):
    start, steps, pitch = np.array(notes, np.int64).reshape(-1, 3).T
    return song_notes(start / 4, (start + steps) / 4, pitch)


def test_notes_are_sorted_and_single_values_stand_for_all():
    notes = song_notes([2.0, 0.0], [3.0, 1.0], [60, 72], part=[0, 1], program=33)
    assert notes.start.tolist() == [0.0, 2.0]
    assert notes.pitch.tolist() == [72, 60]
    assert notes.part.tolist() == [1, 0]
    assert notes.program.tolist() == [33, 33]
    assert notes.ring.tolist() == [1.0, 3.0]


def test_notes_that_begin_together_are_one_moment():
    number, times = moments(song_notes([0.0, 0.02, 0.5, 1.0], [2.0] * 4, [60, 64, 67, 72]))
    assert number.tolist() == [0, 0, 1, 2]
    assert times.tolist() == [0.0, 0.5, 1.0]


def test_no_notes():
    nothing = song_notes([], [], [])
    assert (
        len(moments(nothing)[1])
        == len(top_line(nothing))
        == len(sounding_cells(nothing, 4, nothing.end)[0])
        == 0
    )


def test_ranges_are_spread_over_their_cells():
    owner, cell = spread(np.array([3, 0, 5]), np.array([5, 0, 6]))
    assert owner.tolist() == [0, 0, 2]
    assert cell.tolist() == [3, 4, 5]


def test_a_note_sounds_in_the_cells_whose_middle_it_covers():
    _, cell = sounding_cells(song_notes([0.1], [0.9], [60]), 4, np.array([0.9]))
    assert cell.tolist() == [0, 1, 2, 3]
    _, cell = sounding_cells(song_notes([0.2], [0.6], [60]), 4, np.array([0.6]))
    assert cell.tolist() == [1]


@given(st.lists(NOTE, min_size=1, max_size=40))
def test_the_top_line_is_what_nothing_sounds_above(notes):
    played = song(notes)
    expected = [
        not any(
            (s <= begin < e) and p > pitch
            for s, e, p in zip(played.start, played.end, played.pitch, strict=True)
        )
        for begin, pitch in zip(played.start, played.pitch, strict=True)
    ]
    assert top_line(played).tolist() == expected


def test_a_note_held_a_little_into_the_next_does_not_hide_it():
    assert top_line(song_notes([0.0, 1.0], [1.03, 2.0], [72, 60])).all()
    assert not top_line(song_notes([0.0, 1.0], [1.3, 2.0], [72, 60])).all()
