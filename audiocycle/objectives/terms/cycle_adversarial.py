"""The second step of the two-step adversarial loss (Kaneko et al. 2019, eq. 5)."""

from __future__ import annotations

from audiocycle.objectives.term import AdversarialTerm
from audiocycle.spec import Direction, Domain

__all__ = ["CycleAdversarial"]


class CycleAdversarial(AdversarialTerm):
    """The game, on T(T(x_s)) against the source: a cycle that is blurred is no cycle."""

    name = "cycle_adversarial"
    help = "a critic of the source cannot tell what came back"
    weight = 1.0
    order = 90
    needs_way_back = True
    critic = "cycle_critic"
    critic_order = 10
    judges = "back"

    @staticmethod
    def domain(direction: Direction) -> Domain:
        return direction.source
