"""How thick and how busy a texture is, and a network's opinion made as thick and busy as phrases of its genre usually are.

A network knows what should sound, but hardly how much of it in all: its probabilities are right in their order and too high or too low as
a whole (those of guided networks must be: where any of four notes may come, each has a quarter). So a phrase's sustain, and its onsets,
are made likelier, or less likely, by one amount everywhere. What the network is sure of stays.

Rolls are (C, P, T), see ``piano_roll``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.piano_roll import ONSET, SUSTAIN, decode, drawn
from audiocycle.spec import FloatArray

Counts = NDArray[np.integer[Any]]
MIDDLE = (10.0, 90.0)
"""Percentiles of a genre's phrases between which an amount is usual."""
MARGIN = 0.3
"""Share of that range which is kept from its ends: phrases may be cut elsewhere when they are judged."""
MOST = 1.5
"""No probability is moved further down, in logits: 0.5 to 0.18."""
MOST_MORE = 1.25
"""Or further up: 0.22 to 0.5. Silence is better than what is hardly likely."""
HALVINGS = 6
"""Of that: to 0.02 logits."""


def polyphony(counts: Counts) -> FloatArray:
    """Mean number of pitches over the steps in which anything sounds; 0 in silence. counts: how many sound, (..., T) -> (...)."""
    return np.asarray(counts.sum(axis=-1) / np.maximum(1, (counts > 0).sum(axis=-1)))


def busyness(counts: Counts) -> FloatArray:
    """How many notes begin in a step, on average: whatever is left of a song behind its last whole phrase counts alike. (..., T) -> (...)."""
    return np.asarray(counts.sum(axis=-1) / max(1, counts.shape[-1]))


AMOUNTS: dict[str, tuple[int, Callable[[Counts], FloatArray]]] = {"onsets": (ONSET, busyness), "polyphony": (SUSTAIN, polyphony)}
"""By the name that a domain's statistics have for it: of which channel, and how it is measured."""


def usual_amounts(rolls: Iterable[NDArray[Any]], window: int) -> dict[str, FloatArray]:
    """By the names of ``AMOUNTS``, (2,) float32: between which values lie the middle 80 % of the phrases of ``window`` steps that are not
    silent; 0, 0 without any."""
    found: dict[str, list[float]] = {name: [] for name in AMOUNTS}
    for roll in rolls:
        for begin in range(0, roll.shape[-1], window):
            for name, (channel, amount) in AMOUNTS.items():
                found[name].append(float(amount((roll[channel, :, begin : begin + window] > 0).sum(axis=0))))
    heard = {name: [value for value in values if value] for name, values in found.items()}
    return {name: np.percentile(x, MIDDLE).astype(np.float32) if x else np.zeros(2, np.float32) for name, x in heard.items()}


def as_usual(
    usual: Mapping[str, FloatArray], probability: FloatArray, phrases: NDArray[np.int64], level: float, hold: float, share: float = 1.0, fillable: NDArray[np.bool_] | None = None
) -> FloatArray:
    """Probabilities (C, P, T) whose phrases, as notes, have as many onsets and a polyphony between the two values that are ``usual``.

    As nearly as may be: see ``MOST`` and ``MOST_MORE``. What is fitted is what notes are made of it (:func:`~audiocycle.music.piano_roll.decode`).

    Args:
        usual: from :func:`usual_amounts`, among other statistics; what it lacks is left alone.
        phrases: (n + 1,) the steps at which phrases begin, and at which the last one ends.
        level, hold: probabilities from which a note begins, and goes on.
        share: of the way there, in logits.
        fillable: (2, P, T) which cells may become likelier; all.
    """
    fitted = probability.copy()
    lengths = np.diff(phrases)
    for steps in np.unique(lengths):
        places = phrases[:-1][lengths == steps, None] + np.arange(steps)
        alike = np.moveaxis(fitted[..., places], 1, 2)  # (C, N, P, steps)
        for name, (channel, amount) in AMOUNTS.items():
            limits = usual.get(name, np.zeros(2))
            if limits.shape == (2,) and 0 < limits[0] <= limits[1]:
                shifts = _shifts(alike, channel, amount, limits, level, hold)
                alike[channel] = surer(alike[channel], np.exp(share * shifts)[:, None, None])
        fitted[..., places] = np.moveaxis(alike, 2, 1)
    if fillable is not None:
        fitted[:2] = np.where(fillable, fitted[:2], np.minimum(fitted[:2], probability[:2]))
    return fitted


