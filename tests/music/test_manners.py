"""Manners of new notes: each fault by hand, what is never touched, and what is usual."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import even_bars

from audiocycle.music.manners import (
    MEASURES,
    habits,
    leaps,
    lowest,
    mannered,
    out_of_key,
    overlapping,
    third_strikes,
)
from audiocycle.music.notes import IntArray
from audiocycle.music.piano_roll import N_PITCHES

SPAN = even_bars(0, 8, 480)
STEPS = SPAN.n_steps
C3, C5 = 24, 48
"""Rows."""
NO = {name: np.array([1.0, 1.0], np.float32) for name in MEASURES}
"""A genre in which no share of faults is too many."""


def table(*notes: tuple[int, int, int]) -> IntArray:
    return np.array(notes, np.int64).reshape(-1, 3)


def mended(
    new: IntArray, kept: IntArray, source: IntArray | None = None, sure: float = 0.6, **usual: float
) -> tuple[list[tuple[int, ...]], list[int]]:
    """New notes, and numbers of the source's that are back."""
    source = kept if source is None else source
    cells = [tuple(cell) for cell in source[:, :2].tolist()]
    origin = np.array([cells.index(tuple(cell)) for cell in kept[:, :2].tolist()], np.int64)
    stats = NO | {name: np.array([share, share], np.float32) for name, share in usual.items()}
    begins = np.full((N_PITCHES, STEPS), sure, np.float32)
    made, back = mannered(new, kept, origin, source, begins, np.ones(begins.shape, bool), SPAN, stats)
    return sorted(map(tuple, made.tolist())), np.flatnonzero(back).tolist()


BASS = table(*((C3, 4 * beat, 4) for beat in range(16)))
SCALE = table(*((C5 + row, 4 * beat, 4) for beat, row in enumerate((0, 2, 4, 5, 7, 9, 11, 12) * 4)))


def test_out_of_key_by_hand() -> None:
    foreign = np.concatenate([SCALE, table((C5 + 6, 40, 2), (C5 + 1, 60, 2))])
    assert np.flatnonzero(out_of_key(foreign, STEPS, 4)).tolist() == [len(SCALE), len(SCALE) + 1]


def test_notes_out_of_key_are_left_out_down_to_the_usual_share_and_the_least_sure_first() -> None:
    new = table((C5 + 6, 40, 2), (C5 + 1, 60, 2), (C5 + 4, 80, 2))
    begins = np.zeros((N_PITCHES, STEPS), np.float32)
    begins[C5 + 6, 40], begins[C5 + 1, 60], begins[C5 + 4, 80] = 0.9, 0.6, 0.5
    free, origin = np.ones(begins.shape, bool), np.arange(len(SCALE))
    for share, left in ((1.0, 3), (0.03, 2), (0.0, 1)):
        stats = NO | {"out_of_key": np.array([share, share], np.float32)}
        made, back = mannered(new, SCALE, origin, SCALE, begins, free, SPAN, stats)
        rows = {C5 + 6, C5 + 1, C5 + 4}
        assert set(made[:, 0].tolist()) == {3: rows, 2: rows - {C5 + 1}, 1: {C5 + 4}}[left]
        assert not back.any()


def test_rows_of_strikes_are_held_from_the_second_on() -> None:
    row = table(*((C5, 2 * strike, 2) for strike in range(6)))
    assert third_strikes(row, 4)[0].tolist() == [False, False, True, True, True, True]
    assert mended(row, table())[0] == sorted(map(tuple, row.tolist()))
    assert mended(row, table(), third_strikes=0.0)[0] == [(C5, 0, 2), (C5, 2, 10)]
    assert (
        mended(row[3:], row[:3], third_strikes=0.0)[0] == []
    )  # the source's own strikes stay, and hold nothing on
    slow = table(*((C5, 4 * strike, 2) for strike in range(6)))
    assert not third_strikes(slow, 4)[0].any()


