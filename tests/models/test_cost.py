"""What a network costs, beside what its layers do when they are run."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from torch import nn

from audiocycle.build import GENERATORS, model_cost, resolve
from audiocycle.errors import ConfigError
from audiocycle.models.cost import FRAMES, cost
from audiocycle.models.layers import parameter_count
from audiocycle.spec import Direction, Domain, FeatureSpec


def ways(number: int) -> list[Direction]:
    """So many directions."""
    return [Direction(Domain(f"a{place}"), Domain("b")) for place in range(number)]

SHAPES: list[Any] = [[37], [10**12], [-36], [0], 5, None, True]
"""Of options: in place of the adapter's, each came past all limits."""
VOICE, MUSIC = FeatureSpec("voice", (36,), 200.0), FeatureSpec("music", (2, 84), 8.0, 64)


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_shapes_are_those_of_the_network(name: str) -> None:
    shape = (12,) if name in ("gated_212d", "gated_1d", "content_1d") else (2, 12)
    make = partial(resolve(GENERATORS, "generator", name), **({"made": 5, "condition": 3} if name == "content_1d" else {}))
    found = cost(lambda: make(shape=shape, width=0.05), shape)
    network = make(shape=shape, width=0.05)
    assert found.shapes == {key: tuple(x.shape) for key, x in network.state_dict().items()}
    assert found.parameters == parameter_count(network)
    assert found.products > 0
    assert found.bytes >= 4 * sum(shape)


def test_products_are_counted_as_by_hand() -> None:
    found = cost(lambda: nn.Sequential(nn.Conv1d(3, 5, 7, padding=3), nn.ReLU()), (3,))
    assert found.products == 3 * 5 * 7
    assert found.bytes == 4 * (5 + 5)  # the ReLU's
    assert found.parameters == 3 * 5 * 7 + 5
    assert FRAMES % 128 == 0


def test_nothing_is_built() -> None:
    found = cost(lambda: nn.Sequential(nn.Conv1d(3, 10**6, 1001, padding=500)), (3,))  # 12 GB, if it were
    assert found.parameters == 3 * 10**6 * 1001 + 10**6


@pytest.mark.parametrize(
    ("config", "spec", "n_directions", "said"),
    [
        ({"generator": "gated_212d", "width": 30}, VOICE, 2, "width=30: choose a number from"),
        ({"generator": "gated_212d", "width": 16.0}, VOICE, 2, "GB of weights, and the limit is 2"),
        ({"generator": "gated_212d"}, VOICE, 380, "GB of weights"),
        ({"generator": "gated_212d", "width": 4.0}, FeatureSpec("voice", (80,), 200.0), 1, "GB for its largest layer, and the limit is 1"),
        ({"generator": "gated_2d"}, FeatureSpec("music", (2, 84), 12.0, 32 * 24), 2, "GB for its largest layer"),
        ({"generator": "gated_1d", "width": 4.5}, FeatureSpec("voice", (36,), 1000.0), 1, "billion products for a second, and the limit is 100"),
        ({"generator": "gated_212d", "generator_options": {"n_blocks": 10**6}}, VOICE, 2, "n_blocks=1000000: choose a whole number from 0 to 64"),
        ({"generator": "gated_212d", "generator_options": [1]}, VOICE, 2, "must be options by name"),
        ({"generator": "gated_212d", "generator_options": {"residual": 1}}, VOICE, 2, "residual=1 must be of type bool"),
        ({"generator": "unet", "generator_options": {"depth": 30}}, MUSIC, 2, "depth=30: choose a whole number from 1 to 7"),
        *(({"generator": "gated_212d", "generator_options": {"shape": shape}}, VOICE, 2, "shape: follows from the adapter; leave it out") for shape in SHAPES),
        ({"generator": ["gated_212d"]}, VOICE, 2, "generator '['gated_212d']' is unknown"),
        ({}, VOICE, 2, "generator '' is unknown"),
        ({"generator": "gated_212d", "weights": 1}, VOICE, 2, "unknown setting weights"),
    ],
)  # fmt: skip
def test_models_that_cost_too_much_are_refused_before_they_are_built(config: dict[str, Any], spec: FeatureSpec, n_directions: int, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        model_cost(config, spec, ways(n_directions))
    assert said in str(caught.value)


@pytest.mark.parametrize("shape", [(0,), (10**12,), (-36,), (2, 2, 2), (1.5,)], ids=str)
@pytest.mark.parametrize("generator", sorted(GENERATORS))
def test_what_torch_cannot_build_is_told_in_one_line(generator: str, shape: Any) -> None:
    """Whichever way such a shape came through: no error of torch's gets out."""
    with pytest.raises(ConfigError) as caught:
        model_cost({"generator": generator}, FeatureSpec("voice", shape, 200.0), ways(2))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("config", "spec", "n_directions"),
    [
        ({"generator": "gated_212d"}, VOICE, 12),  # the paper's, four speakers
        ({"generator": "gated_212d", "width": 2.0}, VOICE, 2),
        ({"generator": "gated_212d"}, FeatureSpec("voice", (80,), 22050 / 256), 2),
        ({"generator": "gated_212d", "width": 0.25}, VOICE, 380),  # twenty speakers
        ({"generator": "gated_1d"}, VOICE, 12),
        ({"generator": "gated_2d"}, MUSIC, 6),
        ({"generator": "resnet"}, MUSIC, 6),
        ({"generator": "unet"}, MUSIC, 6),
        ({"generator": "gated_2d", "width": 0.25}, FeatureSpec("music", (3, 84), 12.0, 16 * 24), 2),
    ],
)  # fmt: skip
def test_models_that_people_train_are_within_the_limits(config: dict[str, Any], spec: FeatureSpec, n_directions: int) -> None:
    assert model_cost(config, spec, ways(n_directions)).parameters
