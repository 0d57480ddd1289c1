"""The rhythm of the source should stay (:func:`audiocycle.objectives.content.groove`)."""

from __future__ import annotations

from torch import Tensor

from audiocycle.objectives.content import ONLY_ROLLS, groove
from audiocycle.objectives.losses import absolute_error
from audiocycle.objectives.term import DirectionStep, Term
from audiocycle.spec import FeatureSpec

__all__ = ["Groove"]


class Groove(Term):
    """E[|g(fake) - g(x_s)|], g whether anything begins at each step."""

    name = "groove"
    help = "the rhythm stays: at which steps anything begins; piano rolls only"
    order = 50

    @classmethod
    def unfit(cls, spec: FeatureSpec) -> str:
        return "" if spec.steps_per_beat else ONLY_ROLLS

    def loss(self, step: DirectionStep) -> Tensor:
        return absolute_error(groove(step.fake.float()), groove(step.source))
