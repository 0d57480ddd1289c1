"""Pieces that are played as people play: through rubato and a ritardando, a little beside the beat, chords spread. Their beats are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from songs import TPQ, a_score, a_track

CHORDS = ((48, 52, 55), (53, 57, 60), (43, 47, 50), (45, 48, 52))
SCALE = (72, 74, 76, 77, 79, 81, 83, 84)
TICKS_PER_SECOND = 2 * TPQ
"""At 120 beats a minute, which is what a file says that knows no tempo."""


@dataclass(frozen=True)
class Take:
    """A piece as somebody played it.

    Attributes:
        rows: (N, 4) seconds of start and end, pitch, velocity; in order.
        beats: (B,) seconds at which its beats are, and the last one ends.
        first: the number of the beat that begins the first bar.
    """

    rows: NDArray[np.float64]
    beats: NDArray[np.float64]
    first: int

    @property
    def score(self) -> Any:
        """As a file that knows nothing of the beats."""
        ticks = np.rint(self.rows[:, :2] * TICKS_PER_SECOND)
        return a_score(a_track(*np.column_stack([ticks, self.rows[:, 2:]]).astype(int).tolist()))

    def grid(self, steps: int = 4) -> NDArray[np.float64]:
        """Seconds of its steps."""
        every = np.arange((len(self.beats) - 1) * steps + 1) / steps
        return np.interp(every, np.arange(len(self.beats)), self.beats)


def take(
    seed: int,
    n_bars: int = 24,
    metre: int = 4,
    triple: bool = False,
    upbeat: int = 0,
    swing: float = 0.5,
    beat: float = 0.6,
    rubato: float = 0.12,
    jitter: float = 0.015,
    spread: float = 0.02,
) -> Take:
    """A bass and a chord for each bar, a tune of beats, halves and quarters of them (or thirds) above.

    Args:
        upbeat: beats before the first bar.
        swing: where the second half of a beat begins.
        beat: its usual length, seconds.
        rubato: how far the logarithm of the tempo goes; the last two bars slow down beside that.
        jitter: the deviation of onsets, seconds.
        spread: from the lowest note of a chord to its highest, seconds.
    """
    random = np.random.default_rng(seed)
    n_beats = n_bars * metre + upbeat
    bend = np.sin(np.arange(n_beats) * 2 * np.pi / (4 * metre) + random.random() * 6) + np.sin(
        np.arange(n_beats) / 11
    )
    bend = rubato * bend / 1.5
    bend[-2 * metre :] += np.linspace(0, 0.4, 2 * metre)
    beats = 1.0 + np.concatenate([[0.0], np.cumsum(beat * np.exp(bend))])
    halves = [[0], [0], [0, swing], [0, swing]] + ([[0, 0.25, 0.5, 0.75], [0, 0.75]] if swing == 0.5 else [])
    thirds = [[0], [0, 2 / 3], [0, 1 / 3, 2 / 3], [0, 1 / 3, 2 / 3]]
    written: list[tuple[float, float, int, int, int]] = []  # beats, pitch, velocity, place in its chord
    for number in range(n_beats):
        inside = number - upbeat
        chord = CHORDS[max(inside, 0) // metre % 4]
        if inside >= 0 and inside % metre == 0:
            written += [
                (number, number + metre, pitch, 72 - 3 * i, i)
                for i, pitch in enumerate((chord[0] - 12, *chord))
            ]
        elif inside >= 0 and random.random() < 0.6:
            written += [(number, number + 1, pitch, 55, i) for i, pitch in enumerate(chord[1:])]
        patterns = thirds if triple else halves
        begins = [0] if number == n_beats - 1 else patterns[random.integers(len(patterns))]
        for begin, end in zip(begins, [*begins[1:], 1], strict=True):
            written.append(
                (number + begin, number + end, int(random.choice(SCALE)), 80 if begin == 0 else 70, 0)
            )
    table = np.array(written)
    start, end = (np.interp(table[:, i], np.arange(n_beats + 1), beats) for i in (0, 1))
    start += random.normal(0, jitter, len(table)) + np.minimum(table[:, 4] * spread / 3, spread)
    rows = np.column_stack([start, np.maximum(end, start + 0.05), table[:, 2:4]])
    return Take(rows[np.argsort(rows[:, 0], kind="stable")], beats, upbeat)


def f_measure(known: NDArray[np.float64], found: NDArray[np.float64], tolerance: float = 0.07) -> float:
    """Of beats (Davies, Degara & Plumbley 2009): each may be met once, within so many seconds."""
    met = 0
    rest = list(found)
    for time in known:
        while rest and rest[0] < time - tolerance:
            rest.pop(0)
        if rest and rest[0] <= time + tolerance:
            rest.pop(0)
            met += 1
    return 2 * met / (len(known) + len(found))


def apart(times: NDArray[np.float64], lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) seconds from each time to the nearest line."""
    behind = np.clip(np.searchsorted(lines, times), 1, len(lines) - 1)
    return np.minimum(np.abs(times - lines[behind - 1]), np.abs(times - lines[behind]))
