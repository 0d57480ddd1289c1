"""Notes that break: worked examples, and that a copy has none."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError
from audiocycle.metrics.music.seams import broken_notes

C4 = 36


def roll_of(notes: Sequence[tuple[int, int, int]], n_steps: int = 32) -> np.ndarray:
    """A roll of (row, onset, duration)."""
    roll = np.zeros((2, 84, n_steps), np.uint8)
    for row, onset, duration in notes:
        roll[0, row, onset : onset + duration] = 1
        roll[1, row, onset] = 1
    return roll


def counts(source: np.ndarray, made: np.ndarray) -> dict[str, dict[int, int]]:
    """Step to how many, of both kinds."""
    table = broken_notes(source, made)
    assert table.shape == (2, source.shape[2])
    return {kind: {int(i): int(row[i]) for i in np.flatnonzero(row)} for kind, row in zip(("cut", "doubled"), table, strict=True)}


CHORD = [(C4, 8, 16), (C4 + 4, 8, 16), (C4 + 7, 8, 8), (C4 + 7, 16, 8)]  # the fifth is struck again at the bar line


def test_a_note_that_the_source_holds_is_cut() -> None:
    made = roll_of([(C4, 8, 8), (C4 + 4, 8, 16), (C4 + 7, 8, 8)])
    assert counts(roll_of(CHORD), made) == {"cut": {16: 1}, "doubled": {}}  # the fifth ends in the source, too


def test_a_note_that_the_source_does_not_strike_again_is_doubled() -> None:
    made = roll_of([(C4, 8, 8), (C4, 16, 8), (C4 + 4, 8, 7), (C4 + 4, 16, 8), (C4 + 7, 8, 8), (C4 + 7, 16, 8)])
    # C is struck again at once, E after a gap of a step, G as in the source
    assert counts(roll_of(CHORD), made) == {"cut": {}, "doubled": {15: 1, 16: 1}}


def test_a_gap_of_two_steps_is_a_cut_and_a_new_note() -> None:
    made = roll_of([(C4, 8, 6), (C4, 16, 8)])
    assert counts(roll_of(CHORD), made) == {"cut": {14: 1}, "doubled": {}}


def test_new_notes_that_end_are_not_cut_and_may_be_doubled() -> None:
    made = roll_of([(C4 + 12, 8, 4), (C4 + 2, 8, 8), (C4 + 2, 16, 4)])
    assert counts(roll_of(CHORD), made) == {"cut": {}, "doubled": {16: 1}}


def test_the_end_of_the_song_cuts_nothing() -> None:
    source = roll_of([(C4, 0, 32)])
    assert counts(source, source) == {"cut": {}, "doubled": {}}
    assert counts(source, roll_of([(C4, 0, 31)])) == {"cut": {31: 1}, "doubled": {}}


def test_rolls_of_one_channel() -> None:
    source = roll_of([(C4, 0, 32)])[:1]
    made = source.copy()
    made[0, C4, 16] = 0
    assert counts(source, made) == {"cut": {}, "doubled": {16: 1}}


def test_rolls_of_different_lengths_are_refused() -> None:
    with pytest.raises(ConfigError, match="different lengths"):
        broken_notes(roll_of([]), roll_of([], 16))


@given(seed=st.integers(0, 2**32 - 1), density=st.floats(0.0, 1.0))
@settings(max_examples=25, deadline=None)
def test_a_copy_has_no_broken_notes_and_nobody_has_more_than_notes(seed: int, density: float) -> None:
    source, made = ((np.random.default_rng(seed + i).random((2, 84, 32)) < density / 2).astype(np.uint8) for i in range(2))
    assert not broken_notes(source, source).any()
    assert broken_notes(source, made).sum() <= (made[0] | made[1]).sum()
