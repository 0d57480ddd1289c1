"""The PatchGAN critic for piano rolls of Brunner et al. 2018 (arXiv 1809.07575). Like its published code it has no biases.

Shapes: B batch, C channels, P feature rows (pitches), T frames (steps).
"""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the field's name for it)

from audiocycle.errors import ConfigError
from audiocycle.models.layers import WIDTH, InstanceNorm, as_image, init_gaussian, scaled
from audiocycle.system.limits import Limit, Range, Switch

__all__ = ["ConvPatchCritic"]

SLOPE = 0.2


class SameConv2d(nn.Conv2d):
    """A convolution with as many outputs as strides fit: (B, C, P, T) -> (B, C', ceil(P / stride), ceil(T / stride)).

    An even kernel needs one zero more behind than before, which ``nn.Conv2d`` cannot say together with a stride.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__(inputs, outputs, kernel, stride=stride, padding=(kernel - 1) // 2, bias=False)
        self.even = kernel % 2 == 0

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, (0, 1, 0, 1)) if self.even else x)


class ConvPatchCritic(nn.Module):
    """One score a patch: (B, C, P, T) -> (B, 1, ceil(P / 2^n), ceil(T / 2^n)), n layers, unbounded (least squares: no sigmoid).

    As published (n = 2) a roll of 84 pitches and 64 steps gets 21 x 16 scores. With kernel 4 each sees 22 pitches and steps,
    with 7 43 of them. 0.27 M parameters at kernel 4, 0.82 M at kernel 7.

    Args:
        width: factor on every channel count inside.
        channels: C of the input; 1 takes (B, P, T), too.
        kernel: side of the three kernels: 7 in the published code; a write-up of it says 4 (and 1 in the last layer).
        layers: halvings. Each further one doubles what a score sees (kernel 4: 46 at 3, 94 at 4): a walking bass below a solo
            is more than a patch of two octaves.
        norm: False leaves the instance norms out, which take away how much there is in all: a critic with them hardly notices
            that a fake has three times the notes. Weights are then drawn for leaky ReLUs (He et al. 2015), not published ones.
    """

    limits: ClassVar[dict[str, Limit]] = {"width": WIDTH, "kernel": Range(1, 31), "layers": Range(2, 7), "norm": Switch()}

    def __init__(
        self, width: float = 1.0, channels: int = 1, kernel: int = 4, layers: int = 2, norm: bool = True
    ) -> None:
        super().__init__()
        if layers < 2:
            raise ConfigError(f"critic 'conv_patch': layers={layers}: must be 2 or more")
        sizes = [scaled(c, width) for c in (64, *[128] * (layers > 2), *[256] * (layers - 1 - (layers > 2)))]
        body: list[nn.Module] = [SameConv2d(channels, sizes[0], kernel, 2), nn.LeakyReLU(SLOPE)]
        for inputs, outputs in pairwise(sizes):
            body += [SameConv2d(inputs, outputs, kernel, 2), *([InstanceNorm(outputs)] if norm else []), nn.LeakyReLU(SLOPE)]
        self.body = nn.Sequential(*body, SameConv2d(sizes[-1], 1, kernel, 1))
        init_gaussian(self)
        if not norm:  # which would have made up for weights that small
            for layer in self.body:
                if isinstance(layer, SameConv2d):
                    nn.init.kaiming_normal_(layer.weight, SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        score: Tensor = self.body(as_image(x))
        return score
