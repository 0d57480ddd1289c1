"""The notes of a whole song on its line of beats: what measures of songs start from, where piano rolls say too little.

Conventions: times are beats from the song's first, which need not lie on a grid: swing, rubato and held pedals are in them. A beat is
a quarter note, or a dotted quarter in compound metres; beat lines are whole numbers. Drums are no notes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import FloatArray

Integers = NDArray[np.int64]
TOGETHER = 1 / 16
"""Beats; notes that begin less than this apart, one after the other, begin together."""
LONGEST = 16.0
"""Beats, after which a note that is held has died away."""


@dataclass(frozen=True)
class SongNotes:
    """Notes, in order of start.

    Attributes:
        start, end: (N,) beats.
        ring: (N,) beats, when it stops to sound: its end, or where the pedal that holds it is lifted.
        pitch: (N,) MIDI numbers.
        part: (N,) which part plays it.
        program: (N,) General MIDI program of that part, 0 to 127.
    """

    start: FloatArray
    end: FloatArray
    ring: FloatArray
    pitch: Integers
    part: Integers
    program: Integers

    def __len__(self) -> int:
        return len(self.start)


def song_notes(
    start: Any, end: Any, pitch: Any, part: Any = 0, program: Any = 0, ring: Any = None
) -> SongNotes:
    """Notes from columns (N,) in any order; a single number stands for all of them, and nothing is pedalled unless ``ring`` says so."""
    begin = np.asarray(start, np.float64)

    def column(values: Any, kind: type) -> NDArray[Any]:
        return np.broadcast_to(np.asarray(values, kind), begin.shape)

    height = column(pitch, np.int64)
    order = np.lexsort((height, begin))
    return SongNotes(
        begin[order],
        column(end, np.float64)[order],
        column(end if ring is None else ring, np.float64)[order],
        height[order],
        column(part, np.int64)[order],
        column(program, np.int64)[order],
    )


def moments(notes: SongNotes) -> tuple[Integers, FloatArray]:
    """(N,) the number of the moment at which each note begins, and (M,) when those are: notes that begin together are one."""
    number = np.cumsum(np.diff(notes.start, prepend=-np.inf) >= TOGETHER) - 1
    firsts = np.flatnonzero(np.diff(number, prepend=-1))
    return number, notes.start[firsts]


def spread(first: Integers, stop: Integers) -> tuple[Integers, Integers]:
    """Each of some ranges of cells, ``first`` to before ``stop``, cell by cell: (K,) which range, (K,) which cell."""
    sizes = np.maximum(stop - first, 0)
    owner = np.repeat(np.arange(len(first)), sizes)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + first[owner]


def sounding_cells(notes: SongNotes, per_beat: int, until: FloatArray) -> tuple[Integers, Integers]:
    """In the middle of which cells, ``per_beat`` to a beat, each note sounds: (K,) which note, (K,) which cell.

    Args:
        until: (N,) ``notes.end`` or ``notes.ring``; no note sounds longer than :data:`LONGEST`.
    """
    stop = np.minimum(until, notes.start + LONGEST)
    first, last = (np.ceil(times * per_beat - 0.5).astype(np.int64) for times in (notes.start, stop))
    return spread(first, last)


def top_line(notes: SongNotes) -> NDArray[np.bool_]:
    """(N,) the skyline: whether nothing higher sounds, or begins, when a note begins (Uitdenbogerd & Zobel 1999)."""
    number, times = moments(notes)
    stop = np.searchsorted(
        times, np.minimum(notes.end, notes.start + LONGEST) - TOGETHER
    )  # what is about to end hides nothing
    owner, moment = spread(number, np.maximum(stop, number + 1))
    highest = np.zeros(len(times), np.int64)
    np.maximum.at(highest, moment, notes.pitch[owner])
    return np.asarray(notes.pitch >= highest[number], np.bool_)
