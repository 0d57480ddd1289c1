"""A generator that is told what is said, and makes how a target says it: gated convolutions over time that add to their input.

The gates are WaveNet's (van den Oord et al. 2016) without its causality; what is told of the target scales and shifts what passes them
(FiLM, Perez et al. 2018, arXiv 1709.07871).

Shapes: B batch, C channels, R rows of features, E rows that tell the target, T frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from audiocycle.errors import ConfigError
from audiocycle.models.layers import BLOCKS, WIDTH, feature_rows, scaled
from audiocycle.system.limits import Limit, Range

__all__ = ["ContentGenerator1D"]

CHANNELS, TOLD_CHANNELS, KERNEL = 192, 64, 5
DILATIONS = (1, 2, 4, 8, 1, 2)
"""Of the blocks, again and again: 180 ms to either side at 200 frames a second with six of them."""


class ToldBlock(nn.Module):
    """(B, C, T), and (B, E, 1) of the target, to (B, C, T): added to the input."""

    def __init__(self, channels: int, told: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.conv = nn.Conv1d(channels, 2 * channels, KERNEL, dilation=dilation, padding=KERNEL // 2 * dilation)
        self.film = nn.Conv1d(told, 2 * channels, 1)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        values, gates = self.conv(self.dropout(x)).chunk(2, dim=1)
        scale, shift = self.film(told).chunk(2, dim=1)
        y: Tensor = x + (values * (1.0 + scale) + shift) * torch.sigmoid(gates)
        return y


class ContentGenerator1D(nn.Module):
    """(B, R + E, T) to (B, R + E, T), of which rows 1 to ``made`` are new, and go by those behind them. Row 0, the level, stays.

    2.5 M parameters at width 1.

    Args:
        shape: ``(R + E,)``.
        made: rows that are made, the level counted.
        condition: E.
        width: factor on every channel count.
        n_blocks: gated blocks.
        dropout: share of a layer's inputs that is left out, in training.
        told_dropout: share of what is told of the target that is left out, in training.

    Raises:
        ConfigError: features whose content is not beside them.
    """

    limits: ClassVar[dict[str, Limit]] = {
        "width": WIDTH, "n_blocks": BLOCKS, "dropout": Range(0.0, 0.9, whole=False), "told_dropout": Range(0.0, 0.9, whole=False),
    }  # fmt: skip

    def __init__(
        self, shape: Sequence[int], made: int = 0, condition: int = 0, width: float = 1.0, n_blocks: int = 6, dropout: float = 0.1, told_dropout: float = 0.2
    ) -> None:
        super().__init__()
        n_rows = feature_rows(shape, "content_1d")
        if not 0 < made < n_rows - condition:
            raise ConfigError("model.generator=content_1d: needs adapter=content; choose model=gated_1d or gated_212d for other features")
        channels, told = scaled(CHANNELS, width), scaled(TOLD_CHANNELS, width)
        self.made, self.rows, self.all = made, n_rows - condition, n_rows
        self.portrait = nn.Sequential(nn.Dropout(told_dropout), nn.Conv1d(condition, 2 * told, 1), nn.ReLU(), nn.Conv1d(2 * told, told, 1))
        self.inlet = nn.Sequential(nn.Dropout(dropout), nn.Conv1d(self.rows - made, channels, 1))
        self.blocks = nn.ModuleList(ToldBlock(channels, told, DILATIONS[i % len(DILATIONS)], dropout) for i in range(n_blocks))
        self.outlet = nn.Conv1d(channels, made - 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        told = self.portrait(x[:, self.rows : self.all, :1])
        h = self.inlet(x[:, self.made : self.rows])
        for block in self.blocks:
            h = block(h, told)
        return torch.cat([x[:, :1], self.outlet(h).to(x.dtype), x[:, self.made : self.all]], dim=1)
