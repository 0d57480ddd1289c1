"""The gated PatchGAN critic of CycleGAN-VC2 (Kaneko et al. 2019, arXiv 1904.04631, figure 4b).

Shapes: B batch, C channels, P feature rows, T frames.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from audiocycle.models.layers import GLU, WIDTH, InstanceNorm, as_image, init_gaussian, scaled
from audiocycle.system.limits import Limit

__all__ = ["GatedPatchCritic"]


class GatedPatchCritic(nn.Module):
    """One score a patch: (B, P, T) -> (B, 1, ceil(P / 8), ceil(T / 8)), unbounded (least squares: no sigmoid).

    5.73 M parameters at width 1 and one channel, whatever P.

    Args:
        width: factor on every channel count inside.
        channels: C of the input (B, C, P, T); 1 takes (B, P, T), too.
    """

    limits: ClassVar[dict[str, Limit]] = {"width": WIDTH}

    def __init__(self, width: float = 1.0, channels: int = 1) -> None:
        super().__init__()
        c64, c128, c256, c512 = (scaled(c, width) for c in (64, 128, 256, 512))
        self.body = nn.Sequential(
            nn.Conv2d(channels, 2 * c64, 3, padding=1), GLU(),
            nn.Conv2d(c64, 2 * c128, 3, stride=2, padding=1), InstanceNorm(2 * c128), GLU(),
            nn.Conv2d(c128, 2 * c256, 3, stride=2, padding=1), InstanceNorm(2 * c256), GLU(),
            nn.Conv2d(c256, 2 * c512, 3, stride=2, padding=1), InstanceNorm(2 * c512), GLU(),
            nn.Conv2d(c512, 2 * c512, (1, 5), padding=(0, 2)), InstanceNorm(2 * c512), GLU(),
            nn.Conv2d(c512, 1, (1, 3), padding=(0, 1)),
        )  # fmt: skip
        init_gaussian(self)

    def forward(self, x: Tensor) -> Tensor:
        score: Tensor = self.body(as_image(x))
        return score
