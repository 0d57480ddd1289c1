"""Bars and steps of a score: where the grid of a piano roll fits, and how ticks and steps translate.

A span is a run of whole 4/4 bars. Everything outside spans (other metres, bars that a signature change cuts short) is
none of a network's business, and passes through a conversion as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError

STEPS_PER_BEAT = {"straight": 4, "triplet": 6}
"""straight: sixteenths. triplet: sixths of a beat, on which both even (3/6) and swung (4/6) eighths fall."""
BEATS = 4
"""Quarter notes in a bar."""
ON_GRID = 0.2
"""An onset within this part of a step from a grid line lies on it; onsets anywhere would do so at a rate of 0.4."""


@dataclass(frozen=True)
class Span:
    """``n_bars`` whole 4/4 bars from tick ``start``.

    Attributes:
        step_ticks: ticks in a step; need not be whole.
        steps_per_bar: 16 (straight) or 24 (triplet).
    """

    start: int
    n_bars: int
    step_ticks: float
    steps_per_bar: int

    @property
    def n_steps(self) -> int:
        """The length of its roll."""
        return self.n_bars * self.steps_per_bar

    @property
    def end(self) -> int:
        """The first tick behind it."""
        return self.start + round(self.n_steps * self.step_ticks)

    def positions(self, ticks: NDArray[Any]) -> NDArray[np.float64]:
        """Ticks as fractional steps."""
        return (np.asarray(ticks, np.float64) - self.start) / self.step_ticks

    def ticks(self, steps: NDArray[Any]) -> NDArray[np.int64]:
        """Steps, whole or fractional, as the nearest ticks."""
        return np.rint(self.start + np.asarray(steps, np.float64) * self.step_ticks).astype(np.int64)


Signature = tuple[int, int, int]
"""Tick, numerator, denominator."""


@dataclass(frozen=True)
class Stretch:
    """A part of a score in one metre.

    Attributes:
        start: tick.
        n_bars: 4/4 bars that fit into it from its start; 0 in another metre.
        n_other: bars of its own metre, cut ones included, that they leave over.
    """

    start: int
    n_bars: int
    n_other: int


def metres_taken(pairs: bool) -> list[tuple[int, int]]:
    """The metres whose bars are converted; ``pairs``: see :func:`stretches`."""
    return [(4, 4), (2, 4), (2, 2)] if pairs else [(4, 4)]


def stretches(signatures: Sequence[Signature], end: int, tpq: int, pairs: bool = False, first: int = 0) -> list[Stretch]:
    """The metres of a score, in order.

    A signature that repeats the one before changes nothing, wherever it stands; of two at one tick, the later counts. The
    last bar is whole where no signature cuts it short: the score is extended to it.

    Args:
        signatures: in any order; 4/4 holds before the first.
        end: the tick at which the last note ends.
        tpq: ticks per quarter note.
        pairs: take 2/4 bars in pairs, and 2/2 bars, as 4/4 bars.
        first: the tick at which the first whole bar begins; what lies before it is an upbeat, in bars of 1/4.
    """
    bar = BEATS * tpq
    fitting = metres_taken(pairs)
    metres = {0: (4, 4)} | {tick: (top, bottom) for tick, top, bottom in sorted(signatures, key=itemgetter(0))}
    if first:
        then = metres[max(tick for tick in metres if tick <= first)]
        metres = {0: (1, 4), first: then} | {tick: metre for tick, metre in metres.items() if tick > first}
    ticks = sorted(metres)
    changes = [0] + [tick for before, tick in pairwise(ticks) if metres[before] != metres[tick]]
    found = []
    for start, following in zip(changes, [*changes[1:], None], strict=True):
        if start >= end:
            break
        numerator, denominator = metres[start]
        stop = end if following is None else min(end, following)
        n_bars = 0
        if (numerator, denominator) in fitting:
            n_bars = -((start - stop) // bar)
            n_bars = n_bars if following is None else min(n_bars, (following - start) // bar)
        left = max(0, stop - start - n_bars * bar)
        found.append(Stretch(start, n_bars, -(-left * denominator // (bar * numerator))))
    return found


def find_spans(
    signatures: Sequence[Signature], end: int, tpq: int, grid: str = "straight", pairs: bool = False, first: int = 0
) -> list[Span]:
    """All runs of 4/4 bars of a score, in order.

    Args:
        signatures, end, tpq, pairs, first: see :func:`stretches`.
        grid: a key of :data:`STEPS_PER_BEAT`.

    Raises:
        ConfigError: no such grid.
    """
    if grid not in STEPS_PER_BEAT:
        raise ConfigError(f"adapter.grid={grid}: choose one of {', '.join(STEPS_PER_BEAT)}")
    steps = BEATS * STEPS_PER_BEAT[grid]
    found: list[Span] = []
    for stretch in stretches(signatures, end, tpq, pairs, first):
        if not stretch.n_bars:
            continue
        joins = bool(found) and found[-1].end == stretch.start
        before = found.pop() if joins else Span(stretch.start, 0, BEATS * tpq / steps, steps)
        found.append(replace(before, n_bars=before.n_bars + stretch.n_bars))
    return found


def on_grid_share(positions: NDArray[np.float64]) -> float:
    """The share of onsets, as fractional steps, that lie on a grid line; 1 without any."""
    apart = np.abs(positions - np.rint(positions))
    return float((apart <= ON_GRID + 1e-9).mean()) if len(positions) else 1.0
