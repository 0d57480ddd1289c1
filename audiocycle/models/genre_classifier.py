"""The genre classifier of Brunner et al. 2018 (arXiv 1809.07575), which measures how far a transfer goes.

The paper's rolls are (time, pitch); here time is last, so its kernels are transposed. Like its published code it has no
biases. Shapes: B batch, C channels, P pitches, T steps.
"""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from audiocycle.models.layers import InstanceNorm, init_gaussian, scaled

OCTAVE, OCTAVES = 12, 7
"""Rows are 7 octaves of 12 pitches: 84."""
TIME_STRIDES = (4, 2, 8)
"""A beat, half a bar, four bars: 64 steps of the straight grid."""


class GenreClassifier(nn.Module):
    """Rolls to logits of genres: (B, >= C, 84, T) in 0..1 -> (B, n_genres); the map to [-1, 1] happens inside.

    Each kernel's stride is its size. 64 steps end in one column. A roll of another length starts again from its beginning
    until the next multiple of 64 is full, so that all of its steps are heard and no silence is made up, and the logits of
    the columns are averaged: 96 steps (a phrase on the triplet grid) are heard as 128.

    1.16 M parameters at width 1, one channel and two genres.

    Args:
        n_genres: how many logits.
        channels: so many first channels of the rolls are looked at; 1 is sustain without onsets, as in the paper.
        width: factor on every channel count inside.
    """

    def __init__(self, n_genres: int, channels: int = 1, width: float = 1.0) -> None:
        super().__init__()
        c64, c128, c256, c512 = (scaled(c, width) for c in (64, 128, 256, 512))
        beat, half_bar, phrase = ((1, steps) for steps in TIME_STRIDES)
        self.channels = channels
        self.body = nn.Sequential(
            nn.Conv2d(channels, c64, (OCTAVE, 1), (OCTAVE, 1), bias=False), nn.LeakyReLU(0.2),
            nn.Conv2d(c64, c128, beat, beat, bias=False), InstanceNorm(c128), nn.LeakyReLU(0.2),
            nn.Conv2d(c128, c256, half_bar, half_bar, bias=False), InstanceNorm(c256), nn.LeakyReLU(0.2),
            nn.Conv2d(c256, c512, phrase, phrase, bias=False), InstanceNorm(c512), nn.LeakyReLU(0.2),
            nn.Conv2d(c512, n_genres, (OCTAVES, 1), (OCTAVES, 1), bias=False),
        )  # fmt: skip
        init_gaussian(self)

    def forward(self, x: Tensor) -> Tensor:
        x, steps = x[:, : self.channels], x.shape[-1]
        missing = -steps % prod(TIME_STRIDES)
        if missing:
            x = x[..., torch.arange(steps + missing, device=x.device) % steps]
        logits: Tensor = self.body(2 * x - 1).mean(dim=(-2, -1))
        return logits
