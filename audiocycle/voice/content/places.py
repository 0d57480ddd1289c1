"""The places of a target in the space of what can be said: states that its own recordings have been in.

Another speaker's states lie beside them, by the accent, the room, and what the encoder tells of a throat. A network that has seen the target's own
makes more of states near those: so a source's are moved some of the way to the nearest (as kNN-VC takes the target's frames themselves, Baas et al. 2023,
arXiv 2305.18975). What the network misses at each place, of a target that it was never trained on, is added afterwards.

Shapes: S states, P places, D size of a state, n coefficients.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import FloatArray

PLACES = 512
"""Of a target that a bundle knows; of more states as many means are taken."""
NEAREST, SHARE = 4, 0.35
"""A state moves by this share to the mean of so many places: docs/measurements/any-voice.md."""
MISSED_NEAREST, MISSED_WIDTH = 16, 0.1
"""What is missed is a mean over so many places, which weigh 1 / e where the cosine is so much less."""


def places_of(states: FloatArray) -> FloatArray:
    """(S, D) states of length 1 to (PLACES, D), of length 1: means of those that lie together, or each several times where they are too few."""
    if len(states) <= PLACES:
        return np.resize(states, (PLACES, states.shape[1]))
    from sklearn.cluster import MiniBatchKMeans

    found = MiniBatchKMeans(PLACES, batch_size=4096, n_init=1, max_iter=20, random_state=0).fit(states)
    return of_length_one(found.cluster_centers_.astype(np.float32))


def moved(states: FloatArray, places: FloatArray, share: float = SHARE) -> FloatArray:
    """(S, D) states of length 1, moved by a share towards the nearest of (P, D) places."""
    near, _ = nearest(states, places, NEAREST)
    return of_length_one(share * of_length_one(places[near].mean(axis=1)) + (1.0 - share) * states)


def missed(states: FloatArray, places: FloatArray, misses: FloatArray) -> FloatArray:
    """What is to be added to what a network made of (S, D) states, (S, n).

    Args:
        misses: (P, n) by place.
    """
    near, likeness = nearest(states, places, MISSED_NEAREST)
    weights = np.exp((likeness - likeness.max(axis=1, keepdims=True)) / MISSED_WIDTH)
    weights /= weights.sum(axis=1, keepdims=True)
    made: FloatArray = np.einsum("sk,skn->sn", weights, misses[near]).astype(np.float32)
    return made


def nearest(states: FloatArray, places: FloatArray, count: int) -> tuple[NDArray[np.intp], FloatArray]:
    """The places with the greatest cosines to each state, in no order, and the cosines, both (S, count) or (S, P) where there are fewer."""
    likeness, count = states @ places.T, min(count, len(places))
    near = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
    return near, np.take_along_axis(likeness, near, axis=1)


def of_length_one(states: FloatArray) -> FloatArray:
    """(S, D), each divided by its length."""
    made: FloatArray = states / np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-6)
    return made
