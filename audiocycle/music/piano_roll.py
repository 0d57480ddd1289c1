"""Notes to piano rolls and back.

A roll is (C, P, T): C channels, P = 84 pitches (MIDI 24 to 107), T steps. Channel 0 is on while a note sounds, channel 1
where it begins, so that repeated notes do not fuse; channel 2, where wanted, is the velocity (0 to 127).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.grid import Span
from audiocycle.music.notes import Notes

LOWEST, N_PITCHES = 24, 84
SUSTAIN, ONSET, VELOCITY = 0, 1, 2


def in_range(notes: Notes) -> NDArray[np.bool_]:
    """(N,) which notes a roll can hold."""
    return np.asarray((notes.pitch >= LOWEST) & (notes.pitch < LOWEST + N_PITCHES))


def steps_of(notes: Notes, span: Span) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First step, and the one behind the last, of each note: (N,) twice, at least one step long, not cut to the span.

    Half a step is rounded up, always: rounding to even would put three notes of a run of 32nds on one step, one on the next.
    """
    first = np.floor(span.positions(notes.start) + 0.5).astype(np.int64)
    last = np.floor(span.positions(notes.end) + 0.5).astype(np.int64)
    return first, np.maximum(last, first + 1)


def begins_in(notes: Notes, span: Span) -> NDArray[np.bool_]:
    """(N,) which notes a span's roll shows: those whose onset rounds to one of its steps.

    A note just before a bar line belongs to the bar that it anticipates.
    """
    first, _ = steps_of(notes, span)
    return np.asarray((first >= 0) & (first < span.n_steps) & in_range(notes))


def draw(notes: Notes, span: Span, channels: int = 2) -> NDArray[np.uint8]:
    """The roll (channels, 84, T) of the notes that begin in a span; all of ``notes`` must (see :func:`begins_in`)."""
    first, last = steps_of(notes, span)
    row = notes.pitch - LOWEST
    changes = np.zeros((N_PITCHES, span.n_steps + 1), dtype=np.int32)  # in how many notes sound
    np.add.at(changes, (row, first), 1)
    np.add.at(changes, (row, np.minimum(last, span.n_steps)), -1)
    sounds = np.cumsum(changes[:, :-1], axis=1, dtype=np.int32) > 0
    roll = np.zeros((channels, N_PITCHES, span.n_steps), dtype=np.uint8)
    roll[SUSTAIN] = sounds
    roll[ONSET, row, first] = 1
    if channels > VELOCITY:
        np.maximum.at(roll[VELOCITY], (row, first), notes.velocity.astype(np.uint8))
        struck = np.where(roll[ONSET] > 0, np.arange(span.n_steps, dtype=np.int32), np.int32(0))
        latest = np.maximum.accumulate(struck, axis=1)  # the step of the onset before each step
        roll[VELOCITY] = np.where(sounds, np.take_along_axis(roll[VELOCITY], latest, axis=1), 0)
    return roll


def decode(roll: NDArray[Any], on: float = 0.5, hold: float = 0.3, shortest: int = 1) -> NDArray[np.int64]:
    """Notes (N, 3): row, first step, steps, from a roll of probabilities, ordered by row and time.

    A note begins where the onset channel reaches ``on``, or where the sustain does so in silence. It lasts while the sustain
    stays at ``hold`` or above (hysteresis: a dip does not break a note) or until the next onset of its row.

    Args:
        roll: (C >= 2, P, T).
        shortest: steps; shorter notes are left out.
    """
    n_rows, steps = roll.shape[1:]
    begins, sure, sounds = np.zeros((3, n_rows, steps + 1), dtype=bool)  # the last step, silent, keeps rows apart
    begins[:, :-1] = roll[ONSET] >= on
    sure[:, :-1] = (roll[SUSTAIN] >= on) | begins[:, :-1]
    sounds[:, :-1] = (roll[SUSTAIN] >= hold) | sure[:, :-1]
    change = np.diff(sounds.ravel().astype(np.int8), prepend=np.int8(0))
    rises, falls = np.flatnonzero(change > 0), np.flatnonzero(change < 0)
    certain = np.append(np.flatnonzero(sure), sure.size)
    firsts = certain[np.searchsorted(certain, rises)]  # of each run of sound, or behind it
    starting = begins.ravel()
    starting[firsts[firsts < falls]] = True
    starts = np.flatnonzero(starting)
    ends = falls[np.searchsorted(falls, starts)]  # of the run that the note is in
    lengths = np.minimum(ends, np.append(starts[1:], sure.size)) - starts
    notes = np.stack([*np.divmod(starts, steps + 1), lengths], axis=1)
    return np.asarray(notes[lengths >= shortest], dtype=np.int64)


def drawn(notes: NDArray[np.int64], steps: int, rows: int = N_PITCHES) -> NDArray[np.bool_]:
    """The roll (2, rows, steps) of notes (N, 3) as :func:`decode` gives them; a note ends where the next one of its row begins, or before."""
    row, first, length = notes.T
    changes = np.zeros((rows, steps + 1), np.int32)
    np.add.at(changes, (row, first), 1)
    np.add.at(changes, (row, np.minimum(first + length, steps)), -1)
    roll = np.zeros((2, rows, steps), np.bool_)
    roll[SUSTAIN] = np.cumsum(changes[:, :-1], axis=1) > 0
    roll[ONSET, row, first] = True
    return roll
