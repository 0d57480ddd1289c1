"""The unpaired objective: cycle, identity, two-step adversarial, and whatever other terms there are, over all directions.

For each direction s->t with translator T, critics D (first step) and D' (second step):

    fake = T(x_s, s->t)        back = T(fake, t->s)        same = T(x_t, s->t)

The terms are in :mod:`audiocycle.objectives.terms`, the adversarial losses in :mod:`audiocycle.objectives.games`.
"""

from __future__ import annotations

from audiocycle.objectives.base import Objective

__all__ = ["CycleObjective"]


class CycleObjective(Objective):
    """Zhu et al. 2017; Kaneko et al. 2019 (two-step adversarial); Brunner et al. 2018 (critics of mixed music)."""
