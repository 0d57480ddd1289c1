"""Distances between features, and a pair of items as one. All in float32, whatever the networks computed in."""

from __future__ import annotations

import torch
from torch import Tensor

from audiocycle.models.layers import as_image
from audiocycle.spec import Values

SURE = 1e-5
"""Probabilities nearer to 0 or 1 are taken as so far away: logarithms stay finite."""


def absolute_error(x: Tensor, y: Tensor) -> Tensor:
    """Mean |x - y|."""
    return (x.float() - y.float()).abs().mean()


def squared_distance(x: Tensor, value: float) -> Tensor:
    """Mean (x - value)^2."""
    return (x.float() - value).square().mean()


def distance(fake: Tensor, wanted: Tensor, values: Values) -> Tensor:
    """How far fakes are from what is wanted: of real values the mean |x - y|, of probabilities the mean cross-entropy
    - y log x - (1 - y) log(1 - x); velocities, from 0 to 1, are taken like probabilities.

    Where one source has several answers the first is least at their median, and the second at the share of them that has the note. The
    median of sparse rolls is silence.
    """
    return absolute_error(fake, wanted) if values is Values.REAL else cross_entropy(fake, wanted).mean()


def cross_entropy(fake: Tensor, wanted: Tensor) -> Tensor:
    """- y log x - (1 - y) log(1 - x) of each cell; finite, and so is its gradient."""
    x, y = SURE + (1 - 2 * SURE) * fake.float(), wanted.float()  # squeezed and not cut, which would take away the gradient
    x = x.clamp(SURE, 1 - SURE)  # of what is no probability to begin with
    return -(y * x.log() + (1 - y) * (1 - x).log())


def side_by_side(x: Tensor, y: Tensor) -> Tensor:
    """Two items as channels of one: (B, P, T) twice to (B, 2, P, T), (B, C, P, T) twice to (B, 2C, P, T)."""
    return torch.cat([as_image(x), as_image(y).to(x.dtype)], dim=1)
