"""The building blocks are the functions that their names say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from audiocycle.errors import ConfigError
from audiocycle.models.layers import (
    GLU,
    InstanceNorm,
    OneChannelConv2d,
    ResidualBlock1d,
    ResidualBlock2d,
    as_image,
    channels_last,
    crop_like,
    image_channels,
    init_gaussian,
    pad_to_multiple,
    parameter_count,
    scaled,
)


@pytest.mark.parametrize("shape", [(2, 6, 5), (2, 6, 4, 5)], ids=["1d", "2d"])
def test_glu_is_first_half_times_sigmoid_of_second_half(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape)
    a, b = x[:, :3].numpy(), x[:, 3:].numpy()
    y = GLU()(x)
    assert y.shape[1] == 3
    np.testing.assert_allclose(y.numpy(), a / (1 + np.exp(-b)), rtol=1e-5)
    assert not torch.allclose(y, nn.functional.silu(x)[:, :3])


@given(
    items=st.integers(1, 3), channels=st.integers(1, 4), rows=st.integers(1, 9), frames=st.integers(1, 20),
    kernel=st.tuples(*[st.sampled_from([1, 3, 5, 15])] * 2), last=st.booleans(), seed=st.integers(0, 9),
)  # fmt: skip
def test_a_convolution_to_one_channel_is_a_convolution(
    items: int, channels: int, rows: int, frames: int, kernel: tuple[int, int], last: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    layer = OneChannelConv2d(channels, kernel).double()
    plain = nn.Conv2d(channels, 1, kernel, padding=(kernel[0] // 2, kernel[1] // 2)).double()
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(items, channels, rows, frames, dtype=torch.float64)
    x = (x.contiguous(memory_format=torch.channels_last) if last else x).requires_grad_()
    found, wanted = layer(x), plain(x)
    torch.testing.assert_close(found, wanted)
    weights = torch.randn_like(wanted)
    ours = torch.autograd.grad((found * weights).sum(), [x, *layer.parameters()])
    theirs = torch.autograd.grad((wanted * weights).sum(), [x, *plain.parameters()])
    torch.testing.assert_close(ours, theirs)


def test_a_convolution_to_one_channel_keeps_half_precision() -> None:
    x = torch.randn(2, 4, 6, 20)
    layer = OneChannelConv2d(4, (5, 15))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        made = layer(x)
    assert made.dtype == torch.bfloat16
    torch.testing.assert_close(made.float(), layer(x), atol=0.02, rtol=0.02)


@pytest.mark.parametrize(
    ("reference", "shape"),
    [(nn.InstanceNorm1d, (3, 4, 11)), (nn.InstanceNorm2d, (3, 4, 6, 5))],
    ids=["1d", "2d"],
)
def test_instance_norm_is_torchs_affine_instance_norm(
    reference: type[nn.Module], shape: tuple[int, ...]
) -> None:
    mine, theirs = InstanceNorm(4), reference(4, affine=True)
    with torch.no_grad():
        mine.weight.copy_(torch.randn(4))
        mine.bias.copy_(torch.randn(4))
    theirs.load_state_dict(mine.state_dict())
    x = 3 * torch.randn(shape) + 1
    torch.testing.assert_close(mine(x), theirs(x))


def test_instance_norm_of_a_single_value_is_finite() -> None:
    norm = InstanceNorm(4)
    nn.init.constant_(norm.bias, 0.5)
    torch.testing.assert_close(norm(torch.randn(1, 4, 1)), torch.full((1, 4, 1), 0.5), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("block", "shape"),
    [(ResidualBlock1d(8, 12), (2, 8, 7)), (ResidualBlock2d(8, 12), (2, 8, 5, 7))],
    ids=["1d", "2d"],
)
def test_residual_block_adds_to_its_input(
    block: ResidualBlock1d | ResidualBlock2d, shape: tuple[int, ...]
) -> None:
    x = torch.randn(shape)
    torch.testing.assert_close(block(x), x + block.body(x))
    last = block.body[-1]
    assert isinstance(last, InstanceNorm)
    nn.init.zeros_(last.weight)
    assert torch.equal(block(x), x)


@given(channels=st.sampled_from([64, 128, 256, 512]), width=st.floats(0.001, 3.0))
def test_scaled_channels_survive_a_glu_and_a_pixel_shuffle(channels: int, width: float) -> None:
    count = scaled(channels, width)
    assert count >= 8
    assert count % 8 == 0
    assert abs(count - channels * width) <= 8
    assert scaled(channels, 1.0) == channels


@given(rows=st.integers(1, 13), frames=st.integers(1, 13), multiple=st.integers(1, 5))
def test_padding_repeats_the_edge_up_to_the_next_multiple(rows: int, frames: int, multiple: int) -> None:
    x = torch.randn(1, 1, rows, frames)
    padded = pad_to_multiple(x, multiple, dims=2)
    assert all(
        new % multiple == 0 and old <= new < old + multiple
        for old, new in zip(x.shape, padded.shape, strict=True)
        if old > 1
    )
    width = ((0, 0), (0, 0), (0, -rows % multiple), (0, -frames % multiple))
    np.testing.assert_array_equal(padded.numpy(), np.pad(x.numpy(), width, mode="edge"))


def test_padding_of_frames_only() -> None:
    assert pad_to_multiple(torch.zeros(1, 3, 3), 4, dims=1).shape == (1, 3, 4)


@pytest.mark.parametrize(("size", "padded"), [(1, 8), (7, 8), (8, 8), (9, 12), (84, 84)])
def test_padding_to_at_least_two_multiples(size: int, padded: int) -> None:
    assert pad_to_multiple(torch.zeros(1, 1, size, 4), 4, dims=2, least=2).shape == (1, 1, padded, 8)


def test_features_of_one_axis_become_an_image_and_come_back_cropped() -> None:
    x = torch.randn(2, 5, 7)
    assert torch.equal(as_image(x), x[:, None])
    padded = pad_to_multiple(as_image(x), 4, dims=2)
    assert padded.shape == (2, 1, 8, 8)
    assert torch.equal(crop_like(padded, x), x)
    image = torch.randn(2, 3, 5, 7)
    assert as_image(image) is image
    assert torch.equal(crop_like(pad_to_multiple(image, 4, dims=2), image), image)


def test_channels_of_a_shape() -> None:
    assert (image_channels((36,)), image_channels((2, 84)), image_channels([3, 84])) == (1, 2, 3)
    with pytest.raises(ConfigError, match="are no image"):
        image_channels(())


def test_initial_weights_are_gaussian_and_biases_zero() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv1d(64, 64, 3), nn.Conv2d(64, 64, 3), nn.ConvTranspose2d(32, 64, 3), InstanceNorm(64)
    )
    init_gaussian(network)
    for layer in list(network)[:3]:
        assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.05)
        assert not layer.bias.detach().any()
    assert (network[3].weight == 1).all()


def test_parameter_count_counts_weights_and_biases() -> None:
    assert parameter_count(nn.Sequential(nn.Conv1d(2, 3, 5), nn.PReLU())) == 2 * 3 * 5 + 3 + 1


def test_channels_last_changes_the_layout_and_no_result() -> None:
    network, x = nn.Sequential(nn.Conv2d(4, 8, 3), nn.Conv2d(8, 2, 3)), torch.randn(1, 4, 9, 9)
    before = network(x)
    channels_last(network)
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(network(x), before)
