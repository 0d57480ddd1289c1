"""A critic of the target is to take fakes for real items."""

from __future__ import annotations

from audiocycle.objectives.term import AdversarialTerm

__all__ = ["Adversarial"]


class Adversarial(AdversarialTerm):
    """The game of :mod:`audiocycle.objectives.games`, on T(x_s)."""

    name = "adversarial"
    help = "a critic of the target cannot tell fakes"
    weight = 1.0
    order = 20
    paired = True
    critic = "critic"
    critic_order = 0
