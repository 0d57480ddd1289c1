"""Bars, beats and steps of a score: where the grid of a piano roll fits, and how ticks and steps translate.

A span is a run of whole bars, of any metre. Everything outside spans is none of a network's business, and passes through a conversion as it
is (see :mod:`audiocycle.music.metres`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

STEPS_PER_BEAT = {"straight": 4, "triplet": 6}
"""straight: sixteenths. triplet: sixths of a beat, on which both even (3/6) and swung (4/6) eighths fall."""
BEATS = 4
"""Quarter notes in a bar of 4/4."""
QUARTER = STEPS_PER_BEAT["straight"]
"""Steps in a beat that a feel moves."""
ON_GRID = 0.2
"""An onset within this part of a step from a grid line lies on it; onsets anywhere would do so at a rate of 0.4."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class PhaseMap(Protocol):
    """Where in each beat of a span notes are played that are written evenly: two monotone maps of [0, 1] onto itself, each the other's inverse."""

    def straightened(self, phase: Floats, beat: Ints) -> Floats:
        """(N,) places in beats, whose numbers are (N,), as they are played to places as they are written."""

    def swung(self, phase: Floats, beat: Ints) -> Floats:
        """(N,) places in beats as they are written to places as they are played."""


@dataclass(frozen=True, eq=False)
class Span:
    """A run of whole bars, as lines between which time flows evenly: B beats, n bars. What lies beside it is measured by its first and last beat.

    Attributes:
        lines: (B + 1,) ticks at which its beats begin, increasing; the last: where it ends. Need not be whole.
        steps: (B + 1,) the step at which each beat begins, from 0.
        bars: (n + 1,) the step at which each bar begins; the last: where it ends.
        feel: how the notes of its beats of four steps are played; None: evenly. Others are even.
    """

    lines: Floats
    steps: Ints
    bars: Ints
    feel: PhaseMap | None = None

    @property
    def n_bars(self) -> int:
        return len(self.bars) - 1

    @property
    def n_steps(self) -> int:
        """The length of its roll."""
        return int(self.steps[-1])

    @property
    def start(self) -> int:
        """Its first tick."""
        return round(float(self.lines[0]))

    @property
    def end(self) -> int:
        """The first tick behind it."""
        return round(float(self.lines[-1]))

    def positions(self, ticks: NDArray[Any]) -> Floats:
        """(N,) ticks as fractional steps."""
        at = np.asarray(ticks, np.float64)
        beat = self._place(self.lines, at)
        inside = (at - self.lines[beat]) * self.sizes[beat] / self.lengths[beat]
        return np.asarray(self.steps[beat] + self._felt(beat, inside, played=True))

    def ticks(self, steps: NDArray[Any]) -> Ints:
        """(N,) steps, whole or fractional, as the nearest ticks."""
        at = np.asarray(steps, np.float64)
        beat = self._place(self.steps, at)
        inside = self._felt(beat, at - self.steps[beat], played=False)
        return np.rint(self.lines[beat] + inside * self.lengths[beat] / self.sizes[beat]).astype(np.int64)

    def bar_of(self, steps: NDArray[Any]) -> Ints:
        """(N,) the number of the bar that each step lies in; of steps beside the span, the first or the last bar's."""
        return self._place(self.bars, steps)

    def place_in_bar(self, steps: NDArray[Any]) -> Ints:
        """(N,) whole steps since their bar began."""
        return np.asarray(steps - self.bars[self.bar_of(steps)])

    @cached_property
    def metres(self) -> Ints:
        """(n,) a number for each bar; bars of as many steps and beats share it, and the numbers run from 0."""
        beats = np.diff(np.searchsorted(self.steps, self.bars))
        return np.unique(np.diff(self.bars) * (len(self.steps) + 1) + beats, return_inverse=True)[1].reshape(-1)

    @cached_property
    def sizes(self) -> Ints:
        """(B,) steps in each beat."""
        return np.diff(self.steps)

    @cached_property
    def lengths(self) -> Floats:
        """(B,) ticks in each beat."""
        return np.diff(self.lines)

    @staticmethod
    def _place(begins: NDArray[Any], at: NDArray[Any]) -> Ints:
        """(N,) in which of the stretches that begin there each place lies; the last one of ``begins`` is where they end."""
        return np.clip(np.searchsorted(begins, at, side="right") - 1, 0, len(begins) - 2)

    def _felt(self, beat: Ints, inside: Floats, played: bool) -> Floats:
        """(N,) steps since the beginning of a beat, as they are written instead of as they are ``played``, or the reverse."""
        if self.feel is None:
            return inside
        moved = self.sizes[beat] == QUARTER
        whole = np.floor(inside / QUARTER)  # not 0 only beside the span
        felt = (self.feel.straightened if played else self.feel.swung)(inside / QUARTER - whole, beat)
        return np.where(moved, QUARTER * (whole + felt), inside)


def joined(spans: Sequence[Span]) -> Span:
    """Spans that follow each other as one; the feel is the first's."""
    shifts = np.cumsum([0, *(span.n_steps for span in spans)])[:-1]
    lines = [*(span.lines[:-1] for span in spans), spans[-1].lines[-1:]]
    steps = [span.steps[1:] + shift for span, shift in zip(spans, shifts, strict=True)]
    bars = [span.bars[1:] + shift for span, shift in zip(spans, shifts, strict=True)]
    zero = np.zeros(1, np.int64)
    return Span(np.concatenate(lines), np.concatenate([zero, *steps]), np.concatenate([zero, *bars]), spans[0].feel)


def on_grid_share(positions: NDArray[np.float64]) -> float:
    """The share of onsets, as fractional steps, that lie on a grid line; 1 without any."""
    apart = np.abs(positions - np.rint(positions))
    return float((apart <= ON_GRID + 1e-9).mean()) if len(positions) else 1.0
