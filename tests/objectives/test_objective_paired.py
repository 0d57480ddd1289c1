"""pix2pix on aligned pairs against its formulas in plain numpy; the critic sees source and target side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from linear_networks import BATCH, Counting, Parts, numbers, objective
from torch import Tensor, nn

from audiocycle.models.translator import DomainCritic
from audiocycle.objectives.base import Fakes
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.objectives.cycle import CycleObjective
from audiocycle.objectives.losses import SURE, side_by_side
from audiocycle.objectives.paired import PairedObjective
from audiocycle.spec import Domain, FloatArray

AB = ("a", "b")
PAIRED = ObjectiveConfig.of(paired=True)
SHAPES = pytest.mark.parametrize("shape", [(3, 5), (2, 3, 5)], ids=["one axis", "image"])


class Conditional(nn.Module):
    """(B, 2C, P, T) -> (B, T): a weight for each channel and row."""

    def __init__(self, channels: int, rows: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, rows, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("cp,bcpt->bt", self.weight, x.double())


class PairedParts(Parts):
    """Linear networks whose only critic takes twice the channels."""

    def __init__(self, domains: tuple[str, ...] = AB, shape: tuple[int, ...] = (3, 5)) -> None:
        super().__init__(domains, shape=shape)
        self.channels = shape[0] if len(shape) == 3 else 1
        self.critics = {"critic": DomainCritic(list(map(Domain, domains)), lambda: Conditional(2 * self.channels, shape[-2]))}

    def score(self, domain: str, source: FloatArray, item: FloatArray) -> FloatArray:
        """The critic's, with its first weights on the source and its last on what is to be judged."""
        weight = self.critics["critic"].state_dict()[f"critics.{domain}.weight"].numpy()
        x, y = (z.reshape(BATCH, self.channels, *z.shape[-2:]) for z in (source, item))
        first, last = weight[: self.channels], weight[self.channels :]
        return np.asarray(np.einsum("cp,bcpt->bt", first, x) + np.einsum("cp,bcpt->bt", last, y))


def generator_terms(parts: Parts, config: ObjectiveConfig = PAIRED, **options: Any) -> tuple[dict[str, Tensor], Fakes]:
    return parts.generator_terms(config, **options)


def cross_entropy(probability: FloatArray, wanted: FloatArray) -> float:
    """By hand; these toy networks make no probabilities, so that the limits show, too."""
    p = np.clip(probability, SURE, np.float32(1) - np.float32(SURE)).astype(np.float64)
    return float(-np.mean(np.where(wanted == 0, 0, wanted * np.log(p)) + (1 - wanted) * np.log1p(-p)))


@SHAPES
@pytest.mark.parametrize("domains", [AB, ("a", "b", "c")], ids=["two", "three"])
def test_generator_terms_are_the_papers_formulas(domains: tuple[str, ...], shape: tuple[int, ...]) -> None:
    parts, expected = PairedParts(domains, shape), {}
    for s, t in parts.pairs:
        x_s, x_t = parts.items(s), parts.items(t)
        fake = parts.translate(x_s, s, t)
        expected[f"reconstruction/{s}->{t}"] = np.abs(fake - x_t).mean() if fake.ndim == 3 else cross_entropy(fake, x_t)
        expected[f"adversarial/{s}->{t}"] = ((parts.score(t, x_s, fake) - 1) ** 2).mean()
    terms, _ = generator_terms(parts)
    assert numbers(terms) == pytest.approx(expected, rel=1e-4)
    weighted = sum(value * (100.0 if name.startswith("reconstruction") else 1.0) for name, value in expected.items())
    assert objective(domains, PAIRED).total(terms).item() == pytest.approx(weighted, rel=1e-4)


@SHAPES
def test_critic_terms_are_the_papers_formulas(shape: tuple[int, ...]) -> None:
    parts, expected = PairedParts(shape=shape), {}
    for s, t in parts.pairs:
        x_s, x_t = parts.items(s), parts.items(t)
        fake = parts.translate(x_s, s, t)
        expected[f"critic/{s}->{t}"] = ((parts.score(t, x_s, x_t) - 1) ** 2).mean() + (parts.score(t, x_s, fake) ** 2).mean()
    assert numbers(parts.critic_terms(PAIRED)) == pytest.approx(expected, rel=1e-4)


def test_the_critic_judges_an_item_as_the_counterpart_of_its_source() -> None:
    parts = PairedParts()
    _, fakes = generator_terms(parts)
    before = parts.critic_terms(PAIRED, fakes)
    first = Domain("a")
    parts.batch = replace(parts.batch, items={**parts.batch.items, first: parts.batch.items[first].flip(0)})  # the same items, but no longer each other's counterparts
    after = parts.critic_terms(PAIRED, fakes)
    assert before["critic/a->b"].item() != after["critic/a->b"].item()


def test_every_direction_costs_one_forward_and_identity_is_no_part_of_it() -> None:
    parts = PairedParts(("a", "b", "c"))
    counting = parts.translator = Counting(parts.translator)
    with_identity = numbers(generator_terms(parts, off=())[0])
    assert counting.calls == {f"{s}->{t}": 1 for s, t in parts.pairs}
    assert with_identity == numbers(generator_terms(parts, off={"identity"})[0])


def test_one_way_is_both_ways_without_the_way_back() -> None:
    parts, one = PairedParts(), ObjectiveConfig.of(paired=True, one_way=True)
    both = numbers(generator_terms(parts)[0] | parts.critic_terms(PAIRED))
    found = numbers(generator_terms(parts, one)[0] | parts.critic_terms(one))
    assert found == {name: value for name, value in both.items() if name.endswith("a->b")}


def test_gradients_reach_the_generator_of_the_direction_and_no_other() -> None:
    parts = PairedParts()
    terms, fakes = generator_terms(parts)
    (terms["reconstruction/a->b"] + terms["adversarial/a->b"]).backward()
    reached = {name for name, p in parts.translator.named_parameters() if p.grad is not None}
    assert reached == {"generators.a->b.matrix"}
    parts.translator.zero_grad()
    torch.stack(list(parts.critic_terms(PAIRED, fakes).values())).sum().backward()
    assert all(p.grad is None for p in parts.translator.parameters())
    assert not any(x.requires_grad for x in fakes["fake"].values())
    assert "back" not in fakes


def test_items_stand_side_by_side_as_channels_the_source_first() -> None:
    x, y = torch.zeros(2, 3, 5), torch.ones(2, 3, 5, dtype=torch.bfloat16)
    both = side_by_side(x, y)
    assert both.shape == (2, 2, 3, 5)
    assert both.dtype == torch.float32
    assert not both[:, 0].any()
    assert both[:, 1].all()
    assert side_by_side(torch.zeros(2, 4, 3, 5), torch.ones(2, 4, 3, 5)).mean(dim=(0, 2, 3)).tolist() == [0.0] * 4 + [1.0] * 4


def test_the_configuration_chooses_the_objective() -> None:
    paired, unpaired = objective(AB, PAIRED), objective(AB, ObjectiveConfig())
    assert isinstance(paired, PairedObjective)
    assert (paired.critics, paired.conditions) == (("critic",), 2)
    assert isinstance(unpaired, CycleObjective)
    assert (unpaired.critics, unpaired.conditions) == (("critic", "cycle_critic"), 1)
