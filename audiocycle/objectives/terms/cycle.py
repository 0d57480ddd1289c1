"""There and back again is where it began (Zhu et al. 2017, eq. 2)."""

from __future__ import annotations

from torch import Tensor

from audiocycle.objectives.losses import absolute_error
from audiocycle.objectives.term import DirectionStep, Term

__all__ = ["Cycle"]


class Cycle(Term):
    """E[|T(T(x_s)) - x_s|]."""

    name = "cycle"
    help = "there and back again changes nothing"
    weight = 10.0
    order = 80
    needs_way_back = True

    def loss(self, step: DirectionStep) -> Tensor:
        return absolute_error(step.back, step.source)
