"""Least squares (Mao et al. 2017, arXiv 1611.04076): real items are 1, fakes are 0, and generators want 1."""

from __future__ import annotations

from torch import Tensor

from audiocycle.objectives.game import Game
from audiocycle.objectives.losses import squared_distance

__all__ = ["LeastSquares"]


class LeastSquares(Game):
    """E[(D(x) - 1)^2] + E[D(fake)^2] against E[(D(fake) - 1)^2]."""

    def real(self, scores: Tensor) -> Tensor:
        return squared_distance(scores, 1.0)

    def fake(self, scores: Tensor) -> Tensor:
        return squared_distance(scores, 0.0)

    def generator(self, scores: Tensor) -> Tensor:
        return squared_distance(scores, 1.0)