def test_a_new_bass_note_that_falls_out_of_the_line_comes_back_by_octaves() -> None:
    kept = np.delete(BASS, 5, axis=0)
    deep = table((C3 - 17, 20, 4))
    assert mended(deep, kept, BASS)[0] == [(C3 - 5, 20, 4)]
    taken = np.concatenate([kept, table((C3 - 5, 20, 4))])
    assert mended(deep, taken)[0] == []  # where it would be something sounds
    low = table(*((C3 - 17, 4 * beat, 4) for beat in range(16)))
    assert len(mended(low, table())[0]) == 16  # a line of its own


def test_a_bass_note_that_is_missed_is_back_where_too_many_beats_leap() -> None:
    middle = table(*((C5, 4 * beat, 4) for beat in range(16)))
    source = np.concatenate([BASS, middle])
    kept = np.delete(source, [3, 7], axis=0)
    assert leaps(lowest(kept, SPAN)).sum() == 8
    assert mended(table(), kept, source, bass_leaps=0.0)[1] == [3, 7]
    assert mended(table(), kept, source, bass_leaps=1.0)[1] == []


def test_lone_sixteenths_become_eighths_or_go() -> None:
    assert mended(table((C5, 20, 1)), BASS)[0] == [(C5, 20, 2)]
    assert mended(table((C5, STEPS - 1, 1)), BASS)[0] == []  # no room
    figure = table((C5, 20, 1), (C5 + 2, 21, 1))
    assert mended(figure, BASS)[0] == sorted(map(tuple, figure.tolist()))
    cut = np.concatenate([BASS, table((C5, 20, 1))])
    assert mended(table(), cut, np.concatenate([BASS, table((C5, 20, 8))]))[1] == [
        len(BASS)
    ]  # the source's own is as long as it was


def test_lowest_notes_and_overlaps_by_hand() -> None:
    assert lowest(table((30, 0, 5), (20, 6, 1)), SPAN)[:3].tolist() == [30, 20, N_PITCHES]
    assert overlapping(table((30, 4, 2), (30, 5, 1), (31, 0, 9)), table((30, 0, 5)), STEPS).tolist() == [
        True,
        False,
        False,
    ]


NOTES = st.lists(
    st.tuples(st.integers(0, 83), st.integers(0, STEPS - 1), st.integers(1, 9)),
    max_size=40,
    unique_by=lambda note: note[:2],
)


@settings(deadline=None, max_examples=80)
@given(NOTES, NOTES, st.integers(0, 99), st.sampled_from([0.0, 0.1, 1.0]))
def test_whatever_comes_new_notes_stay_in_range_and_the_rest_is_the_sources(
    drawn: list[tuple[int, int, int]], own: list[tuple[int, int, int]], seed: int, share: float
) -> None:
    new, source = table(*drawn), table(*own)
    for notes in (new, source):
        notes[:, 2] = np.minimum(notes[:, 2], STEPS - notes[:, 1])
    random = np.random.default_rng(seed)
    origin = np.flatnonzero(random.random(len(source)) < 0.7)
    free = random.random((N_PITCHES, STEPS)) < 0.8
    stats = {name: np.array([share, share], np.float32) for name in MEASURES}
    made, back = mannered(new, source[origin], origin, source, random.random(free.shape), free, SPAN, stats)
    assert len(made) <= len(new)
    assert back.shape == (len(source),)
    assert (made[:, 2] >= 1).all()
    assert (made[:, 1] + made[:, 2] <= STEPS).all()
    assert ((made[:, 0] >= 0) & (made[:, 0] < N_PITCHES)).all()


def test_habits_are_means_and_quartiles_of_songs() -> None:
    roll = np.zeros((2, N_PITCHES, 64), np.uint8)
    for strike in range(4):
        roll[0, C5, 2 * strike : 2 * strike + 2] = roll[1, C5, 2 * strike] = 1
    plain = np.zeros_like(roll)
    plain[:, C5, 0] = 1
    found = habits([roll, plain], 4)
    assert found["third_strikes"].tolist() == pytest.approx([0.25, 0.375])
    assert found["out_of_key"].tolist() == [0.0, 0.0]
    assert {name: value.shape for name, value in habits([], 4).items()} == dict.fromkeys(MEASURES, (2,))
