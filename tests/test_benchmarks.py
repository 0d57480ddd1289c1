"""The benchmarks' bookkeeping: ratios, the table, estimates of traffic, and pictures from the JSON alone. No speeds."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import __main__ as program
from benchmarks import draw, machine, measure, presets, roofline, scaling
from benchmarks.measure import Figure, Ratio, Settings, median_figure

FORWARD = roofline.Stage("generator", 1, 32, False)
MACHINE = {"processor": "made up", "cores": 2, "torch": "0"}


@pytest.fixture
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 GFLOP/s, and 10 GB/s."""
    monkeypatch.setattr(roofline, "matmul_peak", lambda precision: 100.0)
    monkeypatch.setattr(roofline, "memory_bandwidth", lambda: 10.0)


def test_table_shows_each_figure_with_its_ratio() -> None:
    figures = [
        Figure("step", 0.5, "s", "a remark", Ratio(0.123456, "the fp32 matrix product")),
        Figure("a long name", 1234.5678, "songs/min"),
    ]
    assert program.table(figures).splitlines() == [
        "name         figure  unit       ratio                            remark",
        "step            0.5  s          0.123 × the fp32 matrix product  a remark",
        "a long name    1235  songs/min",
    ]


def test_median_figure_says_its_range() -> None:
    figure = median_figure("x", [3.0, 1.0, 8.0], "s", "cold", Ratio(2.0, "y"))
    assert (figure.value, figure.remark, str(figure.ratio)) == (3.0, "median of 3, 1 to 8; cold", "2 × y")


