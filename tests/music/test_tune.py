"""A roll's tune, and what lies outside the key: :mod:`audiocycle.music.tune`."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.music.piano_roll import N_PITCHES, decode
from audiocycle.music.tune import (
    above_the_rest,
    articulated,
    detached,
    drawn,
    going_on,
    keys_of,
    plainer,
    split,
)

BAR = 16


def notes(*table: tuple[int, int, int]) -> np.ndarray:
    return np.array(table, np.int64).reshape(-1, 3)


def test_split_takes_what_nothing_lies_above() -> None:
    tune, chord = notes((48, 0, 8), (50, 8, 8)), notes((24, 0, 16), (36, 0, 16))
    found, rest = split(drawn(np.concatenate([tune, chord]), BAR))
    assert found.tolist() == tune.tolist()
    assert sorted(map(tuple, rest.tolist())) == sorted(map(tuple, chord.tolist()))


def test_split_leaves_deep_notes_to_the_accompaniment_while_a_tune_rests() -> None:
    tune = notes(
        *((60, 2 * place, 2) for place in range(6)), *((60, 20 + 2 * place, 2) for place in range(6))
    )
    found, rest = split(drawn(np.concatenate([tune, notes((20, 14, 4))]), 2 * BAR))
    assert len(found) == len(tune)
    assert rest.tolist() == [[20, 14, 4]]


@given(
    st.lists(st.tuples(st.integers(0, N_PITCHES - 1), st.integers(0, 31), st.integers(1, 12)), max_size=30)
)
def test_split_loses_nothing(table: list[tuple[int, int, int]]) -> None:
    roll = drawn(notes(*table), 2 * BAR)
    tune, rest = split(roll)
    assert np.array_equal(drawn(np.concatenate([tune, rest]), 2 * BAR), roll)


def test_drawn_is_the_reverse_of_decode() -> None:
    table = notes((10, 0, 4), (10, 4, 2), (40, 3, 13))
    found = decode(drawn(table, BAR), 1, 1)
    assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, table.tolist()))


def test_keys_of_a_scale() -> None:
    d_major = notes(*((26 + step, 2 * place, 2) for place, step in enumerate((0, 2, 4, 5, 7, 9, 11, 12))))
    d_major[3, 0] = 26 + 5  # g
    _, outside = keys_of(drawn(d_major, BAR)[0], np.array([0]))
    assert np.flatnonzero(outside[0]).tolist() == [0, 3, 5, 8, 10]


def test_plainer_drops_brief_notes_outside_the_key_and_no_others() -> None:
    scale = [(24 + step, 4 * place, 4) for place, step in enumerate((0, 2, 4, 5, 7, 9, 11, 12))]
    tune = notes(*scale, (24 + 6, 32, 1), (24 + 7, 33, 4), (24 + 8, 37, 3))
    keep = plainer(tune, drawn(tune, 3 * BAR), np.array([0, BAR, 2 * BAR]), 0.0)
    assert np.flatnonzero(~keep).tolist() == [8]
    assert plainer(tune, drawn(tune, 3 * BAR), np.array([0, BAR, 2 * BAR]), 0.5).all()


def test_going_on_fills_what_is_dropped_and_no_rests() -> None:
    tune = notes((40, 0, 2), (41, 2, 2), (43, 4, 2), (45, 8, 2), (46, 10, 1))
    longer = going_on(tune, np.array([True, False, True, False, True]))
    assert longer.tolist() == [[40, 0, 4], [43, 4, 2], [46, 10, 1]]


def test_nothing_lies_above_the_tune() -> None:
    roll = above_the_rest(notes((40, 0, 8)), notes((30, 0, 16), (39, 0, 16), (60, 4, 12)), BAR)
    assert not roll[0, 39:, :8][[0, *range(2, N_PITCHES - 39)]].any()
    assert roll[0, 30].all()
    assert roll[0, 60, 8:].all()


def test_articulated_ends_the_longest_early_or_fills_the_shortest_silences() -> None:
    bound = notes((40, 0, 4), (42, 4, 8), (44, 12, 2), (45, 14, 2))
    assert detached(bound) == 0.0
    assert articulated(bound, 1 / 3).tolist() == [[40, 0, 4], [42, 4, 7], [44, 12, 2], [45, 14, 2]]
    apart = notes((40, 0, 3), (42, 4, 6), (44, 12, 2), (45, 14, 2))
    assert detached(apart) == 2 / 3
    assert articulated(apart, 1 / 3).tolist() == [[40, 0, 4], [42, 4, 6], [44, 12, 2], [45, 14, 2]]
    assert articulated(apart, 2 / 3).tolist() == apart.tolist()
    assert articulated(bound[:1], 1.0).tolist() == bound[:1].tolist()
    assert articulated(bound[:0], 1.0).tolist() == []
