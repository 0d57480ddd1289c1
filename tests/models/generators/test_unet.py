"""The U-Net of pix2pix: its levels, what they hand across, and dropout that acts in training only."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from audiocycle.errors import ConfigError
from audiocycle.models.generators.unet import UNetGenerator
from audiocycle.models.layers import parameter_count


def tiny(**options: Any) -> UNetGenerator:
    torch.manual_seed(0)
    return UNetGenerator((2, 84), width=0.125, **options)


def test_levels_halve_and_double_a_roll() -> None:
    called: list[tuple[int, int, int, int]] = []

    def note(layer: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
        called.append((layer.in_channels, layer.out_channels, *output.shape[2:]))

    with torch.device("meta"):  # shapes only
        generator = UNetGenerator((2, 84))
        for layer in generator.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                layer.register_forward_hook(note)
        assert generator(torch.zeros(1, 2, 84, 64)).shape == (1, 2, 84, 64)
    assert called == [
        (2, 64, 48, 32),
        (64, 128, 24, 16),
        (128, 256, 12, 8),
        (256, 512, 6, 4),
        (512, 256, 12, 8),
        (512, 128, 24, 16),  # 256 from below, 256 across
        (256, 64, 48, 32),
        (128, 2, 96, 64),
    ]


def test_parameter_count_by_hand() -> None:
    with torch.device("meta"):
        generator = UNetGenerator((2, 84))
    kernels = 16 * (2 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 256 + 512 * 128 + 256 * 64 + 128 * 2)
    biases = 64 + 512 + 2  # first, middle and last convolution; a norm follows the others
    norms = 2 * (128 + 256 + 256 + 128 + 64)
    assert parameter_count(generator) == kernels + biases + norms == 6_168_770


def test_channels_stop_growing_at_512() -> None:
    with torch.device("meta"):
        generator = UNetGenerator((1, 84), depth=6)
    assert [
        layer.out_channels for layer in generator.down.modules() if isinstance(layer, nn.Conv2d)
    ] == [64, 128, 256, 512, 512, 512]


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_any_depth_takes_any_roll(depth: int) -> None:
    for rows, frames in ((84, 64), (1, 1), (13, 7)):
        x = torch.rand(1, 2, rows, frames)
        with torch.inference_mode():
            assert tiny(depth=depth)(x).shape == x.shape


def test_a_middle_of_one_pixel_still_counts() -> None:
    x = torch.rand(1, 2, 16, 16)
    generator = tiny()
    middle: list[torch.Tensor] = []
    generator.down[-1].register_forward_hook(lambda _layer, _inputs, output: middle.append(output))
    with torch.inference_mode():
        generator(x)
        generator(x.flip(-1))
    assert middle[0].shape == (1, 64, 1, 1)
    assert not torch.allclose(middle[0], middle[1], rtol=1e-2)


def test_dropout_acts_in_training_only() -> None:
    generator, x = tiny(dropout=0.5), torch.rand(1, 2, 84, 64)
    assert sum(isinstance(layer, nn.Dropout) for layer in generator.modules()) == 3
    with torch.inference_mode():
        assert not torch.equal(generator.train()(x), generator(x))
        expected = tiny()(x)
        assert torch.equal(generator.eval()(x), expected)


@pytest.mark.parametrize("options", [{"depth": 0}, {"dropout": 1.0}, {"dropout": -0.1}])
def test_wrong_options_are_named(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(options))}={next(iter(options.values()))} must be at least"):
        tiny(**options)
