"""Style: how much a transfer plays like a genre, from which intervals follow which, and where and how long notes are.

Conventions: rolls are ``(C, 84, T)``, see ``notes``, and start on a bar line. A genre's profile is taken from
songs that were held out of training. A step is the unit of time, so compare profiles of one grid only.

Reading the numbers: two halves of one genre's held-out songs say how similar a perfect transfer could be, and the
source itself says what doing nothing scores.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.metrics.music.notes import BEATS_PER_BAR, Notes, Roll, check_grid, notes_of

MAX_INTERVAL = 20
"""Pairs of notes that lie further apart, in semitones, are not counted."""

DEFINITION = (
    "Style similarity: cosine between two style histograms, each summed over all notes of all songs. Time-pitch: "
    "ordered pairs of notes whose onsets are less than one bar apart, onset difference in steps by interval from "
    "-20 to 20 semitones. Onset-duration: position in the bar by duration, both in steps, a bar or longer in one bin."
)
"""Exactly what this module measures. Print it beside results: both histograms depend on grid and range."""


@dataclass(frozen=True)
class StyleProfile:
    """Two histograms of one genre, song or phrase; each sums to 1, or is all 0 where there is nothing to count.

    Attributes:
        time_pitch: ``(steps_per_bar, 41)``; row is how many steps the second note of a pair starts after the first,
            column how many semitones above (20 is the unison).
        onset_duration: ``(steps_per_bar, steps_per_bar)``; row is the onset's step in its bar, column the duration
            in steps less 1; the last column also holds everything longer than a bar.
    """

    time_pitch: NDArray[np.float64]
    onset_duration: NDArray[np.float64]


def style_profile(rolls: Iterable[Roll], steps_per_beat: int = 4) -> StyleProfile:
    """Both style histograms of some rolls (the phrases of a song, the songs of a genre) taken together.

    Counts are summed before they are made shares, so a busier roll weighs more. Pairs of notes never span two rolls.

    Raises:
        ConfigError: an array is no roll, or the grid is impossible.

    Source: Cífka, Şimşekli & Richard 2020, "Groove2Groove", style profiles. There, too, a pair that starts together
    counts in both orders. Differences: a bin is a step of the grid (theirs is 1/6 beat), and durations reach one bar
    with the longer ones in the last bin (theirs are left out above 2 beats).
    """
    return StyleProfile(*map(_shares, style_counts(rolls, steps_per_beat)))


def style_counts(rolls: Iterable[Roll], steps_per_beat: int = 4) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What a profile's two histograms are made of: counts, which can be added up over songs.

    Raises:
        ConfigError: an array is no roll, or the grid is impossible.
    """
    check_grid(steps_per_beat)
    bar = BEATS_PER_BAR * steps_per_beat
    time_pitch = np.zeros((bar, 2 * MAX_INTERVAL + 1), np.int64)
    onset_duration = np.zeros((bar, bar), np.int64)
    for roll in rolls:
        notes = notes_of(roll)
        time_pitch += _time_pitch_counts(notes, bar)
        onset_duration += _onset_duration_counts(notes, bar)
    return time_pitch, onset_duration


def cosines(histograms: NDArray[Any], goal: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, bins) against (bins,); 0 where there is nothing in one of them, 1 where there is nothing in both."""
    norms = np.linalg.norm(histograms, axis=1) * np.linalg.norm(goal)
    both_empty = ~histograms.any(axis=1) & (not goal.any())
    return np.minimum(np.where(norms > 0.0, histograms @ goal / np.maximum(norms, 1e-300), both_empty), 1.0)


def _time_pitch_counts(notes: Notes, bar: int) -> NDArray[np.int64]:
    notes = notes[np.argsort(notes[:, 1], kind="stable")]
    pitch, onset = notes[:, 0], notes[:, 1]
    # The partners of each note are one slice of the sorted notes: those that start with it, up to a bar later.
    begin = np.searchsorted(onset, onset, side="left")
    n_partners = np.searchsorted(onset, onset + bar, side="left") - begin
    first = np.repeat(np.arange(len(notes)), n_partners)
    place_in_slice = np.arange(len(first)) - np.repeat(np.cumsum(n_partners) - n_partners, n_partners)
    second = np.repeat(begin, n_partners) + place_in_slice
    later, interval = onset[second] - onset[first], pitch[second] - pitch[first]
    counted = (np.abs(interval) <= MAX_INTERVAL) & (first != second)
    return _histogram(later[counted], interval[counted] + MAX_INTERVAL, (bar, 2 * MAX_INTERVAL + 1))


def _onset_duration_counts(notes: Notes, bar: int) -> NDArray[np.int64]:
    return _histogram(notes[:, 1] % bar, np.minimum(notes[:, 2], bar) - 1, (bar, bar))


def _histogram(
    row: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int]
) -> NDArray[np.int64]:
    return np.bincount(row * shape[1] + column, minlength=shape[0] * shape[1]).reshape(shape)


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = counts / max(int(counts.sum()), 1)
    return shares
