"""What is left out of long silences, and how it is put back."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from audiocycle.conversion.pauses import GRID, LONGEST, shown_frames


def runs(mask: np.ndarray) -> list[tuple[bool, int]]:
    """(value, length) of each stretch."""
    edges = np.flatnonzero(np.diff(mask.astype(int))) + 1
    return [(bool(part[0]), len(part)) for part in np.split(mask, edges) if len(part)]


@given(lengths=st.lists(st.integers(1, 3 * LONGEST), min_size=1, max_size=8), first=st.booleans())
@example(lengths=[30000], first=True)
@example(lengths=[1], first=True)
def test_only_the_middles_of_long_silences_are_left_out(lengths: list[int], first: bool) -> None:
    values = [first ^ bool(place % 2) for place in range(len(lengths))]
    silent = np.repeat(values, lengths)
    shown = shown_frames(silent)
    assert shown[~silent].all()
    assert shown[0]
    for is_silent, begin, length in zip(values, np.cumsum([0, *lengths]), lengths, strict=False):
        left = int(shown[begin : begin + length].sum())
        assert (length - left) % GRID == 0, "what is behind must lie on the network's grid as before"
        if is_silent and length > LONGEST:
            assert LONGEST <= left < LONGEST + GRID
        else:
            assert left == length


def test_each_frame_left_out_gets_what_the_last_one_shown_got() -> None:
    silent = np.r_[np.zeros(10, bool), np.ones(LONGEST + 2 * GRID, bool), np.zeros(10, bool)]
    shown = shown_frames(silent)
    back = np.flatnonzero(shown)[np.cumsum(shown) - 1]
    np.testing.assert_array_equal(back[shown], np.flatnonzero(shown))
    hidden = np.flatnonzero(~shown)
    assert len(hidden) == 2 * GRID
    assert set(back[hidden]) == {hidden[0] - 1}
