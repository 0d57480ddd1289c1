"""Every term of the objective against the papers' formulas in plain numpy, and who is called how often."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_networks import Counting, Parts, Unwanted, numbers, objective
from torch import Tensor
from ways import way

from audiocycle.errors import ConfigError
from audiocycle.models.translator import Critic
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.objectives.games.least_squares import LeastSquares
from audiocycle.spec import Domain


def expected_generator_terms(parts: Parts) -> dict[str, float]:
    terms = {}
    for s, t in parts.pairs:
        x_s, x_t = parts.items(s), parts.items(t)
        fake, same = parts.translate(x_s, s, t), parts.translate(x_t, s, t)
        back = parts.translate(fake, t, s)
        terms[f"adversarial/{s}->{t}"] = ((parts.judge("critic", t, fake) - 1) ** 2).mean()
        terms[f"cycle_adversarial/{s}->{t}"] = ((parts.judge("cycle_critic", s, back) - 1) ** 2).mean()
        terms[f"cycle/{s}->{t}"] = np.abs(back - x_s).mean()
        terms[f"identity/{s}->{t}"] = np.abs(same - x_t).mean()
    return terms


def expected_critic_terms(parts: Parts) -> dict[str, float]:
    terms = {}
    for s, t in parts.pairs:
        x_s, x_t = parts.items(s), parts.items(t)
        fake = parts.translate(x_s, s, t)
        back = parts.translate(fake, t, s)
        real, made = parts.judge("critic", t, x_t), parts.judge("critic", t, fake)
        terms[f"critic/{s}->{t}"] = ((real - 1) ** 2).mean() + (made**2).mean()
        real, made = parts.judge("cycle_critic", s, x_s), parts.judge("cycle_critic", s, back)
        terms[f"cycle_critic/{s}->{t}"] = ((real - 1) ** 2).mean() + (made**2).mean()
    return terms


TWO_AND_THREE = pytest.mark.parametrize("domains", [("a", "b"), ("a", "b", "c")], ids=["two", "three"])


@TWO_AND_THREE
def test_generator_terms_are_the_papers_formulas(domains: tuple[str, ...]) -> None:
    parts = Parts(domains)
    terms, _ = parts.generator_terms()
    assert numbers(terms) == pytest.approx(expected_generator_terms(parts), rel=1e-5)


@TWO_AND_THREE
def test_critic_terms_are_the_papers_formulas(domains: tuple[str, ...]) -> None:
    parts = Parts(domains)
    assert numbers(parts.critic_terms()) == pytest.approx(expected_critic_terms(parts), rel=1e-5)


@settings(max_examples=20, deadline=None)
@given(values=st.tuples(st.floats(0.1, 9), *[st.sampled_from([0.0, 0.5, 10.0])] * 3))
def test_total_is_the_weighted_sum_and_a_zero_weight_leaves_its_term_out(values: tuple[float, ...]) -> None:
    weights = dict(zip(("adversarial", "cycle_adversarial", "cycle", "identity"), values, strict=True))
    parts, config = Parts(("a", "b")), ObjectiveConfig.of(**weights)
    terms, _ = parts.generator_terms(config)
    expected = {n: v for n, v in expected_generator_terms(parts).items() if weights[n.split("/")[0]]}
    assert terms.keys() == expected.keys()
    total = sum(weights[name.split("/")[0]] * value for name, value in expected.items())
    assert objective(("a", "b"), config).total(terms).item() == pytest.approx(total, rel=1e-5)


def test_weights_are_the_papers_and_all_variants_are_off() -> None:
    config = ObjectiveConfig()
    given = {"adversarial": 1, "cycle_adversarial": 1, "cycle": 10, "identity": 5, "reconstruction": 100, "mixed": 1}
    assert dict(config.weights) == given | dict.fromkeys(("chroma", "groove", "density", "feature_matching", "guide", "outline"), 0)
    assert (config.paired, config.one_way, config.game, config.mixture, config.critic_noise) == (False, False, "least_squares", "base", 0)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"adversarial": 0.0, "cycle_adversarial": 0.0}, "one must be above 0"),
        ({"adversarial": 0.0, "paired": True}, "one must be above 0"),
        ({"mixture": "half"}, "objective.mixture=half: choose one of base, partial, full"),
        ({"mixture": "partial", "paired": True}, "objective.mixture=partial: not with objective.paired=true"),
        *[
            ({name: -0.1}, f"objective.{name}=-0.1: choose a number from 0 to")
            for name in (
                "adversarial", "cycle_adversarial", "cycle", "identity", "reconstruction", "mixed", "critic_noise", "chroma", "groove", "density",
            )
        ],
    ],
)  # fmt: skip
def test_impossible_settings_are_refused(values: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ObjectiveConfig.of(**values)


def test_identity_terms_can_be_switched_off() -> None:
    parts = Parts(("a", "b"))
    terms, _ = parts.generator_terms(off={"identity"})
    expected = {n: v for n, v in expected_generator_terms(parts).items() if not n.startswith("identity")}
    assert numbers(terms) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("identity", [True, False])
def test_each_direction_costs_two_forwards_and_the_critic_step_none(identity: bool) -> None:
    parts = Parts(("a", "b", "c"))
    counting = parts.translator = Counting(parts.translator)
    _, fakes = parts.generator_terms(off=() if identity else {"identity"})
    # s->t runs for its own fake (with the identity in the same batch), and for the way back of t->s.
    assert counting.calls == {f"{s}->{t}": 2 for s, t in parts.pairs}
    parts.critic_terms(fakes=fakes)
    assert sum(counting.calls.values()) == 2 * len(parts.pairs)


def test_without_cycle_and_second_step_there_is_no_way_back() -> None:
    parts = Parts(("a", "b"))
    counting = parts.translator = Counting(parts.translator)
    terms, fakes = parts.generator_terms(ObjectiveConfig.of(cycle=0.0, cycle_adversarial=0.0))
    assert counting.calls == {"a->b": 1, "b->a": 1}
    assert {name.split("/")[0] for name in terms} == {"adversarial", "identity"}
    assert "back" not in fakes


def test_second_step_loss_reaches_both_generators() -> None:
    parts = Parts(("a", "b"))
    terms, _ = parts.generator_terms(ObjectiveConfig.of(cycle=0.0, identity=0.0))
    terms["cycle_adversarial/a->b"].backward()
    for name, parameter in parts.translator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name


def test_second_step_has_critics_of_its_own() -> None:
    parts, other = Parts(("a", "b")), Parts(("a", "b"), seed=1)
    before, _ = parts.generator_terms()
    parts.critics["cycle_critic"] = other.critics["cycle_critic"]
    after, _ = parts.generator_terms()
    changed = {name for name in before if before[name].item() != after[name].item()}
    assert changed == {"cycle_adversarial/a->b", "cycle_adversarial/b->a"}


def test_critic_terms_give_the_generators_no_gradient() -> None:
    parts = Parts(("a", "b"))
    torch.stack(list(parts.critic_terms().values())).sum().backward()
    assert all(p.grad is None for p in parts.translator.parameters())
    for name in ("critic", "cycle_critic"):
        assert all(p.grad is not None for p in parts.critics[name].parameters())


def test_fakes_are_detached_and_named_by_direction() -> None:
    parts = Parts(("a", "b"))
    _, fakes = parts.generator_terms()
    for kind in (fakes["fake"], fakes["back"]):
        assert kind.keys() == {way("a", "b"), way("b", "a")}
        assert not any(x.requires_grad for x in kind.values())
    fake = parts.translate(parts.items("a"), "a", "b")
    np.testing.assert_allclose(fakes["fake"][way("a", "b")].numpy(), fake, rtol=1e-6)
    np.testing.assert_allclose(fakes["back"][way("a", "b")].numpy(), parts.translate(fake, "b", "a"), rtol=1e-6)


def test_without_second_step_its_critics_are_never_called() -> None:
    parts, config = Parts(("a", "b")), ObjectiveConfig.of(cycle_adversarial=0.0)
    parts.critics["cycle_critic"] = Unwanted()
    terms = parts.generator_terms(config)[0] | parts.critic_terms(config)
    assert {name.split("/")[0] for name in terms} == {"adversarial", "cycle", "identity", "critic"}


def test_losses_are_float32_when_networks_compute_in_bfloat16() -> None:
    class Low(Critic):
        def forward(self, x: Tensor, domain: Domain) -> Tensor:
            return x.bfloat16()

    real, fake = torch.full((1, 1, 4), 3.0), torch.full((1, 1, 4), 2.0)
    judge = Low()
    loss = LeastSquares().critic(lambda x: judge(x, Domain("a")), real, fake)
    assert loss.dtype == torch.float32
    assert loss.item() == 2.0**2 + 2.0**2
