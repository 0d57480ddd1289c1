"""What every generator and every critic of the build table owes the trainer, the average and the bundle."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from audiocycle.build import CRITICS, GENERATORS, build, resolve
from audiocycle.errors import ConfigError
from audiocycle.models.genre_classifier import GenreClassifier
from audiocycle.models.layers import InstanceNorm

VECTORS = {"gated_212d", "gated_1d", "content_1d"}
IMAGES = sorted(set(GENERATORS) - VECTORS)
OPTIONS: dict[str, dict[str, Any]] = {
    "content_1d": {"n_blocks": 1, "made": 6, "condition": 4, "dropout": 0.0, "told_dropout": 0.0},
    "gated_212d": {"n_blocks": 1},
    "gated_1d": {"n_blocks": 1},
    "gated_2d": {"n_blocks": 2},
    "resnet": {"n_blocks": 2},
    "unet": {"depth": 3},
}


def generator(name: str, shape: tuple[int, ...], **options: Any) -> nn.Module:
    torch.manual_seed(0)
    made: nn.Module = build(
        GENERATORS, "generator", name, {"shape": shape, "width": 0.125} | OPTIONS[name] | options
    )
    return made


def every(name: str) -> tuple[nn.Module, Tensor]:
    """A tiny network and a batch of rolls, or of features, that fits."""
    if name in VECTORS:
        return generator(name, (20,)), torch.rand(3, 20, 24)
    rolls = (torch.rand(3, 2, 84, 64, generator=torch.manual_seed(1)) < 0.05).float()
    if name in GENERATORS:
        return generator(name, (2, 84)), rolls
    torch.manual_seed(0)
    if name == "classifier":
        return GenreClassifier(3, channels=2, width=0.125), rolls
    return resolve(CRITICS, "critic", name)(width=0.125, channels=2), rolls


NAMES = [*GENERATORS, *CRITICS, "classifier"]
EACH = pytest.mark.parametrize("name", NAMES)
NOT_NORMED = pytest.mark.parametrize("name", [name for name in NAMES if name != "envelope_patch"])
"""Its spectral norms have vectors of their own, which are sharpened in training; see its own tests."""
GAUSSIAN = pytest.mark.parametrize("name", [name for name in NAMES if name not in ("content_1d", "envelope_patch")])
"""Those two start as torch's layers do; see their own tests."""


@pytest.mark.parametrize("name", IMAGES)
@settings(max_examples=12, deadline=None)
@given(
    channels=st.integers(0, 3), rows=st.integers(1, 30), frames=st.integers(1, 30), batch=st.integers(1, 2)
)
def test_output_has_the_shape_of_the_input_for_any_size(
    name: str, channels: int, rows: int, frames: int, batch: int
) -> None:
    shape = (channels, rows) if channels else (rows,)  # 0: features without a channel axis
    x = torch.rand(batch, *shape, frames)
    with torch.inference_mode():
        y = generator(name, shape)(x)
    assert y.shape == x.shape
    assert y.isfinite().all()


@pytest.mark.parametrize("name", IMAGES)
def test_features_of_one_axis_are_an_image_of_one_channel(name: str) -> None:
    x = torch.rand(2, 10, 13)
    with torch.inference_mode():
        torch.testing.assert_close(
            generator(name, (10,))(x), generator(name, (1, 10))(x[:, None])[:, 0], rtol=0, atol=0
        )


@pytest.mark.parametrize("name", IMAGES)
def test_features_of_three_axes_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"shape \(2, 3, 4\) are no image"):
        generator(name, (2, 3, 4))


@EACH
def test_one_items_output_does_not_depend_on_the_others_in_the_batch(name: str) -> None:
    network, x = every(name)
    network.eval()
    with torch.inference_mode():
        together = network(x)
        assert not torch.allclose(together[0], together[1])
        for item, expected in zip(x, together, strict=True):
            torch.testing.assert_close(network(item[None])[0], expected)


@NOT_NORMED
def test_same_input_same_output_in_training_and_evaluation_mode(name: str) -> None:
    network, x = every(name)
    with torch.inference_mode():
        first = network.train()(x)
        assert torch.equal(network(x), first)
        assert torch.equal(network.eval()(x), first)


def removed_by_norm(network: nn.Module) -> set[int]:
    """Biases of convolutions right before an instance norm, which takes any constant away again."""
    chains = [list(m) for m in network.modules() if isinstance(m, nn.Sequential)]
    pairs = [pair for chain in chains for pair in pairwise(chain)]
    return {
        id(a.bias)
        for a, b in pairs
        if isinstance(a, nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d) and isinstance(b, InstanceNorm)
    }


@EACH
def test_every_parameter_receives_a_gradient(name: str) -> None:
    network, x = every(name)
    y = network(x)
    (y - torch.rand_like(y)).square().sum().backward()
    # The two networks for voice keep the paper's biases, even those that a norm makes idle.
    exempt = removed_by_norm(network) if name in (*VECTORS, "gated_patch") else set()
    for label, parameter in network.named_parameters():
        assert parameter.grad is not None, label
        assert parameter.grad.isfinite().all(), label
        assert parameter.grad.any() or id(parameter) in exempt, label


@EACH
def test_bfloat16_is_finite_and_near_float32_for_rolls_and_for_silence(name: str) -> None:
    network, x = every(name)
    x[-1] = 0  # silence
    expected = network(x)
    with torch.autocast("cpu", torch.bfloat16):
        y = network(x)
    y.float().square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert y.isfinite().all()
    # Silence is left out: a norm divides its nearly constant maps by nearly nothing, rounding errors included.
    error = (y.float() - expected)[:-1].square().mean().sqrt()
    assert error < 0.1 * expected[:-1].std()


@NOT_NORMED
def test_state_is_parameters_only(name: str) -> None:
    network, _ = every(name)
    assert list(network.state_dict()) == [label for label, _ in network.named_parameters()]


@GAUSSIAN
def test_convolutions_start_gaussian(name: str) -> None:
    network, _ = every(name)
    layers = [m for m in network.modules() if isinstance(m, nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d)]
    weights = torch.cat([layer.weight.detach().flatten() for layer in layers])
    assert float(weights.std()) == pytest.approx(0.02, rel=0.1)
    assert abs(float(weights.mean())) < 1e-3


@pytest.mark.parametrize("name", IMAGES)
def test_rolls_stay_within_0_and_1_with_a_slope_everywhere(name: str) -> None:
    network, x = every(name)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.5)  # larger logits than at the start
    with torch.autocast("cpu", torch.bfloat16):
        y = network(x)
    assert y.dtype == torch.float32
    assert (y > 0).all()
    assert (y < 1).all()
