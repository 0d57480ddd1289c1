"""What parts can play: of their instruments, and of what they do in the song."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import BAR, STEP, TPQ, notes

from audiocycle.music.notes import Notes
from audiocycle.music.players import Players, at_once, legato_of, places_of, players_of, released

LEGATO = legato_of(TPQ)
FLUTE, PIANO, STRINGS, BASS = 73, 0, 48, 33


def players(source: Notes, *programs: int, heir: list[int] | None = None) -> Players:
    """Of parts with one program each."""
    heirs = np.array(heir if heir is not None else range(len(programs)))
    return players_of(source, np.array(programs)[source.track], heirs, np.zeros(0, np.int64), TPQ)


def a_line(track: int, pitch: int, n: int = 20) -> list[tuple[int, ...]]:
    return [(i * TPQ, (i + 1) * TPQ, pitch + i % 5, 64, track, track * 1000 + i) for i in range(n)]


def chords(track: int, pitch: int, size: int, n: int = 20) -> list[tuple[int, ...]]:
    return [
        (i * TPQ, (i + 1) * TPQ, pitch + 4 * j, 64, track, track * 1000 + i * size + j) for i in range(n) for j in range(size)
    ]


def test_what_sounds_at_once_is_counted_where_notes_begin() -> None:
    these = notes((0, 480, 60, 1), (0, 240, 64, 1), (240, 480, 67, 1), (300, 900, 72, 1, 1), (460, 500, 50, 1))
    assert at_once(these, 0).tolist() == [2, 2, 2, 1, 3]
    assert at_once(these, 30).tolist() == [2, 2, 2, 1, 1]  # the others hold on for no more than that


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 30), st.integers(0, 2)), min_size=1, max_size=30), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_at_once_as_a_loop_counts(rows: list[tuple[int, int, int]], legato: int) -> None:
    these = notes(*((start, start + length, 60, 64, track) for start, length, track in rows))
    ends = released(these, legato)
    found = [int(((these.track == k) & (these.start <= t) & (ends > t)).sum()) for t, k in zip(these.start, these.track, strict=True)]
    assert at_once(these, legato).tolist() == found


@pytest.mark.parametrize(
    ("rows", "programs", "voices"),
    [
        (a_line(0, 60), (PIANO,), [1]),  # the whole song is a line
        (a_line(0, 60) + a_line(1, 48), (PIANO, PIANO), [8, 8]),  # two hands
        (a_line(0, 72) + chords(1, 48, 3), (PIANO, PIANO), [1, 8]),  # a tune over chords stays a tune
        (a_line(0, 72) + chords(1, 48, 3), (FLUTE, STRINGS), [1, 6]),
        (chords(0, 60, 2) + chords(1, 48, 3), (FLUTE, STRINGS), [2, 6]),  # it is two flutes
        (chords(0, 40, 9), (PIANO,), [9]),
        ([*a_line(0, 40), (0, BAR, 43, 64, 0, 99)], (BASS,), [1]),  # one double stop
    ],
)
def test_voices(rows: list[tuple[int, ...]], programs: tuple[int, ...], voices: list[int]) -> None:
    source = notes(*sorted(rows))
    assert players(source, *programs).voices.tolist() == voices


def test_compass_is_the_instruments_and_the_parts_own() -> None:
    made = players(notes(*sorted(a_line(0, 54) + chords(1, 40, 3))), FLUTE, STRINGS)
    assert (made.low[0], made.high[0]) == (54, 58 + 12)  # no flute plays so low, but this one does
    assert (made.low[1], made.high[1]) == (28, 60)
    alone = players(notes(*chords(0, 40, 3)), STRINGS)
    assert (alone.low[0], alone.high[0]) == (28, 96)


def test_noises_play_nothing_new() -> None:
    made = players(notes(*a_line(0, 60)), 125)
    assert (made.low[0], made.high[0]) == (60, 64)


def test_what_goes_to_an_heir_is_within_what_all_of_them_play() -> None:
    made = players(notes(*sorted(a_line(1, 60) + a_line(2, 72))), FLUTE, FLUTE, FLUTE, heir=[0, 0, 0])
    assert (made.low[0], made.high[0], made.voices[0]) == (60, 96, 2)


def test_places_by_hand() -> None:
    source = notes((0, STEP, 60, 64, 0), (5, STEP, 72, 64, 0), (6, BAR, 40, 64, 1), (BAR, 2 * BAR, 50, 64, 0))
    places = places_of(source, np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))
    assert [column.tolist() for column in (places.phrase, places.part, places.low, places.high)] == [
        [0, 0, 1, 1], [0, 1, 0, 1], [60, 40, 50, 40], [72, 40, 50, 40],
    ]  # fmt: skip
    busiest = places_of(source, np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), most=1)
    assert busiest.part.tolist() == [0, 0]
    assert len(places_of(source.where([]), *np.zeros((2, 0), np.int64)).part) == 0
