"""Checkpoints: written whole, a few kept, the newest readable one found, and never code in them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.errors import OutputError, TrainingError
from audiocycle.training import checkpoint
from audiocycle.training.checkpoint import (
    BEFORE,
    FORMAT,
    DamagedError,
    TrainState,
    checkpoints,
    load_newest,
    read_state,
    save_state,
)


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


def no_dictionary(path: Path) -> None:
    torch.save([1, 2], path)


def odd_types(path: Path) -> None:
    save_state(path.parent, state(int(path.stem[5:]), translator=[1]), keep=9)


def no_time(path: Path) -> None:
    save_state(path.parent, state(int(path.stem[5:]), seconds=float("nan")), keep=9)


DAMAGES = pytest.mark.parametrize("damage", [cut, empty, other_content, no_dictionary, odd_types, no_time])


@DAMAGES
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    save_state(tmp_path, state(2), keep=2)
    newest = save_state(tmp_path, state(4), keep=2)
    damage(newest)
    told: list[str] = []
    loaded = load_newest(tmp_path, told=told.append)
    assert loaded is not None
    assert loaded.step == 2
    assert len(told) == 1
    assert told[0].startswith(f"{newest}: ")
    assert told[0].endswith("; passed over for step-00000002.pt")
    assert "\n" not in told[0]


def test_what_does_not_fit_is_passed_over_too_and_told(tmp_path: Path) -> None:
    for step in (2, 4, 6):
        save_state(tmp_path, state(step), keep=3)
    told: list[str] = []
    loaded = load_newest(tmp_path, lambda found: "too young" if found.step > 2 else "", told.append)
    assert loaded is not None
    assert loaded.step == 2
    assert [line.rpartition("/")[2] for line in told] == [
        f"step-0000000{step}.pt: too young; passed over for step-00000002.pt" for step in (6, 4)
    ]


def same(one: Any, other: Any) -> bool:
    """Whether two states are equal to the bit."""
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


@given(st.data())
def test_one_changed_byte_is_never_trained_on(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Wherever it is: what comes back is refused, or what was saved. (All bytes, each changed in four ways, were tried once.)"""
    folder = tmp_path_factory.mktemp("flipped")
    path = save_state(folder, state(2), keep=1)
    whole, content = vars(read_state(path)), bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        found = vars(read_state(path))
    except DamagedError:
        return
    assert same(found, whole)


def test_a_changed_weight_is_noticed_which_torch_does_not(tmp_path: Path) -> None:
    path = save_state(tmp_path, state(2), keep=1)
    content = bytearray(path.read_bytes())
    content[content.index(torch.full((10,), 2.0).numpy().tobytes()) + 3] ^= 1
    path.write_bytes(content)
    assert torch.load(path, weights_only=True)["translator"]["w"][0] != 2.0
    with pytest.raises(DamagedError, match="other bytes than were written"):
        read_state(path)


def unsealed(path: Path) -> None:
    """As version 0.1.0 wrote it."""
    torch.save(torch.load(path, weights_only=True), path)


def test_a_checkpoint_of_before_there_were_digests_loads_and_is_looked_at_too(tmp_path: Path) -> None:
    path = save_state(tmp_path, state(2), keep=1)
    unsealed(path)
    assert read_state(path).step == 2
    content = bytearray(path.read_bytes())
    content[content.index(torch.full((10,), 2.0).numpy().tobytes()) + 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedError, match="other bytes than were written"):
        read_state(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_what_is_no_file_is_no_checkpoint(tmp_path: Path) -> None:
    save_state(tmp_path, state(2), keep=2)
    os.mkfifo(tmp_path / "step-00000004.pt")
    (tmp_path / "step-00000006.pt").mkdir()
    assert [path.name for path in checkpoints(tmp_path)] == ["step-00000002.pt"]


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


@pytest.mark.parametrize(("version", "made_by"), [(FORMAT + 1, "a newer"), (BEFORE - 1, "an older")])
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
