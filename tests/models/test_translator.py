"""Networks are found by domain names, whatever the number of domains."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from audiocycle.build import build_critic, build_translator
from audiocycle.errors import ConfigError
from audiocycle.models.layers import parameter_count
from audiocycle.models.translator import Critic, DomainCritic, Translator
from audiocycle.models.translators.pair import PairTranslator
from audiocycle.spec import Direction, Domain, FeatureSpec, directions

DOMAINS = tuple(map(Domain, ("anna", "ben", "SF 1")))
A, B = map(Domain, "ab")


class Add(nn.Module):
    """Adds a constant of its own."""

    def __init__(self, value: int) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(float(value)))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.value


def test_each_direction_has_its_own_generator() -> None:
    numbers = count(1)
    translator = PairTranslator(directions(DOMAINS), lambda: Add(next(numbers)))
    x = torch.zeros(1, 2, 3)
    answers = {direction: translator(x, direction).mean().item() for direction in directions(DOMAINS)}
    assert sorted(answers.values()) == [1, 2, 3, 4, 5, 6]
    for direction, answer in answers.items():
        assert float(translator.state_dict()[f"generators.{direction}.value"]) == answer


def test_each_domain_has_its_own_critic() -> None:
    numbers = count(1)
    critic = DomainCritic(DOMAINS, lambda: Add(next(numbers)))
    assert [critic(torch.zeros(1), domain).item() for domain in DOMAINS] == [1, 2, 3]


def test_domains_may_be_called_like_methods() -> None:
    names, numbers = tuple(map(Domain, ("pop", "train", "keys"))), count(1)
    critic = DomainCritic(names, lambda: Add(next(numbers)))
    assert [critic(torch.zeros(1), name).item() for name in names] == [1, 2, 3]
    assert list(critic.state_dict()) == [f"critics.{name}.value" for name in names]
    other = DomainCritic(names, lambda: Add(0))
    other.load_state_dict(critic.state_dict())
    assert [other(torch.zeros(1), name).item() for name in names] == [1, 2, 3]
    assert PairTranslator(directions(names), lambda: Add(1))(torch.zeros(1), Direction(names[0], names[2])).item() == 1


def test_a_dot_in_a_domain_is_refused_before_it_spoils_a_checkpoint() -> None:
    with pytest.raises(ConfigError, match=r"'vol. 1' may hold no dot"):
        DomainCritic((Domain("vol. 1"), B), lambda: Add(0))


@pytest.mark.parametrize(("source", "target"), [("anna", "anna"), ("anna", "nobody")])
def test_unknown_directions_are_refused(source: str, target: str) -> None:
    translator = PairTranslator(directions(DOMAINS), lambda: Add(0))
    with pytest.raises(KeyError):
        translator(torch.zeros(1, 2, 3), Direction(Domain(source), Domain(target)))


def test_interfaces_leave_forward_to_the_networks() -> None:
    with pytest.raises(NotImplementedError):
        Translator()(torch.zeros(1), Direction(A, B))
    with pytest.raises(NotImplementedError):
        Critic()(torch.zeros(1), A)


def test_build_table_makes_networks_of_the_features_dimension() -> None:
    config = {
        "generator": "gated_212d",
        "critic": "gated_patch",
        "width": 0.125,
        "generator_options": {"n_blocks": 1},
    }
    translator, critic = build_translator(config, directions((A, B)), FeatureSpec("voice", (10,), 200.0)), build_critic(config, (A, B))
    x = torch.randn(1, 10, 9)
    assert translator(x, Direction(A, B)).shape == x.shape
    assert critic(x, A).shape == (1, 1, 2, 2)
    assert parameter_count(translator) == 2 * parameter_count(translator.network(Direction(A, B)))


@pytest.mark.parametrize("generator", ["gated_2d", "resnet", "unet"])
@pytest.mark.parametrize("critic", ["gated_patch", "conv_patch"])
def test_build_table_makes_networks_for_rolls(generator: str, critic: str) -> None:
    config = {"generator": generator, "critic": critic, "width": 0.125}
    translator = build_translator(config, directions((A, B)), FeatureSpec("music", (2, 12), 8.0))
    critics = build_critic(config, (A, B), channels=2)
    x = torch.rand(1, 2, 12, 16)
    y = translator(x, Direction(A, B))
    assert y.shape == x.shape
    assert critics(y, B).shape[:2] == (1, 1)


@pytest.mark.parametrize(("options", "said"), [({"channels": 5}, "channels: follows from the features"), ([1], "must be options by name")])
def test_options_of_critics_do_not_replace_what_follows_from_features(options: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_critic({"critic": "gated_patch", "critic_options": options}, (A, B))


@pytest.mark.parametrize(
    ("config", "part"),
    [
        ({"generator": "nope"}, "this version knows: content_1d, gated_1d, gated_212d"),
        (
            {"generator": "gated_212d", "generator_options": {"depth": 3}},
            "no option depth; it has: shape, width",
        ),
        ({"generator": "gated_212d", "width": "wide"}, "width=wide must be of type float"),
    ],
)
def test_a_wrong_model_setting_is_named(config: dict[str, object], part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        build_translator(config, directions((A, B)), FeatureSpec("voice", (8,), 200.0))
