"""A roll's tune and the rest of it, and which pitch classes lie outside the key around a bar.

Rolls are (C, P, T), see ``piano_roll``. Notes are (N, 3): row, first step, steps, as :func:`~audiocycle.music.piano_roll.decode` gives them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.metrics.music.keys import SCALES
from audiocycle.music.piano_roll import N_PITCHES, SUSTAIN, decode, drawn

Notes = NDArray[np.int64]
CLASSES = 12
DEEPEST = 16
"""Semitones below the notes around it that lie highest; deeper ones on top are of the accompaniment, heard while the tune rests."""
AROUND, HIGH = 33, 6
"""Steps around a note, and which of the highest of them, from the top, is high."""
BESIDE = 2
"""Bars before and behind one that tell its key with it."""
BRIEF = 2
"""Steps; longer notes of a tune are no ornaments."""
BREATH = 4
"""Steps; longer silences part phrases, and stay."""
SHORTEST = 2
"""Steps; shorter than that no note is made."""

def split(roll: NDArray[Any]) -> tuple[Notes, Notes]:
    """The notes of a binary roll with nothing above them when they begin, and the others, in order of time; see :data:`DEEPEST`."""
    notes = decode(roll, 1, 1)
    notes = notes[np.argsort(notes[:, 1], kind="stable")]
    sounds = roll[SUSTAIN] > 0
    top = np.where(sounds.any(axis=0), N_PITCHES - 1 - sounds[::-1].argmax(axis=0), -1)
    near = around(top)
    leads = (top[notes[:, 1]] == notes[:, 0]) & (notes[:, 0] >= near[notes[:, 1]] - DEEPEST)
    return notes[leads], notes[~leads]


def around(top: NDArray[np.int64]) -> NDArray[np.int64]:
    """(T,) how high the top is around each step, single steps aside."""
    padded = np.pad(top, AROUND // 2, constant_values=-1)
    return np.partition(np.lib.stride_tricks.sliding_window_view(padded, AROUND), AROUND - HIGH, axis=1)[
        :, AROUND - HIGH
    ]


def folded(sounds: NDArray[Any]) -> NDArray[np.int64]:
    """(12, T) how many octaves of each pitch class sound, from (P, T)."""
    return np.asarray(sounds.reshape(-1, CLASSES, sounds.shape[-1]).sum(axis=0))


def keys_of(sounds: NDArray[Any], begins: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(n,) the scale that holds most of what sounds around each bar, and (n, 12) the classes outside it.

    Args:
        sounds: (P, T).
        begins: (n,) the step at which each bar begins.
    """
    sums = np.add.reduceat(folded(sounds), begins, axis=1).T
    total = np.concatenate([np.zeros((1, CLASSES)), np.cumsum(sums, axis=0)])
    places = np.arange(len(begins))
    near = total[np.minimum(places + BESIDE + 1, len(begins))] - total[np.maximum(places - BESIDE, 0)]
    key = (near @ SCALES.T).argmax(axis=1)
    return key, ~SCALES[key]


def plainer(tune: Notes, roll: NDArray[Any], begins: NDArray[np.int64], usual: float) -> NDArray[np.bool_]:
    """(N,) which notes of a tune to keep for it to be as far outside the key as ``usual``: brief notes outside it go, the briefest first.

    Args:
        roll: the source's.
        begins: (n,) the step at which each bar begins.
    """
    _, outside = keys_of(roll[SUSTAIN] > 0, begins)
    foreign = outside[np.searchsorted(begins, tune[:, 1], side="right") - 1, tune[:, 0] % CLASSES]
    brief = np.flatnonzero(foreign & (tune[:, 2] <= BRIEF))
    total, many = len(tune), int(foreign.sum())
    too_many = max(0, int(np.ceil((many - usual * total) / max(1e-6, 1.0 - usual))))
    keep = np.ones(total, np.bool_)
    keep[brief[np.argsort(tune[brief, 2], kind="stable")][:too_many]] = False
    return keep


def going_on(tune: Notes, keep: NDArray[np.bool_]) -> Notes:
    """The notes of a tune that are kept, in order of time: each lasts over those behind it that are not, as far as they follow at once."""
    kept = np.flatnonzero(keep)
    if not len(kept):
        return tune[:0]
    end = tune[:, 1] + tune[:, 2]
    run = np.maximum.accumulate(np.where(keep, np.arange(len(tune)), -1))
    follows = np.append(False, tune[1:, 1] <= end[:-1])
    broken = np.cumsum(~follows)
    dropped = ~keep & (run >= 0) & (broken == broken[np.maximum(run, 0)])
    last = end.copy()
    np.maximum.at(last, run[dropped], end[dropped])
    longer = tune[kept].copy()
    longer[:, 2] = last[kept] - longer[:, 1]
    return longer


def detached(tune: Notes) -> float:
    """The share of a tune's notes, in order of time, before whose next one there is a silence; 0 of fewer than two."""
    return float((gaps(tune) > 0).mean()) if len(tune) > 1 else 0.0


def gaps(tune: Notes) -> NDArray[np.int64]:
    """(N - 1,) steps of silence behind each note but the last."""
    return np.asarray(tune[1:, 1] - tune[:-1, 1] - tune[:-1, 2])


def articulated(tune: Notes, usual: float) -> Notes:
    """A tune of which as many notes are detached as ``usual``: the longest end a step early, or the shortest silences are filled."""
    made, gap = tune.copy(), gaps(tune)
    missing = round(usual * len(gap)) - int((gap > 0).sum())
    if missing > 0:
        bound = np.flatnonzero((gap <= 0) & (tune[1:, 1] - tune[:-1, 1] > SHORTEST))
        cut = bound[np.argsort(-tune[bound, 2], kind="stable")][:missing]
        made[cut, 2] = tune[cut + 1, 1] - tune[cut, 1] - 1
    else:
        short = np.flatnonzero((gap > 0) & (gap <= BREATH))
        held = short[np.argsort(gap[short], kind="stable")][:-missing]
        made[held, 2] += gap[held]
    return made


def above_the_rest(tune: Notes, rest: Notes, steps: int) -> NDArray[np.bool_]:
    """A tune over an accompaniment as a roll (2, 84, T); where the tune sounds, nothing is above it or within a tone below."""
    lead, other = drawn(tune, steps), drawn(rest, steps)
    sounds = lead[SUSTAIN]
    top = np.where(sounds.any(axis=0), N_PITCHES - 1 - sounds[::-1].argmax(axis=0), N_PITCHES + 1)
    return np.asarray(lead | (other & (np.arange(N_PITCHES)[:, None] < top - 1)))
