"""The bundle is that of the best step, and a training whose held-out items get no better lets the rates fall, then ends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from several_processes import together
from tiny_trainer import tiny_trainer
from torch import Tensor
from trainer_state import assert_same, clone, snapshot

from audiocycle.training.checkpoint import checkpoints, read_state, save_state
from audiocycle.training.choice import LEAST_GAIN, Choice, unlike_choice
from audiocycle.training.distributed import ALONE, Processes
from audiocycle.training.trainer import Report, Trainer

LONG = {"constant_steps": 20, "decay_steps": 10, "validate_every": 2, "checkpoint_every": 4, "average": 0.9}


class Measured:
    """Held-out items that come out as a list says, by step; what was seen is kept."""

    def __init__(self, scores: Mapping[int, float], otherwise: float = 0.1) -> None:
        self.scores, self.otherwise = scores, otherwise
        self.weights: dict[int, dict[str, Tensor]] = {}

    def __call__(self, step: int, weights: dict[str, Tensor]) -> dict[str, float]:
        self.weights[step] = clone(weights)
        return {"score": self.scores.get(step, self.otherwise), "words": 0.5}


def measured_trainer(folder: Path, measured: Any, processes: Processes = ALONE, **options: Any) -> Trainer:
    trainer = tiny_trainer(folder, processes=processes, **(LONG | options))
    trainer.on_validate = measured
    return trainer


def test_the_first_of_the_best_steps_is_kept() -> None:
    choice = Choice()
    for step, score in ((0, 0.2), (10, 0.5), (20, 0.5), (30, 0.4)):
        weights = {"w": torch.full((2,), float(step))}
        choice.note(step, {"score": score}, weights)
        weights["w"].fill_(-1.0)  # as the next training step does
    assert choice.step == 10
    assert choice.weights["w"].tolist() == [10.0, 10.0]


@pytest.mark.parametrize(
    ("scores", "patience", "since", "flat"),
    [
        ([0.5, 0.4, 0.4], 2, 0, True),
        ([0.5, 0.4, 0.4], 3, 0, False),  # too few to tell
        ([0.5, 0.4, 0.6], 2, 0, False),
        ([0.5, 0.5 + LEAST_GAIN / 2, 0.5], 2, 0, True),
        ([0.5, 0.5 + LEAST_GAIN * 2, 0.5], 2, 0, False),
        ([0.5, 0.4, 0.4, 0.4], 2, 1, True),
        ([0.5, 0.4, 0.4, 0.4], 2, 2, False),  # of which one was measured before
        ([0.5, 0.4, 0.4], 0, 0, False),
        ([], 2, 0, False),
    ],
)
def test_flat_is_no_better_for_as_long_as_patience(scores: list[float], patience: int, since: int, flat: bool) -> None:
    choice = Choice()
    for step, score in enumerate(scores):
        choice.note(step, {"score": score}, {"w": torch.zeros(1)})
    assert choice.flat(patience, since) is flat


def test_a_score_that_is_no_number_is_never_best() -> None:
    choice = Choice()
    for step, score in enumerate((float("nan"), 0.3, float("nan"))):
        choice.note(step, {"score": score}, {"w": torch.full((1,), float(step))})
    assert (choice.step, choice.weights["w"].item()) == (1, 1.0)
    assert unlike_choice(choice.state_dict(), {"w": torch.zeros(1)}) == ""


def test_the_bundle_gets_the_weights_of_the_best_step(tmp_path: Path) -> None:
    measured, written = Measured({0: 0.2, 2: 0.3, 6: 0.8, 8: 0.7}), {}
    trainer = measured_trainer(tmp_path, measured, max_steps=9)
    trainer.on_checkpoint = lambda step, weights: written.update({step: clone(weights)})
    trainer.run()
    assert sorted(measured.weights) == [0, 2, 4, 6, 8, 9]  # the beginning and the end, too
    assert trainer.choice.step == 6
    assert_same(written[4], measured.weights[2])
    assert_same(written[9], measured.weights[6])


def test_measuring_changes_no_step(tmp_path: Path) -> None:
    plain = tiny_trainer(tmp_path / "plain", max_steps=7, **LONG)
    plain.run()
    measured = measured_trainer(tmp_path / "measured", Measured({}), max_steps=7)
    measured.run()
    assert_same(snapshot(plain), snapshot(measured))


def test_a_measurement_is_logged_with_its_step(tmp_path: Path) -> None:
    reports: list[Report] = []
    trainer = measured_trainer(tmp_path, Measured({2: 0.7}), max_steps=4, log_every=3)
    trainer.on_log = reports.append
    trainer.run()
    assert [report.step for report in reports] == [0, 2, 3, 4]
    assert {report.step: report.values.get("held_out/score") for report in reports} == {0: 0.1, 2: 0.7, 3: None, 4: 0.1}
    assert reports[1].values["held_out/words"] == 0.5
    assert any(name.startswith("critic/") for name in reports[1].values)


def test_flat_at_constant_rates_lets_them_fall_and_flat_then_ends_the_run(tmp_path: Path) -> None:
    reports: list[Report] = []
    told: list[str] = []
    trainer = measured_trainer(tmp_path, Measured({2: 0.5, 4: 0.7}), patience=2, log_every=1)
    trainer.on_log, trainer.on_note = reports.append, told.append
    trainer.run()
    assert (trainer.choice.decay_from, trainer.choice.end, trainer.step) == (8, 12, 12)
    rates = {report.step: report.values["rate/generator"] for report in reports if "rate/generator" in report.values}
    assert rates[8] == rates[1]
    assert rates[10] == pytest.approx(0.9 * rates[1])  # the tenth step's, one of ten after the eighth
    assert [line.split(":")[0] for line in told] == ["step 8", "step 12"]
    assert "no better after step 4; the learning rates begin to fall" in told[0]
    assert "trainer.patience=0 goes on" in told[1]


def test_what_gets_better_goes_on_to_the_end_of_the_schedule(tmp_path: Path) -> None:
    trainer = measured_trainer(tmp_path, Measured({step: step / 100 for step in range(40)}), patience=2)
    trainer.run()
    assert (trainer.choice.decay_from, trainer.choice.end, trainer.step, trainer.choice.step) == (None, None, 30, 30)


def test_better_while_the_rates_fall_goes_on_to_the_end_of_the_fall(tmp_path: Path) -> None:
    trainer = measured_trainer(tmp_path, Measured({step: step / 100 for step in range(6, 40)}, 0.0), patience=2)
    trainer.run()
    assert (trainer.choice.decay_from, trainer.choice.end, trainer.step) == (4, None, 14)


def test_without_patience_the_schedule_decides(tmp_path: Path) -> None:
    trainer = measured_trainer(tmp_path, Measured({0: 0.9}))
    trainer.run()
    assert (trainer.step, trainer.choice.step) == (30, 0)


@pytest.mark.parametrize("stop", [3, 4, 7, 8, 11])
def test_a_resume_chooses_as_an_uninterrupted_run_does(tmp_path: Path, stop: int) -> None:
    scores = {0: 0.3, 2: 0.6, 4: 0.4, 6: 0.4, 10: 0.62}
    whole = measured_trainer(tmp_path / "whole", Measured(scores), patience=2)
    whole.run()
    first = measured_trainer(tmp_path / "parts", Measured(scores), patience=2)
    first.on_log = lambda report: setattr(first, "stopping", report.step >= stop)
    first.run()
    assert first.step == stop
    parts = measured_trainer(tmp_path / "parts", Measured(scores), patience=2)
    assert parts.resume()
    parts.run()
    parts_choice, whole_choice = parts.choice.state_dict(), whole.choice.state_dict()
    assert_same(parts_choice, whole_choice)
    assert_same(snapshot(parts), snapshot(whole))
    assert whole.choice.step == 10


def test_a_run_that_ended_early_ends_at_once_when_it_is_resumed_and_goes_on_without_patience(tmp_path: Path) -> None:
    measured_trainer(tmp_path, Measured({}), patience=2).run()
    again = measured_trainer(tmp_path, Measured({}), patience=2)
    assert again.resume()
    ended = again.step
    assert again.last_step == ended < 30
    again.run()
    assert again.step == ended
    further = measured_trainer(tmp_path, Measured({}))
    assert further.resume()
    further.run()
    assert further.step == 30


def test_checkpoints_of_before_know_of_no_choice_and_are_resumed(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, max_steps=2, **LONG)
    trainer.run()
    path = checkpoints(tmp_path)[-1]
    content = torch.load(path, weights_only=True)
    del content["choice"]
    torch.save(content | {"format": 3}, path)
    resumed = measured_trainer(tmp_path, Measured({4: 0.9}), max_steps=4)
    assert resumed.resume()
    resumed.run()
    assert (resumed.step, resumed.choice.step) == (4, 4)


@pytest.mark.parametrize(
    "damage",
    [
        {"measured": 3}, {"measured": {2: {}}}, {"measured": {"2": {"score": 1.0}}}, {"step": 7}, {"weights": {"w": torch.zeros(1)}}, {"end": "soon"},
        {"measured": {2: {"score": "good"}}}, {"more": 1},
    ],
)  # fmt: skip
def test_a_choice_that_does_not_fit_is_passed_over(tmp_path: Path, damage: dict[str, Any]) -> None:
    measured_trainer(tmp_path, Measured({}), max_steps=2, checkpoint_every=1).run()
    state = read_state(checkpoints(tmp_path)[-1])
    state.choice |= damage
    save_state(tmp_path, state, keep=2)
    told: list[str] = []
    resumed = measured_trainer(tmp_path, Measured({}), max_steps=2)
    resumed.on_note = told.append
    assert resumed.resume()
    assert resumed.step == 1
    assert "passed over" in told[0]


def only_first(processes: Processes, folder: Path) -> tuple[int, int | None, int]:
    def measure(step: int, weights: dict[str, Tensor]) -> dict[str, float]:
        assert processes.first
        return {"score": {2: 0.5}.get(step, 0.1)}

    trainer = measured_trainer(folder, measure, processes, batch_size=2, patience=2)
    trainer.run()
    return trainer.choice.step, trainer.choice.end, trainer.step


def test_several_processes_choose_what_the_first_measured(tmp_path: Path) -> None:
    assert together(2, only_first, tmp_path) == [(2, 10, 10)] * 2
