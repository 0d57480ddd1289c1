"""The classifier of Brunner et al. 2018, with time last: one row of logits for a phrase of any grid."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from audiocycle.models.genre_classifier import GenreClassifier
from audiocycle.models.layers import InstanceNorm, parameter_count

PUBLISHED = [  # (in, out, kernel = stride as (pitch, time), size of the map after it)
    (1, 64, (12, 1), (7, 64)),
    (64, 128, (1, 4), (7, 16)),
    (128, 256, (1, 2), (7, 8)),
    (256, 512, (1, 8), (7, 1)),
    (512, 2, (7, 1), (1, 1)),
]


def tiny(channels: int = 1) -> GenreClassifier:
    torch.manual_seed(0)
    return GenreClassifier(3, channels=channels, width=0.125)


def rolls(steps: int) -> torch.Tensor:
    return (torch.rand(2, 2, 84, steps, generator=torch.manual_seed(1)) < 0.1).float()


def test_layers_are_called_as_published() -> None:
    called: list[tuple[int, int, Any, Any]] = []

    def note(layer: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        assert isinstance(layer, nn.Conv2d)
        assert layer.kernel_size == layer.stride
        called.append((layer.in_channels, layer.out_channels, layer.kernel_size, tuple(output.shape[2:])))

    with torch.device("meta"):  # shapes only
        classifier = GenreClassifier(2)
        for layer in classifier.modules():
            if isinstance(layer, nn.Conv2d):
                layer.register_forward_hook(note)
        assert classifier(torch.zeros(5, 2, 84, 64)).shape == (5, 2)
    assert called == PUBLISHED
    kernels = 12 * 64 + 4 * 64 * 128 + 2 * 128 * 256 + 8 * 256 * 512 + 7 * 512 * 2
    assert parameter_count(classifier) == kernels + 2 * (128 + 256 + 512) == 1_156_608


def test_norms_stand_in_the_middle_three() -> None:
    kinds = [type(layer) for layer in tiny().body]
    with_norm = [nn.Conv2d, InstanceNorm, nn.LeakyReLU]
    assert kinds == [nn.Conv2d, nn.LeakyReLU, *with_norm * 3, nn.Conv2d]


def test_rolls_enter_between_minus_1_and_1() -> None:
    entered: list[torch.Tensor] = []
    classifier = tiny()
    classifier.body.register_forward_pre_hook(lambda _body, inputs: entered.append(inputs[0]))
    with torch.inference_mode():
        classifier(rolls(64))
    assert entered[0].unique().tolist() == [-1.0, 1.0]


def test_only_the_asked_channels_count() -> None:
    x, other = rolls(64), rolls(64)
    other[:, 1] = 1 - other[:, 1]
    with torch.inference_mode():
        assert torch.equal(tiny()(x), tiny()(other))
        assert not torch.allclose(tiny(2)(x), tiny(2)(other))


@pytest.mark.parametrize("steps", [1, 16, 63, 65, 96, 128, 200])
def test_every_step_of_any_length_counts(steps: int) -> None:
    x = rolls(steps).requires_grad_()
    y = tiny()(x)
    assert y.shape == (2, 3)
    y[0].square().sum().backward()
    assert x.grad is not None
    heard = x.grad[0, 0].abs().sum(0)
    assert (heard > 0).all()


def test_a_phrase_of_96_steps_starts_again_and_columns_are_averaged() -> None:
    x = rolls(96)
    classifier = tiny()
    with torch.inference_mode():
        whole = torch.cat([x, x[..., :32]], dim=-1)
        columns = classifier.body(2 * whole[:, :1] - 1)
        assert columns.shape == (2, 3, 1, 2)
        torch.testing.assert_close(classifier(x), columns.mean(dim=(2, 3)))
