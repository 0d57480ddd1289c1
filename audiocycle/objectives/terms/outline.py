"""The tune of the source should stay on top, and its bass should stay (:func:`audiocycle.objectives.content.outline`)."""

from __future__ import annotations

from torch import Tensor

from audiocycle.objectives.content import ONLY_ROLLS, SUSTAIN, outline
from audiocycle.objectives.losses import cross_entropy
from audiocycle.objectives.term import DirectionStep, Term
from audiocycle.spec import FeatureSpec

__all__ = ["Outline"]


class Outline(Term):
    """Cross-entropy of fake and source, summed over the cells that the outline holds, for each step in which anything sounds.

    Cells of tune and bass should sound and begin as they do in the source; above the tune nothing should: the sum over those is
    -log P(nothing lies above it).
    """

    name = "outline"
    help = "the tune stays, on top, and so does the bass; piano rolls only"
    needs_probabilities = True

    @classmethod
    def unfit(cls, spec: FeatureSpec) -> str:
        return "" if spec.steps_per_beat else ONLY_ROLLS

    def loss(self, step: DirectionStep) -> Tensor:
        source = step.source[:, :2].float()
        held = outline(source, self.spec.steps_per_beat)
        steps = source[:, SUSTAIN].amax(dim=1).sum().clamp(min=1)
        return (cross_entropy(step.fake[:, :2], source) * held).sum() / steps
