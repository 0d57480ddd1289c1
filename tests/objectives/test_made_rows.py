"""Features of which a network makes some rows: objectives look at those alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from audiocycle.errors import ConfigError
from audiocycle.models.translator import Critic, Translator
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.objectives.preset import build_objective, check_objective
from audiocycle.spec import ANYONE, Batch, Direction, Domain, FeatureSpec, directions

ANNA = Domain("anna")
TO_ANNA = Direction(ANYONE, ANNA)
SPEC = FeatureSpec("voice", (5,), 200.0, made=2, condition=1)
USED: dict[str, Any] = {"cycle": 0.0, "cycle_adversarial": 0.0, "identity": 1.0, "adversarial": 0.5}


class AddsRows(Translator):
    """Adds 1, 2, ... to the rows."""

    def forward(self, x: Tensor, direction: Direction) -> Tensor:
        return x + torch.arange(1.0, 1.0 + x.shape[1])[None, :, None]


class Sums(Critic):
    """The sum of all rows; keeps what it was shown. Its layers are what it is shown, and twice that."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor, domain: Domain) -> Tensor:
        self.seen.append(x)
        return x.sum(dim=1)

    def layers(self, x: Tensor, domain: Domain) -> list[Tensor]:
        self.seen.append(x)
        return [x, 2.0 * x]


def batch() -> Batch[Tensor]:
    torch.manual_seed(0)
    return Batch({ANNA: torch.randn(3, 5, 4), ANYONE: torch.randn(3, 5, 4)})


def test_terms_and_critics_see_the_made_rows() -> None:
    objective, critic, items = build_objective([TO_ANNA], ObjectiveConfig.of(**USED), SPEC), Sums(), batch()
    losses, fakes = objective.generator_terms(AddsRows(), {"critic": critic}, items)
    assert losses["identity/anyone->anna"].item() == pytest.approx(1.5)  # the mean of 1 and 2, not of 1 to 5
    fake = items.items[ANYONE][:, :2] + torch.tensor([1.0, 2.0])[None, :, None]
    torch.testing.assert_close(fakes["fake"][TO_ANNA], fake)
    torch.testing.assert_close(losses["adversarial/anyone->anna"], (fake.sum(dim=1) - 1.0).square().mean())
    critics = objective.critic_terms({"critic": critic}, items, fakes)
    expected = (items.items[ANNA][:, :2].sum(dim=1) - 1.0).square().mean() + fake.sum(dim=1).square().mean()
    torch.testing.assert_close(critics["critic/anyone->anna"], expected)
    assert {x.shape[1:] for x in critic.seen} == {(2, 4)}


def test_layers_of_a_reconstruction_are_held_to_those_of_the_item() -> None:
    objective, critic, items = build_objective([TO_ANNA], ObjectiveConfig.of(**USED, feature_matching=1.0), SPEC), Sums(), batch()
    losses, _ = objective.generator_terms(AddsRows(), {"critic": critic}, items)
    torch.testing.assert_close(losses["feature_matching/anyone->anna"], 1.5 / items.items[ANNA][:, :2].abs().mean())


def test_what_is_asked_of_a_critic_needs_one() -> None:
    with pytest.raises(ConfigError, match=r"objective\.feature_matching=1\.0: needs objective\.adversarial above 0"):
        ObjectiveConfig.of(adversarial=0.0, cycle_adversarial=1.0, feature_matching=1.0)


def test_where_all_rows_are_made_all_are_seen() -> None:
    plain = FeatureSpec("voice", (5,), 200.0)
    objective, items = build_objective([TO_ANNA], ObjectiveConfig.of(**USED), plain), batch()
    losses, fakes = objective.generator_terms(AddsRows(), {"critic": Sums()}, items)
    assert losses["identity/anyone->anna"].item() == pytest.approx(3.0)
    assert fakes["fake"][TO_ANNA].shape == (3, 5, 4)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cycle": 1.0}, "there is no way back for a cycle; set objective.cycle=0"),
        ({"cycle_adversarial": 1.0}, "set objective.cycle_adversarial=0"),
        ({"one_way": True}, "leave objective.one_way, objective.paired and objective.mixture out"),
        ({"mixture": "partial"}, "leave objective.one_way, objective.paired and objective.mixture out"),
    ],
)
def test_from_anyone_there_is_no_way_back(changes: dict[str, Any], said: str) -> None:
    check_objective(ObjectiveConfig.of(**USED), SPEC, True, {})
    with pytest.raises(ConfigError) as caught:
        check_objective(ObjectiveConfig.of(**USED | changes), SPEC, True, {})
    assert said in str(caught.value)


def test_several_targets_have_terms_of_their_own() -> None:
    ben = Domain("ben")
    items = Batch({**batch().items, ben: torch.randn(3, 5, 4)})
    objective = build_objective(directions([ANNA, ben], any_source=True), ObjectiveConfig.of(**USED), SPEC)
    losses, _ = objective.generator_terms(AddsRows(), {"critic": Sums()}, items)
    assert set(losses) == {f"{kind}/anyone->{name}" for kind in ("identity", "adversarial") for name in ("anna", "ben")}
