"""One generator for all directions, which is told whose voice to make (StarGAN-VC's idea, Kameoka et al. 2018; here of a source that nobody names)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from audiocycle.models.translator import NamedNetworks, Translator, told_of
from audiocycle.spec import Direction

__all__ = ["SharedTranslator"]

NAME = "shared"
"""Of the only network; :data:`audiocycle.build.SHARED` says it to those who do not load torch."""


class SharedTranslator(Translator):
    """The generator gets the features, and behind their rows those of the target's :attr:`~audiocycle.spec.Domain.condition`."""

    def __init__(self, directions: Sequence[Direction], make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.generators = NamedNetworks({NAME: make()})

    @staticmethod
    def networks(directions: Sequence[Direction]) -> dict[Direction, str]:
        return dict.fromkeys(directions, NAME)

    def forward(self, x: Tensor, direction: Direction) -> Tensor:
        told = told_of(direction.target, x)[None, :, None].expand(len(x), -1, x.shape[-1]).to(x.dtype)
        y: Tensor = self.generators[NAME](torch.cat([x, told], dim=1))
        return y[:, : x.shape[1]]