def test_a_benchmark_whose_library_is_missing_stops_no_other(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Good:
        @staticmethod
        def run(settings: Settings) -> list[Figure]:
            return [Figure("found", float(settings.quick), "s")]

    def load(name: str) -> Any:
        if name == "benchmarks.stream":
            raise ModuleNotFoundError("No module named 'onnxruntime'")
        return Good

    monkeypatch.setattr(importlib, "import_module", load)
    figures, skipped = program.measure(["stream", "corpus"], Settings(quick=True))
    assert figures == [Figure("found", 1.0, "s")]
    assert skipped == {"stream": "No module named 'onnxruntime'"}
    assert "left out" in capsys.readouterr().err


def test_one_command_prints_a_table_and_writes_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for size, small in (("MATRIX", 64), ("REPEATS", 1), ("COPIED_MIB", 1)):
        monkeypatch.setattr(machine, size, small)
    words = ["benchmarks", "--quick", "--only", "machine"]
    monkeypatch.setattr(sys, "argv", words)
    machine.matmul_peak.cache_clear()
    machine.memory_bandwidth.cache_clear()
    try:
        program.main()
        assert not list(tmp_path.iterdir()), "a part of the figures replaces no file of all"
        monkeypatch.setattr(sys, "argv", [*words, "--json", "some.json"])
        program.main()
    finally:  # nobody shall take these for the machine's
        machine.matmul_peak.cache_clear()
        machine.memory_bandwidth.cache_clear()
    assert "matrix product, fp32" in capsys.readouterr().out
    result = json.loads((tmp_path / "some.json").read_text())
    compute, bandwidth = draw.roofs(result["figures"])
    assert set(compute) == set(machine.precisions())
    assert min(*compute.values(), bandwidth) > 0
    assert {"processor", "cores", "load, 1 minute"} <= set(result["machine"])


def test_a_product_that_is_emulated_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bfloat16 without AVX-512 a single one of this size took minutes."""
    measured: list[str] = []

    def peak(precision: str) -> float:
        measured.append(precision)
        return 1.0

    monkeypatch.setattr(machine, "choose_bf16", lambda precision, device: False)
    monkeypatch.setattr(machine, "matmul_peak", peak)
    monkeypatch.setattr(machine, "memory_bandwidth", lambda: 1.0)
    assert [figure.name for figure in machine.run(Settings(quick=True))] == ["matrix product, fp32", "memory copy"]
    assert measured == ["fp32"]
    monkeypatch.setattr(roofline, "measure_stage", lambda stage, width, precision, repeats: measured.append(precision))
    monkeypatch.setattr(roofline, "measure_step", lambda case, repeats: measured.append(case.precision))
    roofline.run(Settings())
    assert set(measured) == {"fp32"}


class Clock:
    """Each look at it takes ten seconds."""

    now = 0.0

    def perf_counter(self) -> float:
        self.now += 10.0
        return self.now


@pytest.mark.parametrize(("repeats", "warm_up", "calls", "measured"), [(2, 1, 3, 2), (20, 1, 7, 6), (20, 9, 7, 1)])
def test_a_slow_machine_measures_fewer_calls(
    monkeypatch: pytest.MonkeyPatch, repeats: int, warm_up: int, calls: int, measured: int
) -> None:
    monkeypatch.setattr(measure, "time", Clock())
    done: list[int] = []
    times = measure.seconds_of(lambda: done.append(1), repeats, warm_up)
    assert (len(done), times) == (calls, [10.0] * measured)


def test_each_benchmark_is_stopped_at_its_limit(tmp_path: Path) -> None:
    code = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(1000)"
    assert program.run_bounded([sys.executable, "-c", code, str(tmp_path / "begun")], 5.0) == "stopped after 5 s"
    assert program.run_bounded([sys.executable, "-c", "raise SystemExit(3)"], 60.0) == "ended with exit code 3"
    assert program.run_bounded([sys.executable, "-c", "pass"], 60.0) == ""


def test_several_come_from_processes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Figure("a", 1.0, "s", ratio=Ratio(2.0, "b"), facts={"stage": "x"}), Figure("b", 0.5, "s")]

    def run(words: list[str], limit: float) -> str:
        name, path = words[words.index("--only") + 1], Path(words[words.index("--json") + 1])
        if name == "stream":
            return "stopped after 1 s"
        path.write_text(json.dumps({"figures": [asdict(figure) for figure in found], "skipped": {}}))
        return ""

    monkeypatch.setattr(program, "run_bounded", run)
    options = argparse.Namespace(quick=True, long=False, bundle=None)
    assert program.in_turn(["machine", "stream"], options) == (found, {"stream": "stopped after 1 s"})


@pytest.mark.parametrize("preset", presets.PRESETS)
def test_steps_of_the_presets_are_those_of_a_training(preset: str) -> None:
    small = ["model.width=0.05", "trainer.batch_size=2", "trainer.device=cpu"]
    trainer = presets.make_trainer(preset, *small)
    terms = {name.split("/")[0]: float(value) for name, value in trainer.train_step().items()}
    assert all(np.isfinite(value) for value in terms.values())
    assert ("guide" in terms) == preset.endswith("guided")
    assert ("cycle" in terms) == (preset in ("vc2_quick", "vc2_lite"))


def test_minutes_are_those_of_all_steps() -> None:
    found = presets.Measured([0.5, 0.25, 0.75], [1.0, 1.0, 1.0], 1200, "fp32", "AVX2", 2)
    figure = presets.figure("vc2_guided", "plain", found, native=0.125)
    assert (figure.value, figure.ratio) == (0.5, Ratio(4.0, "this machine's"))
    assert figure.facts["minutes"] == 10.0
    assert "1,200 steps: 10 minutes" in figure.remark


def test_a_plain_processor_is_one_that_libraries_take_this_one_for() -> None:
    code = "import importlib.util, numpy, torch; print(torch.backends.cpu.get_cpu_capability()); "
    code += "print(torch.ops.mkldnn._is_mkldnn_bf16_supported(), importlib.util.find_spec('openvino'))"
    words = [sys.executable, "-W", "error", "-m", "benchmarks.plain", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent)
    level, half, openvino = done.stdout.split()
    assert level in ("AVX2", "DEFAULT", "NO AVX")
    assert (half, openvino) == ("False", "None")


def test_traffic_is_inputs_parameters_and_outputs_of_each_layer() -> None:
    network = nn.Sequential(nn.Conv1d(2, 3, 1), nn.Sigmoid())
    traffic = roofline.Traffic()
    with traffic.counting(network):
        network(torch.zeros(5, 2, 7))
    network(torch.zeros(5, 2, 7))  # no longer counted
    convolution = 5 * 2 * 7 + (3 * 2 + 3) + 5 * 3 * 7
    assert traffic.bytes == 4 * (convolution + 2 * 5 * 3 * 7)


@pytest.mark.usefixtures("slow_machine")
def test_a_stages_speed_is_seen_from_the_peak_and_from_its_roof() -> None:
    figure = roofline.stage_figure("stage", seconds=0.5, gflop=10.0, gbyte=2.0, precision="fp32")
    assert (figure.value, figure.unit) == (20.0, "GFLOP/s")
    assert figure.ratio == Ratio(0.2, "the fp32 matrix product")
    assert figure.facts["intensity"] == 5.0
    assert "40 % of its roof" in figure.remark  # 5 FLOP/byte × 10 GB/s = 50 GFLOP/s, below the peak


@pytest.mark.usefixtures("slow_machine")
def test_backward_is_counted_as_two_more_forwards() -> None:
    stage = roofline.Stage("critic", 1, 32, False)
    forward, both = (
        roofline.measure_stage(roofline.Stage("critic", 1, 32, backward), 0.05, "fp32", 1).facts for backward in (False, True)
    )
    assert str(stage) == "critic forward, 1 x 32 frames"
    assert both["gbyte"] == pytest.approx(3 * forward["gbyte"])
    assert 2.5 < both["gflop"] / forward["gflop"] <= 3.0  # the first layer's input needs no gradient


@pytest.mark.usefixtures("slow_machine")
def test_bf16_moves_fewer_bytes_for_the_same_arithmetic() -> None:
    full, half = (roofline.measure_stage(FORWARD, 0.05, precision, 1).facts for precision in ("fp32", "bf16"))
    assert half["gflop"] == full["gflop"]
    assert 0.5 < half["gbyte"] / full["gbyte"] < 0.95


def test_growth_is_seen_from_the_smallest_case() -> None:
    points = [scaling.Point("training step, batch", "", size, seconds, "") for size, seconds in ((1, 0.5), (4, 1.5))]
    small, large = scaling.figures_of(points)
    assert (small.name, small.ratio) == ("training step, batch 1", Ratio(1.0, "batch 1"))
    assert (large.value, large.ratio) == (1.5, Ratio(3.0, "batch 1"))


def test_training_steps_grow_in_width_batch_and_crop() -> None:
    case = scaling.Case(0.05, 1, "fp32", crop=32)
    (figure,) = scaling.training("training step, crop", " frames", [32], [case], 1)
    assert figure.name == "training step, crop 32 frames"
    assert figure.value > 0


def test_pictures_are_drawn_from_the_json_alone(tmp_path: Path) -> None:
    points = [scaling.Point("conversion, recording", " s", size, size / 10, "") for size in (5.0, 60.0)]
    figures = [
        Figure("fp32", 100.0, "GFLOP/s", facts={"roof": "compute", "precision": "fp32"}),
        Figure("bf16", 300.0, "GFLOP/s", facts={"roof": "compute", "precision": "bf16"}),
        Figure("copy", 10.0, "GB/s", facts={"roof": "memory"}),
        Figure("generator", 50.0, "GFLOP/s", facts={"stage": "generator", "precision": "bf16", "intensity": 20.0}),
        *scaling.figures_of(points),
    ]
    path = tmp_path / "bench.json"
    path.write_text(json.dumps({"date": "2024-05-06T07:08:09", "machine": MACHINE, "figures": [asdict(f) for f in figures]}))
    result = json.loads(path.read_text())
    assert draw.roofs(result["figures"]) == ({"fp32": 100.0, "bf16": 300.0}, 10.0)
    folder = tmp_path / "pictures"
    assert draw.draw(result, folder) == [folder / "roofline.png", folder / "growth.png"]
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in folder.iterdir())
    only_growth = result | {"figures": result["figures"][4:]}
    assert draw.draw(only_growth, tmp_path / "less") == [tmp_path / "less" / "growth.png"]
