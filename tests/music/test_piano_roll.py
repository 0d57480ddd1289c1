"""Rolls: drawn as a loop over notes would draw them, decoded as a loop over steps would decode them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import STEP, TPQ, even_bars, notes

from audiocycle.music.notes import Notes
from audiocycle.music.piano_roll import (
    LOWEST,
    ONSET,
    SUSTAIN,
    VELOCITY,
    begins_in,
    decode,
    draw,
    in_range,
    steps_of,
)

SPAN = even_bars(0, 1, TPQ)


def line(text: str) -> list[int]:
    return [int(character) for character in text]


def grid_notes(*rows: tuple[float, float, int, int]) -> Notes:
    """Start and end in steps, pitch, velocity."""
    return notes(*((round(a * STEP), round(b * STEP), pitch, velocity) for a, b, pitch, velocity in rows))


def test_drawn_by_hand() -> None:
    roll = draw(grid_notes((0, 4, 60, 64), (4, 6, 60, 64), (5, 7, 61, 64), (15, 40, 62, 64)), SPAN)
    assert roll.shape == (2, 84, 16)
    assert roll.dtype == np.uint8
    assert roll[SUSTAIN, 60 - LOWEST].tolist() == line("1111110000000000")
    assert roll[ONSET, 60 - LOWEST].tolist() == line("1000100000000000")
    assert roll[SUSTAIN, 61 - LOWEST].tolist() == line("0000011000000000")
    assert roll[SUSTAIN, 62 - LOWEST].tolist() == line("0000000000000001")  # what is held on is not wrapped
    assert roll.sum() == 6 + 2 + 2 + 1 + 1 + 1


def test_velocities_drawn_by_hand() -> None:
    struck = grid_notes((0, 8, 60, 100), (4, 5, 60, 70), (4, 6, 60, 50), (10, 11, 60, 127))
    roll = draw(struck, SPAN, 3)
    assert roll[VELOCITY, 60 - LOWEST].tolist() == [100] * 4 + [70] * 4 + [0] * 2 + [127] + [0] * 5
    assert not roll[VELOCITY, :36].any()
    np.testing.assert_array_equal(roll[:2], draw(struck, SPAN))


def test_range() -> None:
    assert in_range(notes(*((0, 1, pitch, 1) for pitch in (0, 23, 24, 107, 108, 127)))).tolist() == line("001100")


def test_onsets_round_up_at_half_a_step_and_belong_to_the_bar_that_they_anticipate() -> None:
    starts = (-0.51, -0.5, -0.1, 0.49, 0.5, 1.5, 2.5, 15.49, 15.5)
    these = grid_notes(*((start, start + 0.1, 60, 64) for start in starts))
    assert steps_of(these, SPAN)[0].tolist() == [-1, 0, 0, 0, 1, 2, 3, 15, 16]
    assert begins_in(these, SPAN).tolist() == line("011111110")
    assert begins_in(grid_notes((3, 4, 23, 64), (3, 4, 108, 64)), SPAN).tolist() == [False, False]


def test_every_note_lasts_a_step_at_least() -> None:
    first, last = steps_of(grid_notes((3, 3, 60, 64), (3, 3.3, 60, 64), (3.4, 4.6, 60, 64)), SPAN)
    assert (last - first).tolist() == [1, 1, 2]


note_rows = st.lists(
    st.tuples(st.floats(-0.4, 15.4), st.floats(0, 20), st.sampled_from([24, 60, 61, 107]), st.integers(1, 127)), max_size=12
)


@given(rows=note_rows, grid=st.sampled_from(["straight", "triplet"]))
@settings(max_examples=100, deadline=None)
def test_drawn_as_a_loop_draws(rows: list[tuple[float, float, int, int]], grid: str) -> None:
    span = even_bars(0, 1, TPQ, grid=grid)
    these = grid_notes(*((a, a + length, pitch, velocity) for a, length, pitch, velocity in rows))
    these = these.where(begins_in(these, span))
    expected = np.zeros((2, 84, span.n_steps))
    for pitch, a, b in zip(these.pitch, *steps_of(these, span), strict=True):
        expected[SUSTAIN, pitch - LOWEST, a:b] = 1
        expected[ONSET, pitch - LOWEST, a] = 1
    roll = draw(these, span, 3)
    np.testing.assert_array_equal(roll[:2], expected)
    np.testing.assert_array_equal(roll[VELOCITY] > 0, roll[SUSTAIN] > 0)


def roll_of(sustain: list[float], onset: list[float]) -> np.ndarray:
    """A roll of one row."""
    return np.array([[sustain], [onset]], dtype=np.float32)


@pytest.mark.parametrize(
    ("sustain", "onset", "expected"),
    [
        ("09999900", "09000000", [(1, 5)]),
        ("09999900", "09090000", [(1, 2), (3, 3)]),  # repeated
        ("99999999", "90000000", [(0, 8)]),
        ("09955990", "09000000", [(1, 6)]),  # a dip does not break it,
        ("09922990", "09000000", [(1, 2), (5, 2)]),  # a gap does
        ("04449440", "00000000", [(4, 3)]),  # without onset: from where it is sure until it is lost
        ("04444440", "00000000", []),  # never sure
        ("04444440", "00090000", [(3, 4)]),
        ("00000000", "00900000", [(2, 1)]),  # an onset without sound
        ("00900000", "00990000", [(2, 1), (3, 1)]),
        ("00000009", "00000009", [(7, 1)]),
        ("00000000", "00000000", []),
    ],
)
def test_decoded_by_hand(sustain: str, onset: str, expected: list[tuple[int, int]]) -> None:
    roll = roll_of([v / 10 for v in line(sustain)], [v / 10 for v in line(onset)])
    assert decode(roll, on=0.6, hold=0.4).tolist() == [[0, *note] for note in expected]


def test_shorter_notes_are_left_out() -> None:
    roll = roll_of(line("1011011101111"), line("1010010001000"))
    for shortest, lengths in ((1, [1, 2, 3, 4]), (2, [2, 3, 4]), (4, [4]), (5, [])):
        assert decode(roll, shortest=shortest)[:, 2].tolist() == lengths


def test_rows_do_not_run_into_each_other() -> None:
    roll = np.ones((2, 3, 4), dtype=np.float32)
    roll[ONSET] = 0
    assert decode(roll).tolist() == [[0, 0, 4], [1, 0, 4], [2, 0, 4]]


def decoded_slowly(roll: np.ndarray, on: float, hold: float, shortest: int) -> list[list[int]]:
    """A loop over rows and steps, with the note that sounds in hand."""
    found = []
    for row in range(roll.shape[1]):
        start = None
        for step in range(roll.shape[2] + 1):
            inside = step < roll.shape[2]
            sustain, onset = (roll[SUSTAIN, row, step], roll[ONSET, row, step]) if inside else (-1.0, -1.0)
            ends = start is not None and (onset >= on or sustain < min(on, hold))
            if ends:
                found.append([row, start, step - start])
                start = None
            if start is None and max(sustain, onset) >= on:
                start = step
    return [note for note in found if note[2] >= shortest]


@given(
    seed=st.integers(0, 2**32),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 40)),
    on=st.sampled_from((0.3, 0.5, 0.9)),
    hold=st.sampled_from((0.1, 0.3, 0.5, 0.9)),
    shortest=st.integers(1, 3),
)
@settings(max_examples=300, deadline=None)
def test_decoded_as_a_loop_decodes(seed: int, shape: tuple[int, int], on: float, hold: float, shortest: int) -> None:
    random = np.random.default_rng(seed)
    roll = random.random((2, *shape), dtype=np.float32)
    roll[ONSET] **= random.choice([1, 5])
    assert decode(roll, on, hold, shortest).tolist() == decoded_slowly(roll, on, hold, shortest)


@given(rows=note_rows)
@settings(max_examples=100, deadline=None)
def test_what_was_drawn_is_decoded(rows: list[tuple[float, float, int, int]]) -> None:
    these = grid_notes(*((a, a + length, pitch, velocity) for a, length, pitch, velocity in rows))
    these = these.where(begins_in(these, SPAN))
    found = decode(draw(these, SPAN), 1, 1)
    cells = set(zip((these.pitch - LOWEST).tolist(), steps_of(these, SPAN)[0].tolist(), strict=True))
    assert [tuple(note) for note in found[:, :2].tolist()] == sorted(cells)
    again = grid_notes(*((first, first + steps, row + LOWEST, 64) for row, first, steps in found.tolist()))
    np.testing.assert_array_equal(draw(again, SPAN), draw(these, SPAN))
