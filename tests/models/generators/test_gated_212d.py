"""The generator is the published 2-1-2D network, for any feature dimension and any length."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from audiocycle.errors import ConfigError
from audiocycle.models.generators.gated_212d import GatedGenerator212D
from audiocycle.models.layers import InstanceNorm, parameter_count


def tiny(feature_dim: int) -> GatedGenerator212D:
    torch.manual_seed(0)
    return GatedGenerator212D((feature_dim,), width=0.125, n_blocks=2)


def published(rows: int) -> list[tuple[int, int, tuple[int, ...], tuple[int, ...]]]:
    """(in, out, kernel, stride) of each convolution of Kaneko et al. 2019, figure 4a; channels stand before the GLU."""
    residual = [(256, 512, (3,), (1,)), (256, 256, (3,), (1,))]
    return [
        (1, 128, (5, 15), (1, 1)),
        (64, 256, (5, 5), (2, 2)),
        (128, 512, (5, 5), (2, 2)),
        (256 * rows, 256, (1,), (1,)),
        *residual * 6,
        (256, 256 * rows, (1,), (1,)),
        (256, 1024, (5, 5), (1, 1)),
        (128, 512, (5, 5), (1, 1)),
        (64, 1, (5, 15), (1, 1)),
    ]


@pytest.mark.parametrize(("feature_dim", "rows"), [(36, 9), (80, 20)])
def test_convolutions_are_called_as_published(feature_dim: int, rows: int) -> None:
    called: list[tuple[int, int, Any, Any]] = []

    def note(layer: nn.Module, _inputs: Any, _output: Any) -> None:
        assert isinstance(layer, nn.Conv1d | nn.Conv2d)
        called.append((layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride))

    with torch.device("meta"):  # shapes only
        generator = GatedGenerator212D((feature_dim,))
        for layer in generator.modules():
            if isinstance(layer, nn.Conv1d | nn.Conv2d):
                layer.register_forward_hook(note)
        generator(torch.zeros(1, feature_dim, 128))
    assert called == published(rows)


@pytest.mark.parametrize(("feature_dim", "millions"), [(36, 15.00), (80, 16.45)])
def test_parameter_count_is_the_published_one(feature_dim: int, millions: float) -> None:
    with torch.device("meta"):
        generator = GatedGenerator212D((feature_dim,))
    convolutions = sum(
        i * o * torch.Size(kernel).numel() + o for i, o, kernel, _ in published(feature_dim // 4)
    )
    norms = 2 * (256 + 512 + 256 + 6 * (512 + 256) + 256 * feature_dim // 4 + 256 + 128)
    assert parameter_count(generator) == convolutions + norms
    assert parameter_count(generator) / 1e6 == pytest.approx(millions, abs=0.005)


@settings(max_examples=25, deadline=None)
@given(feature_dim=st.integers(1, 90), frames=st.integers(1, 40), batch=st.integers(1, 2))
def test_output_has_the_shape_of_the_input_for_any_dimension_and_length(
    feature_dim: int, frames: int, batch: int
) -> None:
    x = torch.randn(batch, feature_dim, frames)
    with torch.inference_mode():
        y = tiny(feature_dim)(x)
    assert y.shape == x.shape
    assert y.isfinite().all()


@pytest.mark.parametrize("feature_dim", [1, 7, 24, 35, 36, 80])
def test_rows_between_2d_and_1d_follow_from_the_feature_dimension(feature_dim: int) -> None:
    generator = tiny(feature_dim)
    rows = (feature_dim + 3) // 4
    assert generator.to_1d[0].in_channels == generator.to_2d[0].out_channels == 32 * rows


def test_images_are_refused_with_the_names_of_the_generators_that_take_them() -> None:
    with pytest.raises(ConfigError, match=r"not of shape \(2, 84\).*gated_2d, resnet, unet"):
        GatedGenerator212D((2, 84))


def test_one_items_output_does_not_depend_on_the_others_in_the_batch() -> None:
    generator = tiny(10)
    x = torch.randn(3, 10, 18) * torch.tensor([1.0, 5.0, 0.1])[:, None, None]
    with torch.inference_mode():
        together = generator(x)
        for item, expected in zip(x, together, strict=True):
            torch.testing.assert_close(generator(item[None])[0], expected)


def test_a_residual_generator_adds_what_the_published_one_makes_to_its_input() -> None:
    plain, x = tiny(36).eval(), torch.randn(2, 36, 20)
    residual = GatedGenerator212D((36,), width=0.125, n_blocks=2, residual=True).eval()
    residual.load_state_dict(plain.state_dict())
    torch.testing.assert_close(residual(x), x + plain(x))


def test_training_and_evaluation_mode_agree() -> None:
    generator, x = tiny(8), torch.randn(2, 8, 16)
    torch.testing.assert_close(generator.train()(x), generator.eval()(x))


def test_upsampling_lays_four_channels_out_as_a_square() -> None:
    shuffle = tiny(8).up[1]
    x = torch.arange(2 * 8 * 3 * 5, dtype=torch.float32).reshape(2, 8, 3, 5)
    y = shuffle(x)
    assert y.shape == (2, 2, 6, 10)
    for channel in range(2):
        for down in range(2):
            for right in range(2):
                place = 4 * channel + 2 * down + right
                assert torch.equal(y[:, channel, down::2, right::2], x[:, place])


def removed_by_norm(network: nn.Module) -> set[int]:
    """Biases of convolutions right before an instance norm, which takes any constant away again."""
    chains = [list(m) for m in network.modules() if isinstance(m, nn.Sequential)]
    pairs = [pair for chain in chains for pair in pairwise(chain)]
    return {
        id(conv.bias)
        for conv, norm in pairs
        if isinstance(conv, nn.Conv1d | nn.Conv2d) and isinstance(norm, InstanceNorm)
    }


def test_every_parameter_receives_a_gradient() -> None:
    generator = tiny(12)
    target: Tensor = torch.randn(2, 12, 16)
    (generator(torch.randn(2, 12, 16)) - target).square().mean().backward()
    exempt = removed_by_norm(generator)
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any() or id(parameter) in exempt, name


def test_every_output_frame_depends_on_the_input() -> None:
    x = torch.randn(1, 8, 13, requires_grad=True)
    tiny(8)(x)[0, :, -1].sum().backward()
    assert x.grad is not None
    assert x.grad[..., -1].any()
