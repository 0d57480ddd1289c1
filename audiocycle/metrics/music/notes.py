"""Notes, chroma and beats of a piano roll: what every measure of rolls starts from.

Conventions: a roll is ``(C, 84, T)``, binary in any dtype (above 0.5 counts as 1). Channel 0 is the sustain, 1
while a note sounds; channel 1, where there is one, the onset, 1 on a note's first step; further channels are not
read. Row r is MIDI pitch 24 + r, so ``r % 12`` is the pitch class (0 is C). Bars are 4/4, the first starts at step 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError

Roll = NDArray[np.number[Any]] | NDArray[np.bool_]
"""``(C, 84, T)``, as the module says."""
Notes = NDArray[np.int64]
"""``(N, 3)`` rows of (pitch row, onset step, duration in steps), in the order of pitch, then time."""

N_PITCHES = 84
BEATS_PER_BAR = 4


def sounding(roll: Roll) -> NDArray[np.bool_]:
    """Where a note sounds, ``(84, T)``: the sustain, and the onsets, as an onset without sustain is one step long.

    Raises:
        ConfigError: the array is no roll.
    """
    if roll.ndim != 3 or roll.shape[0] < 1 or roll.shape[1] != N_PITCHES or roll.shape[2] < 1:
        raise ConfigError(f"a piano roll must be (C, {N_PITCHES}, T), C and T 1 or more, got {roll.shape}")
    flags: NDArray[np.bool_] = roll[0] > 0.5
    if roll.shape[0] > 1:
        flags |= roll[1] > 0.5
    return flags


def onsets(roll: Roll) -> NDArray[np.bool_]:
    """Where a note starts, ``(84, T)``: at an onset, or where a pitch begins to sound."""
    return _starts(roll, sounding(roll))


def notes_of(roll: Roll) -> Notes:
    """The notes of a roll, ``(N, 3)``: pitch row, onset step, duration in steps; ``(0, 3)`` for a silent one.

    A note starts at an onset, or where its pitch begins to sound; it ends before the next onset of the same row, or
    where the row falls silent. Rolls of one channel therefore work, but their repeated notes fuse.
    """
    sounds = sounding(roll)
    starts = _starts(roll, sounds)
    lasts = sounds.copy()
    lasts[:, :-1] &= ~sounds[:, 1:] | starts[:, 1:]
    # Each note is an unbroken run with one first and one last step, so that both lists pair up in row order.
    row, first = np.nonzero(starts)
    last = np.nonzero(lasts)[1]
    return np.stack([row, first, last - first + 1], axis=1).astype(np.int64, copy=False)


def pitch_classes(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Sum over octaves: ``(84, T)`` to ``(12, T)`` counts, C first."""
    counts: NDArray[np.int64] = flags.reshape(-1, 12, flags.shape[1]).sum(axis=0, dtype=np.int64)
    return counts


def beat_sums(steps: NDArray[np.int64], steps_per_beat: int) -> NDArray[np.int64]:
    """Sum over the steps of each beat: ``(R, T)`` to ``(R, n_beats)``; a last beat that is cut short counts as one."""
    check_grid(steps_per_beat)
    sums: NDArray[np.int64] = np.add.reduceat(steps, np.arange(0, steps.shape[1], steps_per_beat), axis=1)
    return sums


def check_grid(steps_per_beat: int) -> None:
    """Raise ConfigError unless a beat has at least one step."""
    if steps_per_beat < 1:
        raise ConfigError(f"steps_per_beat must be 1 or more, got {steps_per_beat}")


def _starts(roll: Roll, sounds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    starts = sounds.copy()
    starts[:, 1:] &= ~sounds[:, :-1]
    if roll.shape[0] > 1:
        starts |= roll[1] > 0.5
    return starts
