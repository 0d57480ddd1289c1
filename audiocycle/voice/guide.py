"""A guide for unpaired training: for each frame of one speaker, what the other speaker's voice is like when saying the same.

Nobody has to read the same sentences. Frames are compared by the states of a recogniser's encoder, which tell what is said
rather than who says it, and the nearest frames of the target are averaged: k-nearest-neighbour conversion (Baas, van Niekerk &
Kamper 2023, arXiv 2305.18975), used here as a target to train towards instead of a result.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from audiocycle.spec import FloatArray

KEPT_FRAMES = 100_000
"""Of the target, evenly spread: eight minutes at 200 a second hold every sound of a language many times."""
AT_ONCE = 1024
SMOOTHING = 1.0
"""Deviation, in frames, of the Gaussian that smooths the guide over time: neighbours are chosen frame by frame, and jump."""
RECIPE = (KEPT_FRAMES, SMOOTHING)
"""What a guide depends on beside its settings."""


class NearestFrames:
    """The frames of a target speaker, to be looked up by what is said in them.

    Args:
        states: of each recording, (T, D) phonetic states at its frames.
        features: (P, T) normalised features.
        speech: (T,) frames that count.
        neighbours: frames to average.
    """

    def __init__(
        self, states: Sequence[FloatArray], features: Sequence[FloatArray], speech: Sequence[NDArray[np.bool_]], neighbours: int
    ) -> None:
        chosen = np.flatnonzero(np.concatenate(speech))
        chosen = chosen[:: max(1, -(-len(chosen) // KEPT_FRAMES))]
        self.keys = standardised(np.concatenate(states)[chosen], *moments(states, speech))
        self.values = np.concatenate([x.T for x in features])[chosen].astype(np.float32)
        self.neighbours = min(neighbours, len(chosen))

    def guide(self, queries: FloatArray, features: FloatArray, speech: NDArray[np.bool_]) -> FloatArray:
        """What the target's features should be like where another speaker's are ``features``.

        Args:
            queries: (T, D) states, standardised by their own speaker's moments.
            features: (P, T) normalised by their own speaker's statistics. Row 0, the level, stays; so do frames without speech.
            speech: (T,) frames that count.
        """
        import torch

        found = np.empty((len(queries), self.values.shape[1]), np.float32)
        for begin in range(0, len(queries), AT_ONCE):
            likeness = torch.from_numpy(queries[begin : begin + AT_ONCE] @ self.keys.T)
            nearest = likeness.topk(self.neighbours, dim=1, sorted=False).indices.numpy()  # on all cores; numpy's takes twice as long on one
            found[begin : begin + AT_ONCE] = self.values[nearest].mean(axis=1)
        guide = np.where(speech, gaussian_filter1d(found, SMOOTHING, axis=0).T, features)
        guide[0] = features[0]
        return guide.astype(np.float32)


def moments(states: Sequence[FloatArray], speech: Sequence[NDArray[np.bool_]]) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation (D,) of a speaker's states where there is speech: what is left of the speaker in them goes with these."""
    there = np.concatenate([x[mask] for x, mask in zip(states, speech, strict=True)])
    return there.mean(axis=0), there.std(axis=0) + 1e-6


def standardised(states: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """States of unit length, so that products are cosines."""
    x = (states - mean) / deviation
    made: FloatArray = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-6)).astype(np.float32)
    return made
