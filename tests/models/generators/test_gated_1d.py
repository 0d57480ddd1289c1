"""The 1D generator is the published one of CycleGAN-VC, for any feature dimension and any length."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from audiocycle.errors import ConfigError
from audiocycle.models.generators.gated_1d import FrameShuffle, GatedGenerator1D
from audiocycle.models.layers import parameter_count


def published(rows: int) -> list[tuple[int, int, int, int]]:
    """(in, out, kernel, stride) of each convolution of Kaneko & Kameoka 2017, figure 4; channels stand before the GLU."""
    residual = [(512, 1024, 3, 1), (512, 512, 3, 1)]
    return [
        (rows, 256, 15, 1),
        (128, 512, 5, 2),
        (256, 1024, 5, 2),
        *residual * 6,
        (512, 1024, 5, 1),
        (256, 512, 5, 1),
        (128, rows, 15, 1),
    ]


@pytest.mark.parametrize("rows", [24, 36, 80])
def test_convolutions_are_called_as_published(rows: int) -> None:
    called: list[tuple[int, int, Any, Any]] = []

    def note(layer: nn.Module, _inputs: Any, _output: Any) -> None:
        assert isinstance(layer, nn.Conv1d)
        called.append((layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0]))

    with torch.device("meta"):  # shapes only
        generator = GatedGenerator1D((rows,))
        for layer in generator.modules():
            if isinstance(layer, nn.Conv1d):
                layer.register_forward_hook(note)
        generator(torch.zeros(1, rows, 128))
    assert called == published(rows)


def test_parameter_count_at_36_rows() -> None:
    with torch.device("meta"):
        generator = GatedGenerator1D((36,))
    convolutions = sum(i * o * kernel + o for i, o, kernel, _ in published(36))
    norms = 2 * (512 + 1024 + 6 * (1024 + 512) + 512 + 256)
    assert parameter_count(generator) == convolutions + norms
    assert parameter_count(generator) / 1e6 == pytest.approx(19.31, abs=0.005)


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(1, 90), frames=st.integers(1, 40), batch=st.integers(1, 2))
def test_output_has_the_shape_of_the_input_for_any_dimension_and_length(
    rows: int, frames: int, batch: int
) -> None:
    torch.manual_seed(0)
    x = torch.randn(batch, rows, frames)
    with torch.inference_mode():
        y = GatedGenerator1D((rows,), width=0.0625, n_blocks=1)(x)
    assert y.shape == x.shape
    assert y.isfinite().all()


def test_upsampling_lays_two_channels_out_as_neighbouring_frames() -> None:
    x = torch.arange(2 * 6 * 5, dtype=torch.float32).reshape(2, 6, 5)
    y = FrameShuffle()(x)
    assert y.shape == (2, 3, 10)
    for channel in range(3):
        for right in range(2):
            assert torch.equal(y[:, channel, right::2], x[:, 2 * channel + right])


def test_images_are_refused_with_the_names_of_the_generators_that_take_them() -> None:
    with pytest.raises(ConfigError, match=r"not of shape \(2, 84\).*gated_2d, resnet, unet"):
        GatedGenerator1D((2, 84))
