"""Steps that are where their ticks are, at any tempo and with any feel."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import even_bars

from audiocycle.music.grid import Span, joined, on_grid_share

TPQ, BAR = 480, 1920
THREE = 3 * TPQ

UNEVEN = Span(np.array([100.0, 580, 1000, 1720, 2200]), np.array([0, 4, 8, 14, 18]), np.array([0, 8, 18]))
"""A bar of two quarters, the second of them played faster; one of a beat of six steps and a quarter."""


def test_time_flows_evenly_from_beat_to_beat() -> None:
    ticks = np.array([100, 340, 580, 685, 1000, 1120, 1720, 2200])
    steps = np.array([0, 2, 4, 5, 8, 9, 14, 18])
    np.testing.assert_allclose(UNEVEN.positions(ticks), steps)
    assert UNEVEN.ticks(steps).tolist() == ticks.tolist()
    assert UNEVEN.positions(np.array([-20, 2320])).tolist() == [-1, 19]  # beside it, as in its first and last beat
    assert UNEVEN.ticks(np.array([-1, 19])).tolist() == [-20, 2320]
    assert (UNEVEN.start, UNEVEN.end, UNEVEN.n_bars, UNEVEN.n_steps) == (100, 2200, 2, 18)


def test_places_in_bars() -> None:
    steps = np.array([-1, 0, 7, 8, 17, 18])
    assert UNEVEN.bar_of(steps).tolist() == [0, 0, 0, 1, 1, 1]
    assert UNEVEN.place_in_bar(steps)[1:5].tolist() == [0, 7, 0, 9]
    one, two = even_bars(0, 2, TPQ), even_bars(2 * BAR, 1, TPQ, (3, 4))
    song = joined([one, two, even_bars(2 * BAR + THREE, 1, TPQ)])
    assert song.metres.tolist() == [1, 1, 0, 1]
    assert song.bars.tolist() == [0, 16, 32, 44, 60]
    assert (song.start, song.end, song.n_steps) == (0, 3 * BAR + THREE, 60)
    np.testing.assert_allclose(song.positions(song.ticks(np.arange(60))), np.arange(60))


class Late:
    """Everything in the middle of a beat is played at two thirds of it."""

    def straightened(self, phase: np.ndarray, beat: np.ndarray) -> np.ndarray:
        return np.interp(phase, [0, 2 / 3, 1], [0, 0.5, 1])

    def swung(self, phase: np.ndarray, beat: np.ndarray) -> np.ndarray:
        return np.interp(phase, [0, 0.5, 1], [0, 2 / 3, 1])


def test_a_feel_moves_what_lies_within_the_beats_of_four_steps() -> None:
    swung = replace(UNEVEN, feel=Late())
    assert swung.ticks(np.array([0, 2, 4, 6, 8, 11, 14, 16, 18])).tolist() == [100, 420, 580, 860, 1000, 1360, 1720, 2040, 2200]
    assert swung.ticks(np.array([-2])).tolist() == [-60]  # an eighth before the first beat
    every = np.arange(-4, 22)
    np.testing.assert_allclose(swung.positions(swung.ticks(every)), every, atol=0.02)


@given(
    lengths=st.lists(st.tuples(st.integers(24, 2000), st.sampled_from([2, 3, 4, 6])), min_size=1, max_size=8),
    start=st.integers(0, 5000),
)
@settings(max_examples=100, deadline=None)
def test_steps_are_where_their_ticks_are(lengths: list[tuple[int, int]], start: int) -> None:
    ticks, sizes = zip(*lengths, strict=True)
    steps = np.cumsum([0, *sizes])
    span = Span(start + np.cumsum([0.0, *ticks]), steps, steps[[0, -1]])
    every = np.arange(span.n_steps + 1)
    np.testing.assert_allclose(span.positions(span.ticks(every)), every, atol=0.5 * max(s / t for t, s in lengths) + 1e-9)


def test_share_on_the_grid() -> None:
    assert on_grid_share(np.array([0.0, 1.2, 2.25, 2.8, 3.5])) == pytest.approx(3 / 5)
    assert on_grid_share(np.array([0.0, -0.1, 7.9])) == 1.0
    assert on_grid_share(np.zeros(0)) == 1.0
    anywhere = np.random.default_rng(0).uniform(0, 64, 10_000)
    assert on_grid_share(anywhere) == pytest.approx(0.4, abs=0.02)


def test_swung_eighths_are_on_the_triplet_grid_only() -> None:
    beats = np.concatenate([np.arange(16), np.arange(16) + 2 / 3]) * TPQ
    assert on_grid_share(even_bars(0, 4, TPQ, grid="triplet").positions(beats)) == 1.0
    assert on_grid_share(even_bars(0, 4, TPQ).positions(beats)) == 0.5
