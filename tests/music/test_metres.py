"""Bars of all metres: found by hand and by walking from bar to bar; upbeats, cut bars and odd metres pass, with a reason."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError
from audiocycle.music.metres import CUT, UPBEAT, Layout, Metre, Signature, lay_out, metre_on

TPQ, BAR = 480, 1920
THREE = 3 * TPQ


@pytest.mark.parametrize(
    ("grid", "top", "bottom", "expected"),
    [
        ("straight", 4, 4, Metre(16, 4, 4)),
        ("triplet", 4, 4, Metre(24, 6, 6)),
        ("straight", 2, 2, Metre(16, 4, 4)),
        ("straight", 8, 8, Metre(16, 4, 4)),
        ("straight", 6, 8, Metre(12, 6, 4)),
        ("straight", 9, 8, Metre(18, 6, 4)),
        ("triplet", 12, 8, Metre(24, 6, 4)),  # a beat has six sixteenths there, too
        ("straight", 9, 16, Metre(9, 3, 4)),
        ("straight", 7, 8, Metre(14, 4, 4)),
        ("triplet", 7, 8, Metre(21, 6, 6)),
        ("straight", 6, 4, Metre(24, 4, 4)),
        ("straight", 1, 64, None),
        ("triplet", 7, 16, None),
    ],
)
def test_bars_on_a_grid(grid: str, top: int, bottom: int, expected: Metre | None) -> None:
    assert metre_on(grid, top, bottom) == expected


def test_beats_of_seven_eighths_and_of_a_bar_that_is_cut_short() -> None:
    steps, bars = Metre(14, 4, 4).lines(1, 6)
    assert steps.tolist() == [0, 4, 8, 12, 14, 18, 20]
    assert bars.tolist() == [0, 14, 20]


def four_four(signatures: Sequence[Signature], n_bars: float = 12) -> list[tuple[float, int]]:
    """Spans of 4/4 only, of a song of so many bars' length: first bar (of four quarters) and number of bars."""
    spans = lay_out(signatures, round(n_bars * BAR), TPQ, only=(4, 4)).spans
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
def test_whole_bars_of_one_metre_only(signatures: Sequence[tuple[float, int, int]], expected: list[tuple[float, int]]) -> None:
    assert four_four([(int(tick), top, bottom) for tick, top, bottom in signatures]) == expected


@pytest.mark.parametrize(("n_bars", "expected"), [(0, []), (0.01, [(0, 1)]), (1, [(0, 1)]), (1.01, [(0, 2)])])
def test_the_last_bar_is_whole(n_bars: float, expected: list[tuple[float, int]]) -> None:
    assert four_four([], n_bars) == expected
    assert [(span.start, span.n_bars) for span in lay_out([], round(n_bars * BAR), TPQ).spans] == expected


def told(layout: Layout) -> list[tuple[int, list[int]]]:
    """Start of each span, and the steps in its bars."""
    return [(span.start, np.diff(span.bars).tolist()) for span in layout.spans]


def test_changes_of_metre_are_one_run() -> None:
    layout = lay_out([(0, 4, 4), (2 * BAR, 3, 4), (2 * BAR + 2 * THREE, 6, 8)], 2 * BAR + 4 * THREE, TPQ)
    assert told(layout) == [(0, [16, 16, 12, 12, 12, 12])]
    (span,) = layout.spans
    assert span.metres.tolist() == [2, 2, 1, 1, 0, 0]  # a waltz has three beats, 6/8 two
    assert span.sizes[-4:].tolist() == [6] * 4
    assert span.end == 2 * BAR + 4 * THREE
    assert layout.passed == []


