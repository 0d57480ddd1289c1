"""As much should sound as in the target (:mod:`audiocycle.objectives.density`)."""

from __future__ import annotations

from torch import Tensor

from audiocycle.objectives.content import ONLY_ROLLS
from audiocycle.objectives.density import density_distance
from audiocycle.objectives.term import DirectionStep, Term
from audiocycle.spec import FeatureSpec

__all__ = ["Density"]


class Density(Term):
    """W1(d(fake), d(x_t)), d how much sounds and begins, as distributions over the batch.

    Of several processes each compares its own share of the batch, so that this term is not the one of a single process.
    """

    name = "density"
    help = "as many pitches sound, and notes begin, as in the target; piano rolls only"
    order = 60

    @classmethod
    def unfit(cls, spec: FeatureSpec) -> str:
        return "" if spec.steps_per_beat else ONLY_ROLLS

    def loss(self, step: DirectionStep) -> Tensor:
        return density_distance(step.fake, step.target, self.spec.steps_per_beat)
