"""What is the target's already should stay as it is (Zhu et al. 2017, section 5.2)."""

from __future__ import annotations

from torch import Tensor

from audiocycle.objectives.losses import absolute_error
from audiocycle.objectives.term import DirectionStep, Term

__all__ = ["Identity"]


class Identity(Term):
    """E[|T(x_t) - x_t|]."""

    name = "identity"
    help = "items of the target stay as they are; the paper has 5 for the first 10,000 iterations, then 0 (trainer.identity_steps)"
    weight = 5.0
    order = 10
    wants_same = True

    def loss(self, step: DirectionStep) -> Tensor:
        return absolute_error(self.made(step.same), self.made(step.target))
