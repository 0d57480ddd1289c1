"""One network for all targets, which is told whom it is to make."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audiocycle.build import SHARED, build_translator, model_cost
from audiocycle.models.translators.shared import NAME, SharedTranslator
from audiocycle.spec import ANYONE, Direction, Domain, FeatureSpec, directions

TARGETS = [Domain(name, condition=np.full(2, value, np.float32)) for name, value in (("anna", 1.0), ("ben", -1.0))]
SPEC = FeatureSpec("voice", (20,), 200.0, made=6, condition=5)
MODEL = {"translator": "shared", "generator": "content_1d", "width": 0.05}


class Watched(nn.Module):
    """Adds one, and keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.given.append(x)
        return x + 1.0


def test_the_network_is_told_of_the_target_and_answers_with_features_only() -> None:
    translator = SharedTranslator(directions(TARGETS, any_source=True), Watched)
    x = torch.randn(3, 4, 7)
    for target, told in zip(TARGETS, (1.0, -1.0), strict=True):
        assert torch.equal(translator(x, Direction(ANYONE, target)), x + 1.0)
        given = translator.network(Direction(ANYONE, target)).given[-1]
        assert torch.equal(given, torch.cat([x, torch.full((3, 2, 7), told)], dim=1))


def test_all_directions_have_one_network_of_a_name_that_is_known_without_torch() -> None:
    ways = directions(TARGETS, any_source=True)
    assert NAME == SHARED
    assert SharedTranslator.networks(ways) == dict.fromkeys(ways, SHARED)
    translator = build_translator(MODEL, ways, SPEC)
    assert {name.split(".")[1] for name in translator.state_dict()} == {SHARED}
    assert translator.network(ways[0]) is translator.network(ways[1])


def test_a_target_that_nothing_is_known_of_is_a_mistake() -> None:
    translator = SharedTranslator(directions(TARGETS, any_source=True), Watched)
    with pytest.raises(AssertionError, match="with what a network is told of them"):
        translator(torch.randn(1, 4, 7), Direction(ANYONE, Domain("zoe")))


def test_it_costs_the_same_for_any_number_of_targets() -> None:
    costs = [model_cost(MODEL, SPEC, directions([Domain(f"a{i}") for i in range(n)], any_source=True)) for n in (1, 30)]
    assert costs[0] == costs[1]


def test_directions_are_from_anyone_to_each() -> None:
    assert [str(way) for way in directions(TARGETS, any_source=True)] == ["anyone->anna", "anyone->ben"]
    assert directions(TARGETS[:1], one_way=True, any_source=True) == (Direction(ANYONE, TARGETS[0]),)
    assert directions(TARGETS, any_source=True)[0].file_stem == "anyone-to-anna"
    assert (SPEC.any_source, SPEC.network_shape) == (True, (25,))
    assert (FeatureSpec("music", (2, 84), 8.0).any_source, FeatureSpec("music", (2, 84), 8.0).network_shape) == (False, (2, 84))
