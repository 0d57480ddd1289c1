"""What the critic's layers make of a reconstruction should be what they make of the real item (Salimans et al. 2016; Larsen et al. 2016)."""

from __future__ import annotations

import torch
from torch import Tensor

from audiocycle.objectives.term import DirectionStep, Term

__all__ = ["FeatureMatching"]

LEAST = 1e-3
"""Of a layer's mean size."""


class FeatureMatching(Term):
    """Mean over layers of E[|l(T(x_t)) - l(x_t)|] / E[|l(x_t)|], l a layer of the critic.

    Where a generator is told what the target's own items say, T(x_t) should be x_t in every detail that a critic has learned to see. A distance of
    coefficients alone is least for their mean, which is smooth.
    """

    name = "feature_matching"
    help = "the critic's layers see in a reconstruction of a target's item what they see in the item; needs critic=envelope_patch"
    order = 15
    wants_same = True
    needs_critic = "critic"

    def loss(self, step: DirectionStep) -> Tensor:
        critic, domain = step.critics[self.needs_critic], step.direction.target
        made = critic.layers(step.present(step.batch, step.direction, step.same), domain)
        with torch.no_grad():
            real = critic.layers(step.present(step.batch, step.direction, step.target), domain)
        distances = [(x.float() - y.float()).abs().mean() / y.float().abs().mean().clamp(min=LEAST) for x, y in zip(made, real, strict=True)]
        return torch.stack(distances).mean()
