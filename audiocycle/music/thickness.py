"""How thick a texture is, and a network's opinion made as thick as phrases of its genre usually are.

A network knows what should sound, but hardly how much of it in all: its probabilities are right in their order and a little too high
or too low as a whole. So a phrase's sustain is made likelier, or less likely, by one amount everywhere. What the network is sure of stays.

Rolls are (C, P, T), see ``piano_roll``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.piano_roll import SUSTAIN
from audiocycle.spec import FloatArray

MIDDLE = (10.0, 90.0)
"""Percentiles of a genre's phrases between which a polyphony is usual."""
MARGIN = 0.3
"""Share of that range which is kept from its ends: what is fitted here is counted before notes are made of it."""
MOST = 1.5
"""No probability is moved further, in logits: 0.5 to 0.82 or to 0.18."""


def polyphony(sounds: NDArray[np.bool_]) -> float:
    """Mean number of pitches over the steps in which anything sounds; 0 in silence. sounds: (P, T)."""
    at_once = sounds.sum(axis=0)
    steps = int((at_once > 0).sum())
    return float(at_once.sum() / steps) if steps else 0.0


def usual_polyphony(rolls: Iterable[NDArray[Any]], window: int) -> FloatArray:
    """(2,) float32: between which values lie the middle 80 % of the phrases of ``window`` steps that are not silent; 0, 0 without any."""
    found = [polyphony(roll[SUSTAIN, :, a : a + window] > 0) for roll in rolls for a in range(0, roll.shape[-1], window)]
    heard = [value for value in found if value]
    return np.percentile(heard, MIDDLE).astype(np.float32) if heard else np.zeros(2, np.float32)


def as_thick_as(usual: FloatArray, probability: FloatArray, window: int, level: float, share: float = 1.0) -> FloatArray:
    """Probabilities (C, P, T) whose phrases sound with a polyphony between the two values of ``usual``, as nearly as may be.

    Args:
        level: what is likelier than this counts as sounding.
        share: of the way there, in logits.
    """
    low, high = usual
    margin = MARGIN * (high - low)
    fitted = probability.copy()
    for begin in range(0, probability.shape[-1], window):
        phrase = fitted[SUSTAIN, :, begin : begin + window]
        sounds = phrase >= level
        now = polyphony(sounds)
        wanted = float(np.clip(now, low + margin, high - margin))
        if not now or wanted == now:
            continue
        cells = max(1, round(sounds.sum() * wanted / now))
        if cells >= phrase.size:
            continue
        last = float(np.partition(phrase, phrase.size - cells, axis=None)[phrase.size - cells])  # the least likely that should sound
        odds = odds_of(level) / max(odds_of(last), 1e-9)
        phrase[:] = surer(phrase, float(np.clip(odds, np.exp(-MOST), np.exp(MOST))) ** share)
    return fitted


def odds_of(probability: float) -> float:
    """To 1; of a certainty a great number."""
    return probability / max(1.0 - probability, 1e-9)


def surer(probability: FloatArray, factor: float) -> FloatArray:
    """Probabilities whose odds are ``factor`` times as high; 0 and 1 stay."""
    return np.asarray(factor * probability / (1.0 - probability + factor * probability), np.float32)
