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

from audiocycle.errors import ConfigError
from audiocycle.models.translator import Critic, Translator
from audiocycle.objectives.game import Game
from audiocycle.spec import Batch, Direction, Domain, FeatureSpec
from audiocycle.system.registry import file_of

if TYPE_CHECKING:
    from audiocycle.objectives.config import ObjectiveConfig

Critics = Mapping[str, Critic]
DECLARED = {"same": "wants_same", "back": "needs_way_back", "guide": "needs_guide"}
"""What a term says of itself before it may ask for an attribute of :class:`DirectionStep`."""


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
        self.asking: Term | None = None
        """The term that is computed now, which has to declare what it asks for."""

    def loss(self, term: Term) -> Tensor:
        """A term of this direction.

        Raises:
            ConfigError: it asks for what it does not declare, or is no scalar.
        """
        self.asking = term
        try:
            return scalar(term.loss(self), type(term))
        finally:
            self.asking = None

    def _declared(self, what: str) -> None:
        if self.asking is not None and (fault := undeclared(type(self.asking), what)):
            raise ConfigError(f"{file_of(type(self.asking).__module__)}: {fault}")

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
        self._declared("same")
        same = self._fake_and_same[1]
        assert same is not None, "whoever asks for it declares that"
        return same

    @cached_property
    def _back(self) -> Tensor:
        made: Tensor = self.translator(self.fake, self.direction.back)
        return made

    @property
    def back(self) -> Tensor:
        """T(fake) the other way: the source's items again."""
        self._declared("back")
        return self._back

    @property
    def guide(self) -> Tensor:
        """What the target is like where the source's items are."""
        self._declared("guide")
        return self.batch.guides[self.direction]

    @cached_property
    def presented(self) -> dict[str, Tensor]:
        """Fakes as critics are shown them, by name of the attribute."""
        return {}

    def shown(self, fake: str) -> Tensor:
        """:attr:`fake` or :attr:`back` as a critic is shown it."""
        made = getattr(self, fake)  # which is refused to a term that does not declare it, whoever asked before
        if fake not in self.presented:
            self.presented[fake] = self.present(self.batch, self.direction, made)
        return self.presented[fake]

    def scores(self, critic: str, fake: str, domain: Domain) -> Tensor:
        """What a critic says of a fake."""
        made: Tensor = self.critics[critic](self.blur(self.shown(fake)), domain)
        return made


def undeclared(term: type[Term], what: str) -> str:
    """What a term that asks for an attribute of its step has to write, and has not; else nothing."""
    flag = DECLARED.get(what, "")
    return f"objective.{term.name} uses step.{what}, and does not say so; write `{flag} = True` into {term.__name__}" if flag and not getattr(term, flag) else ""


def scalar(loss: object, term: type[Term]) -> Tensor:
    """A loss as terms give it.

    Raises:
        ConfigError: it is something else.
    """
    if not isinstance(loss, Tensor) or loss.ndim:
        kind = f"of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
        raise ConfigError(f"{file_of(term.__module__)}: the loss of objective.{term.name} is {kind}, where one number is needed; take its mean()")
    return loss


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
        needs_critic: the name of a critic that has to play, for this term to ask it; empty: none.
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
    needs_critic: ClassVar[str] = ""
    needs_probabilities: ClassVar[bool] = False

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec

    def made(self, item: Tensor) -> Tensor:
        """The rows of an item that a network makes."""
        return item[:, : self.spec.made] if self.spec.made else item

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
