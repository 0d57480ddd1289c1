"""The residual generator of Brunner et al. 2018 (arXiv 1809.07575), after Johnson et al. 2016 (arXiv 1603.08155).

What the paper leaves open follows its published code: reflected edges in the residual blocks, a ReLU after their sum, no
biases. One difference: a stride of 2 pads both sides by one, where that code's framework pads the far side only.

Shapes: B batch, C channels, P feature rows (pitches), T frames (steps).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn

from audiocycle.models.layers import (
    BLOCKS,
    WIDTH,
    InstanceNorm,
    as_image,
    crop_like,
    image_channels,
    init_gaussian,
    pad_to_multiple,
    scaled,
)
from audiocycle.system.limits import Limit

__all__ = ["ResNetGenerator"]

STRIDE = 4
"""Two stride-2 layers: rows and frames are padded to a multiple of this, and cropped back."""


class ReflectedBlock(nn.Module):
    """conv2d -> IN -> ReLU -> conv2d -> IN, added to the input, ReLU. (B, C, P, T) -> same; P and T >= 2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect", bias=False),
            InstanceNorm(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect", bias=False),
            InstanceNorm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = (x + self.body(x)).relu()
        return y


class ResNetGenerator(nn.Module):
    """Rolls of one genre to rolls of another: (B, C, P, T) -> same, or (B, P, T) -> same; any P and T >= 1, in 0..1.

    12.56 M parameters at width 1 and two channels, whatever P.

    Args:
        shape: ``(C, P)``, or ``(P,)`` for one channel.
        width: factor on every channel count inside.
        n_blocks: residual blocks in the middle.

    Raises:
        ConfigError: the features are no image.
    """

    limits: ClassVar[dict[str, Limit]] = {"width": WIDTH, "n_blocks": BLOCKS}

    def __init__(self, shape: Sequence[int], width: float = 1.0, n_blocks: int = 10) -> None:
        super().__init__()
        channels = image_channels(shape)
        c64, c128, c256 = (scaled(c, width) for c in (64, 128, 256))
        self.down = nn.Sequential(
            nn.Conv2d(channels, c64, 7, padding=3, padding_mode="reflect", bias=False), InstanceNorm(c64), nn.ReLU(),
            nn.Conv2d(c64, c128, 3, stride=2, padding=1, bias=False), InstanceNorm(c128), nn.ReLU(),
            nn.Conv2d(c128, c256, 3, stride=2, padding=1, bias=False), InstanceNorm(c256), nn.ReLU(),
        )  # fmt: skip
        self.blocks = nn.Sequential(*(ReflectedBlock(c256) for _ in range(n_blocks)))
        self.up = nn.Sequential(
            nn.ConvTranspose2d(c256, c128, 3, stride=2, padding=1, output_padding=1, bias=False), InstanceNorm(c128),
            nn.ReLU(),
            nn.ConvTranspose2d(c128, c64, 3, stride=2, padding=1, output_padding=1, bias=False), InstanceNorm(c64),
            nn.ReLU(),
        )  # fmt: skip
        self.outlet = nn.Conv2d(c64, channels, 7, padding=3, padding_mode="reflect", bias=False)
        init_gaussian(self)

    def forward(self, x: Tensor) -> Tensor:
        # At least two strides long: a single row or frame has nothing to reflect.
        h = self.down(pad_to_multiple(as_image(x), STRIDE, dims=2, least=2))
        logits = crop_like(self.outlet(self.up(self.blocks(h))), x)
        return logits.float().sigmoid()  # bfloat16 rounds a sigmoid near 1 to 1, where it has no gradient
