"""Every term of the objective against the papers' formulas in plain numpy, and who is called how often."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from audiocycle.errors import ConfigError
from audiocycle.models.translator import Critic, DomainCritic, PairTranslator, Translator
from audiocycle.objective import CycleObjective, Fakes, Weights, least_squares_critic
from audiocycle.spec import FloatArray

ROWS, FRAMES, BATCH = 3, 5, 2


class Matrix(nn.Module):
    """(B, P, T) -> (B, rows, T), a matrix times each frame."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(rows, ROWS, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("qp,bpt->bqt", self.matrix, x.double())


class Counting(Translator):
    """Counts the calls of each direction, and keeps what was given."""

    def __init__(self, inner: Translator) -> None:
        super().__init__()
        self.inner, self.calls = inner, Counter[str]()

    def forward(self, x: Tensor, source: str, target: str) -> Tensor:
        self.calls[f"{source}->{target}"] += 1
        y: Tensor = self.inner(x, source, target)
        return y


class Parts:
    """Linear networks and a batch over some domains."""

    def __init__(self, domains: tuple[str, ...], seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.translator = PairTranslator(domains, lambda: Matrix(ROWS))
        self.critic: Critic = DomainCritic(domains, lambda: Matrix(1))
        self.cycle_critic: Critic = DomainCritic(domains, lambda: Matrix(1))
        self.batch = {d: torch.randn(BATCH, ROWS, FRAMES) for d in domains}
        self.pairs = list(permutations(domains, 2))

    def generator_terms(
        self, weights: Weights | None = None, **options: Any
    ) -> tuple[dict[str, Tensor], Fakes]:
        objective = CycleObjective(list(self.batch), weights or Weights())
        return objective.generator_terms(
            self.translator, self.critic, self.cycle_critic, self.batch, **options
        )

    def translate(self, x: FloatArray, source: str, target: str) -> FloatArray:
        return np.asarray(matrix(self.translator, f"generators.{source}->{target}") @ x)

    def expected_generator_terms(self) -> dict[str, float]:
        terms = {}
        for s, t in self.pairs:
            x_s, x_t = self.batch[s].numpy(), self.batch[t].numpy()
            fake, same = self.translate(x_s, s, t), self.translate(x_t, s, t)
            back = self.translate(fake, t, s)
            terms[f"adversarial/{s}->{t}"] = ((matrix(self.critic, f"critics.{t}") @ fake - 1) ** 2).mean()
            terms[f"cycle_adversarial/{s}->{t}"] = (
                (matrix(self.cycle_critic, f"critics.{s}") @ back - 1) ** 2
            ).mean()
            terms[f"cycle/{s}->{t}"] = np.abs(back - x_s).mean()
            terms[f"identity/{s}->{t}"] = np.abs(same - x_t).mean()
        return terms

    def expected_critic_terms(self) -> dict[str, float]:
        terms = {}
        for s, t in self.pairs:
            x_s, x_t = self.batch[s].numpy(), self.batch[t].numpy()
            fake = self.translate(x_s, s, t)
            back = self.translate(fake, t, s)
            first, second = matrix(self.critic, f"critics.{t}"), matrix(self.cycle_critic, f"critics.{s}")
            terms[f"critic/{s}->{t}"] = ((first @ x_t - 1) ** 2).mean() + ((first @ fake) ** 2).mean()
            terms[f"cycle_critic/{s}->{t}"] = ((second @ x_s - 1) ** 2).mean() + ((second @ back) ** 2).mean()
        return terms


def matrix(network: nn.Module, name: str) -> FloatArray:
    return np.asarray(network.state_dict()[f"{name}.matrix"].numpy())


def numbers(terms: dict[str, Tensor]) -> dict[str, float]:
    return {name: value.item() for name, value in terms.items()}


TWO_AND_THREE = pytest.mark.parametrize("domains", [("a", "b"), ("a", "b", "c")], ids=["two", "three"])


@TWO_AND_THREE
def test_generator_terms_are_the_papers_formulas(domains: tuple[str, ...]) -> None:
    parts = Parts(domains)
    terms, _ = parts.generator_terms()
    assert numbers(terms) == pytest.approx(parts.expected_generator_terms(), rel=1e-5)


@TWO_AND_THREE
def test_critic_terms_are_the_papers_formulas(domains: tuple[str, ...]) -> None:
    parts = Parts(domains)
    _, fakes = parts.generator_terms()
    terms = CycleObjective(domains).critic_terms(parts.critic, parts.cycle_critic, parts.batch, fakes)
    assert numbers(terms) == pytest.approx(parts.expected_critic_terms(), rel=1e-5)


@settings(max_examples=20, deadline=None)
@given(values=st.tuples(st.floats(0.1, 9), *[st.sampled_from([0.0, 0.5, 10.0])] * 3))
def test_total_is_the_weighted_sum_and_a_zero_weight_leaves_its_term_out(values: tuple[float, ...]) -> None:
    parts, weights = Parts(("a", "b")), Weights(*values)
    terms, _ = parts.generator_terms(weights)
    by_kind = {
        kind: getattr(weights, kind) for kind in ("adversarial", "cycle_adversarial", "cycle", "identity")
    }
    expected = {n: v for n, v in parts.expected_generator_terms().items() if by_kind[n.split("/")[0]]}
    assert terms.keys() == expected.keys()
    total = sum(by_kind[name.split("/")[0]] * value for name, value in expected.items())
    assert CycleObjective(("a", "b"), weights).total(terms).item() == pytest.approx(total, rel=1e-5)


def test_weights_are_the_papers() -> None:
    assert Weights() == Weights(adversarial=1, cycle_adversarial=1, cycle=10, identity=5)


@pytest.mark.parametrize("values", [{"cycle": -1.0}, {"adversarial": 0.0, "cycle_adversarial": 0.0}])
def test_impossible_weights_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Weights(**values)


def test_identity_terms_can_be_switched_off() -> None:
    parts = Parts(("a", "b"))
    terms, _ = parts.generator_terms(identity=False)
    expected = {n: v for n, v in parts.expected_generator_terms().items() if not n.startswith("identity")}
    assert numbers(terms) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("identity", [True, False])
def test_each_direction_costs_two_forwards_and_the_critic_step_none(identity: bool) -> None:
    parts = Parts(("a", "b", "c"))
    counting = Counting(parts.translator)
    objective = CycleObjective(("a", "b", "c"))
    _, fakes = objective.generator_terms(
        counting, parts.critic, parts.cycle_critic, parts.batch, identity=identity
    )
    # s->t runs for its own fake (with the identity in the same batch), and for the way back of t->s.
    assert counting.calls == {f"{s}->{t}": 2 for s, t in parts.pairs}
    objective.critic_terms(parts.critic, parts.cycle_critic, parts.batch, fakes)
    assert sum(counting.calls.values()) == 2 * len(parts.pairs)


def test_second_step_loss_reaches_both_generators() -> None:
    parts = Parts(("a", "b"))
    weights = Weights(adversarial=1.0, cycle_adversarial=1.0, cycle=0.0, identity=0.0)
    terms, _ = parts.generator_terms(weights)
    terms["cycle_adversarial/a->b"].backward()
    for name, parameter in parts.translator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name


def test_second_step_has_critics_of_its_own() -> None:
    parts, other = Parts(("a", "b")), Parts(("a", "b"), seed=1)
    before, _ = parts.generator_terms()
    parts.cycle_critic = other.cycle_critic
    after, _ = parts.generator_terms()
    changed = {name for name in before if before[name].item() != after[name].item()}
    assert changed == {"cycle_adversarial/a->b", "cycle_adversarial/b->a"}


def test_critic_terms_give_the_generators_no_gradient() -> None:
    parts = Parts(("a", "b"))
    _, fakes = parts.generator_terms()
    terms = CycleObjective(("a", "b")).critic_terms(parts.critic, parts.cycle_critic, parts.batch, fakes)
    torch.stack(list(terms.values())).sum().backward()
    assert all(p.grad is None for p in parts.translator.parameters())
    assert all(p.grad is not None for p in [*parts.critic.parameters(), *parts.cycle_critic.parameters()])


def test_fakes_are_detached_and_named_by_direction() -> None:
    parts = Parts(("a", "b"))
    _, fakes = parts.generator_terms()
    for kind in (fakes.fake, fakes.back):
        assert kind.keys() == {"a->b", "b->a"}
        assert not any(x.requires_grad for x in kind.values())
    fake = parts.translate(parts.batch["a"].numpy(), "a", "b")
    np.testing.assert_allclose(fakes.fake["a->b"].numpy(), fake, rtol=1e-6)
    np.testing.assert_allclose(fakes.back["a->b"].numpy(), parts.translate(fake, "b", "a"), rtol=1e-6)


def test_without_second_step_its_critics_are_never_called() -> None:
    parts = Parts(("a", "b"))

    class Unwanted(Critic):
        def forward(self, x: Tensor, domain: str) -> Tensor:
            raise AssertionError("called")

    parts.cycle_critic = Unwanted()
    terms, fakes = parts.generator_terms(Weights(cycle_adversarial=0.0))
    objective = CycleObjective(("a", "b"), Weights(cycle_adversarial=0.0))
    critic_terms = objective.critic_terms(parts.critic, parts.cycle_critic, parts.batch, fakes)
    assert {name.split("/")[0] for name in terms | critic_terms} == {
        "adversarial",
        "cycle",
        "identity",
        "critic",
    }


def test_losses_are_float32_when_networks_compute_in_bfloat16() -> None:
    class Low(Critic):
        def forward(self, x: Tensor, domain: str) -> Tensor:
            return x.bfloat16()

    real, fake = torch.full((1, 1, 4), 3.0), torch.full((1, 1, 4), 2.0)
    loss = least_squares_critic(Low(), real, fake, "a")
    assert loss.dtype == torch.float32
    assert loss.item() == 2.0**2 + 2.0**2
