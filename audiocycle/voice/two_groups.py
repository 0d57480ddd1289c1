"""Points that fall into two groups: 2-means, begun from many cuts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import FloatArray

AXES, SHARES = 4, (0.1, 0.3, 0.5, 0.7, 0.9)
"""Where 2-means begins: cut across so many principal axes, at such shares."""
ROUNDS = 30
"""Of 2-means, at most."""


def two_groups(points: FloatArray, least_group: int) -> NDArray[np.bool_] | None:
    """(N,) which of the points (N, D) are in one of two groups, by 2-means; None: one would have less than ``least_group``."""
    centred = points - points.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:AXES]
    best, least = None, np.inf
    for places in (centred @ axes.T).T:
        for share in SHARES:
            group = settled(centred, places > np.quantile(places, share))
            if min(group.sum(), (~group).sum()) < least_group:
                continue
            left = sum(float(((centred[side] - centred[side].mean(axis=0)) ** 2).sum()) for side in (group, ~group))
            if left < least:
                best, least = group, left
    return best


def settled(points: FloatArray, group: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The groups, (N,), to which 2-means comes from these; it stops where one is empty."""
    for _ in range(ROUNDS):
        if group.all() or not group.any():
            break
        middle, axis = (points[group].mean(axis=0) + points[~group].mean(axis=0)) / 2.0, between(points, group)
        moved = (points - middle) @ axis > 0
        if (moved == group).all():
            break
        group = moved
    return group


def between(points: FloatArray, group: NDArray[np.bool_]) -> FloatArray:
    """From the mean of the others to that of a group, (D,) of (N, D)."""
    made: FloatArray = points[group].mean(axis=0) - points[~group].mean(axis=0)
    return made
