"""A critic that knows music of several domains (Brunner et al. 2018, eq. 6): fakes should at least be music."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from audiocycle.objectives.term import AdversarialTerm
from audiocycle.spec import Batch, Direction

if TYPE_CHECKING:
    from audiocycle.objectives.config import ObjectiveConfig

__all__ = ["Mixed"]


class Mixed(AdversarialTerm):
    """The game, on T(x_s) against a mixture of domains (``objective.mixture``)."""

    name = "mixed"
    help = "a critic that knows music of several domains cannot tell fakes; needs mixture and mixed_to_generator"
    weight = 1.0
    order = 30
    critic = "mixed_critic"
    critic_order = 20
    suffices = False

    @classmethod
    def belongs(cls, config: ObjectiveConfig) -> bool:
        return super().belongs(config) and config.mixture != "base"

    @classmethod
    def reaches(cls, config: ObjectiveConfig) -> bool:
        return super().reaches(config) and config.mixed_to_generator

    @classmethod
    def plays(cls, config: ObjectiveConfig) -> bool:
        return cls.belongs(config)

    def real(self, batch: Batch[Tensor], direction: Direction) -> Tensor:
        assert batch.mixed is not None
        return batch.mixed
