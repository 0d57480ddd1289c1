"""What an adversarial loss is: what critics and generators make of a critic's scores. Each game is a file in ``games/``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

Judge = Callable[[Tensor], Tensor]
"""A critic of one domain: items to scores."""


class Game(ABC):
    """A game of generators against critics. Scores are what a critic's network gives, of any shape; losses are (), float32."""

    @abstractmethod
    def real(self, scores: Tensor) -> Tensor:
        """The critic's loss on real items."""

    @abstractmethod
    def fake(self, scores: Tensor) -> Tensor:
        """The critic's loss on fakes."""

    @abstractmethod
    def generator(self, scores: Tensor) -> Tensor:
        """The generator's loss on its fakes."""

    def penalty(self, judge: Judge, real: Tensor, fake: Tensor) -> Tensor | None:
        """What the critic pays beside, e.g. for its gradient between real and fake items; None: nothing."""
        return None

    def critic(self, judge: Judge, real: Tensor, fake: Tensor) -> Tensor:
        """The critic's whole loss; real items and fakes are judged in one forward."""
        on_real, on_fake = judge(torch.cat([real, fake])).split([len(real), len(fake)])  # type: ignore[no-untyped-call]
        loss = self.real(on_real) + self.fake(on_fake)
        penalty = self.penalty(judge, real, fake)
        return loss if penalty is None else loss + penalty
