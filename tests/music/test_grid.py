"""Bars of 4/4: found by hand and by walking from bar to bar, and steps that are where their ticks are."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError
from audiocycle.music.grid import Signature, Span, even_bars, find_spans, joined, on_grid_share, stretches

TPQ, BAR = 480, 1920
THREE, FOUR = 3 * TPQ, BAR


def bars(
    signatures: Sequence[Signature], n_bars: float = 12, grid: str = "straight", pairs: bool = False
) -> list[tuple[float, int]]:
    """Spans of a song of so many 4/4 bars' length: first bar (of four quarters) and number of bars."""
    spans = find_spans(signatures, round(n_bars * BAR), TPQ, grid, pairs)
    return [(span.start / BAR, span.n_bars) for span in spans]


@pytest.mark.parametrize(
    ("signatures", "expected"),
    [
        ([], [(0, 12)]),
        ([(0, 4, 4)], [(0, 12)]),
        ([(0, 4, 4), (2 * BAR, 4, 4), (5 * BAR, 4, 4)], [(0, 12)]),
        ([(0, 4, 4), (2 * BAR + 7, 4, 4)], [(0, 12)]),  # repeated within a bar
        ([(3 * BAR, 4, 4)], [(0, 12)]),  # late, but what holds anyhow
        ([(3 * BAR, 3, 4)], [(0, 3)]),
        ([(0, 3, 4)], []),
        ([(0, 3, 4), (4 * BAR, 4, 4)], [(4, 8)]),
        ([(0, 4, 4), (2 * BAR, 3, 4), (5 * BAR, 4, 4)], [(0, 2), (5, 7)]),
        ([(5 * BAR, 4, 4), (2 * BAR, 3, 4)], [(0, 2), (5, 7)]),  # in any order
        ([(0, 4, 4), (2.5 * BAR, 3, 4), (5.25 * BAR, 4, 4)], [(0, 2), (5.25, 7)]),  # within bars
        ([(0, 3, 4), (0, 4, 4)], [(0, 12)]),  # the later of two at one tick
        ([(0, 4, 4), (0, 3, 4)], []),
        ([(BAR / 2, 3, 4), (BAR / 2, 4, 4)], [(0, 12)]),
        ([(0, 4, 4), (20 * BAR, 3, 4)], [(0, 12)]),  # behind the end
        ([(0, 4, 4), (12 * BAR, 3, 4)], [(0, 12)]),
        ([(0, 8, 8)], []),
        ([(0, 2, 2), (4 * BAR, 4, 4)], [(4, 8)]),
    ],
)
def test_spans_are_the_whole_bars_of_four_four(
    signatures: Sequence[tuple[float, int, int]], expected: list[tuple[float, int]]
) -> None:
    assert bars([(int(tick), top, bottom) for tick, top, bottom in signatures]) == expected


