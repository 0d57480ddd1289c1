"""What an objective is: terms over directions for the generators, and losses of critics in the same game. No optimizers, no files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from audiocycle.models.translator import Translator
from audiocycle.objectives.config import ObjectiveConfig, build_game
from audiocycle.objectives.term import Critics, DirectionStep
from audiocycle.spec import Batch, Direction, FeatureSpec

Terms = dict[str, Tensor]
"""Losses by ``kind/direction``."""
Fakes = dict[str, dict[Direction, Tensor]]
"""What the generators made in this step, detached, as critics are shown it: by what it is (:attr:`AdversarialTerm.judges`), and direction. Critics judge it
without a second forward."""


class Objective:
    """Generator terms and critic terms over directions. What the trainer asks for.

    Attributes:
        conditions: how many items a critic sees side by side, as channels.
        critics: names of those that it needs.
        judged: kinds of fakes that critics see.
    """

    conditions: ClassVar[int] = 1

    def __init__(self, directions: Sequence[Direction], config: ObjectiveConfig, spec: FeatureSpec) -> None:
        self.directions, self.config, self.made = tuple(directions), config, spec.made
        self.game = build_game(config.game)
        self.terms = [term(spec) for term in config.terms]
        self.played = [term(spec) for term in config.played]
        self.critics = tuple(term.critic for term in self.played)
        self.judged = tuple(dict.fromkeys(("fake", *(term.judges for term in self.played))))

    def present(self, batch: Batch[Tensor], direction: Direction, item: Tensor) -> Tensor:
        """How a critic is shown an item: the rows that a network makes."""
        return item[:, : self.made] if self.made else item

    def blur(self, shown: Tensor) -> Tensor:
        """What a critic sees of that: noise keeps it from telling domains by single cells that are off."""
        noise = self.config.critic_noise
        return shown + noise * torch.randn_like(shown) if noise else shown

    def generator_terms(
        self, translator: Translator, critics: Critics, batch: Batch[Tensor], *, off: Collection[str] = ()
    ) -> tuple[Terms, Fakes]:
        """All generator terms, unweighted, and the fakes.

        Args:
            batch: normalised.
            off: kinds of terms that are left out in this step.
        """
        losses: Terms = {}
        fakes: Fakes = {kind: {} for kind in self.judged}
        active = [term for term in self.terms if term.name not in off]
        same = any(term.wants_same for term in active)
        for direction in self.directions:
            step = DirectionStep(translator, critics, self.game, batch, direction, wants_same=same, present=self.present, blur=self.blur)
            for term in active:
                losses[f"{term.name}/{direction}"] = step.loss(term)
            for kind, made in fakes.items():
                made[direction] = step.shown(kind).detach()
        return losses, fakes

    def critic_terms(self, critics: Critics, batch: Batch[Tensor], fakes: Fakes) -> Terms:
        """All critic terms, unweighted, for the fakes of :meth:`generator_terms` (possibly through a pool)."""
        losses: Terms = {}
        for direction in self.directions:
            for term in self.played:
                critic, domain = critics[term.critic], term.domain(direction)
                real = self.blur(self.present(batch, direction, term.real(batch, direction)))
                fake = self.blur(fakes[term.judges][direction])
                losses[f"{term.critic}/{direction}"] = self.game.critic(lambda x, critic=critic, domain=domain: critic(x, domain), real, fake)  # type: ignore[misc]
        return losses

    def total(self, losses: Terms) -> Tensor:
        """The weighted sum of generator terms."""
        weights = self.config.weights
        return torch.stack([weights[name.partition("/")[0]] * value for name, value in losses.items()]).sum()
