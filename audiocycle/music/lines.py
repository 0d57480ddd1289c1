"""What listeners follow in a song: the tune, the bass, the chords. Which notes those are, and how a conversion leaves them alone.

Rolls are (C, P, T), see ``piano_roll``. Cells are masks (2, P, T): where notes sound, and where they begin.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.grid import Span
from audiocycle.music.notes import IntArray, Notes
from audiocycle.music.piano_roll import LOWEST, N_PITCHES, ONSET, SUSTAIN, VELOCITY, draw, steps_of
from audiocycle.music.thickness import surer
from audiocycle.spec import FloatArray

MELODY, BASS, CHORDS = "melody", "bass", "chords"
KEEP = (MELODY, BASS, CHORDS)
DEEPEST = 12
"""Semitones below a tune that is taken up again: what lies deeper is of the accompaniment, which is heard while the tune rests."""
MOSTLY = 0.5
"""The share of a part's notes with nothing above them beyond which it has the tune."""
TOGETHER = 0.25
"""Steps; notes that begin at one place of a grid so fine begin together."""
FORBIDDEN = -1.0
"""In place of a probability: nothing sounds there, whatever else is asked for. Nothing else is so low (see ``adapter.leaning``)."""

Cells = NDArray[np.bool_]


@dataclass(frozen=True)
class Held:
    """What a conversion should leave as it is.

    Attributes:
        certain: cells of the source's own notes.
        barred: cells of which the source has none, and which should stay silent.
    """

    certain: Cells
    barred: Cells

    def likelier(self, probability: FloatArray, logits: float) -> FloatArray:
        """Probabilities (C, P, T), moved that far towards it."""
        moved = probability.copy()
        moved[:VELOCITY] = surer(
            moved[:VELOCITY], np.exp(logits * self.certain.astype(np.float32) - logits * self.barred)
        )
        return moved

    def certainly(self, probability: FloatArray, barred: float = 0.0) -> FloatArray:
        """Probabilities (C, P, T) that leave no doubt."""
        sure = probability.copy()
        sure[:VELOCITY][self.certain] = 1.0
        sure[:VELOCITY][self.barred] = barred
        return sure


def held(notes: Notes, roll: NDArray[Any], span: Span, keep: Collection[str]) -> Held:
    """What has to stay in a span.

    Nothing new lies above the tune while it sounds, or below the bass, or strikes their notes again; and nothing has another pitch class
    than those that sound in its beat, or, where that is silent, in the last beat that is not.

    Args:
        notes, roll: of the source.
        keep: of :data:`KEEP`.
    """
    certain = np.zeros((VELOCITY, *roll.shape[1:]), dtype=bool)
    barred = certain.copy()
    for name, line in zip((MELODY, BASS), outer_lines(notes, roll, span), strict=True):
        if name in keep:
            cells = draw(notes.where(line), span) > 0
            certain |= cells
            beyond = (
                cells[SUSTAIN].cumsum(axis=0) if name == MELODY else cells[SUSTAIN][::-1].cumsum(axis=0)[::-1]
            )
            barred |= (beyond == beyond.max(axis=0)) & (
                beyond > 0
            )  # the line itself, and all that is behind it
    if CHORDS in keep:
        barred |= ~chords(roll[SUSTAIN] > 0, span)
    return Held(certain, barred & ~(roll[:VELOCITY] > 0))


def outer_lines(notes: Notes, roll: NDArray[Any], span: Span) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which notes of a span are of the tune, and which of the bass: (N,) twice.

    The tune is the skyline, all notes with nothing above them when they begin (Uitdenbogerd & Zobel 1999), but for those that lie
    further than an octave below a line that rests for a beat at most. Of several parts one that mostly lies on top has the tune: its
    own highest notes are in it, whatever lies above them. The bass is the same, upside down.
    """
    first, _ = steps_of(notes, span)
    moment = np.unique(np.rint(span.positions(notes.start) / TOGETHER), return_inverse=True)[1].reshape(-1)
    sounds = roll[SUSTAIN] > 0
    window = 2 * int(span.sizes.max()) + 1

    def top_line(row: IntArray, sounds: Cells, goes_on: Cells) -> NDArray[np.bool_]:
        numbers = np.arange(1, len(sounds) + 1, dtype=np.int64)[:, None]  # 1: the lowest row, 0: silence
        highest, before = ((numbers * cells).max(axis=0) for cells in (sounds, goes_on))
        on_top = leading(row, moment) & (row + 1 >= before[first])
        total, mine = (
            np.bincount(notes.track, weights=flags)
            for flags in (np.ones(len(row)), on_top.astype(np.float64))
        )
        leads = (mine > MOSTLY * total) & (np.count_nonzero(total) > 1)
        own = leading(row, moment * len(total) + notes.track) & leads[notes.track]
        return np.asarray((on_top & (closed(highest, window)[first] - row - 1 <= DEEPEST)) | own)

    row, goes_on = notes.pitch - LOWEST, sounds & (roll[ONSET] == 0)
    return top_line(row, sounds, goes_on), top_line(N_PITCHES - 1 - row, sounds[::-1], goes_on[::-1])


def leading(row: IntArray, group: IntArray) -> NDArray[np.bool_]:
    """(N,) which notes have no higher one in their group."""
    _, number = np.unique(group, return_inverse=True)
    highest = np.zeros(len(row), np.int64)
    np.maximum.at(highest, number, row)
    return np.asarray(row >= highest[number])


def closed(curve: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """A curve (T,), from 0 on, without its valleys that are shorter than the window, which is odd: a closing (Serra 1982, chapter II)."""

    def largest(x: NDArray[np.int64], beside: int) -> NDArray[np.int64]:
        around = np.pad(x, window // 2, constant_values=beside)
        return np.asarray(np.lib.stride_tricks.sliding_window_view(around, window).max(axis=1))

    return -largest(-largest(curve, 0), -N_PITCHES)


def chords(sounds: Cells, span: Span) -> Cells:
    """(P, T): which cells have a pitch class that sounds in their beat, or, where that is silent, in the last beat that is not."""
    n_pitches, n_steps = sounds.shape
    classes = sounds.reshape(-1, 12, n_steps).any(axis=0)  # rows begin with a C
    heard = np.logical_or.reduceat(classes, span.steps[:-1], axis=1)
    last = np.maximum.accumulate(np.where(heard.any(axis=0), np.arange(heard.shape[1]), 0))
    return np.tile(heard[:, last].repeat(span.sizes, axis=1), (n_pitches // 12, 1))
