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

from audiocycle.music.piano_roll import ONSET, SUSTAIN, decode
from audiocycle.spec import FloatArray

MIDDLE = (10.0, 90.0)
"""Percentiles of a genre's phrases between which an amount is usual."""
MARGIN = 0.3
"""Share of that range which is kept from its ends: phrases may be cut elsewhere when they are judged."""
MOST = 1.5
"""No probability is moved further, in logits: 0.5 to 0.82 or to 0.18."""
HALVINGS = 6
"""Of that: to 0.02 logits."""


def polyphony(sounds: NDArray[np.bool_]) -> float:
    """Mean number of pitches over the steps in which anything sounds; 0 in silence. sounds: (P, T)."""
    at_once = sounds.sum(axis=0)
    steps = int((at_once > 0).sum())
    return float(at_once.sum() / steps) if steps else 0.0


def busyness(begins: NDArray[np.bool_]) -> float:
    """How many notes begin in a step, on average: whatever is left of a song behind its last whole phrase counts alike. begins: (P, T)."""
    return float(begins.sum() / max(1, begins.shape[1]))


Amount = Callable[[NDArray[np.bool_]], float]
AMOUNTS: dict[str, tuple[int, Amount]] = {"onsets": (ONSET, busyness), "polyphony": (SUSTAIN, polyphony)}
"""By the name that a domain's statistics have for it: of which channel, and how it is measured."""


def usual_amounts(rolls: Iterable[NDArray[Any]], window: int) -> dict[str, FloatArray]:
    """By the names of ``AMOUNTS``, (2,) float32: between which values lie the middle 80 % of the phrases of ``window`` steps that are not
    silent; 0, 0 without any."""
    found: dict[str, list[float]] = {name: [] for name in AMOUNTS}
    for roll in rolls:
        for begin in range(0, roll.shape[-1], window):
            for name, (channel, amount) in AMOUNTS.items():
                found[name].append(amount(roll[channel, :, begin : begin + window] > 0))
    heard = {name: [value for value in values if value] for name, values in found.items()}
    return {name: np.percentile(x, MIDDLE).astype(np.float32) if x else np.zeros(2, np.float32) for name, x in heard.items()}


def as_usual(
    usual: Mapping[str, FloatArray], probability: FloatArray, window: int, level: float, hold: float, share: float = 1.0
) -> FloatArray:
    """Probabilities (C, P, T) whose phrases, as notes, have as many onsets and a polyphony between the two values that are ``usual``.

    As nearly as may be: see ``MOST``. What is fitted is what notes are made of it (:func:`~audiocycle.music.piano_roll.decode`).

    Args:
        usual: from :func:`usual_amounts`, among other statistics; what it lacks is left alone.
        level, hold: probabilities from which a note begins, and goes on.
        share: of the way there, in logits.
    """
    fitted = probability.copy()
    for begin in range(0, probability.shape[-1], window):
        phrase = fitted[..., begin : begin + window]
        for name, (channel, amount) in AMOUNTS.items():
            limits = usual.get(name, np.zeros(2))
            if limits.shape == (2,) and 0 < limits[0] <= limits[1]:
                phrase[channel] = surer(phrase[channel], np.exp(share * _shift(phrase, channel, amount, limits, level, hold)))
    return fitted


def _shift(phrase: FloatArray, channel: int, amount: Amount, usual: FloatArray, level: float, hold: float) -> float:
    """By how many logits a phrase's channel has to be moved, so that its notes' amount lies between the two values."""

    def amount_at(shift: float) -> float:
        moved = phrase.copy()
        moved[channel] = surer(phrase[channel], np.exp(shift))
        return amount(notes_drawn(moved, level, hold)[channel])

    margin = MARGIN * (usual[1] - usual[0])
    now = amount_at(0.0)
    wanted = float(np.clip(now, usual[0] + margin, usual[1] - margin))
    if not now or wanted == now:
        return 0.0
    near, far = 0.0, MOST if wanted > now else -MOST  # more logits, more sound: halve the interval
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        beyond = amount_at(middle) >= wanted if wanted > now else amount_at(middle) <= wanted
        near, far = (near, middle) if beyond else (middle, far)
    return far


def notes_drawn(probability: FloatArray, level: float, hold: float) -> NDArray[np.bool_]:
    """The notes of probabilities (C, P, T), drawn again: (2, P, T). Sound that nothing begins is no note."""
    row, first, steps = decode(probability, level, hold).T
    begun = probability[ONSET, row, first] >= hold
    row, first, steps = row[begun], first[begun], steps[begun]
    changes = np.zeros((probability.shape[1], probability.shape[2] + 1), dtype=np.int32)
    changes[row, first] = 1  # a note ends where the next one of its row begins, or before
    changes[row, first + steps] -= 1
    drawn = np.zeros((2, *probability.shape[1:]), dtype=bool)
    drawn[ONSET, row, first] = True
    drawn[SUSTAIN] = np.cumsum(changes[:, :-1], axis=1) > 0
    return drawn


def surer(probability: FloatArray, factor: float) -> FloatArray:
    """Probabilities whose odds are ``factor`` times as high; 0 and 1 stay."""
    return np.asarray(factor * probability / (1.0 - probability + factor * probability), np.float32)
