"""Linear networks, small enough that every loss can be worked out in plain numpy, and who called them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from audiocycle.models.translator import Critic, DomainCritic, Translator
from audiocycle.models.translators.pair import PairTranslator
from audiocycle.objectives.base import Fakes, Objective
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.objectives.preset import build_objective
from audiocycle.spec import Batch, Direction, Domain, FeatureSpec, FloatArray, Values, directions

BATCH, ROWS, FRAMES = 2, 3, 5
VOICE = ObjectiveConfig()


def objective(
    names: Sequence[str], config: ObjectiveConfig = VOICE, steps_per_beat: int = 0, values: Values = Values.REAL
) -> Objective:
    """The objective over domains of these names."""
    spec = FeatureSpec("test", (ROWS,), 1.0, values=values, steps_per_beat=steps_per_beat)
    return build_objective(directions(list(map(Domain, names)), config.one_way), config, spec)


class Matrix(nn.Module):
    """(B, ..., P, T) -> (B, ..., rows, T), a matrix times each frame."""

    def __init__(self, rows: int, columns: int = ROWS) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(rows, columns, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("qp,b...pt->b...qt", self.matrix, x.double())


class Counting(Translator):
    """Counts the calls of each direction."""

    def __init__(self, inner: Translator) -> None:
        super().__init__()
        self.inner, self.calls = inner, Counter[str]()

    def forward(self, x: Tensor, direction: Direction) -> Tensor:
        self.calls[str(direction)] += 1
        y: Tensor = self.inner(x, direction)
        return y

    @staticmethod
    def networks(directions: Sequence[Direction]) -> dict[Direction, str]:
        raise AssertionError("asked for")


class Watched(Critic):
    """Keeps all that a critic is given, as (domain, items)."""

    def __init__(self, inner: Critic) -> None:
        super().__init__()
        self.inner = inner
        self.seen: list[tuple[str, Tensor]] = []

    def forward(self, x: Tensor, domain: Domain) -> Tensor:
        self.seen.append((domain.name, x.detach().clone()))
        y: Tensor = self.inner(x, domain)
        return y


class Unwanted(Critic):
    """May not be called."""

    def forward(self, x: Tensor, domain: Domain) -> Tensor:
        raise AssertionError("called")


class Parts:
    """Linear networks and a batch over some domains, with crops of mixed music in it.

    Args:
        shape: of an item, (P, T) or (C, P, T).
    """

    def __init__(self, domains: Sequence[str], seed: int = 0, shape: tuple[int, ...] = (ROWS, FRAMES)) -> None:
        torch.manual_seed(seed)
        rows = shape[-2]
        every = [Domain(name) for name in domains]
        self.domains, self.pairs = list(domains), [(each.source.name, each.target.name) for each in directions(every)]
        self.translator: Translator = PairTranslator(directions(every), lambda: Matrix(rows, rows))
        self.critics: dict[str, Critic] = {
            name: DomainCritic(every, lambda: Matrix(1, rows)) for name in ("critic", "cycle_critic", "mixed_critic")
        }
        self.values = Values.PROBABILITIES if len(shape) > 2 else Values.REAL
        self.batch = Batch({domain: torch.randn(BATCH, *shape) for domain in every}, mixed=torch.randn(BATCH, *shape))

    def objective(self, config: ObjectiveConfig, steps_per_beat: int = 4) -> Objective:
        return objective(self.domains, config, steps_per_beat, self.values)

    def generator_terms(self, config: ObjectiveConfig = VOICE, **options: Any) -> tuple[dict[str, Tensor], Fakes]:
        return self.objective(config).generator_terms(self.translator, self.critics, self.batch, **options)

    def critic_terms(self, config: ObjectiveConfig = VOICE, fakes: Fakes | None = None) -> dict[str, Tensor]:
        fakes = fakes or self.generator_terms(config)[1]
        return self.objective(config).critic_terms(self.critics, self.batch, fakes)

    def translate(self, x: FloatArray, source: str, target: str) -> FloatArray:
        return np.asarray(matrix(self.translator, f"generators.{source}->{target}") @ x)

    def judge(self, critic: str, domain: str, x: FloatArray) -> FloatArray:
        return np.asarray(matrix(self.critics[critic], f"critics.{domain}") @ x)

    def items(self, domain: str) -> FloatArray:
        return np.asarray(self.batch.items[Domain(domain)].numpy())


def matrix(network: nn.Module, name: str) -> FloatArray:
    return np.asarray(network.state_dict()[f"{name}.matrix"].numpy())


def numbers(terms: dict[str, Tensor]) -> dict[str, float]:
    return {name: value.item() for name, value in terms.items()}
