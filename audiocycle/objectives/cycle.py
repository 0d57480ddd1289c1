"""The objectives: unpaired (cycle + identity + two-step adversarial) and paired, written once over ordered pairs of domains.

Unpaired, for each direction s->t with translator T and critics D (first step), D' (second step), M (mixed music):

    fake = T(x_s, s, t)        back = T(fake, t, s)        same = T(x_t, s, t)

    adversarial/s->t         E[(D_t(fake) - 1)^2]
    cycle_adversarial/s->t   E[(D'_s(back) - 1)^2]          Kaneko et al. 2019, eq. 5 (two-step)
    cycle/s->t               E[|back - x_s|]                Zhu et al. 2017, eq. 2
    identity/s->t            E[|same - x_t|]                Zhu et al. 2017, section 5.2
    mixed/s->t               E[(M_t(fake) - 1)^2]           Brunner et al. 2018, if ``mixed_to_generator``
    chroma, groove           E[|c(fake) - c(x_s)|]          content that a transfer should keep (models/content.py)
    density/s->t             W1(d(fake), d(x_t))            how much sounds in t, as distributions (models/density.py)
    guide/s->t               E[|fake - guide|]              what t is like with the same content (voice/guide.py, music/guide.py);
                                                            of rolls the cross-entropy, since their cells are probabilities

and for the critics

    critic/t                 E[(D_t(x_t) - 1)^2] + E[D_t(fake)^2]
    cycle_critic/s           E[(D'_s(x_s) - 1)^2] + E[D'_s(back)^2]
    mixed_critic/t           E[(M_t(x_mixed) - 1)^2] + E[M_t(fake)^2]      Brunner et al. 2018, eq. 6

Terms are named ``kind/direction``; weights carry the kind's name. No optimizers, no files, no speakers, no MIDI.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from audiocycle.errors import ConfigError
from audiocycle.models.layers import as_image
from audiocycle.models.translator import Critic, Translator
from audiocycle.objectives.content import chroma, groove
from audiocycle.objectives.density import density_distance
from audiocycle.spec import MIXED, direction, ordered_pairs
from audiocycle.system.limits import Limit, OneOf, Range, Switch, hold

Terms = dict[str, Tensor]
Critics = Mapping[str, Critic]
MIXTURES = ("base", "partial", "full")
WEIGHT = Range(0, 1e9, whole=False)
SURE = 1e-5
"""Probabilities nearer to 0 or 1 are taken as so far away: logarithms stay finite."""


def kind_of(default: object) -> Limit:
    """What a setting of an objective may be, from its default: a switch, one of the mixtures, or a weight."""
    return Switch() if isinstance(default, bool) else OneOf(MIXTURES) if isinstance(default, str) else WEIGHT


@dataclass(frozen=True)
class ObjectiveConfig:
    """Weight of each kind of generator term (zero leaves the term, and all its computation, out), and the variants.

    The voice paper: cycle 10; identity 5 for the first 10,000 iterations and then 0 (the trainer decides when).
    The music paper: cycle 10, no cycle_adversarial, no identity.

    Attributes:
        one_way: learn to convert from the first domain to the others only. A cycle needs the way back.
        paired: train on aligned pairs (pix2pix: conditional critic + ``reconstruction``) instead of cycles.
        adversarial: weight of the critics' opinion of fakes.
        cycle_adversarial: weight of their opinion of what came back.
        cycle: weight of the distance of what came back from what went.
        identity: weight of what the generators do to items of their own target.
        reconstruction: weight of E[|fake - x_t|] (of rolls, the cross-entropy), paired only.
        critic_noise: deviation of Gaussian noise on everything that a critic sees (Brunner et al. 2018, sigma_D).
        mixture: what further critics M see as real: base (no such critics) | partial (the domains' music) | full (that of
            ``data.mixture`` too).
        mixed_to_generator: M's opinion reaches the generators with weight ``mixed`` (as the paper intends) or never
            (as its published code does).
        mixed: weight of M's opinion.
        chroma, groove: weights of the content terms: the harmony, and the rhythm of onsets, of music stay.
        density: weight of the distance between how much sounds in the batch's fakes and in its real items. Of several processes each
            compares its own share of the batch, so that this term is not the one of a single process.
        guide: weight of the guide, which the batch then holds for each direction under its name.
    """

    one_way: bool = False
    paired: bool = False
    adversarial: float = 1.0
    cycle_adversarial: float = 1.0
    cycle: float = 10.0
    identity: float = 5.0
    reconstruction: float = 100.0
    mixture: str = "base"
    mixed_to_generator: bool = False
    mixed: float = 1.0
    critic_noise: float = 0.0
    chroma: float = 0.0
    groove: float = 0.0
    density: float = 0.0
    guide: float = 0.0

    def __post_init__(self) -> None:
        hold("objective.", vars(self), {name: kind_of(value) for name, value in vars(ObjectiveConfig).items() if name in vars(self)})
        unused = [name for name in ("critic_noise", "chroma", "groove", "density", "guide") if self.paired and getattr(self, name)]
        if unused:
            raise ConfigError(f"objective.{unused[0]}={getattr(self, unused[0])}: not with objective.paired=true; set it to 0")
        if self.paired and self.mixture != "base":
            raise ConfigError(f"objective.mixture={self.mixture}: not with objective.paired=true; leave it at base")
        if self.one_way and not self.paired and (self.cycle or self.cycle_adversarial):
            raise ConfigError("objective.one_way=true: a cycle needs the way back; set objective.cycle=0 and objective.cycle_adversarial=0, as experiment=vc2_guided does, or leave one_way out")
        if not (self.adversarial or (self.cycle_adversarial and not self.paired)):
            raise ConfigError("objective.adversarial=0, objective.cycle_adversarial=0: one must be above 0 to learn anything")


@dataclass(frozen=True)
class Fakes:
    """What the generators made in this step, detached, for the critics to judge without a second forward."""

    fake: dict[str, Tensor]
    """By direction ``s->t``: an item of t."""
    back: dict[str, Tensor]
    """By direction ``s->t``: the cycled item of s."""


class Objective(Protocol):
    """What the trainer asks for: terms of generators and critics, by name.

    ``critics`` names those that it needs; ``conditions`` how many items a critic sees side by side, as channels.
    """

    critics: tuple[str, ...]
    conditions: int

    def generator_terms(
        self, translator: Translator, critics: Critics, batch: Mapping[str, Tensor], *, identity: bool = True
    ) -> tuple[Terms, Fakes]:
        """All generator terms, unweighted, and the fakes. ``identity`` False leaves the identity terms out."""

    def critic_terms(self, critics: Critics, batch: Mapping[str, Tensor], fakes: Fakes) -> Terms:
        """All critic terms, unweighted, for the fakes of :meth:`generator_terms` (possibly through a pool)."""

    def total(self, terms: Terms) -> Tensor:
        """The weighted sum of generator terms."""


def build_objective(domains: Sequence[str], config: ObjectiveConfig, steps_per_beat: int = 4) -> Objective:
    """The objective that a configuration describes. ``steps_per_beat``: of the grid of piano rolls."""
    return PairedObjective(domains, config) if config.paired else CycleObjective(domains, config, steps_per_beat)


class CycleObjective:
    """Generator terms and critic terms over all ordered pairs of ``domains``, unpaired.

    Args:
        domains: two names or more.
        config: an :class:`ObjectiveConfig`.
        steps_per_beat: of the grid of piano rolls, for chroma and density.
    """

    conditions = 1

    def __init__(self, domains: Sequence[str], config: ObjectiveConfig = ObjectiveConfig(), steps_per_beat: int = 4) -> None:
        self.pairs = ordered_pairs(domains, config.one_way)
        self.config = config
        self.steps_per_beat = steps_per_beat
        content: Mapping[str, Callable[[Tensor], Tensor]] = {"chroma": partial(chroma, steps_per_beat=steps_per_beat), "groove": groove}
        self.content = {name: measure for name, measure in content.items() if getattr(config, name)}
        self.mixes = config.mixture != "base"
        wanted = {"critic": config.adversarial, "cycle_critic": config.cycle_adversarial, "mixed_critic": self.mixes}
        self.critics = tuple(name for name, weight in wanted.items() if weight)

    def generator_terms(
        self, translator: Translator, critics: Critics, batch: Mapping[str, Tensor], *, identity: bool = True
    ) -> tuple[Terms, Fakes]:
        """All generator terms, unweighted, and the fakes.

        Args:
            batch: by domain, (B, ..., T), normalised.
            identity: False leaves the identity terms out (after the cut-off).
        """
        config = self.config
        terms: Terms = {}
        fakes = Fakes({}, {})
        for source, target in self.pairs:
            name = direction(source, target)
            x_s, x_t = batch[source], batch[target]
            if identity and config.identity:
                # One generator, one forward: instance norms look at one item at a time, so batching changes nothing.
                fake, same = translator(torch.cat([x_s, x_t]), source, target).split([len(x_s), len(x_t)])
                terms[f"identity/{name}"] = absolute_error(same, x_t)
            else:
                fake = translator(x_s, source, target)
            fakes.fake[name] = fake.detach()
            if config.adversarial:
                terms[f"adversarial/{name}"] = squared_distance(critics["critic"](self.noisy(fake), target), 1.0)
            if self.mixes and config.mixed_to_generator:
                terms[f"mixed/{name}"] = squared_distance(critics["mixed_critic"](self.noisy(fake), target), 1.0)
            for kind, measure in self.content.items():
                terms[f"{kind}/{name}"] = absolute_error(measure(fake.float()), measure(x_s))
            if config.density:
                terms[f"density/{name}"] = density_distance(fake, x_t, self.steps_per_beat)
            if config.guide:
                terms[f"guide/{name}"] = distance(fake, batch[name])
            if not (config.cycle or config.cycle_adversarial):
                continue
            back = translator(fake, target, source)
            if config.cycle:
                terms[f"cycle/{name}"] = absolute_error(back, x_s)
            if config.cycle_adversarial:
                terms[f"cycle_adversarial/{name}"] = squared_distance(critics["cycle_critic"](self.noisy(back), source), 1.0)
                fakes.back[name] = back.detach()
        return terms, fakes

    def critic_terms(self, critics: Critics, batch: Mapping[str, Tensor], fakes: Fakes) -> Terms:
        """All critic terms, unweighted, for the fakes of :meth:`generator_terms` (possibly through a pool)."""
        terms: Terms = {}
        for source, target in self.pairs:
            name = direction(source, target)
            judged = {
                "critic": (batch[target], fakes.fake[name], target),
                "cycle_critic": (batch[source], fakes.back.get(name), source),
                "mixed_critic": (batch.get(MIXED), fakes.fake[name], target),
            }
            for kind in self.critics:
                real, fake, domain = judged[kind]
                assert real is not None
                assert fake is not None
                terms[f"{kind}/{name}"] = least_squares_critic(critics[kind], self.noisy(real), self.noisy(fake), domain)
        return terms

    def noisy(self, x: Tensor) -> Tensor:
        """What a critic sees of ``x``: noise keeps it from telling genres by single cells that are off."""
        return x + self.config.critic_noise * torch.randn_like(x) if self.config.critic_noise else x

    def total(self, terms: Terms) -> Tensor:
        """The weighted sum of generator terms."""
        return weighted_sum(self.config, terms)


class PairedObjective:
    """pix2pix (Isola et al. 2017) on aligned pairs, in all directions: item i of each domain is item i of the others.

        adversarial/s->t      E[(D_t(x_s, fake) - 1)^2]           least squares, as in the unpaired objective
        reconstruction/s->t   E[|fake - x_t|]                     eq. 3; of rolls the cross-entropy
        critic/t              E[(D_t(x_s, x_t) - 1)^2] + E[D_t(x_s, fake)^2]

    The critic is conditional: it sees source and target side by side, as channels.
    """

    conditions = 2
    critics: tuple[str, ...] = ("critic",)

    def __init__(self, domains: Sequence[str], config: ObjectiveConfig) -> None:
        self.pairs = ordered_pairs(domains, config.one_way)
        self.config = config

    def generator_terms(
        self, translator: Translator, critics: Critics, batch: Mapping[str, Tensor], *, identity: bool = True
    ) -> tuple[Terms, Fakes]:
        """All generator terms, unweighted, and the fakes beside their sources. ``identity`` is not used."""
        terms: Terms = {}
        fakes = Fakes({}, {})
        for source, target in self.pairs:
            name = direction(source, target)
            fake = translator(batch[source], source, target)
            terms[f"reconstruction/{name}"] = distance(fake, batch[target])
            pair = side_by_side(batch[source], fake)
            terms[f"adversarial/{name}"] = squared_distance(critics["critic"](pair, target), 1.0)
            fakes.fake[name] = pair.detach()
        return terms, fakes

    def critic_terms(self, critics: Critics, batch: Mapping[str, Tensor], fakes: Fakes) -> Terms:
        """All critic terms, unweighted."""
        terms: Terms = {}
        for source, target in self.pairs:
            name = direction(source, target)
            real = side_by_side(batch[source], batch[target])
            terms[f"critic/{name}"] = least_squares_critic(critics["critic"], real, fakes.fake[name], target)
        return terms

    def total(self, terms: Terms) -> Tensor:
        """The weighted sum of generator terms."""
        return weighted_sum(self.config, terms)


def side_by_side(x: Tensor, y: Tensor) -> Tensor:
    """Two items as channels of one: (B, P, T) twice to (B, 2, P, T), (B, C, P, T) twice to (B, 2C, P, T)."""
    return torch.cat([as_image(x), as_image(y).to(x.dtype)], dim=1)


def weighted_sum(config: ObjectiveConfig, terms: Terms) -> Tensor:
    """Each term times the weight of its kind, summed."""
    return torch.stack([getattr(config, name.split("/")[0]) * value for name, value in terms.items()]).sum()


def least_squares_critic(critic: Critic, real: Tensor, fake: Tensor, domain: str) -> Tensor:
    """E[(D(real) - 1)^2] + E[D(fake)^2], both judged in one forward."""
    on_real, on_fake = critic(torch.cat([real, fake]), domain).split([len(real), len(fake)])
    return squared_distance(on_real, 1.0) + squared_distance(on_fake, 0.0)


def absolute_error(x: Tensor, y: Tensor) -> Tensor:
    """Mean |x - y| in float32, whatever the networks computed in."""
    return (x.float() - y.float()).abs().mean()


def distance(fake: Tensor, wanted: Tensor) -> Tensor:
    """How far fakes are from what is wanted: of features (B, P, T) the mean |x - y|, of rolls (B, C, P, T), whose cells are probabilities,
    the mean cross-entropy - y log x - (1 - y) log(1 - x); velocities, from 0 to 1, are taken like probabilities.

    Where one source has several answers the first is least at their median, and the second at the share of them that has the note. The
    median of sparse rolls is silence.
    """
    if fake.ndim == 3:
        return absolute_error(fake, wanted)
    x, y = SURE + (1 - 2 * SURE) * fake.float(), wanted.float()  # squeezed and not cut, which would take away the gradient
    x = x.clamp(SURE, 1 - SURE)  # of what is no probability to begin with
    return -(y * x.log() + (1 - y) * (1 - x).log()).mean()


def squared_distance(x: Tensor, value: float) -> Tensor:
    """Mean (x - value)^2 in float32."""
    return (x.float() - value).square().mean()
