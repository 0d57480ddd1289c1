"""Figures that stay on the device until they are read: when that happens, and what a NaN leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from trainer_state import Poisoned

from audiocycle.errors import TrainingError
from audiocycle.training.checkpoint import checkpoints
from audiocycle.training.readings import Readings
from audiocycle.training.trainer import Report, Trainer

MakeTrainer = Callable[..., Trainer]
NAN, INF = torch.tensor(float("nan")), torch.tensor(float("inf"))


def numbers(**values: float) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value) for name, value in values.items()}


def test_the_newest_step_is_read_and_all_are_judged() -> None:
    readings = Readings(False, lambda: "do this")
    assert readings.read() == {}
    readings.note(0, numbers(a=1.0, b=2.0))
    readings.note(0, numbers(c=3.0))
    assert readings.read() == {"a": 1.0, "b": 2.0, "c": 3.0}
    readings.note(1, numbers(a=4.0))
    readings.note(2, numbers(a=5.0))
    assert readings.newest == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert readings.read() == readings.newest == {"a": 5.0}
    readings.note(3, numbers(a=1.0))
    readings.note(4, numbers(good=1.0) | {"bad": NAN, "worse": -INF})
    readings.note(5, {"late": NAN})
    with pytest.raises(TrainingError, match=r"^step 4: bad, worse is not a finite number; do this$"):
        readings.read()


def test_at_once_means_that_a_nan_ends_its_own_step() -> None:
    readings = Readings(True, lambda: "")
    readings.note(7, numbers(a=1.0))
    assert readings.newest == {"a": 1.0}
    with pytest.raises(TrainingError, match="step 7: b is"):
        readings.note(7, {"b": INF})


@pytest.fixture
def as_on_a_gpu(make_trainer: MakeTrainer) -> MakeTrainer:
    """Trainers that read figures when they must, not at once."""

    def make(**options: Any) -> Trainer:
        trainer = make_trainer(**options)
        trainer.readings.at_once = False
        return trainer

    return make


class NobodyWaits(TorchDispatchMode):
    """Refuses every operation that makes the host wait for a number of the device."""

    WAITING = ("_local_scalar_dense", "is_nonzero", "nonzero", "equal", "masked_select", "unique", "item")

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert function.overloadpacket.__name__.split(".")[-1] not in self.WAITING, function
        return function(*args, **(kwargs or {}))


def test_a_step_waits_for_no_number(as_on_a_gpu: MakeTrainer) -> None:
    trainer = as_on_a_gpu(pool_size=2, average=0.9, max_gradient_norm=1.0, batch_size=2)
    with NobodyWaits():
        for _ in range(4):
            figures = trainer.train_step()
        with pytest.raises(AssertionError, match="_local_scalar_dense"):
            figures["norm/critic"].item()
    assert trainer.readings.newest == {}


def test_log_and_checkpoints_are_the_same_however_figures_are_read(make_trainer: MakeTrainer, as_on_a_gpu: MakeTrainer, tmp_path: Any) -> None:
    logs: list[list[Report]] = [[], []]
    for log, make, folder in zip(logs, (make_trainer, as_on_a_gpu), ("at once", "late"), strict=True):
        make(folder=tmp_path / folder, max_steps=6, log_every=2, checkpoint_every=4, on_log=log.append).run()
    assert [report.values for report in logs[0]] == [report.values for report in logs[1]]
    assert [report.step for report in logs[1]] == [2, 4, 6]


@pytest.mark.parametrize(("log_every", "checkpoint_every", "max_steps"), [(5, 100, 50), (100, 2, 50), (100, 100, 6)])
def test_no_checkpoint_holds_a_nan_that_was_not_read_yet(
    as_on_a_gpu: MakeTrainer, log_every: int, checkpoint_every: int, max_steps: int
) -> None:
    """Whatever looks first, the log, a checkpoint or the end of the run: it names the step at which it began."""
    logged: list[int] = []
    trainer = as_on_a_gpu(
        max_steps=max_steps, log_every=log_every, checkpoint_every=checkpoint_every, on_log=lambda report: logged.append(report.step)
    )
    trainer.sampler = Poisoned(trainer.sampler, 3)  # type: ignore[assignment]
    with pytest.raises(TrainingError, match=r"^step 3: .*cycle/a->b, .*is not a finite number"):
        trainer.run()
    assert [path.name for path in checkpoints(trainer.folder)] == (["step-00000002.pt"] if checkpoint_every == 2 else [])
    assert logged == []
