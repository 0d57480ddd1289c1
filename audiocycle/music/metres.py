"""A song's bars, from its time signatures: which of them a network can convert, and which pass through, and why.

A metre is converted where its bars are whole steps of the grid. Beats are quarters in simple metres. In compound ones (3, 6, 9, 12 eighths
or sixteenths) they are three units long, and steps are sixteenths on every grid: on the triplet grid a beat has six of them anyhow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

import numpy as np

from audiocycle.errors import ConfigError
from audiocycle.music.grid import ON_GRID, QUARTER, STEPS_PER_BEAT, Ints, Span, joined

Signature = tuple[int, int, int]
"""Tick, numerator, denominator."""
COMPOUND = (8, 16)
"""Denominators over which a multiple of three is a compound metre."""
UPBEAT = "in the upbeat"
CUT = "in bars that a change of metre cuts short off the grid"


@dataclass(frozen=True)
class Metre:
    """A bar on a grid.

    Attributes:
        steps: in a bar.
        beat: steps in each of its beats; the last may be shorter.
        per_quarter: steps in a quarter note.
    """

    steps: int
    beat: int
    per_quarter: int

    def lines(self, n_bars: int, rest: int) -> tuple[Ints, Ints]:
        """The steps at which beats begin, and bars do, of whole bars and one of ``rest`` steps; the last of both: where they end."""
        bars = self.steps * np.arange(n_bars + 1)
        beats = (bars[:-1, None] + np.arange(0, self.steps, self.beat)).ravel()
        behind = bars[-1] + np.arange(0, rest, self.beat)
        end = bars[-1:] + rest
        return np.concatenate([beats, behind, end]), np.concatenate([bars, end]) if rest else bars


@dataclass(frozen=True)
class Passed:
    """A part of a song that no network sees.

    Attributes:
        start, end: ticks.
        where: in words, as people are told of the notes in it.
    """

    start: int
    end: int
    where: str


@dataclass(frozen=True)
class Layout:
    """A song's bars: runs of those that are converted, and what lies between; in order of time."""

    spans: list[Span]
    passed: list[Passed]

    def phrases_passed(self, length: int) -> int:
        """How many phrases of so many ticks lie between the spans."""
        return sum(-((part.start - part.end) // length) for part in self.passed)


def metre_on(grid: str, top: int, bottom: int) -> Metre | None:
    """A metre on a grid, a key of ``STEPS_PER_BEAT``; None where its bars are no whole steps."""
    compound = bottom in COMPOUND and top % 3 == 0
    per_quarter = QUARTER if compound else STEPS_PER_BEAT[grid]
    steps, left = divmod(4 * top * per_quarter, bottom)
    beat = 3 * 4 * QUARTER // bottom if compound else per_quarter
    return None if left else Metre(steps, beat, per_quarter)


def lay_out(
    signatures: Sequence[Signature],
    end: int,
    tpq: int,
    grid: str = "straight",
    first: int = 0,
    only: tuple[int, int] | None = None,
) -> Layout:
    """The bars of a score up to its last note.

    A signature that repeats the one before changes nothing, wherever it stands; of two at one tick, the later counts. The last bar is whole
    where no signature cuts it short: the score is extended to it. A bar that a signature cuts short is a shorter bar, if it is whole steps.
    An upbeat is left alone: what lies before ``first``, a first bar that is cut short, and one that is shorter than those behind it.

    Args:
        signatures: in any order; 4/4 holds before the first.
        end: the tick at which the last note ends.
        tpq: ticks per quarter note.
        grid: a key of :data:`~audiocycle.music.grid.STEPS_PER_BEAT`.
        first: the tick at which the first whole bar begins.
        only: whole bars of this metre, and nothing else.

    Raises:
        ConfigError: no such grid.
    """
    if grid not in STEPS_PER_BEAT:
        raise ConfigError(f"adapter.grid={grid}: choose one of {', '.join(STEPS_PER_BEAT)}")
    runs: list[list[Span]] = []
    passed = [Passed(0, min(first, end), UPBEAT)] if first else []
    changes = metre_changes(signatures, first)
    for number, (start, top, bottom) in enumerate(changes):
        if start >= end:
            break
        following = changes[number + 1] if number + 1 < len(changes) else None
        metre = metre_on(grid, top, bottom) if only in (None, (top, bottom)) else None
        stop = end if following is None else min(end, following[0])
        if metre is None:
            passed.append(Passed(start, stop, f"in {top}/{bottom}, whose bars are no whole steps of the {grid} grid"))
            continue
        run, behind = bars_between(start, end, following and following[0], tpq, metre, 0.0 if only else ON_GRID)
        if not only and number == 0 and not first and following and is_upbeat(run, following, tpq):
            passed.append(Passed(0, following[0], UPBEAT))
            continue
        if run is not None:
            if not (runs and runs[-1][-1].end == run.start):
                runs.append([])
            runs[-1].append(run)
        if behind < stop:
            passed.append(Passed(behind, stop, CUT if run is not None or start else UPBEAT))
    return Layout([joined(run) for run in runs], passed)


def metre_changes(signatures: Sequence[Signature], first: int = 0) -> list[Signature]:
    """The signatures that change something from ``first`` on, in order; there is one at ``first``."""
    metres = {0: (4, 4)} | {tick: (top, bottom) for tick, top, bottom in sorted(signatures, key=itemgetter(0))}
    then = metres[max(tick for tick in metres if tick <= first)]
    metres = {first: then} | {tick: metre for tick, metre in metres.items() if tick > first}
    ticks = sorted(metres)
    return [(tick, *metres[tick]) for before, tick in pairwise([first, *ticks]) if tick == first or metres[before] != metres[tick]]


def bars_between(
    start: int, end: int, change: int | None, tpq: int, metre: Metre, tolerance: float
) -> tuple[Span | None, int]:
    """The bars of one metre up to the last note or to a change, None where there are none, and the tick at which they end.

    Args:
        end: the tick at which the last note ends.
        change: the tick of the next metre; None: there is none.
        tolerance: steps by which the change may miss its bar line, or its step; 0: it may not, and a bar that it cuts short is none.
    """
    begun = -((start - end) * metre.per_quarter // (tpq * metre.steps))
    n_bars, rest, last = begun, 0, None
    if change is not None:
        n_whole, left = divmod((change - start) * metre.per_quarter / tpq, metre.steps)
        if tolerance and metre.steps - left <= tolerance:
            n_whole, left = n_whole + 1, 0.0
        if begun > n_whole:
            rest = round(left) if tolerance and abs(left - round(left)) <= tolerance else 0
        n_bars = min(begun, int(n_whole))
        last = change if begun >= n_whole and (rest or left <= tolerance) else None
    steps, bars = metre.lines(n_bars, rest)
    if not steps[-1]:
        return None, start
    lines = np.asarray(start + steps * (tpq / metre.per_quarter), np.float64)
    if last is not None:
        lines[-1] = last
    span = Span(lines, steps, bars)
    return span, span.end


def is_upbeat(run: Span | None, following: Signature, tpq: int) -> bool:
    """Whether a song begins with a single bar of less than four quarter notes that is shorter than those of the metre behind it."""
    bar = 4 * tpq * following[1] / following[2]
    return run is not None and run.n_bars == 1 and run.end == following[0] and run.end < min(bar, 4 * tpq)
