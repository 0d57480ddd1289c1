"""The variants for music against formulas in plain numpy: mixed critics, noise on what critics see, content terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from linear_networks import Parts, Unwanted, Watched, numbers, objective
from torch import Tensor
from ways import way

from audiocycle.models.translator import DomainCritic
from audiocycle.models.translators.pair import PairTranslator
from audiocycle.objectives.base import Fakes
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.spec import Direction, Domain, FloatArray

PLAIN = {"cycle_adversarial": 0.0, "identity": 0.0}
AB = ("a", "b")
IMAGE = (2, 12, 8)
"""Sustain and onset, one octave, two beats."""


def gradients(parts: Parts) -> dict[str, bool]:
    """By generator, whether the last backward reached it."""
    assert isinstance(parts.translator, PairTranslator)
    found = parts.translator.generators.items()
    return {name: any(p.grad is not None and p.grad.any() for p in g.parameters()) for name, g in found}


# Mixed critics


@pytest.mark.parametrize("mixture", ["partial", "full"])
@pytest.mark.parametrize("heard", [True, False])
def test_mixed_critics_tell_mixed_music_from_fakes(mixture: str, heard: bool) -> None:
    parts = Parts(("a", "b", "c"))
    terms = numbers(parts.critic_terms(ObjectiveConfig.of(mixture=mixture, mixed_to_generator=heard, **PLAIN)))
    assert terms.keys() == {f"{kind}/{s}->{t}" for kind in ("critic", "mixed_critic") for s, t in parts.pairs}
    for s, t in parts.pairs:
        real = parts.judge("mixed_critic", t, parts.batch.mixed.numpy())
        fake = parts.judge("mixed_critic", t, parts.translate(parts.items(s), s, t))
        assert terms[f"mixed_critic/{s}->{t}"] == pytest.approx(((real - 1) ** 2).mean() + (fake**2).mean(), rel=1e-5)


def test_mixed_critics_change_no_other_term() -> None:
    base, mixed = ObjectiveConfig(), ObjectiveConfig.of(mixture="partial", mixed_to_generator=True)
    plain, more = Parts(AB), Parts(AB)
    before = numbers(plain.generator_terms(base)[0] | plain.critic_terms(base))
    after = numbers(more.generator_terms(mixed)[0] | more.critic_terms(mixed))
    assert {name: value for name, value in after.items() if not name.startswith("mixed")} == before


def test_the_generators_hear_mixed_critics_when_asked() -> None:
    parts, config = Parts(AB), ObjectiveConfig.of(mixture="partial", mixed_to_generator=True, mixed=3.0, cycle=0.0, **PLAIN)
    terms, _ = parts.generator_terms(config)
    expected = {}
    for s, t in parts.pairs:
        fake = parts.translate(parts.items(s), s, t)
        expected[f"adversarial/{s}->{t}"] = ((parts.judge("critic", t, fake) - 1) ** 2).mean()
        expected[f"mixed/{s}->{t}"] = ((parts.judge("mixed_critic", t, fake) - 1) ** 2).mean()
    assert numbers(terms) == pytest.approx(expected, rel=1e-5)
    weighted = sum(value * (3.0 if name.startswith("mixed") else 1.0) for name, value in expected.items())
    assert objective(AB, config).total(terms).item() == pytest.approx(weighted, rel=1e-5)
    terms["mixed/a->b"].backward()
    assert gradients(parts) == {"a->b": True, "b->a": False}


def test_the_generators_hear_nothing_of_mixed_critics_otherwise() -> None:
    parts = Parts(AB)
    mixed = parts.critics["mixed_critic"]
    parts.critics["mixed_critic"] = Unwanted()  # not even called in the generator step
    config = ObjectiveConfig.of(mixture="partial", mixed=3.0, **PLAIN)
    terms, fakes = parts.generator_terms(config)
    assert {name.split("/")[0] for name in terms} == {"adversarial", "cycle"}
    parts.critics["mixed_critic"] = mixed
    torch.stack(list(parts.critic_terms(config, fakes).values())).sum().backward()
    assert gradients(parts) == {"a->b": False, "b->a": False}
    assert all(p.grad is not None for p in mixed.parameters())


@pytest.mark.parametrize(
    ("changes", "critics"),
    [
        ({}, ("critic", "cycle_critic")),
        ({"cycle_adversarial": 0.0}, ("critic",)),
        ({"adversarial": 0.0}, ("cycle_critic",)),
        ({"mixture": "partial"}, ("critic", "cycle_critic", "mixed_critic")),
        ({"mixture": "full", "cycle_adversarial": 0.0}, ("critic", "mixed_critic")),
        ({"mixture": "partial", "mixed": 0.0, "cycle_adversarial": 0.0}, ("critic", "mixed_critic")),
    ],
    ids=str,
)
def test_only_critics_that_are_needed_are_asked_for_and_called(changes: dict[str, Any], critics: tuple[str, ...]) -> None:
    config, parts = ObjectiveConfig.of(**changes), Parts(AB)
    assert objective(AB, config).critics == critics
    parts.critics = {name: critic if name in critics else Unwanted() for name, critic in parts.critics.items()}
    terms = parts.critic_terms(config)
    assert {name.split("/")[0] for name in terms} == set(critics)


# Noise


LOUD = ObjectiveConfig.of(critic_noise=2.0, mixture="partial", mixed_to_generator=True)


def watched(config: ObjectiveConfig, seed: int, shape: tuple[int, ...] = (3, 2000)) -> tuple[Parts, dict[str, Tensor], Fakes]:
    """Parts after both steps, with critics that keep what they saw; terms and fakes."""
    parts = Parts(AB, shape=shape)
    parts.critics = {name: Watched(critic) for name, critic in parts.critics.items()}
    torch.manual_seed(seed)
    terms, fakes = parts.generator_terms(config)
    return parts, terms | parts.critic_terms(config, fakes), fakes


def test_noise_is_on_all_that_any_critic_sees() -> None:
    parts, _, fakes = watched(LOUD, seed=0)
    clean = {
        "critic": {t: [fakes["fake"][way(s, t)], torch.cat([parts.batch.items[Domain(t)], fakes["fake"][way(s, t)]])] for s, t in parts.pairs},
        "cycle_critic": {s: [fakes["back"][way(s, t)], torch.cat([parts.batch.items[Domain(s)], fakes["back"][way(s, t)]])] for s, t in parts.pairs},
        "mixed_critic": {t: [fakes["fake"][way(s, t)], torch.cat([parts.batch.mixed, fakes["fake"][way(s, t)]])] for s, t in parts.pairs},
    }
    noises = []
    for name, critic in parts.critics.items():
        for domain in AB:
            seen = [x for d, x in critic.seen if d == domain]
            assert len(seen) == 2  # the generator step shows the fake, the critic step real and fake
            for given, x in zip(clean[name][domain], seen, strict=True):
                noises += list((x - given).double())
    assert len(noises) == 3 * 2 * (2 + 4)
    for noise in noises:
        assert noise.std().item() == pytest.approx(2.0, rel=0.06)
        assert abs(noise.mean().item()) < 0.15
    pairwise = torch.corrcoef(torch.stack([noise.flatten() for noise in noises])) - torch.eye(len(noises))
    assert pairwise.abs().max() < 0.08  # each is drawn anew


def test_noise_is_not_on_what_generators_make_and_are_measured_by() -> None:
    _, clean, before = watched(ObjectiveConfig(), seed=0, shape=(3, 5))
    _, noisy, after = watched(ObjectiveConfig.of(critic_noise=2.0), seed=0, shape=(3, 5))
    for kind in ("fake", "back"):
        for name, item in before[kind].items():
            assert torch.equal(item, after[kind][name])
    for name, value in clean.items():
        same = name.split("/")[0] in ("cycle", "identity")
        assert (value.item() == noisy[name].item()) is same, name


def test_noise_follows_from_the_seed() -> None:
    first, again, other = (numbers(watched(LOUD, seed, shape=(3, 5))[1]) for seed in (1, 1, 2))
    assert first == again
    assert {name for name in first if first[name] == other[name]} == {n for n in first if n.startswith(("cycle/", "identity/"))}


def test_without_noise_critics_see_the_very_items_and_nothing_is_drawn() -> None:
    torch.manual_seed(3)
    drawn = torch.randn(1)
    parts, _, fakes = watched(ObjectiveConfig.of(mixture="partial"), seed=3, shape=(3, 5))
    assert torch.equal(torch.randn(1), drawn)
    seen = dict(parts.critics["mixed_critic"].seen)
    assert torch.equal(seen["b"], torch.cat([parts.batch.mixed, fakes["fake"][way("a", "b")]]))


# Content


def chroma(x: FloatArray) -> FloatArray:
    """Per beat of 4 steps: mean sustain by pitch class, over its length (squared, plus 0.01). x: (B, 2, 12, T)."""
    beats = x[:, 0].reshape(len(x), 12, -1, 4).mean(axis=-1)
    return np.asarray(beats / np.sqrt((beats**2).sum(axis=1, keepdims=True) + 0.01))


def groove(x: FloatArray) -> FloatArray:
    return np.asarray(x[:, 1].max(axis=1))


@pytest.mark.parametrize(("kind", "measure"), [("chroma", chroma), ("groove", groove)])
def test_content_terms_compare_the_fake_with_its_source(kind: str, measure: Callable[[FloatArray], FloatArray]) -> None:
    parts, config = Parts(AB, shape=IMAGE), ObjectiveConfig.of(**{kind: 4.0}, cycle=0.0, **PLAIN)
    terms, _ = parts.generator_terms(config)
    assert {name.split("/")[0] for name in terms} == {"adversarial", kind}
    weighted = 0.0
    for s, t in parts.pairs:
        x = parts.items(s)
        expected = np.abs(measure(parts.translate(x, s, t)) - measure(x)).mean()
        assert terms[f"{kind}/{s}->{t}"].item() == pytest.approx(expected, rel=1e-4)
        weighted += 4.0 * expected + terms[f"adversarial/{s}->{t}"].item()
    assert objective(AB, config).total(terms).item() == pytest.approx(weighted, rel=1e-4)
    terms[f"{kind}/a->b"].backward()
    assert gradients(parts) == {"a->b": True, "b->a": False}


def test_a_beat_is_as_long_as_the_grid_says() -> None:
    parts = Parts(AB, shape=(2, 12, 24))
    config = ObjectiveConfig.of(chroma=1.0, density=1.0, cycle=0.0, **PLAIN)
    straight, triplet = (
        parts.objective(config, steps).generator_terms(parts.translator, parts.critics, parts.batch)[0] for steps in (4, 6)
    )
    x = parts.items("a")
    expected = [z[:, 0].reshape(len(z), 12, 4, 6).mean(axis=-1) for z in (parts.translate(x, "a", "b"), x)]
    made, source = (beats / np.sqrt((beats**2).sum(axis=1, keepdims=True) + 0.01) for beats in expected)
    assert triplet["chroma/a->b"].item() == pytest.approx(np.abs(made - source).mean(), rel=1e-4)
    assert triplet["chroma/a->b"].item() != pytest.approx(straight["chroma/a->b"].item(), rel=1e-3)
    assert triplet["density/a->b"].item() > straight["density/a->b"].item()  # half as many onsets again in a beat


def test_content_terms_may_be_on_together_and_cost_no_forward() -> None:
    parts = Parts(AB, shape=IMAGE)
    terms, _ = parts.generator_terms(ObjectiveConfig.of(chroma=1.0, groove=0.5))
    kinds = {"adversarial", "cycle_adversarial", "cycle", "identity", "chroma", "groove"}
    assert terms.keys() == {f"{kind}/{pair}" for kind in kinds for pair in ("a->b", "b->a")}


def test_density_compares_the_batchs_fakes_with_its_real_items_each_sorted() -> None:
    parts, config = Parts(AB, shape=IMAGE), ObjectiveConfig.of(density=2.0, cycle=0.0, **PLAIN)
    terms, _ = parts.generator_terms(config)
    assert {name.split("/")[0] for name in terms} == {"adversarial", "density"}

    def measures(x: FloatArray) -> FloatArray:
        """By item, sounding pitches and onsets in 4 steps; the one octave is all there is."""
        return np.asarray(np.sort(x[:, :2].sum(axis=2).mean(axis=-1) * [1, 4], axis=0))

    for s, t in parts.pairs:
        expected = np.abs(measures(parts.translate(parts.items(s), s, t)) - measures(parts.items(t))).mean()
        assert terms[f"density/{s}->{t}"].item() == pytest.approx(expected, rel=1e-4)
    terms["density/a->b"].backward()
    assert gradients(parts) == {"a->b": True, "b->a": False}


def test_content_is_float32_when_networks_compute_in_bfloat16() -> None:
    parts = Parts(AB, shape=IMAGE)

    class Low(PairTranslator):
        def forward(self, x: Tensor, direction: Direction) -> Tensor:
            return x.bfloat16()

    parts.translator = Low([way(s, t) for s, t in parts.pairs], torch.nn.Identity)
    parts.critics["critic"] = DomainCritic(list(map(Domain, AB)), torch.nn.Identity)
    terms, _ = parts.generator_terms(ObjectiveConfig.of(chroma=1.0, groove=1.0, cycle=0.0, **PLAIN))
    for name in ("chroma/a->b", "groove/a->b"):
        assert terms[name].dtype == torch.float32
        assert 0 < terms[name].item() < 0.02  # the rounding of a copy
