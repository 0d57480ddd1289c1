"""The cycle + identity + two-step adversarial objective, written once over ordered pairs of domains.

For each direction s->t with translator T and critics D (first step) and D' (second step):

    fake = T(x_s, s, t)        back = T(fake, t, s)        same = T(x_t, s, t)

    adversarial/s->t         E[(D_t(fake) - 1)^2]
    cycle_adversarial/s->t   E[(D'_s(back) - 1)^2]          Kaneko et al. 2019, eq. 5 (two-step)
    cycle/s->t               E[|back - x_s|]                Zhu et al. 2017, eq. 2
    identity/s->t            E[|same - x_t|]                Zhu et al. 2017, section 5.2

and for the critics

    critic/t                 E[(D_t(x_t) - 1)^2] + E[D_t(fake)^2]
    cycle_critic/s           E[(D'_s(x_s) - 1)^2] + E[D'_s(back)^2]

Terms are named ``kind/direction``; weights carry the kind's name. No optimizers, no files, no speakers, no MIDI.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

from audiocycle.errors import ConfigError
from audiocycle.models.translator import Critic, Translator
from audiocycle.spec import direction

Terms = dict[str, Tensor]


@dataclass(frozen=True)
class Weights:
    """Weight of each kind of generator term. Zero leaves the term, and all its computation, out.

    The paper: cycle 10; identity 5 for the first 10,000 iterations and then 0 (the trainer decides when).
    """

    adversarial: float = 1.0
    cycle_adversarial: float = 1.0
    cycle: float = 10.0
    identity: float = 5.0

    def __post_init__(self) -> None:
        if min(self.adversarial, self.cycle_adversarial, self.cycle, self.identity) < 0:
            raise ConfigError(f"objective={self}: no weight may be below 0")
        if not (self.adversarial or self.cycle_adversarial):
            raise ConfigError("objective.adversarial=0, objective.cycle_adversarial=0: one must be above 0 to learn anything")


@dataclass(frozen=True)
class Fakes:
    """What the generators made in this step, detached, for the critics to judge without a second forward."""

    fake: dict[str, Tensor]
    """By direction ``s->t``: an item of t."""
    back: dict[str, Tensor]
    """By direction ``s->t``: the cycled item of s."""


class CycleObjective:
    """Generator terms and critic terms over all ordered pairs of ``domains``.

    Args:
        domains: two names or more.
        weights: a :class:`Weights`.
    """

    def __init__(self, domains: Sequence[str], weights: Weights = Weights()) -> None:
        self.pairs = tuple(permutations(domains, 2))
        self.weights = weights

    def generator_terms(
        self,
        translator: Translator,
        critic: Critic,
        cycle_critic: Critic,
        batch: Mapping[str, Tensor],
        *,
        identity: bool = True,
    ) -> tuple[Terms, Fakes]:
        """All generator terms, unweighted, and the fakes.

        Args:
            batch: by domain, (B, ..., T), normalised.
            identity: False leaves the identity terms out (after the cut-off).
        """
        w = self.weights
        terms: Terms = {}
        fakes = Fakes({}, {})
        for source, target in self.pairs:
            name = direction(source, target)
            x_s, x_t = batch[source], batch[target]
            if identity and w.identity:
                # One generator, one forward: instance norms look at one item at a time, so batching changes nothing.
                fake, same = translator(torch.cat([x_s, x_t]), source, target).split([len(x_s), len(x_t)])
                terms[f"identity/{name}"] = absolute_error(same, x_t)
            else:
                fake = translator(x_s, source, target)
            if w.adversarial:
                terms[f"adversarial/{name}"] = squared_distance(critic(fake, target), 1.0)
                fakes.fake[name] = fake.detach()
            if not (w.cycle or w.cycle_adversarial):
                continue
            back = translator(fake, target, source)
            if w.cycle:
                terms[f"cycle/{name}"] = absolute_error(back, x_s)
            if w.cycle_adversarial:
                terms[f"cycle_adversarial/{name}"] = squared_distance(cycle_critic(back, source), 1.0)
                fakes.back[name] = back.detach()
        return terms, fakes

    def critic_terms(
        self, critic: Critic, cycle_critic: Critic, batch: Mapping[str, Tensor], fakes: Fakes
    ) -> Terms:
        """All critic terms, unweighted, for the fakes of :meth:`generator_terms` (possibly through a pool)."""
        terms: Terms = {}
        for source, target in self.pairs:
            name = direction(source, target)
            if self.weights.adversarial:
                terms[f"critic/{name}"] = least_squares_critic(critic, batch[target], fakes.fake[name], target)
            if self.weights.cycle_adversarial:
                terms[f"cycle_critic/{name}"] = least_squares_critic(
                    cycle_critic, batch[source], fakes.back[name], source
                )
        return terms

    def total(self, terms: Terms) -> Tensor:
        """The weighted sum of generator terms."""
        weighted = [getattr(self.weights, name.split("/")[0]) * value for name, value in terms.items()]
        return torch.stack(weighted).sum()


def least_squares_critic(critic: Critic, real: Tensor, fake: Tensor, domain: str) -> Tensor:
    """E[(D(real) - 1)^2] + E[D(fake)^2], both judged in one forward."""
    on_real, on_fake = critic(torch.cat([real, fake]), domain).split([len(real), len(fake)])
    return squared_distance(on_real, 1.0) + squared_distance(on_fake, 0.0)


def absolute_error(x: Tensor, y: Tensor) -> Tensor:
    """Mean |x - y| in float32, whatever the networks computed in."""
    return (x.float() - y.float()).abs().mean()


def squared_distance(x: Tensor, value: float) -> Tensor:
    """Mean (x - value)^2 in float32."""
    return (x.float() - value).square().mean()