@pytest.mark.parametrize(
    ("signatures", "end", "spans", "passed"),
    [
        ([(0, 4, 4), (BAR + BAR // 2, 3, 4)], 2 * BAR, [(0, [16, 8, 12])], []),  # a bar of two quarters
        ([(0, 4, 4), (BAR + 500, 3, 4)], 2 * BAR, [(0, [16, 4, 12])], []),  # a beat, and a sloppy change
        ([(0, 4, 4), (BAR + 3, 3, 4)], 2 * BAR, [(0, [16, 12, 12])], []),
        ([(0, 4, 4), (BAR - 3, 3, 4)], 2 * BAR, [(0, [16, 12, 12])], []),
        ([(0, 4, 4), (BAR + 60, 3, 4)], 2 * BAR, [(0, [16]), (BAR + 60, [12, 12])], [(BAR, BAR + 60, CUT)]),
        ([(0, 1, 4), (TPQ, 4, 4)], TPQ + BAR, [(TPQ, [16])], [(0, TPQ, UPBEAT)]),
        ([(TPQ, 3, 4)], TPQ + THREE, [(TPQ, [12])], [(0, TPQ, UPBEAT)]),  # 4/4 until then
        ([(0, 1, 4)], BAR, [(0, [4, 4, 4, 4])], []),  # bars like any others
        ([(0, 4, 4), (BAR, 12, 8)], BAR + THREE, [(0, [16, 24])], []),
        ([(0, 2, 4), (BAR, 4, 4)], 2 * BAR, [(0, [8, 8, 16])], []),
        ([(0, 4, 4), (BAR // 2, 3, 4)], 100, [], [(0, 100, UPBEAT)]),
    ],
)
def test_bars_that_a_change_cuts_short_and_upbeats(
    signatures: list[Signature], end: int, spans: list[tuple[int, list[int]]], passed: list[tuple[int, int, str]]
) -> None:
    layout = lay_out(signatures, end, TPQ)
    assert told(layout) == spans
    assert [(part.start, min(part.end, end), part.where) for part in layout.passed] == passed
    for span in layout.spans:
        assert np.all(np.diff(span.lines) > 0)


def test_a_change_beside_its_bar_line_moves_the_line() -> None:
    (span,) = lay_out([(0, 4, 4), (BAR + 3, 3, 4)], 2 * BAR, TPQ).spans
    assert span.ticks(np.array([12, 16, 20])).tolist() == [3 * TPQ, BAR + 3, BAR + 3 + TPQ]


def test_odd_metres_pass_with_a_reason() -> None:
    layout = lay_out([(0, 4, 4), (BAR, 1, 64), (2 * BAR, 4, 4)], 3 * BAR, TPQ)
    assert told(layout) == [(0, [16]), (2 * BAR, [16])]
    ((start, end, where),) = [(part.start, part.end, part.where) for part in layout.passed]
    assert (start, end) == (BAR, 2 * BAR)
    assert where == "in 1/64, whose bars are no whole steps of the straight grid"
    assert [layout.phrases_passed(length) for length in (BAR, 4 * BAR, BAR // 2)] == [1, 1, 2]


def walked(signatures: Sequence[Signature], end: int) -> tuple[set[int], set[int]]:
    """Starts of whole bars of 4/4, and of all bars, from bar to bar."""
    metre_at = {0: (4, 4)}
    for tick, top, bottom in sorted(signatures, key=lambda signature: signature[0]):
        metre_at[tick] = (top, bottom)
    for tick in sorted(metre_at)[1:]:
        if metre_at[max(t for t in metre_at if t < tick)] == metre_at[tick]:
            del metre_at[tick]
    good, every, tick = set(), set(), 0
    while tick < end:
        top, bottom = metre_at[max(t for t in metre_at if t <= tick)]
        change = min([t for t in metre_at if t > tick], default=10**9)
        every.add(tick)
        if (top, bottom) == (4, 4) and tick + BAR <= change:
            good.add(tick)
        tick = min(change, tick + BAR * top // bottom)
    return good, every


metres = st.sampled_from([(4, 4), (4, 4), (3, 4), (2, 4), (2, 2), (6, 8), (7, 8), (9, 8)])
ticks = st.integers(0, 40).map(lambda eighths: eighths * TPQ // 2)
signature_lists = st.lists(st.builds(lambda t, m: (t, *m), ticks, metres), max_size=6)


@given(signatures=signature_lists, end=st.integers(1, 20 * TPQ))
@settings(max_examples=300, deadline=None)
def test_bars_are_those_that_a_walk_finds(signatures: list[Signature], end: int) -> None:
    good, every = walked(signatures, end)
    spans = lay_out(signatures, end, TPQ, only=(4, 4)).spans
    assert {span.start + bar * BAR for span in spans for bar in range(span.n_bars)} == good
    assert all(a.end < b.start for a, b in pairwise(spans))
    layout = lay_out(signatures, end, TPQ)
    begins = {int(tick) for span in layout.spans for tick in span.ticks(span.bars[:-1])}
    upbeats = [part.end for part in layout.passed]
    assert begins == {tick for tick in every if tick >= max(upbeats, default=0)}
    assert len(layout.spans) <= 1


@pytest.mark.parametrize(("grid", "steps"), [("straight", 16), ("triplet", 24)])
@pytest.mark.parametrize("tpq", [24, 100, 480])
def test_steps_and_ticks(grid: str, steps: int, tpq: int) -> None:
    (span,) = lay_out([(0, 3, 4), (3 * tpq, 4, 4)], 11 * tpq, tpq, grid, only=(4, 4)).spans
    assert (span.start, span.n_bars, span.n_steps, span.end) == (3 * tpq, 2, 2 * steps, 11 * tpq)
    assert span.ticks(np.array([0, steps // 4, steps])).tolist() == [3 * tpq, 4 * tpq, 7 * tpq]
    every = np.arange(span.n_steps + 1)
    np.testing.assert_allclose(span.positions(span.ticks(every)), every, atol=0.5 * steps / (4 * tpq) + 1e-9)


def test_bars_of_an_odd_number_of_ticks_do_not_drift() -> None:
    (span,) = lay_out([(0, 7, 8)], 35_000, 25).spans  # bars of 87.5 ticks
    assert (span.n_bars, span.end) == (400, 35_000)
    assert span.ticks(span.bars)[[1, 2, 399]].tolist() == [88, 175, 34_912]


def test_unknown_grids_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"grid=swing: choose one of straight, triplet"):
        lay_out([], BAR, TPQ, "swing")


@pytest.mark.parametrize(
    ("signatures", "first", "expected"),
    [
        ([], TPQ, [(TPQ, [16] * 8)]),
        ([(0, 4, 4)], 3 * TPQ, [(3 * TPQ, [16] * 8)]),
        ([(0, 4, 4), (TPQ + 7 * BAR, 3, 4)], TPQ, [(TPQ, [16] * 7 + [12])]),
        ([(0, 3, 4), (TPQ, 4, 4)], TPQ, [(TPQ, [16] * 8)]),
        ([(0, 3, 4)], 2 * TPQ, [(2 * TPQ, [12] * 10)]),
        ([], 99 * BAR, []),
    ],
)
def test_an_upbeat_that_is_named_moves_the_bars(signatures: list[Signature], first: int, expected: list[tuple[int, list[int]]]) -> None:
    layout = lay_out(signatures, 8 * BAR, TPQ, first=first)
    assert told(layout) == expected
    assert [(part.start, part.end, part.where) for part in layout.passed] == [(0, min(first, 8 * BAR), UPBEAT)]
