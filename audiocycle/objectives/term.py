"""What a term of an objective is, and what it is computed from. Each term is a file in ``terms/``.

A term is named ``kind/direction`` in logs, and its weight is the setting ``objective.KIND``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from audiocycle.models.translator import Critic, Translator
from audiocycle.objectives.game import Game
from audiocycle.spec import Batch, Direction, Domain, FeatureSpec

if TYPE_CHECKING:
    from audiocycle.objectives.config import ObjectiveConfig

Critics = Mapping[str, Critic]


class DirectionStep:
    """One direction of a training step: each thing is computed once, when the first term asks for it.

    Args:
        wants_same: a term will ask for :attr:`same`, which costs least in one forward with :attr:`fake`.
        present: how a critic is shown an item, beside its source perhaps.
        blur: what a critic sees of that.
    """

    def __init__(
        self,
        translator: Translator,
        critics: Critics,
        game: Game,
        batch: Batch[Tensor],
        direction: Direction,
        *,
        wants_same: bool,
        present: Callable[[Batch[Tensor], Direction, Tensor], Tensor],
        blur: Callable[[Tensor], Tensor],
    ) -> None:
        self.translator, self.critics, self.game, self.batch, self.direction = translator, critics, game, batch, direction
        self.wants_same, self.present, self.blur = wants_same, present, blur
        self.source, self.target = batch.items[direction.source], batch.items[direction.target]

    @cached_property
    def _fake_and_same(self) -> tuple[Tensor, Tensor | None]:
        if not self.wants_same:
            return self.translator(self.source, self.direction), None
        # One generator, one forward: instance norms look at one item at a time, so batching changes nothing.
        both = self.translator(torch.cat([self.source, self.target]), self.direction)
        fake, same = both.split([len(self.source), len(self.target)])
        return fake, same

    @property
    def fake(self) -> Tensor:
        """T(x_s): the source's items as the target's."""
        return self._fake_and_same[0]

    @property
    def same(self) -> Tensor:
        """T(x_t): what becomes of items that are the target's already."""
        same = self._fake_and_same[1]
        assert same is not None, "a term that asks for it says so: wants_same"
        return same

    @cached_property
    def back(self) -> Tensor:
        """T(fake) the other way: the source's items again."""
        made: Tensor = self.translator(self.fake, self.direction.back)
        return made

    @property
    def guide(self) -> Tensor:
        """What the target is like where the source's items are."""
        return self.batch.guides[self.direction]

    @cached_property
    def presented(self) -> dict[str, Tensor]:
        """Fakes as critics are shown them, by name of the attribute."""
        return {}

    def shown(self, fake: str) -> Tensor:
        """:attr:`fake` or :attr:`back` as a critic is shown it."""
        if fake not in self.presented:
            self.presented[fake] = self.present(self.batch, self.direction, getattr(self, fake))
        return self.presented[fake]

    def scores(self, critic: str, fake: str, domain: Domain) -> Tensor:
        """What a critic says of a fake."""
        made: Tensor = self.critics[critic](self.blur(self.shown(fake)), domain)
        return made


class Term(ABC):
    """A term of the generators' loss.

    Attributes:
        name: its kind.
        help: a line on its weight.
        weight: the default; 0 leaves a term, and all its computation, out.
        order: terms are computed, and added up, from the least to the largest: sums of floats, and of gradients, depend on it.
        unpaired, paired: in which objectives it can be.
        wants_same: it asks for :attr:`DirectionStep.same`.
        needs_way_back: it asks for :attr:`DirectionStep.back`.
        needs_guide: it asks for :attr:`DirectionStep.guide`.
        needs_probabilities: where features are probabilities, the network's outlet must give some.
    """

    name: ClassVar[str]
    help: ClassVar[str]
    weight: ClassVar[float] = 0.0
    order: ClassVar[int] = 100
    unpaired: ClassVar[bool] = True
    paired: ClassVar[bool] = False
    wants_same: ClassVar[bool] = False
    needs_way_back: ClassVar[bool] = False
    needs_guide: ClassVar[bool] = False
    needs_probabilities: ClassVar[bool] = False

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec

    @classmethod
    def unfit(cls, spec: FeatureSpec) -> str:
        """Why features have no such term; empty where they have."""
        return ""

    @classmethod
    def belongs(cls, config: ObjectiveConfig) -> bool:
        """Whether it can be in such an objective."""
        return cls.paired if config.paired else cls.unpaired

    @classmethod
    def reaches(cls, config: ObjectiveConfig) -> bool:
        """Whether it is in the generators' loss."""
        return cls.belongs(config) and config.weights[cls.name] > 0

    @abstractmethod
    def loss(self, step: DirectionStep) -> Tensor:
        """(), float32, unweighted."""


class AdversarialTerm(Term):
    """A term in which a critic plays.

    Attributes:
        critic: the critic's name; its own term in logs.
        critic_order: critics are made, and their losses added up, from the least on.
        judges: the attribute of :class:`DirectionStep` that is shown to it as fake.
        suffices: with no other adversarial term there is something to learn.
    """

    critic: ClassVar[str]
    critic_order: ClassVar[int] = 100
    judges: ClassVar[str] = "fake"
    suffices: ClassVar[bool] = True

    @classmethod
    def plays(cls, config: ObjectiveConfig) -> bool:
        """Whether its critic is trained."""
        return cls.reaches(config)

    @staticmethod
    def domain(direction: Direction) -> Domain:
        """Whose critic it is."""
        return direction.target

    def real(self, batch: Batch[Tensor], direction: Direction) -> Tensor:
        """What is shown to it as real."""
        return batch.items[self.domain(direction)]

    def loss(self, step: DirectionStep) -> Tensor:
        return step.game.generator(step.scores(self.critic, self.judges, self.domain(step.direction)))