@pytest.mark.parametrize(
    ("signatures", "expected"),
    [
        ([(0, 2, 4)], [(0, 12)]),
        ([(0, 2, 4), (4 * BAR, 4, 4)], [(0, 12)]),
        ([(0, 2, 2), (4 * BAR, 4, 4)], [(0, 12)]),
        ([(0, 2, 4), (3 * BAR + FOUR // 2, 4, 4)], [(0, 3), (3.5, 9)]),  # seven bars: the last is left over
        ([(0, 3, 4), (3 * BAR, 2, 4), (4 * BAR, 6, 8)], [(3, 1)]),
    ],
)
def test_two_four_in_pairs(signatures: list[Signature], expected: list[tuple[float, int]]) -> None:
    assert bars(signatures, pairs=True) == expected
    assert bars(signatures) != expected


@pytest.mark.parametrize(("n_bars", "expected"), [(0, []), (0.01, [(0, 1)]), (1, [(0, 1)]), (1.01, [(0, 2)])])
def test_the_last_bar_is_whole(n_bars: float, expected: list[tuple[float, int]]) -> None:
    assert bars([], n_bars) == expected


def test_a_last_bar_that_a_later_signature_cuts_is_not() -> None:
    assert bars([(int(2.5 * BAR), 3, 4)], n_bars=2.2) == [(0, 2)]
    assert bars([(int(2.5 * BAR), 3, 4)], n_bars=1.8) == [(0, 2)]


@pytest.mark.parametrize(
    ("signatures", "n_bars", "pairs", "expected"),
    [
        ([], 12, False, [0]),
        ([(0, 3, 4)], 9, False, [12]),  # bars of three quarters
        ([(0, 6, 8)], 9, False, [12]),
        ([(0, 3, 4)], 9.01, False, [13]),
        ([(0, 4, 4), (3 * BAR, 3, 4), (6 * BAR, 4, 4)], 12, False, [0, 4, 0]),
        ([(0, 4, 4), (2 * BAR + TPQ, 3, 4)], 12, False, [1, 13]),  # a cut bar; the last of 13 is not full
        ([(0, 2, 4)], 12, False, [24]),
        ([(0, 2, 4), (3 * BAR + FOUR // 2, 4, 4)], 12, True, [1, 0]),
        ([(0, 3, 4), (20 * BAR, 4, 4)], 3, False, [4]),
    ],
)
def test_other_bars_are_counted_in_their_own_metre(
    signatures: list[Signature], n_bars: float, pairs: bool, expected: list[int]
) -> None:
    assert [each.n_other for each in stretches(signatures, round(n_bars * BAR), TPQ, pairs)] == expected


def walked(signatures: Sequence[Signature], end: int, pairs: bool) -> tuple[set[int], int]:
    """Starts of 4/4 bars, and how many other bars there are, from bar to bar."""
    metre_at = {0: (4, 4)}
    for tick, top, bottom in sorted(signatures, key=lambda signature: signature[0]):
        metre_at[tick] = (top, bottom)
    for tick in sorted(metre_at)[1:]:
        if metre_at[max(t for t in metre_at if t < tick)] == metre_at[tick]:
            del metre_at[tick]
    good, n_other, tick = set(), 0, 0
    while tick < end:
        top, bottom = metre_at[max(t for t in metre_at if t <= tick)]
        change = min([t for t in metre_at if t > tick], default=10**9)
        fits = (top, bottom) == (4, 4) or (pairs and (top, bottom) in ((2, 4), (2, 2)))
        if fits and tick + BAR <= change:
            good.add(tick)
            tick += BAR
        else:
            n_other += 1
            tick = min(change, tick + BAR * top // bottom)
    return good, n_other


metres = st.sampled_from([(4, 4), (4, 4), (3, 4), (2, 4), (2, 2), (6, 8)])
ticks = st.integers(0, 40).map(lambda eighths: eighths * TPQ // 2)
signature_lists = st.lists(st.builds(lambda t, m: (t, *m), ticks, metres), max_size=6)


@given(signatures=signature_lists, end=st.integers(1, 20 * TPQ), pairs=st.booleans())
@settings(max_examples=300, deadline=None)
def test_spans_are_those_that_a_walk_finds(signatures: list[Signature], end: int, pairs: bool) -> None:
    good, n_other = walked(signatures, end, pairs)
    spans = find_spans(signatures, end, TPQ, pairs=pairs)
    assert {span.start + bar * BAR for span in spans for bar in range(span.n_bars)} == good
    assert sum(stretch.n_other for stretch in stretches(signatures, end, TPQ, pairs)) == n_other
    assert all(a.end < b.start for a, b in pairwise(spans))


@pytest.mark.parametrize(("grid", "steps"), [("straight", 16), ("triplet", 24)])
@pytest.mark.parametrize("tpq", [24, 100, 480])
def test_steps_and_ticks(grid: str, steps: int, tpq: int) -> None:
    (span,) = find_spans([(0, 3, 4), (3 * tpq, 4, 4)], 11 * tpq, tpq, grid)
    assert (span.start, span.n_bars, span.n_steps, span.end) == (3 * tpq, 2, 2 * steps, 11 * tpq)
    assert span.ticks(np.array([0, steps // 4, steps])).tolist() == [3 * tpq, 4 * tpq, 7 * tpq]
    every = np.arange(span.n_steps + 1)
    np.testing.assert_allclose(span.positions(span.ticks(every)), every, atol=0.5 * steps / (4 * tpq) + 1e-9)


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


def test_unknown_grids_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"grid=swing: choose one of straight, triplet"):
        find_spans([], BAR, TPQ, "swing")


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


@pytest.mark.parametrize(
    ("signatures", "first", "expected"),
    [
        ([], TPQ, [(TPQ, 8)]),
        ([(0, 4, 4)], 3 * TPQ, [(3 * TPQ, 8)]),
        ([(0, 4, 4), (TPQ + 4 * BAR, 3, 4)], TPQ, [(TPQ, 4)]),
        ([(0, 3, 4), (TPQ, 4, 4)], TPQ, [(TPQ, 8)]),
        ([(0, 3, 4)], TPQ, []),
        ([], 99 * BAR, []),
    ],
)
def test_an_upbeat_moves_the_bars(
    signatures: list[Signature], first: int, expected: list[tuple[int, int]]
) -> None:
    spans = find_spans(signatures, 8 * BAR, TPQ, first=first)
    assert [(span.start, span.n_bars) for span in spans] == expected
