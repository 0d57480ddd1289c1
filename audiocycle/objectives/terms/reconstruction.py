"""With pairs, a fake should be its source's counterpart (Isola et al. 2017, eq. 3)."""

from __future__ import annotations

from torch import Tensor

from audiocycle.objectives.losses import distance
from audiocycle.objectives.term import DirectionStep, Term

__all__ = ["Reconstruction"]


class Reconstruction(Term):
    """E[|fake - x_t|]; of probabilities the cross-entropy."""

    name = "reconstruction"
    help = "with pairs: fakes are their sources' counterparts"
    weight = 100.0
    order = 5
    unpaired = False
    paired = True
    needs_probabilities = True

    def loss(self, step: DirectionStep) -> Tensor:
        return distance(step.fake, step.target, self.spec.values)
