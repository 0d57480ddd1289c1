"""The harmony of the source should stay (:func:`audiocycle.objectives.content.chroma`)."""

from __future__ import annotations

from torch import Tensor

from audiocycle.objectives.content import ONLY_ROLLS, chroma
from audiocycle.objectives.losses import absolute_error
from audiocycle.objectives.term import DirectionStep, Term
from audiocycle.spec import FeatureSpec

__all__ = ["Chroma"]


class Chroma(Term):
    """E[|c(fake) - c(x_s)|], c the pitch classes that sound in each beat."""

    name = "chroma"
    help = "the harmony of each beat stays; piano rolls only"
    order = 40

    @classmethod
    def unfit(cls, spec: FeatureSpec) -> str:
        return "" if spec.steps_per_beat else ONLY_ROLLS

    def loss(self, step: DirectionStep) -> Tensor:
        per_beat = self.spec.steps_per_beat
        return absolute_error(chroma(step.fake.float(), per_beat), chroma(step.source, per_beat))
