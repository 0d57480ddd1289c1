"""The gated 2D generator: the default for piano rolls.

The inlet, the two halvings, the gated residual blocks and the pixel shuffles of the 2-1-2D generator of CycleGAN-VC2
(Kaneko et al. 2019, arXiv 1904.04631), with everything in 2D, as in the generator for music of Brunner et al. 2018
(arXiv 1809.07575): a motif means the same at another pitch, which a layer that flattens the pitches cannot know.

Shapes: B batch, C channels, P feature rows (pitches), T frames (steps).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn

from audiocycle.errors import ConfigError
from audiocycle.models.layers import (
    BLOCKS,
    GLU,
    WIDTH,
    InstanceNorm,
    ResidualBlock2d,
    as_image,
    crop_like,
    image_channels,
    init_gaussian,
    pad_to_multiple,
    scaled,
)
from audiocycle.system.limits import Limit, OneOf, Range

__all__ = ["GatedGenerator2D"]

STRIDE = 4
"""Two stride-2 layers: rows and frames are padded to a multiple of this, and cropped back."""
OUTLETS = ("sigmoid", "binary", "linear")


class GatedGenerator2D(nn.Module):
    """Images of one domain to images of another: (B, C, P, T) -> same, or (B, P, T) -> same; any P and T >= 1.

    14.33 M parameters at width 1 and two channels, whatever P.

    Args:
        shape: ``(C, P)``, or ``(P,)`` for one channel.
        width: factor on every channel count inside.
        n_blocks: 2D residual blocks in the middle.
        outlet: ``sigmoid`` for values in 0..1 (rolls), ``linear`` for unbounded ones. ``binary`` is a sigmoid that is rounded
            to 0 or 1 while training, with the gradient of the sigmoid (straight-through estimator, Bengio et al. 2013,
            arXiv 1308.3432): critics cannot tell fakes by their being grey, and a cycle cannot hide notes in shades.
        skip: adds ``skip * (2x - 1)`` to the logits, for x in 0..1, so that training starts near the identity:
            at 5, an untrained network answers about 0.99 where the input is 1 and 0.01 where it is 0.

    Raises:
        ConfigError: an unknown outlet, a skip without the sigmoid that it is meant for, or features that are no image.
    """

    limits: ClassVar[dict[str, Limit]] = {
        "width": WIDTH, "n_blocks": BLOCKS, "outlet": OneOf(OUTLETS), "skip": Range(-100.0, 100.0, whole=False),
    }  # fmt: skip

    def __init__(
        self, shape: Sequence[int], width: float = 1.0, n_blocks: int = 6, outlet: str = "sigmoid", skip: float = 0.0
    ) -> None:
        super().__init__()
        if outlet not in OUTLETS:
            raise ConfigError(f"generator 'gated_2d': outlet={outlet} is unknown; choose one of: {', '.join(OUTLETS)}")
        if skip and outlet == "linear":
            raise ConfigError(f"generator 'gated_2d': skip={skip} needs outlet=sigmoid or binary; set one of them")
        channels = image_channels(shape)
        c64, c128, c256 = (scaled(c, width) for c in (64, 128, 256))
        self.kind, self.skip = outlet, skip
        self.inlet = nn.Sequential(nn.Conv2d(channels, 2 * c64, 7, padding=3), GLU())
        # No bias before a norm, which would take it away again.
        self.down = nn.Sequential(
            nn.Conv2d(c64, 2 * c128, 3, stride=2, padding=1, bias=False), InstanceNorm(2 * c128), GLU(),
            nn.Conv2d(c128, 2 * c256, 3, stride=2, padding=1, bias=False), InstanceNorm(2 * c256), GLU(),
        )  # fmt: skip
        self.blocks = nn.Sequential(*(ResidualBlock2d(c256, c256) for _ in range(n_blocks)))
        self.up = nn.Sequential(
            nn.Conv2d(c256, 8 * c128, 3, padding=1, bias=False), nn.PixelShuffle(2), InstanceNorm(2 * c128), GLU(),
            nn.Conv2d(c128, 8 * c64, 3, padding=1, bias=False), nn.PixelShuffle(2), InstanceNorm(2 * c64), GLU(),
        )  # fmt: skip
        self.outlet = nn.Conv2d(c64, channels, 7, padding=3)
        init_gaussian(self)

    def forward(self, x: Tensor) -> Tensor:
        h = self.inlet(pad_to_multiple(as_image(x), STRIDE, dims=2))
        y = crop_like(self.outlet(self.up(self.blocks(self.down(h)))), x)
        if self.skip:
            y = y + self.skip * (2 * x - 1)
        # In float32: bfloat16 rounds a sigmoid near 1 to 1, where it has no gradient.
        if self.kind == "linear":
            return y
        p = y.float().sigmoid()
        return p + (p.round() - p).detach() if self.kind == "binary" and self.training else p
