"""Two people who take turns in one recording.

A recording is looked at in parts with some seconds of voice. Each is the means of its mel-cepstral coefficients and of log F0, in units of what these differ by
between parts of one person's recording; chance is what is left of the distance of two groups of parts that were sought (2-means,
:func:`~audiocycle.voice.two_groups.two_groups`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import Encoded, FloatArray
from audiocycle.voice.adapter import VoiceAdapter
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.two_groups import between, two_groups

SAMPLE_RATE = 16000
"""Coefficients of other rates are others, and nothing is known of them."""
VOICED_SECONDS = 2.0
"""Of a part: about four seconds of speech."""
LEAST_GROUP = 2
"""Parts of either person."""
ROWS = 28
"""Of mel-cepstrum, the level, which is not asked, among them."""
DEVIATIONS = (
    0.225, 0.183, 0.181, 0.128, 0.108, 0.1, 0.097, 0.097, 0.091, 0.079, 0.075, 0.081, 0.074, 0.065,
    0.062, 0.056, 0.055, 0.052, 0.044, 0.044, 0.044, 0.041, 0.04, 0.04, 0.036, 0.035, 0.031, 0.064,
)  # fmt: skip
"""Between parts of one person: of coefficients 1 ... 27, and log F0, over 18 people."""
APART = 8.0
"""Between two people, and 4 of 625 stretches of one of 108 (LibriSpeech, VCC2016): all four of 8 to 16 s. Told: 43 of 45 pairs of readers with 8 s of voice each, all 6 of
VCC2016, 87 % of 366 pairs of readers with an utterance each. Where turns are sentences of 2 to 4 s, parts are of both: 2 of 6 pairs of VCC2016, 40 of 45 of readers."""


class Turns:
    """The parts of one recording, whose chunks come in order."""

    def __init__(self, adapter: VoiceAdapter) -> None:
        self.adapter = adapter
        self.asked = adapter.sample_rate == SAMPLE_RATE and adapter.spec.made >= ROWS
        self.size = round(VOICED_SECONDS * adapter.spec.frame_rate)
        self.rest: FloatArray = np.zeros((ROWS, 0))
        self.parts = list[FloatArray]()

    def add(self, encoded: Encoded[VoiceSide]) -> None:
        """Take in the next chunk."""
        f0 = encoded.side.f0
        if f0 is None or not self.asked:
            return
        voiced = (f0 > 0) & self.adapter.speech(encoded.features)
        frames = np.concatenate([self.rest, np.concatenate([encoded.features[1:ROWS, voiced], np.log(f0[None, voiced])])], axis=1)
        while frames.shape[1] >= self.size:
            self.parts.append(frames[:, : self.size].mean(axis=1))
            frames = frames[:, self.size :]
        self.rest = frames

    def registers(self) -> tuple[float, float] | None:
        """Mean F0 of two people in Hz, the higher first; None where one is heard, or too little."""
        if len(self.parts) < 2 * LEAST_GROUP:
            return None
        points = np.array(self.parts)
        group = two_groups(points / DEVIATIONS, LEAST_GROUP)
        if group is None or distance(points / DEVIATIONS, group) < APART:
            return None
        low, high = sorted(float(np.exp(points[side, -1].mean())) for side in (group, ~group))
        return high, low


def distance(points: FloatArray, group: NDArray[np.bool_]) -> float:
    """Between two groups of points (N, D) that deviate by 1 in each direction, without what chance alone makes of it."""
    chance = points.shape[1] * (1.0 / group.sum() + 1.0 / (~group).sum())
    return float(np.sqrt(max(0.0, np.square(between(points, group)).sum() - chance)))
