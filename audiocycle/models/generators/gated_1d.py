"""The 1D gated-convolution generator of CycleGAN-VC (Kaneko & Kameoka 2017, arXiv 1711.11293, figure 4).

Coefficients are channels, so every layer sees all of them at once and convolves over time only: at equal width a sixth of
the arithmetic of the 2-1-2D generator, for small machines.

Shapes: B batch, C channels, P feature rows, T frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn

from audiocycle.models.layers import (
    BLOCKS,
    GLU,
    WIDTH,
    InstanceNorm,
    ResidualBlock1d,
    crop_like,
    feature_rows,
    init_gaussian,
    pad_to_multiple,
    scaled,
)
from audiocycle.system.limits import Limit

__all__ = ["GatedGenerator1D"]

STRIDE = 4
"""Two stride-2 layers: frames are padded to a multiple of this, and cropped back."""


class FrameShuffle(nn.Module):
    """Pixel shuffle over time (Shi et al. 2016): (B, 2C, T) -> (B, C, 2T), channel pairs become neighbouring frames."""

    def forward(self, x: Tensor) -> Tensor:
        b, c, t = x.shape
        return x.reshape(b, c // 2, 2, t).transpose(2, 3).reshape(b, c // 2, 2 * t)


class GatedGenerator1D(nn.Module):
    """Features of one domain to features of another: (B, P, T) -> (B, P, T), any P, any T >= 1.

    19.31 M parameters at P = 36 and width 1.

    Args:
        shape: ``(P,)``.
        width: factor on every channel count.
        n_blocks: residual blocks in the middle.

    Raises:
        ConfigError: the features are an image, (C, P).
    """

    limits: ClassVar[dict[str, Limit]] = {"width": WIDTH, "n_blocks": BLOCKS}

    def __init__(self, shape: Sequence[int], width: float = 1.0, n_blocks: int = 6) -> None:
        super().__init__()
        n_rows = feature_rows(shape, "gated_1d")
        c128, c256, c512 = (scaled(c, width) for c in (128, 256, 512))
        self.inlet = nn.Sequential(nn.Conv1d(n_rows, 2 * c128, 15, padding=7), GLU())
        self.down = nn.Sequential(
            nn.Conv1d(c128, 2 * c256, 5, stride=2, padding=2), InstanceNorm(2 * c256), GLU(),
            nn.Conv1d(c256, 2 * c512, 5, stride=2, padding=2), InstanceNorm(2 * c512), GLU(),
        )  # fmt: skip
        self.blocks = nn.Sequential(*(ResidualBlock1d(c512, c512) for _ in range(n_blocks)))
        self.up = nn.Sequential(
            nn.Conv1d(c512, 4 * c256, 5, padding=2), FrameShuffle(), InstanceNorm(2 * c256), GLU(),
            nn.Conv1d(c256, 4 * c128, 5, padding=2), FrameShuffle(), InstanceNorm(2 * c128), GLU(),
        )  # fmt: skip
        self.outlet = nn.Conv1d(c128, n_rows, 15, padding=7)
        init_gaussian(self)

    def forward(self, x: Tensor) -> Tensor:
        h = self.blocks(self.down(self.inlet(pad_to_multiple(x, STRIDE, dims=1))))
        return crop_like(self.outlet(self.up(h)), x)
