"""A resume restores what fits, passes over what does not, and refuses what belongs to another run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_trainer import tiny_objective, tiny_trainer
from trainer_state import assert_same, snapshot

from audiocycle.errors import TrainingError
from audiocycle.training.checkpoint import checkpoints
from audiocycle.training.trainer import FILES, Trainer

STATEFUL = {"pool_size": 3, "average": 0.9, "checkpoint_every": 1, "keep_checkpoints": 5}


def trained(folder: Path, steps: int = 2, **options: Any) -> Trainer:
    trainer = tiny_trainer(folder, max_steps=steps, **STATEFUL, **options)
    trainer.run()
    return trainer


def changed(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """A checkpoint that torch reads without complaint, and no digest speaks against."""
    content = torch.load(path, weights_only=True)
    change(content)
    torch.save(content, path)


def first_of(weights: dict[str, Any]) -> str:
    return next(iter(weights))


def wider(state: dict[str, Any]) -> None:
    name = first_of(state["translator"])
    state["translator"][name] = torch.zeros(3, 3)


def doubles(state: dict[str, Any]) -> None:
    name = first_of(state["translator"])
    state["translator"][name] = state["translator"][name].double()


def no_number(state: dict[str, Any]) -> None:
    state["translator"][first_of(state["translator"])].view(-1)[0] = float("nan")


def words(state: dict[str, Any]) -> None:
    state["translator"][first_of(state["translator"])] = "weights"


def one_less(state: dict[str, Any]) -> None:
    del state["translator"][first_of(state["translator"])]


def short_moments(state: dict[str, Any]) -> None:
    state["critic_optimizer"]["state"][0]["exp_avg"] = torch.zeros(1)


def no_moments(state: dict[str, Any]) -> None:
    state["generator_optimizer"]["state"][0] = [1]


def two_groups(state: dict[str, Any]) -> None:
    state["generator_optimizer"]["param_groups"] *= 2


def odd_betas(state: dict[str, Any]) -> None:
    state["generator_optimizer"]["param_groups"][0]["betas"] = "fast"


def no_optimizer(state: dict[str, Any]) -> None:
    state["generator_optimizer"] = {}


def short_average(state: dict[str, Any]) -> None:
    state["average"]["weights"].popitem()


def old_average(state: dict[str, Any]) -> None:
    state["average"]["updates"] = "many"


def no_pool(state: dict[str, Any]) -> None:
    del state["pools"]["back"]


def odd_pool(state: dict[str, Any]) -> None:
    state["pools"]["fake"]["a->b"] = [torch.zeros(8, 16), torch.zeros(4, 16)]


def counted_pool(state: dict[str, Any]) -> None:
    state["pools"]["fake"]["a->b"] = [torch.zeros(8, 16, dtype=torch.int64)]


def infinite_pool(state: dict[str, Any]) -> None:
    state["pools"]["fake"]["a->b"] = [torch.full((8, 16), float("inf"))]


ODD = [
    wider, doubles, no_number, words, one_less, short_moments, no_moments, two_groups, odd_betas, no_optimizer, short_average, old_average,
    no_pool, odd_pool, counted_pool, infinite_pool,
]  # fmt: skip


@pytest.mark.parametrize("change", ODD)
def test_a_state_that_does_not_fit_is_passed_over_by_name(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    whole = trained(tmp_path / "whole", 3)
    trained(tmp_path / "run", 2)
    newest = checkpoints(tmp_path / "run")[-1]
    changed(newest, change)
    told: list[str] = []
    resumed = tiny_trainer(tmp_path / "run", max_steps=3, on_note=told.append, **STATEFUL)
    assert resumed.resume()
    assert resumed.step == 1
    assert len(told) == 1
    assert told[0].startswith(f"{newest}: ")
    assert told[0].endswith("; passed over for step-00000001.pt")
    resumed.run()
    assert_same(snapshot(whole), snapshot(resumed))


@pytest.mark.parametrize("change", ODD)
def test_where_none_fits_it_is_one_line(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    trained(tmp_path, 1)
    changed(checkpoints(tmp_path)[-1], change)
    with pytest.raises(TrainingError, match=r"no checkpoint can be read \(.*\); start again with another run_dir") as caught:
        tiny_trainer(tmp_path, **STATEFUL).resume()
    assert "\n" not in str(caught.value)


def test_fakes_of_another_length_are_not_shown_to_the_critics(tmp_path: Path) -> None:
    trained(tmp_path, 2)
    longer = tiny_trainer(tmp_path, max_steps=4, crop=20, **STATEFUL)
    assert longer.resume()
    longer.run()
    assert longer.step == 4


def test_a_history_of_fakes_of_two_precisions_is_restored(tmp_path: Path) -> None:
    """Fakes are as precise as the step that made them, and a resume may change the precision."""
    for precision, steps in (("bf16", 2), ("fp32", 4)):
        trainer = tiny_trainer(tmp_path, max_steps=steps, precision=precision, **STATEFUL)
        assert trainer.resume() == (steps > 2)
        trainer.run()
    kinds = {item.dtype for pool in trainer.pools.values() for items in pool.items.values() for item in items}
    assert kinds == {torch.bfloat16, torch.float32}
    told: list[str] = []
    again = tiny_trainer(tmp_path, max_steps=5, on_note=told.append, **STATEFUL)
    assert again.resume()
    assert (again.step, told) == (4, [])
    again.run()
    assert again.step == 5


def test_other_files_of_equal_length_are_another_run(tmp_path: Path) -> None:
    settings = {"domains": ["a", "b"], "data": {"a": 93, "b": 93}, FILES: {"a": "one", "b": "two"}}
    trained(tmp_path, 1, settings=settings)
    assert tiny_trainer(tmp_path, settings=settings).resume()
    with pytest.raises(TrainingError, match=f"has another {FILES}; resume with the same"):
        tiny_trainer(tmp_path, settings=settings | {FILES: {"a": "one", "b": "three"}}).resume()
    with pytest.raises(TrainingError, match="has another data; resume with the same"):
        tiny_trainer(tmp_path, settings=settings | {FILES: {"a": "one", "b": "three"}, "data": {"a": 93, "b": 90}}).resume()


def test_a_checkpoint_that_does_not_say_which_files_is_taken_for_one_of_these(tmp_path: Path) -> None:
    settings = {"domains": ["a", "b"], "data": {"a": 93, "b": 93}}
    trained(tmp_path, 1, settings=settings)
    assert tiny_trainer(tmp_path, settings=settings | {FILES: {"a": "one", "b": "two"}}).resume()


def test_a_resume_with_another_objective_goes_on_and_says_what_changed(tmp_path: Path) -> None:
    trained(tmp_path)
    told: list[str] = []
    trainer = tiny_trainer(tmp_path, max_steps=3, **STATEFUL, objective=tiny_objective(cycle=5.0, guide=0.0, critic_noise=0.5), on_note=told.append)
    assert trainer.resume()
    assert told == [f"{tmp_path}: goes on with another objective than before: objective.critic_noise=0.5 (was 0.0), objective.cycle=5.0 (was 10.0)"]
    trainer.run()
    assert trainer.step == 3
    told.clear()
    assert tiny_trainer(tmp_path, max_steps=4, **STATEFUL, objective=tiny_objective(cycle=5.0, critic_noise=0.5), on_note=told.append).resume()
    assert not told


def test_a_checkpoint_that_says_nothing_of_its_objective_is_resumed(tmp_path: Path) -> None:
    trained(tmp_path)
    for path in checkpoints(tmp_path):
        changed(path, lambda state: state["settings"].pop("objective"))
    told: list[str] = []
    assert tiny_trainer(tmp_path, max_steps=3, **STATEFUL, objective=tiny_objective(cycle=5.0), on_note=told.append).resume()
    assert not told
