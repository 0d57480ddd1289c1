"""Building blocks of the gated-convolution networks.

Shapes: B batch, C channels, P feature rows (coefficients, mel bands, pitches), T frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the field's name for it)

from audiocycle.errors import ConfigError
from audiocycle.system.limits import Limit, Range

WIDTH: Limit = Range(1 / 256, 16.0, whole=False)
"""Of a network: the factor on its channel counts."""
BLOCKS: Limit = Range(0, 64)
"""In a network's middle."""


class InstanceNorm(nn.GroupNorm):
    """Affine instance normalisation over all axes behind the channels, of (B, C, T) or (B, C, P, T).

    Group normalisation with one channel a group is the same function; its CPU kernel is several times faster in
    bfloat16 than ``nn.InstanceNorm*d`` and it works for one and two dimensions alike.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, eps=1e-5, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        # Without the module's check: a single value a channel (4 frames or fewer, strided) normalises to the bias.
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


class GLU(nn.Module):
    """Gated linear unit (Dauphin et al. 2017): the first half of the channels times the sigmoid of the second.

    It halves the channels: ``(B, 2C, ...) -> (B, C, ...)``. (``x * sigmoid(x)`` is SiLU, a different function.)
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.glu(x, dim=1)


class OneChannelConv2d(nn.Conv2d):
    """A convolution of stride 1 to a single channel, zero-padded to the same size: (B, C, P, T) -> (B, 1, P, T).

    On processors a single output channel leaves the usual kernels nothing to spread over their vectors: the outlet of a narrow
    generator cost more than a quarter of a training step. There the columns of the kernel become channels, and a sum along
    the diagonal puts them in place: some 15 times as fast, and the same up to rounding (in bfloat16 the columns are rounded once more).

    Args:
        channels: C.
        kernel: (rows, frames), both odd.
    """

    def __init__(self, channels: int, kernel: tuple[int, int]) -> None:
        super().__init__(channels, 1, kernel, padding=(kernel[0] // 2, kernel[1] // 2))

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu" or torch.compiler.is_exporting():  # a graph should say what is meant
            return super().forward(x)
        assert self.bias is not None
        rows, frames = x.shape[2:]
        above, beside = self.kernel_size[0] // 2, self.kernel_size[1] // 2
        columns = F.conv2d(x, self.weight[0].permute(2, 0, 1).unsqueeze(3), padding=(above, 0))
        columns = F.pad(columns, (beside, beside))
        item, column, row, frame = columns.stride()
        in_place = columns.as_strided((len(x), columns.shape[1], rows, frames), (item, column + frame, row, frame))
        return in_place.sum(dim=1, keepdim=True) + self.bias.to(columns.dtype)


class ResidualBlock1d(nn.Module):
    """conv1d -> IN -> GLU -> conv1d -> IN, added to the input (Kaneko et al. 2019, figure 4). (B, C, T) -> same."""

    def __init__(self, channels: int, hidden: int, kernel: int = 3) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(channels, 2 * hidden, kernel, padding=kernel // 2),
            InstanceNorm(2 * hidden),
            GLU(),
            nn.Conv1d(hidden, channels, kernel, padding=kernel // 2),
            InstanceNorm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.body(x)
        return y


class ResidualBlock2d(nn.Module):
    """conv2d -> IN -> GLU -> conv2d -> IN, added to the input: :class:`ResidualBlock1d` for (B, C, P, T).

    Its convolutions have no bias: the norms would take it away again.
    """

    def __init__(self, channels: int, hidden: int, kernel: int = 3) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 2 * hidden, kernel, padding=kernel // 2, bias=False),
            InstanceNorm(2 * hidden),
            GLU(),
            nn.Conv2d(hidden, channels, kernel, padding=kernel // 2, bias=False),
            InstanceNorm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.body(x)
        return y


def scaled(channels: int, width: float, multiple: int = 8) -> int:
    """A channel count times the width factor, rounded to a multiple that survives a GLU and a pixel shuffle."""
    return max(multiple, round(channels * width / multiple) * multiple)


def pad_to_multiple(x: Tensor, multiple: int, dims: int, least: int = 1) -> Tensor:
    """Repeat the edge of the last ``dims`` axes of (B, C, ..., T) up to the next multiple, and to ``least`` of them.

    Edge values rather than zeros: a zero row or frame would shift every instance norm.
    """
    padding: list[int] = []
    for axis in range(1, dims + 1):
        size = x.shape[-axis]
        padding += [0, max(-size % multiple, least * multiple - size)]
    return F.pad(x, padding, mode="replicate") if any(padding) else x


def image_channels(shape: Sequence[int]) -> int:
    """Channels of features seen as an image: C of ``(C, P)``, 1 of ``(P,)``.

    Raises:
        ConfigError: there are more axes than that.
    """
    if len(shape) not in (1, 2):
        raise ConfigError(f"features of shape {tuple(shape)} are no image; choose an adapter of shape (P,) or (C, P)")
    return shape[0] if len(shape) == 2 else 1


def feature_rows(shape: Sequence[int], generator: str) -> int:
    """P of features of one axis, ``(P,)``.

    Args:
        generator: the short name of the one that takes no others.

    Raises:
        ConfigError: the features are an image, (C, P).
    """
    if len(shape) != 1:
        raise ConfigError(
            f"generator '{generator}' takes features of one axis, not of shape {tuple(shape)}; "
            "for images choose one of: gated_2d, resnet, unet"
        )
    return shape[0]


def as_image(x: Tensor) -> Tensor:
    """Features of one axis as an image of one channel: (B, P, T) -> (B, 1, P, T); (B, C, P, T) stays."""
    return x.unsqueeze(1) if x.ndim == 3 else x


def crop_like(y: Tensor, x: Tensor) -> Tensor:
    """The image (B, C, >=P, >=T) that a generator made, without padding and in the shape of its input ``x``."""
    return y[..., : x.shape[-2], : x.shape[-1]].reshape(x.shape)


def parameter_count(module: nn.Module) -> int:
    """How many trainable numbers a module holds."""
    return sum(p.numel() for p in module.parameters())


def init_gaussian(module: nn.Module, std: float = 0.02) -> None:
    """Draw all convolution weights from N(0, std), biases zero (Zhu et al. 2017, section 7.1)."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def channels_last(module: nn.Module) -> None:
    """Lay 2D convolution weights out as (out, height, width, in), which the CPU and GPU kernels prefer."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
