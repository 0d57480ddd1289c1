"""One generator for each direction, as in CycleGAN (Zhu et al. 2017)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from audiocycle.models.translator import NamedNetworks, Translator
from audiocycle.spec import Direction

__all__ = ["PairTranslator"]


class PairTranslator(Translator):
    """A generator of its own for each direction. It reads their names only, ``anna->ben``."""

    def __init__(self, directions: Sequence[Direction], make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.generators = NamedNetworks({name: make() for name in self.networks(directions).values()})

    @staticmethod
    def networks(directions: Sequence[Direction]) -> dict[Direction, str]:
        return {direction: str(direction) for direction in directions}

    def forward(self, x: Tensor, direction: Direction) -> Tensor:
        y: Tensor = self.generators[str(direction)](x)
        return y
