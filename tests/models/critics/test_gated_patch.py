"""The critic is the published PatchGAN, for any feature dimension, with unbounded scores."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from audiocycle.models.critics.gated_patch import GatedPatchCritic
from audiocycle.models.layers import InstanceNorm, parameter_count

PUBLISHED = [  # (in, out, kernel, stride), Kaneko et al. 2019, figure 4b; channels stand before the GLU
    (1, 128, (3, 3), (1, 1)),
    (64, 256, (3, 3), (2, 2)),
    (128, 512, (3, 3), (2, 2)),
    (256, 1024, (3, 3), (2, 2)),
    (512, 1024, (1, 5), (1, 1)),
    (512, 1, (1, 3), (1, 1)),
]


def tiny() -> GatedPatchCritic:
    torch.manual_seed(0)
    return GatedPatchCritic(width=0.125)


def test_convolutions_are_called_as_published() -> None:
    called: list[tuple[int, int, Any, Any]] = []

    def note(layer: nn.Module, _inputs: Any, _output: Any) -> None:
        assert isinstance(layer, nn.Conv2d)
        called.append((layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride))

    with torch.device("meta"):  # shapes only
        critic = GatedPatchCritic()
        for layer in critic.modules():
            if isinstance(layer, nn.Conv2d):
                layer.register_forward_hook(note)
        critic(torch.zeros(1, 36, 128))
    assert called == PUBLISHED


def test_parameter_count_is_the_published_one() -> None:
    with torch.device("meta"):
        critic = GatedPatchCritic()
    convolutions = sum(i * o * torch.Size(kernel).numel() + o for i, o, kernel, _ in PUBLISHED)
    norms = 2 * (256 + 512 + 1024 + 1024)
    assert parameter_count(critic) == convolutions + norms
    assert parameter_count(critic) / 1e6 == pytest.approx(5.73, abs=0.005)


@settings(max_examples=25, deadline=None)
@given(feature_dim=st.integers(1, 90), frames=st.integers(1, 40))
def test_any_dimension_and_length_gets_one_score_for_each_patch(feature_dim: int, frames: int) -> None:
    with torch.inference_mode():
        score = tiny()(torch.randn(2, feature_dim, frames))
    assert score.shape == (2, 1, -(-feature_dim // 8), -(-frames // 8))
    assert score.isfinite().all()


def test_channels_of_an_image_enter_together() -> None:
    torch.manual_seed(0)
    critic = GatedPatchCritic(width=0.125, channels=2)
    x = torch.randn(1, 2, 16, 24)
    with torch.inference_mode():
        assert critic(x).shape == (1, 1, 2, 3)
        assert not torch.allclose(critic(x), critic(x.flip(1)))


def test_an_image_of_one_channel_is_the_features_without_that_axis() -> None:
    critic, x = tiny(), torch.randn(2, 8, 20)
    assert torch.equal(critic(x[:, None]), critic(x))


def test_scores_are_unbounded() -> None:
    critic, x = tiny(), torch.randn(1, 8, 32)
    last = critic.body[-1]
    assert isinstance(last, nn.Conv2d)
    with torch.inference_mode():
        for bias in (-3.0, 3.0):
            last.bias.fill_(bias)
            assert (critic(x) * bias > 1).all()


def test_one_items_score_does_not_depend_on_the_others_in_the_batch() -> None:
    critic, x = tiny(), torch.randn(3, 8, 20) * torch.tensor([1.0, 5.0, 0.1])[:, None, None]
    with torch.inference_mode():
        together = critic(x)
        for item, expected in zip(x, together, strict=True):
            torch.testing.assert_close(critic(item[None])[0], expected)


def test_every_parameter_receives_a_gradient() -> None:
    critic = tiny()
    (critic(torch.randn(2, 12, 32)) - 1).square().mean().backward()
    layers = list(critic.body)
    exempt = {
        id(a.bias) for a, b in pairwise(layers) if isinstance(a, nn.Conv2d) and isinstance(b, InstanceNorm)
    }
    for name, parameter in critic.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any() or id(parameter) in exempt, name
