"""The 2-1-2D gated-convolution generator of CycleGAN-VC2 (Kaneko et al. 2019, arXiv 1904.04631, figure 4a).

2D convolutions see local time-frequency structure, the 1D residual blocks in the middle convert. Channel counts in
the paper's figure stand before a GLU, which halves them; 2304 there is 256 channels times 9 rows, computed here from
the feature dimension, so that any dimension works.

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
    OneChannelConv2d,
    ResidualBlock1d,
    as_image,
    crop_like,
    feature_rows,
    init_gaussian,
    pad_to_multiple,
    scaled,
)
from audiocycle.system.limits import Limit, Switch

__all__ = ["GatedGenerator212D"]

STRIDE = 4
"""Two stride-2 layers: rows and frames are padded to a multiple of this, and cropped back."""


class GatedGenerator212D(nn.Module):
    """Features of one domain to features of another: (B, P, T) -> (B, P, T), any P, any T >= 1.

    15.00 M parameters at P = 36 and width 1.

    Args:
        shape: ``(P,)``.
        width: factor on every channel count.
        n_blocks: 1D residual blocks in the middle.
        residual: the output is added to the input, so that training starts near it. The paper's is not.

    Raises:
        ConfigError: the features are an image, (C, P).
    """

    limits: ClassVar[dict[str, Limit]] = {"width": WIDTH, "n_blocks": BLOCKS, "residual": Switch()}

    def __init__(self, shape: Sequence[int], width: float = 1.0, n_blocks: int = 6, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        c64, c128, c256 = (scaled(c, width) for c in (64, 128, 256))
        rows = -(-feature_rows(shape, "gated_212d") // STRIDE)
        self.inlet = nn.Sequential(nn.Conv2d(1, 2 * c64, (5, 15), padding=(2, 7)), GLU())
        self.down = nn.Sequential(
            nn.Conv2d(c64, 2 * c128, 5, stride=2, padding=2), InstanceNorm(2 * c128), GLU(),
            nn.Conv2d(c128, 2 * c256, 5, stride=2, padding=2), InstanceNorm(2 * c256), GLU(),
        )  # fmt: skip
        self.to_1d = nn.Sequential(nn.Conv1d(c256 * rows, c256, 1), InstanceNorm(c256))
        self.blocks = nn.Sequential(*(ResidualBlock1d(c256, c256) for _ in range(n_blocks)))
        self.to_2d = nn.Sequential(nn.Conv1d(c256, c256 * rows, 1), InstanceNorm(c256 * rows))
        self.up = nn.Sequential(
            nn.Conv2d(c256, 8 * c128, 5, padding=2), nn.PixelShuffle(2), InstanceNorm(2 * c128), GLU(),
            nn.Conv2d(c128, 8 * c64, 5, padding=2), nn.PixelShuffle(2), InstanceNorm(2 * c64), GLU(),
        )  # fmt: skip
        self.outlet = OneChannelConv2d(c64, (5, 15))
        init_gaussian(self)

    def forward(self, x: Tensor) -> Tensor:
        h = self.down(self.inlet(pad_to_multiple(as_image(x), STRIDE, dims=2)))
        b, c, rows, frames = h.shape
        h = self.to_2d(self.blocks(self.to_1d(h.reshape(b, c * rows, frames))))
        made = crop_like(self.outlet(self.up(h.reshape(b, c, rows, frames))), x)
        return x + made if self.residual else made
