"""Fakes should be what the target is like with the same content (:mod:`audiocycle.data.guides`)."""

from __future__ import annotations

from torch import Tensor

from audiocycle.objectives.losses import distance
from audiocycle.objectives.term import DirectionStep, Term

__all__ = ["Guide"]


class Guide(Term):
    """E[|fake - guide|]; of probabilities the cross-entropy."""

    name = "guide"
    help = "fakes are pulled to what the target is like with the same content"
    order = 70
    needs_guide = True
    needs_probabilities = True

    def loss(self, step: DirectionStep) -> Tensor:
        return distance(step.fake, step.guide, self.spec.values)
