"""Phrases are whole bars, as many as a window holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import BAR, TPQ, even_bars

from audiocycle.music.phrases import phrase_borders, phrase_lines


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        ([16] * 6, [0, 64, 96]),
        ([12] * 6, [0, 60, 72]),
        ([14] * 5, [0, 56, 70]),
        ([18] * 4, [0, 54, 72]),
        ([20] * 4, [0, 60, 80]),
        ([24] * 3, [0, 48, 72]),
        ([16, 16, 12, 12, 12], [0, 56, 68]),
        ([80, 16], [0, 64, 96]),  # a bar that is longer than a window
        ([], [0]),
    ],
)
def test_borders_by_hand(bars: list[int], expected: list[int]) -> None:
    assert phrase_borders(np.cumsum([0, *bars]), 64).tolist() == expected


@given(bars=st.lists(st.integers(1, 40), max_size=40), window=st.integers(1, 30))
@settings(max_examples=100, deadline=None)
def test_phrases_are_bars_in_windows(bars: list[int], window: int) -> None:
    lines = np.cumsum([0, *bars])
    borders = phrase_borders(lines, window)
    assert borders[0] == 0
    assert borders[-1] == lines[-1]
    assert np.all(np.diff(borders) > 0)
    assert np.all(np.diff(borders) <= window)
    within = set(borders.tolist()) - set(lines.tolist())
    assert not within or max(bars) > window


def test_lines_of_a_song() -> None:
    spans = [even_bars(0, 5, TPQ), even_bars(9 * BAR, 2, TPQ, (3, 4))]
    assert phrase_lines(spans, 64).tolist() == [0, 4 * BAR, 5 * BAR, 9 * BAR, 9 * BAR + 6 * TPQ]
    assert phrase_lines([], 64).tolist() == []
