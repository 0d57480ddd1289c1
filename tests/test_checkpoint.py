"""Checkpoints: written whole, a few kept, the newest readable one found, and never code in them."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch

from audiocycle import checkpoint
from audiocycle.checkpoint import FORMAT, TrainState, checkpoints, load_newest, save_state
from audiocycle.errors import OutputError, TrainingError


def state(step: int, size: int = 10, **changes: Any) -> TrainState:
    weights = {"w": torch.full((size,), float(step))}
    values: dict[str, Any] = {
        "step": step, "seconds": 1.5, "translator": weights, "critics": {}, "average": {},
        "generator_optimizer": {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 1e-4, "betas": (0.5, 0.999)}]},
        "critic_optimizer": {}, "pools": {"fake": {"a->b": [torch.ones(2)]}, "back": {}},
        "settings": {"domains": ["a", "b"]},
    }  # fmt: skip
    return TrainState(**(values | changes))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = state(7)
    path = save_state(tmp_path / "new" / "folder", saved, keep=2)
    assert path.name == "step-00000007.pt"
    loaded = load_newest(path.parent)
    assert loaded is not None
    assert torch.equal(loaded.translator.pop("w"), saved.translator.pop("w"))
    assert torch.equal(loaded.pools["fake"]["a->b"][0], torch.ones(2))
    assert loaded.generator_optimizer == saved.generator_optimizer
    assert (loaded.step, loaded.seconds, loaded.settings, loaded.format) == (
        7,
        1.5,
        {"domains": ["a", "b"]},
        FORMAT,
    )


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_only_the_newest_are_kept(tmp_path: Path, keep: int) -> None:
    (tmp_path / "step-final.pt").touch()  # somebody's own copy is nobody's to remove
    for step in (2, 4, 6, 8):
        save_state(tmp_path, state(step), keep)
    assert [int(p.stem[5:]) for p in checkpoints(tmp_path)] == [2, 4, 6, 8][-keep:]
    assert (tmp_path / "step-final.pt").exists()


def test_order_is_that_of_steps_beyond_eight_digits_too(tmp_path: Path) -> None:
    for step in (5, 99_999_999):
        save_state(tmp_path, state(step), keep=5)
    loaded = load_newest(tmp_path)
    assert loaded is not None
    assert loaded.step == 99_999_999


def test_without_checkpoints_there_is_none(tmp_path: Path) -> None:
    assert load_newest(tmp_path) is None
    assert load_newest(tmp_path / "missing") is None


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other_content(path: Path) -> None:
    torch.save({"weights": torch.zeros(3)}, path)


DAMAGES = pytest.mark.parametrize("damage", [cut, empty, other_content])


@DAMAGES
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    save_state(tmp_path, state(2), keep=2)
    damage(save_state(tmp_path, state(4), keep=2))
    loaded = load_newest(tmp_path)
    assert loaded is not None
    assert loaded.step == 2


@pytest.mark.parametrize("keep", [1, 2])
def test_a_run_that_fell_back_keeps_its_own_checkpoints(tmp_path: Path, keep: int) -> None:
    save_state(tmp_path, state(2), keep=2)
    cut(save_state(tmp_path, state(9), keep=2))
    save_state(tmp_path, state(4), keep)
    assert names(tmp_path) == ["step-00000002.pt", "step-00000004.pt"][-keep:]


@DAMAGES
def test_when_none_can_be_read_the_remedy_is_told(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    damage(save_state(tmp_path, state(4), keep=2))
    with pytest.raises(
        TrainingError, match=r"no checkpoint can be read .*; start again with another run_dir"
    ) as caught:
        load_newest(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(("version", "made_by"), [(FORMAT + 1, "a newer"), (FORMAT - 1, "an older")])
def test_a_checkpoint_of_another_version_is_refused_and_not_passed_over(tmp_path: Path, version: int, made_by: str) -> None:
    save_state(tmp_path, state(2), keep=2)
    save_state(tmp_path, state(4, format=version), keep=2)
    with pytest.raises(TrainingError, match=rf"step-00000004\.pt: from {made_by} audiocycle; .* another run_dir"):
        load_newest(tmp_path)


def write_half(error: BaseException) -> Callable[..., None]:
    """A ``torch.save`` that fails after some bytes."""

    def save(_content: object, path: Path) -> None:
        path.write_bytes(b"half a checkpoint")
        raise error

    return save


FULL = OSError(errno.ENOSPC, "No space left on device")
FULL_TO_TORCH = RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598")


@pytest.mark.parametrize("error", [FULL, FULL_TO_TORCH], ids=["os", "torch"])
def test_a_full_disk_is_told_and_the_previous_checkpoint_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    save_state(tmp_path, state(2), keep=1)
    monkeypatch.setattr(checkpoint.torch, "save", write_half(error))
    with pytest.raises(OutputError, match=r"step-00000004\.pt: cannot be written"):
        save_state(tmp_path, state(4), keep=1)
    assert names(tmp_path) == ["step-00000002.pt"]
    loaded = load_newest(tmp_path)
    assert loaded is not None
    assert loaded.step == 2


def test_a_write_that_the_system_cuts_off_is_told(
    tmp_path: Path, little_space: Callable[[int], AbstractContextManager[None]]
) -> None:
    save_state(tmp_path, state(2), keep=1)
    with little_space(20_000), pytest.raises(OutputError, match=r"cannot be written"):
        save_state(tmp_path, state(4, size=100_000), keep=1)
    assert names(tmp_path) == ["step-00000002.pt"]


def test_an_interrupted_write_leaves_the_previous_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_state(tmp_path, state(2), keep=1)
    monkeypatch.setattr(checkpoint.torch, "save", write_half(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        save_state(tmp_path, state(4), keep=1)
    assert names(tmp_path) == ["step-00000002.pt"]


def test_what_a_killed_run_left_half_written_is_removed_by_the_next(tmp_path: Path) -> None:
    save_state(tmp_path, state(2), keep=2)
    (tmp_path / ".step-00000004.0a1b2c3d.part.pt").write_bytes(b"half a checkpoint")
    (tmp_path / ".step-notes.txt").touch()
    loaded = load_newest(tmp_path)
    assert loaded is not None
    assert loaded.step == 2
    save_state(tmp_path, state(4), keep=2)
    assert names(tmp_path) == [".step-notes.txt", "step-00000002.pt", "step-00000004.pt"]
