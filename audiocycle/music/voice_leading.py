"""Which notes go on in one line: what one voice would play on after another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.notes import IntArray, Notes

LEAP = 9
"""Semitones; a wider step is another line."""


def lines_of(notes: Notes, phrase: IntArray, apart: int, together: int, ties: NDArray[np.bool_]) -> IntArray:
    """(N,) the line of each note: the place of its first note.

    Of two moments that follow each other, the notes go on that are nearest in pitch to each other, both ways. So a note has one
    successor at most, and no more than one predecessor.

    Args:
        notes: in order of time.
        phrase: (N,) of each; lines do not go on into the next.
        apart: ticks; after a longer wait, a line is new.
        together: ticks between two notes that begin at one moment.
        ties: (N,) notes of which no two follow each other in a line.
    """
    n = len(notes)
    line = np.arange(n)
    if n < 2:
        return line
    begins = np.diff(notes.start, prepend=notes.start[0]) > together
    moment = np.cumsum(begins)
    key = moment * 256 + notes.pitch
    order = np.argsort(key, kind="stable")
    ahead, behind = (_nearest(key[order], key + step * 256, order) for step in (1, -1))
    successor = np.where(behind[ahead] == line, ahead, line)
    fits = (
        (moment[successor] == moment + 1)
        & (phrase[successor] == phrase)
        & (notes.start[successor] - notes.start <= apart)
        & (np.abs(notes.pitch[successor] - notes.pitch) <= LEAP)
        & ~(ties & ties[successor])
    )
    predecessor = line.copy()
    predecessor[successor[fits]] = np.flatnonzero(fits)
    while True:  # each step doubles how far back it looks
        further = predecessor[predecessor]
        if np.array_equal(further, predecessor):
            return predecessor
        predecessor = further


def _nearest(keys: IntArray, wanted: IntArray, order: IntArray) -> IntArray:
    """Of each wanted key, the place of the key that is nearest to it."""
    right = np.clip(np.searchsorted(keys, wanted), 1, len(keys) - 1)
    left = right - 1
    return order[np.where(wanted - keys[left] <= keys[right] - wanted, left, right)]