def fills(roll: NDArray[Any], probability: FloatArray, phrases: NDArray[np.int64], hold: float) -> NDArray[np.bool_]:
    """(2, P, T): where a texture may be filled: between the source's highest and lowest note of the phrase, and by notes that go on for a second step."""
    rows = np.arange(roll.shape[1])[:, None]
    sounds = np.maximum.reduceat(roll[SUSTAIN], phrases[:-1], axis=1) > 0  # (P, n)
    lowest, highest = sounds.argmax(axis=0), roll.shape[1] - 1 - sounds[::-1].argmax(axis=0)
    within = np.repeat((rows >= lowest) & (rows <= highest), np.diff(phrases), axis=1)
    goes_on = np.ones_like(within)
    goes_on[:, :-1] = probability[SUSTAIN, :, 1:] >= least(hold)
    return np.stack([within, within & goes_on])


def _shifts(
    phrases: FloatArray, channel: int, amount: Callable[[Counts], FloatArray], usual: FloatArray, level: float, hold: float
) -> FloatArray:
    """By how many logits a channel of each phrase, (C, N, P, T), has to be moved, so that its notes' amount lies between the two values: (N,).

    All phrases at once, as rows of one roll: rows know nothing of each other.
    """
    _, n, _, steps = phrases.shape
    audible = (phrases[:2] >= least(hold)).any(axis=(0, 3))  # other rows stay silent
    owner, rows = np.nonzero(audible)[0], phrases[:2, audible]
    there, firsts = np.unique(owner, return_index=True)
    if not len(there):
        return np.zeros(n)

    def amounts_at(shifts: FloatArray) -> FloatArray:
        moved = rows.copy()
        moved[channel] = surer(rows[channel], np.exp(shifts)[owner, None])
        counts = np.zeros((n, steps), np.int16)
        counts[there] = np.add.reduceat(notes_drawn(moved, level, hold)[channel], firsts, axis=0, dtype=np.int16)
        return amount(counts)

    margin = MARGIN * (usual[1] - usual[0])
    now = amounts_at(np.zeros(n))
    wanted = np.clip(now, usual[0] + margin, usual[1] - margin)
    more = wanted > now
    near, far = np.zeros(n), np.where(more, MOST_MORE, -MOST)  # more logits, more sound: halve the interval
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        made = amounts_at(middle)
        beyond = np.where(more, made >= wanted, made <= wanted)
        near, far = np.where(beyond, near, middle), np.where(beyond, middle, far)
    return np.where((now > 0) & (wanted != now), far, 0.0)


def notes_drawn(probability: FloatArray, level: float, hold: float) -> NDArray[np.bool_]:
    """The notes of probabilities (C, P, T), drawn again: (2, P, T). Sound that nothing begins is no note."""
    notes = decode(probability, level, hold)
    begun = probability[ONSET, notes[:, 0], notes[:, 1]] >= hold
    return drawn(notes[begun], probability.shape[2], probability.shape[1])


def least(probability: float) -> float:
    """From which probability one may come up to this one."""
    return float(probability / (probability + (1 - probability) * np.exp(MOST_MORE)))


def surer(probability: FloatArray, factor: float | FloatArray) -> FloatArray:
    """Probabilities whose odds are ``factor`` times as high; 0 and 1 stay."""
    return np.asarray(factor * probability / (1.0 - probability + factor * probability), np.float32)
