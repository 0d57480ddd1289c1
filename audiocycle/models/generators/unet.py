"""The U-Net generator of pix2pix (Isola et al. 2017, arXiv 1611.07004, appendix 6.1) with instance norms.

Its skip connections hand every level of detail across, so that what a transfer should keep need not pass the middle.

Shapes: B batch, C channels, P feature rows (pitches), T frames (steps).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from audiocycle.errors import ConfigError
from audiocycle.models.layers import (
    WIDTH,
    InstanceNorm,
    as_image,
    crop_like,
    image_channels,
    init_gaussian,
    pad_to_multiple,
    scaled,
)
from audiocycle.system.limits import Limit, Range

__all__ = ["UNetGenerator"]

DROPPED_LEVELS = 3
"""So many of the innermost upward levels have dropout, as in the paper."""


class UNetGenerator(nn.Module):
    """Rolls of one genre to rolls of another: (B, C, P, T) -> same, or (B, P, T) -> same; any P and T >= 1, in 0..1.

    Rows and frames are padded to a multiple of ``2 ** depth``, and cropped back.

    6.17 M parameters at the defaults and two channels, whatever P.

    Args:
        shape: ``(C, P)``, or ``(P,)`` for one channel.
        width: factor on every channel count inside: 64, 128, 256, and 512 from the fourth level on.
        depth: strided levels; the map in the middle has ``1 / 2 ** depth`` of the rows and frames.
        dropout: probability of a zero in the innermost upward levels, in training only; 0.5 in the paper.

    Raises:
        ConfigError: depth below 1, dropout outside [0, 1), or features that are no image.
    """

    limits: ClassVar[dict[str, Limit]] = {"width": WIDTH, "depth": Range(1, 7), "dropout": Range(0.0, 0.99, whole=False)}

    def __init__(self, shape: Sequence[int], width: float = 1.0, depth: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        if depth < 1:
            raise ConfigError(f"generator 'unet': depth={depth} must be at least 1")
        if not 0 <= dropout < 1:
            raise ConfigError(f"generator 'unet': dropout={dropout} must be at least 0 and below 1")
        channels = image_channels(shape)
        counts = [scaled(64 * 2 ** min(level, 3), width) for level in range(depth)]
        self.stride = 2**depth
        down: list[nn.Module] = [nn.Conv2d(channels, counts[0], 4, stride=2, padding=1)]
        for level in range(1, depth):
            # No norm in the middle: it would make a constant of a map of one pixel.
            middle = level == depth - 1
            convolution = nn.Conv2d(counts[level - 1], counts[level], 4, stride=2, padding=1, bias=middle)
            norm = [] if middle else [InstanceNorm(counts[level])]
            down.append(nn.Sequential(nn.LeakyReLU(0.2), convolution, *norm))
        up: list[nn.Module] = []
        for level in reversed(range(depth)):
            inputs = counts[level] if level == depth - 1 else 2 * counts[level]
            if level == 0:
                up.append(nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(inputs, channels, 4, stride=2, padding=1)))
                continue
            upward = nn.ConvTranspose2d(inputs, counts[level - 1], 4, stride=2, padding=1, bias=False)
            drop = [nn.Dropout(dropout)] if dropout and level >= depth - DROPPED_LEVELS else []
            up.append(nn.Sequential(nn.ReLU(), upward, InstanceNorm(counts[level - 1]), *drop))
        self.down, self.up = nn.ModuleList(down), nn.ModuleList(up)
        init_gaussian(self)

    def forward(self, x: Tensor) -> Tensor:
        h = pad_to_multiple(as_image(x), self.stride, dims=2)
        skips: list[Tensor] = []
        for layer in self.down:
            h = layer(h)
            skips.append(h)
        h = self.up[0](skips.pop())
        for layer in list(self.up)[1:]:
            h = layer(torch.cat([h, skips.pop()], dim=1))
        return crop_like(h, x).float().sigmoid()  # bfloat16 rounds a sigmoid near 1 to 1, where it has no gradient
