"""What a critic's layers see in a reconstruction: nothing else than in the item, where both are the same."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch

from audiocycle.build import build_critic, build_translator
from audiocycle.errors import ConfigError
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.objectives.preset import build_objective
from audiocycle.objectives.terms.feature_matching import FeatureMatching
from audiocycle.spec import ANYONE, Batch, Direction, Domain, FeatureSpec

ROWS, MADE, TOLD = 12, 6, 4
SPEC = FeatureSpec("voice", (ROWS,), 200.0, made=MADE, condition=TOLD)
ANNA = Domain("anna", condition=torch.ones(TOLD).numpy())
MODEL: dict[str, Any] = {"translator": "shared", "generator": "content_1d", "critic": "envelope_patch", "width": 0.1}
WEIGHTS = {"cycle": 0, "cycle_adversarial": 0, "identity": 1, "adversarial": 0.1}
DIRECTION = Direction(ANYONE, ANNA)


def losses(critic: str = "envelope_patch", perfect: bool = False) -> dict[str, float]:
    torch.manual_seed(0)
    objective = build_objective([DIRECTION], ObjectiveConfig.of(feature_matching=1, **WEIGHTS), SPEC)
    translator = build_translator(MODEL, [DIRECTION], SPEC).eval()
    critics = {name: build_critic(MODEL | {"critic": critic}, [ANNA], 1, TOLD).eval() for name in objective.critics}
    items = {domain: torch.randn(2, ROWS, 64) for domain in (ANYONE, ANNA)}
    made: Any = (lambda x, direction: x) if perfect else translator
    terms, _ = objective.generator_terms(made, critics, cast(Any, Batch(items)))
    return {name.partition("/")[0]: float(value.detach()) for name, value in terms.items()}


def test_the_same_is_seen_in_the_same() -> None:
    assert losses(perfect=True)["feature_matching"] == 0.0


def test_another_is_seen_to_differ_and_can_be_learned_from() -> None:
    assert 0.0 < losses()["feature_matching"] < 10.0


def test_a_critic_that_shows_no_layers_is_told() -> None:
    with pytest.raises(ConfigError, match=r"objective\.feature_matching: this critic shows no layers; choose model\.critic=envelope_patch"):
        losses("gated_patch")


def test_it_needs_a_critic_that_plays() -> None:
    with pytest.raises(ConfigError, match=r"objective\.feature_matching=1: needs objective\.adversarial above 0"):
        ObjectiveConfig.of(feature_matching=1, **WEIGHTS | {"adversarial": 0, "cycle_adversarial": 1, "cycle": 1})


def test_the_rows_that_are_passed_on_do_not_count() -> None:
    step: Any = type("Step", (), {})()
    step.same, step.target = torch.zeros(1, ROWS, 8), torch.zeros(1, ROWS, 8)
    assert FeatureMatching(SPEC).made(step.same).shape == (1, MADE, 8)
