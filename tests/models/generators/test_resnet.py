"""The generator of Brunner et al. 2018: layer by layer, and its parameters counted by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  (the field's name for it)

from audiocycle.models.generators.resnet import ReflectedBlock, ResNetGenerator
from audiocycle.models.layers import InstanceNorm, parameter_count

PUBLISHED = [  # (class, in, out, kernel, stride) of the published code, for one channel of music
    (nn.Conv2d, 1, 64, 7, 1),
    (nn.Conv2d, 64, 128, 3, 2),
    (nn.Conv2d, 128, 256, 3, 2),
    *[(nn.Conv2d, 256, 256, 3, 1)] * 20,
    (nn.ConvTranspose2d, 256, 128, 3, 2),
    (nn.ConvTranspose2d, 128, 64, 3, 2),
    (nn.Conv2d, 64, 1, 7, 1),
]


def test_layers_are_called_as_published() -> None:
    called: list[tuple[type, int, int, int, int]] = []
    sizes: list[tuple[int, ...]] = []

    def note(layer: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
        called.append(
            (type(layer), layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0])
        )
        sizes.append(tuple(output.shape[2:]))

    with torch.device("meta"):  # shapes only
        generator = ResNetGenerator((1, 84))
        for layer in generator.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                layer.register_forward_hook(note)
        generator(torch.zeros(1, 1, 84, 64))
    assert called == PUBLISHED
    assert sizes == [(84, 64), (42, 32), *[(21, 16)] * 21, (42, 32), (84, 64), (84, 64)]


@pytest.mark.parametrize("channels", [1, 2])
def test_parameter_count_by_hand(channels: int) -> None:
    with torch.device("meta"):
        generator = ResNetGenerator((channels, 84))
    outer = 2 * 49 * channels * 64  # in and out, 7 x 7
    strided = 2 * (9 * 64 * 128 + 9 * 128 * 256)  # down and up, 3 x 3
    blocks = 10 * 2 * 9 * 256 * 256
    norms = 2 * (64 + 128 + 256 + 20 * 256 + 128 + 64)  # a factor and an offset a channel
    assert parameter_count(generator) == outer + strided + blocks + norms
    assert parameter_count(generator) == {1: 12_551_552, 2: 12_557_824}[channels]


def test_edges_of_the_roll_and_of_the_blocks_are_reflected() -> None:
    torch.manual_seed(0)
    block = ReflectedBlock(4)
    x = torch.randn(1, 4, 5, 6)
    conv1, norm1, _, conv2, norm2 = block.body

    def reflected(conv: nn.Module, h: torch.Tensor) -> torch.Tensor:
        return F.conv2d(F.pad(h, (1, 1, 1, 1), mode="reflect"), conv.weight)

    h = norm2(reflected(conv2, F.relu(norm1(reflected(conv1, x)))))
    torch.testing.assert_close(block(x), F.relu(x + h))
    generator = ResNetGenerator((1, 8), width=0.125, n_blocks=1)
    assert generator.down[0].padding_mode == generator.outlet.padding_mode == "reflect"


def test_a_norm_follows_each_convolution_but_the_last() -> None:
    generator = ResNetGenerator((1, 8), width=0.125, n_blocks=3)
    convolutions = [m for m in generator.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    norms = [m for m in generator.modules() if isinstance(m, InstanceNorm)]
    assert len(convolutions) - 1 == len(norms) == 3 + 2 * 3 + 2
    assert all(layer.bias is None for layer in convolutions)
