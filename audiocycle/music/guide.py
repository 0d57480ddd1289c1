"""A guide for unpaired training on scores: for each bar of one genre, what the other genre's bars with the same content are like.

The twin of :mod:`audiocycle.voice.guide`. Bars are compared by what a genre has little say in: per beat, the melody (the highest
note struck), the harmony (which pitch classes sound) and the bass (the lowest pitch class). The other genre's nearest bars, in all twelve
keys, are averaged, the more alike the heavier: a roll of probabilities, such as a mean over everybody who would play that bar.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.grid import BEATS
from audiocycle.music.piano_roll import LOWEST, N_PITCHES, ONSET, SUSTAIN
from audiocycle.spec import FloatArray

Rolls = NDArray[np.uint8]
MELODY, HARMONY, BASS = 1.0, 1.0, 0.25
"""What counts in a likeness."""
TEMPERATURE = 0.03
"""A bar that is so much more alike (of 1) weighs e times as much."""
KEYS = range(-6, 6)
"""Semitones by which the other genre's bars are moved."""
KEPT_BARS = 20_000
"""Of the target; each is there in all keys."""
AT_ONCE = 256
NEGLIGIBLE = 1e-3
"""Of the heaviest share: lighter ones are left out."""
RECIPE = (MELODY, HARMONY, BASS, TEMPERATURE, tuple(KEYS), KEPT_BARS)
"""What a guide depends on beside its settings."""


class NearestBars:
    """The bars of a target genre, to be looked up by their content.

    Args:
        rolls: (C, 84, T) each, of whole bars.
        steps_per_beat: of the grid.
        neighbours: bars to average.
    """

    def __init__(self, rolls: Sequence[Rolls], steps_per_beat: int, neighbours: int) -> None:
        self.steps_per_beat = steps_per_beat
        bars = np.concatenate([self.bars(roll) for roll in rolls])
        heard = np.flatnonzero(bars[:, SUSTAIN].any(axis=(1, 2)))
        if len(heard) > KEPT_BARS:  # at random: every second bar of a phrase would leave out all of its last
            heard = np.sort(np.random.default_rng(0).choice(heard, KEPT_BARS, replace=False))
        bars = bars[heard]
        margin = -KEYS.start
        self.tall = np.pad(bars, ((0, 0), (0, 0), (margin, margin), (0, 0)))  # bar b moved by k: rows margin - k and on
        self.keys = np.concatenate([outline(self.moved(key), steps_per_beat) for key in KEYS])
        self.neighbours = min(neighbours, len(self.keys))

    def moved(self, key: int, places: NDArray[np.int64] | slice = slice(None)) -> Rolls:
        """Bars ``key`` semitones higher; what leaves the roll is lost."""
        begin = -KEYS.start - key
        return self.tall[places, :, begin : begin + N_PITCHES]

    def bars(self, roll: Rolls) -> Rolls:
        """(C, 84, T) to (T / bar, C, 84, bar)."""
        c, p, t = roll.shape
        length = BEATS * self.steps_per_beat
        return roll.reshape(c, p, t // length, length).transpose(2, 0, 1, 3)

    def guide(self, roll: Rolls) -> FloatArray:
        """Probabilities (C, 84, T) of what the target genre would have where another has ``roll`` (C, 84, T). Silent bars stay so."""
        import torch

        asked = self.bars(roll)
        found = np.zeros(asked.shape, np.float32)
        queries = outline(asked, self.steps_per_beat)
        for begin in range(0, len(asked), AT_ONCE):
            likeness = torch.from_numpy(queries[begin : begin + AT_ONCE] @ self.keys.T)
            values, nearest = likeness.topk(self.neighbours, dim=1)
            weights = torch.softmax(values / TEMPERATURE, dim=1).numpy()
            for place, (row, share) in enumerate(zip(nearest.numpy(), weights, strict=True), begin):
                if asked[place, SUSTAIN].any():
                    heavy = share > NEGLIGIBLE * share.max()
                    found[place] = self._mean(row[heavy], share[heavy])
        return found.transpose(1, 2, 0, 3).reshape(roll.shape)

    def _mean(self, chosen: NDArray[np.int64], weights: FloatArray) -> FloatArray:
        keys, places = np.divmod(chosen, len(self.tall))
        total = sum(weight * self.moved(KEYS[key], place) for key, place, weight in zip(keys, places, weights, strict=True))
        mean: FloatArray = np.asarray(total, np.float32) / weights.sum()
        return mean


def outline(bars: Rolls, steps_per_beat: int) -> FloatArray:
    """What bars (N, C, 84, T) are about, as vectors (N, D) whose products are likenesses: 1 at most, where all three agree in each beat.

    Melody is compared at its own octave, harmony and bass in any.
    """
    n, _, _, steps = bars.shape
    beats = steps // steps_per_beat
    sounds, struck = bars[:, SUSTAIN] > 0, bars[:, ONSET] > 0
    melody = _by_beat(_outermost(struck, highest=True), beats)
    harmony = _by_beat(_pitch_classes(sounds), beats)
    bass = _by_beat(_pitch_classes(_outermost(sounds, highest=False)), beats)
    weighed = [np.sqrt(weight) * x.reshape(n, -1) for weight, x in ((MELODY, melody), (HARMONY, harmony), (BASS, bass))]
    vectors: FloatArray = np.concatenate(weighed, axis=1) / np.float32(np.sqrt((MELODY + HARMONY + BASS) * beats))
    return vectors


def _outermost(cells: NDArray[np.bool_], highest: bool) -> NDArray[np.bool_]:
    """Of (N, P, T), only the highest or the lowest cell of each step that is on."""
    ordered = cells[:, ::-1] if highest else cells
    first = np.asarray(ordered & (np.cumsum(ordered, axis=1, dtype=np.uint8) == 1))
    return first[:, ::-1] if highest else first


def _pitch_classes(cells: NDArray[np.bool_]) -> FloatArray:
    """(N, 84, T) to (N, 12, T), cells on in any octave."""
    n, _, steps = cells.shape
    assert LOWEST % 12 == 0
    folded: FloatArray = cells.reshape(n, N_PITCHES // 12, 12, steps).sum(axis=1, dtype=np.float32)
    return folded


def _by_beat(cells: NDArray[np.generic], beats: int) -> FloatArray:
    """Sums over beats (N, P, beats), each beat of unit length; silent ones are zero."""
    n, rows, steps = cells.shape
    sums = cells.reshape(n, rows, beats, steps // beats).sum(axis=-1, dtype=np.float32)
    unit: FloatArray = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    return unit
