"""The generator that is told what is said: what it goes by, what it leaves alone, and what it may be built of."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from audiocycle.build import GENERATORS, build, generator_maker
from audiocycle.errors import ConfigError
from audiocycle.models.generators.content_1d import DILATIONS, ContentGenerator1D
from audiocycle.models.layers import parameter_count
from audiocycle.spec import FeatureSpec

MADE, ROWS, TOLD = 6, 20, 5
SPEC = FeatureSpec("voice", (ROWS,), 200.0, made=MADE, condition=TOLD)
MODEL = {"translator": "shared", "generator": "content_1d", "width": 0.05}


def tiny(made: int = MADE, rows: int = ROWS, told: int = TOLD, **options: Any) -> ContentGenerator1D:
    torch.manual_seed(0)
    return ContentGenerator1D((rows + told,), made, told, **{"width": 0.05, "n_blocks": 2} | options).eval()


def made_of(x: Tensor, **options: Any) -> Tensor:
    with torch.inference_mode():
        y: Tensor = tiny(**options)(x)
    return y


@settings(max_examples=25, deadline=None)
@given(
    made=st.integers(2, 9), content=st.integers(1, 9), told=st.integers(1, 9), n_blocks=st.integers(0, 8), frames=st.integers(1, 40), batch=st.integers(1, 3)
)
def test_any_rows_and_any_length_come_back_in_their_shape(made: int, content: int, told: int, n_blocks: int, frames: int, batch: int) -> None:
    x = torch.randn(batch, made + content + told, frames)
    y = made_of(x, made=made, rows=made + content, told=told, n_blocks=n_blocks)
    assert y.shape == x.shape
    assert y.isfinite().all()


def test_only_the_coefficients_are_new() -> None:
    x = torch.randn(2, ROWS + TOLD, 30)
    y = made_of(x)
    kept = [0, *range(MADE, ROWS + TOLD)]  # the level, what is said, and whom it is to be
    assert torch.equal(y[:, kept], x[:, kept])
    assert (y[:, 1:MADE] != x[:, 1:MADE]).all()


def test_it_does_not_hear_who_speaks() -> None:
    x = torch.randn(1, ROWS + TOLD, 30)
    other = x.clone()
    other[:, 1:MADE] = 100.0 * torch.randn(1, MADE - 1, 30)
    assert torch.equal(made_of(x)[:, 1:], torch.cat([made_of(other)[:, 1:MADE], x[:, MADE:]], dim=1))


@pytest.mark.parametrize("row", [MADE, ROWS - 1, ROWS, ROWS + TOLD - 1])
def test_it_goes_by_what_is_said_and_by_the_target(row: int) -> None:
    x = torch.randn(1, ROWS + TOLD, 30)
    other = x.clone()
    other[:, row] += 1.0
    assert (made_of(x)[:, 1:MADE] - made_of(other)[:, 1:MADE]).abs().max() > 1e-4


def test_what_is_heard_is_some_frames_to_either_side() -> None:
    x = torch.randn(1, ROWS + TOLD, 201)
    other = x.clone()
    other[:, MADE:ROWS, 100] += 1.0
    changed = (made_of(x, n_blocks=6) != made_of(other, n_blocks=6))[0, 1:MADE].any(dim=0).nonzero().flatten() - 100
    reach = 2 * sum(DILATIONS)
    assert reach / 200 == pytest.approx(0.18)  # seconds, as its docstring says
    assert (int(changed.min()), int(changed.max())) == (-reach, reach)


def test_dropout_is_for_training_only() -> None:
    network, x = tiny(dropout=0.5, told_dropout=0.5), torch.randn(2, ROWS + TOLD, 30)
    with torch.inference_mode():
        assert torch.equal(network(x), network(x))
        assert not torch.equal(network.train()(x), network(x))


def test_layers_start_as_torchs_do() -> None:
    network = tiny(width=1.0)
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv1d)]
    for layer in convolutions:
        limit = (layer.in_channels * layer.kernel_size[0]) ** -0.5
        assert 0.9 * limit < float(layer.weight.detach().abs().max()) <= limit
    assert len(convolutions) == 2 + 1 + 2 * 2 + 1  # the portrait's, the inlet, two in each block, the outlet


def test_parameter_count_is_the_stated_one() -> None:
    with torch.device("meta"):
        network = ContentGenerator1D((424 + 74,), 36, 74)
    assert parameter_count(network) / 1e6 == pytest.approx(2.463, abs=0.005)


@pytest.mark.parametrize(("made", "condition"), [(0, 0), (ROWS + TOLD, 0), (MADE, ROWS + TOLD - MADE), (-1, 0), (ROWS + TOLD, TOLD)])
def test_features_whose_content_is_not_beside_them_are_refused(made: int, condition: int) -> None:
    with pytest.raises(ConfigError, match="needs adapter=content"):
        ContentGenerator1D((ROWS + TOLD,), made, condition)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_blocks": 10**6}, "n_blocks=1000000: choose a whole number from 0 to 64"),
        ({"dropout": 1.0}, "dropout=1.0: choose a number from 0 to 0.9"),
        ({"told_dropout": -0.1}, "told_dropout=-0.1: choose a number from 0 to 0.9"),
    ],
)
def test_options_have_limits(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(GENERATORS, "generator", "content_1d", {"shape": (ROWS + TOLD,), "made": MADE, "condition": TOLD, **options}, nn.Module)
    assert said in str(caught.value)


@pytest.mark.parametrize("option", ["shape", "made", "condition"])
def test_what_follows_from_the_features_is_no_option(option: str) -> None:
    with pytest.raises(ConfigError, match=rf"generator_options\.{option}: follows from the adapter; leave it out"):
        generator_maker(MODEL | {"generator_options": {option: 3}}, SPEC)


def test_model_and_adapter_go_together() -> None:
    assert isinstance(generator_maker(MODEL, SPEC)(), ContentGenerator1D)
    plain = FeatureSpec("voice", (ROWS,), 200.0)
    for model, spec in ((MODEL, plain), ({"generator": "gated_1d"}, SPEC), ({"translator": "pair", "generator": "content_1d"}, SPEC)):
        with pytest.raises(ConfigError, match="adapter=content goes with model=content"):
            generator_maker(model, spec)
