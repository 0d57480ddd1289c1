"""The comparison of short trainings: what it sees, what it leaves out, and one training of a step by the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import same_weights
from benchmarks.made_material import song, speech
from benchmarks.same_weights import CASES, TREE, compare, differences, read_run

PRESETS = {path.stem for path in (TREE / "conf" / "experiment").glob("*.yaml")}


def run_folder(folder: Path, *, weights: bytes = b"weights", day: str = "2024-05-06", second: float = 0.5, mean: float = 1.0, cycle: float = 0.3) -> Path:
    """What a training of two steps leaves, as far as it is read."""
    (folder / "bundle").mkdir(parents=True)
    config = {"name": "x", "stats": {"a": {"mean": [mean]}}, "deviations": {}, "training": {"finished": day}, "audiocycle": day}
    (folder / "bundle" / "config.json").write_text(json.dumps(config))
    (folder / "bundle" / "model.safetensors").write_bytes(weights)
    steps = [{"step": 1, "seconds": second, "cycle/a->b": 0.5}, {"step": 2, "seconds": 2 * second, "cycle/a->b": cycle}]
    (folder / "log.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
    return folder


def test_every_preset_is_trained() -> None:
    assert {case.name for case in CASES} >= PRESETS
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize(("change", "seen"), [
    ({}, []),
    ({"day": "2025-01-01", "second": 9.0}, []),
    ({"weights": b"others"}, ["weights"]),
    ({"mean": 2.0}, ["statistics"]),
    ({"cycle": 0.25}, ["terms", "last step: cycle/a->b"]),
])  # fmt: skip
def test_what_is_compared(change: dict[str, Any], seen: list[str], tmp_path: Path) -> None:
    before, after = read_run(run_folder(tmp_path / "before")), read_run(run_folder(tmp_path / "after", **change))
    assert differences(before, after) == seen


def test_an_error_and_another_machine_are_told(tmp_path: Path) -> None:
    head = {"name": "vc2", "precision": "fp32"}
    good, bad = head | read_run(run_folder(tmp_path / "run")), head | {"error": "error: no"}
    before, after = {"machine": {"torch": "1"}, "results": [good]}, {"machine": {"torch": "2"}, "results": [bad, head | {"name": "new"}]}
    assert compare(before, after) == [
        "machine: torch was 1, is 2", "vc2, fp32: now: error: no", "new, fp32: not among those before",
    ]  # fmt: skip
    assert not compare(before, before)


def test_material_is_the_same_each_time() -> None:
    assert np.array_equal(speech(0.5, 120.0, 1.0, seed=3), speech(0.5, 120.0, 1.0, seed=3))
    first, second, other = ([message.hex() for track in made.tracks for message in track if not message.is_meta]
                            for made in (song(2, 1, 0), song(2, 1, 0), song(2, 2, 0)))  # fmt: skip
    assert first == second != other


def test_a_step_of_a_preset_by_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "before.json"
    words = ["--only", "pairs", "--precision", "fp32", "--steps", "1"]
    assert same_weights.main([*words, "-o", str(output)]) == 0
    (found,) = json.loads(output.read_text())["results"]
    assert (found["steps"], len(found["weights"])) == (1, 32)
    assert {"reconstruction", "adversarial", "critic"} <= {name.split("/")[0] for name in found["last"]}
    found["terms"] = "another"
    output.write_text(json.dumps({"machine": same_weights.machine(), "results": [found]}))
    assert same_weights.main([*words, "--compare", str(output)]) == 1
    assert "pairs, fp32: terms" in capsys.readouterr().err.splitlines()


def test_a_folder_without_a_checkout_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert same_weights.main(["--tree", str(tmp_path)]) == 1
    assert "no checkout of audiocycle" in capsys.readouterr().err
