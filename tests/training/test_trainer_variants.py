"""Training with each variant of the objective: it runs, its terms are logged, and a resume is exact, noise and all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_trainer import tiny_objective
from trainer_state import assert_same, clone, snapshot

from audiocycle.errors import TrainingError
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.spec import Batch, Domain, FloatArray
from audiocycle.training.checkpoint import load_newest
from audiocycle.training.monitor import average_kinds
from audiocycle.training.trainer import Report, Trainer

MakeTrainer = Callable[..., Trainer]
AB = ("a", "b")
MUSIC = {
    "generator": "gated_2d", "critic": "conv_patch", "width": 0.03, "generator_options": {"n_blocks": 1},
}  # fmt: skip
UNET = {"generator": "unet", "critic": "conv_patch", "width": 0.03, "generator_options": {"depth": 2, "dropout": 0.5}}
FULL = {"mixture": "full", "mixed_to_generator": True, "critic_noise": 1.0, "cycle_adversarial": 0.0, "identity": 0.0}
VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "noise": ({"critic_noise": 1.0}, {}),
    "genre": ({"critic_noise": 1.0, "cycle_adversarial": 0.0, "identity": 0.0}, {"pool_size": 2, "average": 0.9, "batch_size": 2}),
    "partial": ({"mixture": "partial", "critic_noise": 0.5}, {"pool_size": 2}),
    "full, heard": (FULL, {"batch_size": 3}),
    "content": ({"chroma": 1.0, "groove": 1.0, "density": 1.0}, {"batch_size": 2}),
    "paired": ({"paired": True}, {"model": UNET, "average": 0.9, "pool_size": 2, "batch_size": 2}),
}
EVERY = pytest.mark.parametrize("variant", VARIANTS)


def rolls(domains: tuple[str, ...], seed: int = 0) -> dict[str, list[FloatArray]]:
    """Two items (2, 12, T) of a few phrases of 16 steps for each domain."""
    random = np.random.default_rng(seed)
    return {d: [(random.random((2, 12, 16 * n)) < 0.2).astype(np.float32) for n in (2, 3)] for d in domains}


def drawing(_step: int, _weights: Any) -> None:
    """A hook that takes random numbers, as building a network for samples does."""
    torch.randn(5)


class Fixed:
    """A sampler that gives the same batch in each step."""

    def __init__(self, crops: dict[str, FloatArray]) -> None:
        self.crops = crops

    def batch(self, step: int) -> Batch[FloatArray]:
        return self.crops


@pytest.fixture
def make(make_trainer: MakeTrainer, tmp_path: Path) -> Callable[..., Trainer]:
    """``make("noise", "folder", max_steps=3, ...)``: a trainer with tiny networks on tiny rolls."""

    def made(variant: str, folder: str = "run", **options: Any) -> Trainer:
        of_objective, of_trainer = VARIANTS[variant]
        config = ObjectiveConfig.of(**of_objective)
        mixed = {"base": (), "partial": AB, "full": (*AB, "c")}[config.mixture]
        return make_trainer(
            tmp_path / folder,
            features=rolls((*AB, "c") if config.mixture == "full" else AB),
            objective=tiny_objective(AB, **of_objective),
            sampler={"hop": 16, "mixture": list(map(Domain, mixed)), "domains": list(map(Domain, AB)), "aligned": config.paired},
            **({"model": MUSIC, "checkpoint_every": 2, "sample_every": 2, "on_sample": drawing} | of_trainer | options),
        )

    return made


@EVERY
def test_a_resumed_run_equals_an_uninterrupted_one(make: Callable[..., Trainer], variant: str) -> None:
    whole_log: list[Report] = []
    whole = make(variant, "whole", max_steps=4, on_log=whole_log.append)
    whole.run()
    make(variant, "parts", max_steps=2).run()
    parts_log: list[Report] = []
    parts = make(variant, "parts", max_steps=4, on_log=parts_log.append)
    torch.randn(17)  # whatever happened to the random numbers before
    assert parts.resume()
    assert parts.step == 2
    parts.run()
    assert_same(snapshot(whole), snapshot(parts))
    assert [report.values for report in whole_log[2:]] == [report.values for report in parts_log]


@EVERY
def test_two_steps_change_every_weight_and_log_every_term(make: Callable[..., Trainer], variant: str) -> None:
    trainer = make(variant)
    before = clone({"translator": trainer.translator.state_dict(), "critics": trainer.critics.state_dict()})
    values = [{name: value.item() for name, value in trainer.train_step().items()} for _ in range(2)][-1]
    assert all(np.isfinite(value) for value in values.values())
    for name, state in before.items():
        after = getattr(trainer, name).state_dict()
        assert not [key for key in state if torch.equal(state[key], after[key])]
    config = ObjectiveConfig.of(**VARIANTS[variant][0])
    kinds = {"adversarial", "critic"}
    if config.paired:
        kinds |= {"reconstruction"}
    else:
        kinds |= {kind for kind in ("cycle_adversarial", "cycle", "identity", "chroma", "groove", "density") if config.weights[kind]}
        kinds |= {"cycle_critic"} if config.weights["cycle_adversarial"] else set()
        kinds |= {"mixed_critic"} if config.mixture != "base" else set()
        kinds |= {"mixed"} if config.mixed_to_generator else set()
    assert {name.split("/")[0] for name in values} == kinds | {"norm"}
    assert average_kinds(values).keys() == kinds  # all are shown


def test_mixed_crops_reach_the_mixed_critics_and_nothing_else(make: Callable[..., Trainer]) -> None:
    values = []
    for name in ("as drawn", "emptied"):
        trainer = make("partial", name)
        batch = trainer.sampler.batch(0)
        if name == "emptied":
            batch = replace(batch, mixed=np.zeros_like(batch.mixed))
        trainer.sampler = Fixed(batch)  # type: ignore[assignment]
        values.append(trainer.train_step())
    changed = {name for name, value in values[0].items() if value != values[1][name]}
    assert changed == {"mixed_critic/a->b", "mixed_critic/b->a", "norm/critic"}


def test_a_sample_hook_that_draws_changes_nothing(make: Callable[..., Trainer]) -> None:
    with_samples, without = make("noise", "with", max_steps=4), make("noise", "without", max_steps=4, sample_every=0)
    for trainer in (with_samples, without):
        trainer.run()
    assert_same(snapshot(with_samples), snapshot(without))


def test_noise_is_drawn_anew_in_each_step_and_follows_the_seed(make: Callable[..., Trainer]) -> None:
    values = []
    for seed in (1, 1, 2):
        trainer = make("noise", lr=1e-12, seed=seed)
        trainer.sampler = Fixed(make("noise").sampler.batch(0))  # type: ignore[assignment]
        values.append([trainer.train_step()["adversarial/a->b"].item() for _ in range(2)])
    assert values[0] == values[1]
    assert np.diff(sorted([*values[0], *values[2]])).min() > 1e-4


def test_resume_with_other_critics_is_refused(make: Callable[..., Trainer]) -> None:
    make("genre", max_steps=1).run()
    for other in ("partial", "noise", "full, heard"):
        with pytest.raises(TrainingError, match="another objective; resume with the same, or set another run_dir"):
            make(other).resume()
    make("paired", "pairs", max_steps=1).run()
    with pytest.raises(TrainingError, match="another objective"):  # as many critics, but of single items
        make("genre", "pairs", model=UNET).resume()
    assert make("genre").resume()


def test_checkpoints_hold_the_critics_by_name(make: Callable[..., Trainer]) -> None:
    trainer = make("full, heard", max_steps=1)
    trainer.run()
    state = load_newest(trainer.folder)
    assert state is not None
    assert {name.split(".")[0] for name in state.critics} == {"critic", "mixed_critic"}
    assert_same(state.critics, dict(trainer.critics.state_dict()))
