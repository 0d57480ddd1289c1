"""Which notes one voice would play on after another."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import TPQ, notes

from audiocycle.music.notes import Notes, empty, join
from audiocycle.music.voice_leading import LEAP, lines_of


def lines(these: Notes, phrase: list[int] | None = None, ties: list[bool] | None = None) -> list[int]:
    n = len(these)
    return lines_of(these, np.array(phrase or [0] * n), TPQ, 10, np.array(ties or [False] * n)).tolist()


def row(*pitches: int, every: int = TPQ) -> list[tuple[int, int, int, int]]:
    return [(i * every, (i + 1) * every, pitch, 64) for i, pitch in enumerate(pitches)]


def test_steps_go_on_and_leaps_do_not() -> None:
    assert lines(notes(*row(60, 62, 64, 65))) == [0, 0, 0, 0]
    assert lines(notes(*row(60, 62, 62 + LEAP + 1, 74))) == [0, 0, 2, 2]
    assert lines(notes(*row(60, 62, every=TPQ + 1))) == [0, 1]  # too long a wait
    assert lines(empty()) == []
    assert lines(notes((0, 1, 60, 64))) == [0]


def test_two_voices_go_beside_each_other() -> None:
    both = join([notes(*row(72, 74, 76)), notes(*row(48, 47, 45))])
    found = lines(both)
    assert both.pitch.tolist() == [48, 72, 47, 74, 45, 76]
    assert found == [0, 1, 0, 1, 0, 1]


def test_of_two_that_could_go_on_the_nearer_does() -> None:
    these = notes((0, TPQ, 60, 64), (TPQ, 2 * TPQ, 61, 64), (TPQ, 2 * TPQ, 64, 64))
    assert lines(these) == [0, 0, 2]


def test_lines_end_with_their_phrase_and_between_ties() -> None:
    assert lines(notes(*row(60, 62, 64)), phrase=[0, 0, 1]) == [0, 0, 2]
    assert lines(notes(*row(60, 62, 64)), ties=[True, True, False]) == [0, 1, 1]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(40, 80)), min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_a_line_has_one_note_at_a_time(rows: list[tuple[int, int]]) -> None:
    these = notes(*sorted((start * 60, start * 60 + 60, pitch, 64) for start, pitch in set(rows)))
    found = np.array(lines(these))
    for line in np.unique(found):
        mine = these.where(found == line)
        assert (np.diff(mine.start) > 0).all()
        assert (np.diff(mine.start) <= TPQ).all()
        assert (np.abs(np.diff(mine.pitch)) <= LEAP).all()
        assert found[line] == line  # it is called after its first note
