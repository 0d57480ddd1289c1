"""The default generator for rolls: its layers, its parameters, and a start near the identity."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from audiocycle.errors import ConfigError
from audiocycle.models.generators.gated_2d import GatedGenerator2D
from audiocycle.models.layers import parameter_count

RESIDUAL = [(256, 512, 3, 1), (256, 256, 3, 1)]
CONVOLUTIONS = [  # (in, out, kernel, stride) at two channels; out stands before the GLU
    (2, 128, 7, 1),
    (64, 256, 3, 2),
    (128, 512, 3, 2),
    *RESIDUAL * 6,
    (256, 1024, 3, 1),
    (128, 512, 3, 1),
    (64, 2, 7, 1),
]
NORMS = (256, 512, *(512, 256) * 6, 256, 128)


def tiny(**options: Any) -> GatedGenerator2D:
    torch.manual_seed(0)
    return GatedGenerator2D((2, 84), width=0.125, n_blocks=2, **options)


def roll() -> torch.Tensor:
    return (torch.rand(2, 2, 84, 64, generator=torch.manual_seed(1)) < 0.05).float()


def test_convolutions_are_called_as_described() -> None:
    called: list[tuple[int, int, int, int]] = []

    def note(layer: nn.Module, _inputs: Any, _output: Any) -> None:
        assert isinstance(layer, nn.Conv2d)
        assert layer.kernel_size[0] == layer.kernel_size[1]
        called.append((layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0]))

    with torch.device("meta"):  # shapes only
        generator = GatedGenerator2D((2, 84))
        for layer in generator.modules():
            if isinstance(layer, nn.Conv2d):
                layer.register_forward_hook(note)
        assert generator(torch.zeros(1, 2, 84, 64)).shape == (1, 2, 84, 64)
    assert called == CONVOLUTIONS


def test_parameter_count_does_not_depend_on_the_pitches() -> None:
    with torch.device("meta"):
        counts = {parameter_count(GatedGenerator2D((2, rows))) for rows in (84, 128)}
    weights = sum(i * o * k * k for i, o, k, _ in CONVOLUTIONS)
    biases = 128 + 2  # of the first and the last convolution; a norm follows the others
    assert counts == {weights + biases + 2 * sum(NORMS)} == {14_333_698}


@pytest.mark.parametrize("skip", [3.0, 5.0])
def test_untrained_it_nearly_passes_its_input_through(skip: float) -> None:
    x = roll()
    with torch.inference_mode():
        y = tiny(skip=skip)(x)
    assert torch.equal(y > 0.5, x > 0.5)
    # 0.953 and 0.993 for a 1: the sigmoid of the skip, give or take the small logits of an untrained network.
    logits = torch.logit(y) - skip * (2 * x - 1)
    assert logits.abs().max() < 2.0
    torch.testing.assert_close(logits, torch.logit(tiny()(x)), atol=1e-3, rtol=0)


def test_without_skip_it_does_not() -> None:
    x = roll()
    with torch.inference_mode():
        y = tiny()(x)
    assert not torch.equal(y > 0.5, x > 0.5)


def test_linear_outlet_is_the_logit() -> None:
    x = roll()
    with torch.inference_mode():
        torch.testing.assert_close(tiny(outlet="linear")(x).sigmoid(), tiny()(x))


def test_wrong_options_are_named() -> None:
    with pytest.raises(ConfigError, match="outlet=tanh is unknown; choose one of: sigmoid, binary, linear"):
        tiny(outlet="tanh")
    with pytest.raises(ConfigError, match=r"skip=2.0 needs outlet=sigmoid"):
        tiny(outlet="linear", skip=2.0)


def test_binary_outlet_rounds_while_training_and_passes_the_sigmoids_gradient() -> None:
    x = torch.rand(1, 2, 84, 64)
    binary, soft = tiny(outlet="binary"), tiny()
    soft.load_state_dict(binary.state_dict())
    made, wanted = binary.train()(x), soft(x)
    assert set(made.detach().round(decimals=4).unique().tolist()) <= {0.0, 1.0}
    torch.testing.assert_close(made.detach().round(), (wanted > 0.5).float())
    for network, y in ((binary, made), (soft, wanted)):
        y.sum().backward()
        assert network.outlet.weight.grad is not None
    torch.testing.assert_close(binary.outlet.weight.grad, soft.outlet.weight.grad)
    with torch.inference_mode():
        torch.testing.assert_close(binary.eval()(x), soft(x))


def test_a_shifted_roll_gives_a_shifted_answer() -> None:
    """Away from the edges it is the same function at every pitch and step, as a melody is: 4 is its stride."""
    x = torch.zeros(1, 2, 128, 128)
    x[..., 60:64, 60:64] = 1
    with torch.inference_mode():
        y, shifted = (tiny()(x.roll((d, d), (-2, -1))) for d in (0, 4))
    torch.testing.assert_close(shifted[..., 52:80, 52:80], y[..., 48:76, 48:76], atol=1e-4, rtol=0)
