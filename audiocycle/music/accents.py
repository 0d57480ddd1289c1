"""Accents: by how much notes of a genre are louder than those around them, by line and place in the bar.

Velocities are compared with the mean of their bar and the bars beside it, so that loud songs, and loud parts of a song, tell as much as soft ones.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.grid import BEATS, QUARTER, Span
from audiocycle.music.notes import IntArray, Notes
from audiocycle.music.piano_roll import steps_of
from audiocycle.spec import FloatArray
from audiocycle.system.limits import Table

BASS, INNER, TOP = range(3)
PLACES = BEATS * QUARTER
"""Sixteenths of a bar."""
MIDDLE_C = 60
"""A note that begins alone is of the top line from here on, and of the bass below."""
FLAT = 1.5
"""Songs whose velocities deviate less were never played: they have no accents, and get none."""
PRIOR = 8.0
"""Notes' worth of no accent in each."""
TABLES = {"accents": Table((TOP + 1, PLACES), -127.0, 127.0, required=False)}
"""What :func:`usual_accents` makes."""


def lines_of(pitch: IntArray, step: IntArray) -> IntArray:
    """(N,) the line of each note: the lowest and the highest that begin with it are bass and top, others inner."""
    line = np.full(len(pitch), INNER)
    order = np.lexsort((pitch, step))
    changes = step[order][1:] != step[order][:-1]
    first, last = np.concatenate([[True], changes]), np.concatenate([changes, [True]])
    if len(pitch):
        line[order[last]] = TOP
        line[order[first]] = BASS
        alone = order[first & last]
        line[alone] = np.where(pitch[alone] < MIDDLE_C, BASS, TOP)
    return line


def places_of(step: IntArray, span: Span) -> IntArray:
    """(N,) the sixteenth of a bar of four quarters that each step is like: in other bars, of the first beat or of the second."""
    beat = np.clip(np.searchsorted(span.steps, step, side="right") - 1, 0, len(span.sizes) - 1)
    bar = span.bar_of(step)
    begins = np.searchsorted(span.steps, span.bars)
    number, usual = beat - begins[bar], np.diff(begins)[bar] == BEATS
    inside = np.clip((step - span.steps[beat]) * QUARTER // span.sizes[beat], 0, QUARTER - 1)
    return np.asarray(np.where(usual, number, np.minimum(number, 1)) * QUARTER + inside)


def accents_in(notes: Notes, span: Span) -> FloatArray:
    """(2, 3, 16) the deviations of the notes of a span from the velocity around them, summed up by line and place, and how many those are."""
    found = np.zeros((2, TOP + 1, PLACES))
    if len(notes) and notes.velocity.std() >= FLAT:
        first, _ = steps_of(notes, span)
        bar = span.bar_of(first)
        deviation = notes.velocity - around(notes.velocity, bar, span.n_bars)[bar]
        cell = lines_of(notes.pitch, first), places_of(first, span)
        np.add.at(found[0], cell, deviation)
        np.add.at(found[1], cell, 1)
    return found


def around(velocity: NDArray[np.int64], bar: IntArray, n_bars: int) -> FloatArray:
    """(n,) the mean velocity in each bar and those beside it; of all notes, where those are silent."""
    total, count = (
        np.convolve(np.bincount(bar, weights, n_bars), np.ones(3))[1:-1] for weights in (velocity, None)
    )
    return np.asarray(np.where(count > 0, total / np.maximum(1, count), velocity.mean()))


def accents_of(
    usual: FloatArray | None, pitch: IntArray, step: IntArray, beside: Notes, span: Span
) -> FloatArray | None:
    """(N,) a genre's accents on new notes; None where they are not known.

    Args:
        usual: of :func:`usual_accents`.
        pitch, step: (N,) of the new notes.
        beside: other notes of the span.
    """
    if usual is None or not usual.any():
        return None
    first, _ = steps_of(beside, span)
    line = lines_of(np.concatenate([pitch, beside.pitch]), np.concatenate([step, first]))[: len(pitch)]
    return np.asarray(usual[line, places_of(step, span)])


def usual_accents(songs: Iterable[FloatArray]) -> dict[str, FloatArray]:
    """A genre's accents by line and place, (3, 16), of its songs' sums from :func:`accents_in`; 0 where nothing is known."""
    total, count = np.sum([np.zeros((2, TOP + 1, PLACES)), *songs], axis=0)
    return {"accents": (total / (count + PRIOR)).astype(np.float32)}
