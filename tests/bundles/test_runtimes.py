"""Conversion without torch, which runtime and precision are taken, and graphs that cannot be used."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tiny_bundle import run_cli, tiny_song, vowel
from ways import way

from audiocycle.bundles.format import read_config
from audiocycle.bundles.library import model_folders
from audiocycle.bundles.runtimes import choice
from audiocycle.bundles.runtimes.choice import RUNTIMES, load_network
from audiocycle.bundles.runtimes.graphs import graph_path
from audiocycle.conversion.converter import Converter
from audiocycle.conversion.library.batch import convert_jobs
from audiocycle.conversion.library.plan import Job
from audiocycle.conversion.library.worker import Task, recipe_of
from audiocycle.errors import BundleError, ConfigError
from audiocycle.spec import Signal

PRETRAINED = model_folders()[-1]
VOICE, MUSIC = PRETRAINED / "rendered-voices", PRETRAINED / "jazz-classic"
GRAPH_RUNTIMES = {"onnx": "onnxruntime", "openvino": "openvino"}
TOLERANCE = 1e-4
"""Of graphs in float32 beside torch."""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of the pretrained bundle of MIDI files, to be spoilt."""
    folder = tmp_path / "model"
    folder.mkdir()
    for path in MUSIC.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def converting(runtime: str, bundle: Path, given: Path, output: Path, target: str) -> str:
    """Code of a process that converts on the command line, and prints which of some modules it has loaded."""
    words = ["audiocycle", "convert", str(given), "-m", str(bundle), "-t", target, "-o", str(output), "--runtime", runtime]
    return f"""
import json, sys
from audiocycle.cli.main import main
sys.argv = {words!r}
try:
    main()
except SystemExit as stop:
    assert not stop.code
print(json.dumps([m for m in ("torch", "onnxruntime", "openvino", "librosa", "scipy", "matplotlib") if sys.modules.get(m)]))
"""


@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
@pytest.mark.parametrize("modality", ["voice", "music"])
def test_conversion_never_loads_torch(tmp_path: Path, runtime: str, modality: str) -> None:
    pytest.importorskip(GRAPH_RUNTIMES[runtime])
    given, output = (tmp_path / f"{name}.{'wav' if modality == 'voice' else 'mid'}" for name in ("in", "out"))
    if modality == "voice":
        soundfile.write(given, vowel(0.5), 16000)
        code = converting(runtime, VOICE, given, output, "michael")
    else:
        code = converting(runtime, MUSIC, tiny_song(given), output, "classic")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [GRAPH_RUNTIMES[runtime]]
    assert output.stat().st_size > 100


@pytest.mark.parametrize("bundle", [VOICE, MUSIC], ids=["voice", "music"])
@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
def test_graphs_of_the_package_agree_with_torch(bundle: Path, runtime: str) -> None:
    pytest.importorskip(GRAPH_RUNTIMES[runtime])
    config, shape = read_config(bundle), (36,) if bundle == VOICE else (2, 84)
    reference, network = (load_network(bundle, config, name, "fp32") for name in ("torch", runtime))
    for pair in (config.domains, config.domains[::-1]):
        for batch, frames in ((1, 65), (3, 128)):
            x = np.random.default_rng(frames).standard_normal((batch, *shape, frames)).astype(np.float32)
            np.testing.assert_allclose(network(x, way(*pair)), reference(x, way(*pair)), atol=TOLERANCE)


@pytest.mark.parametrize("runtime", ["torch", "openvino"])
def test_half_precision_is_near_and_not_the_same(runtime: str) -> None:
    if runtime == "openvino":
        openvino = pytest.importorskip("openvino")
        if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            pytest.skip("no bfloat16 on this processor")
    config = read_config(MUSIC)
    x = np.random.default_rng(0).standard_normal((1, 2, 84, 64)).astype(np.float32)
    full, half = (load_network(MUSIC, config, runtime, precision)(x, way(*config.domains)) for precision in ("fp32", "bf16"))
    assert half.dtype == np.float32
    assert 1e-5 < np.abs(half - full).max() < 0.1


def test_a_recording_sounds_the_same_whatever_computes(tmp_path: Path) -> None:
    heard = Signal(vowel(1.0), 16000)
    by_torch, by_onnx = (
        Converter.from_pretrained(VOICE, runtime=runtime, precision="fp32")(heard, "michael", "heart") for runtime in ("torch", "onnx")
    )
    assert np.abs(by_torch.samples - by_onnx.samples).max() < 1e-3 * np.abs(by_torch.samples).max()


class Installed:
    """Stands in for ``find_spec``: so many libraries are there."""

    def __init__(self, *modules: str) -> None:
        self.modules = modules

    def __call__(self, module: str) -> object | None:
        return self if module in self.modules else None


@pytest.mark.parametrize(
    ("modules", "precision", "expected"),
    [
        (("torch", "onnxruntime", "openvino"), "auto", "openvino"),
        (("torch", "onnxruntime"), "auto", "onnx"),
        (("torch", "onnxruntime"), "bf16", "torch"),
        (("torch", "onnxruntime"), "fp32", "onnx"),
        (("torch",), "auto", "torch"),
        ((), "auto", "torch"),
    ],
)
def test_auto_takes_the_first_that_fits(
    monkeypatch: pytest.MonkeyPatch, modules: tuple[str, ...], precision: str, expected: str
) -> None:
    monkeypatch.setattr(choice, "find_spec", Installed(*modules))
    assert choice.first_fitting(MUSIC, precision) == expected
    assert choice.first_fitting(MUSIC.parent, precision) == "torch"  # no graphs


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_runtime_that_is_not_installed_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(choice, "find_spec", Installed())
    song = tiny_song(tmp_path / "in.mid")
    done = run_cli(capsys, "convert", song, "-m", MUSIC, "-t", "classic", "-o", tmp_path / "out.mid", "--runtime", name)
    assert done.error == f"--runtime {name}: not installed; pip install {RUNTIMES[name].install}, or choose another"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"runtime": "tensorrt"}, r"runtime=tensorrt: unknown; choose one of: auto, openvino, onnx, torch"),
        ({"precision": "fp8"}, r"precision=fp8: unknown; choose one of: auto, bf16, fp32"),
        ({"runtime": "onnx", "precision": "bf16"}, r"precision=bf16: ONNX Runtime computes in float32 only"),
    ],
)
def test_unknown_and_impossible_choices_are_refused(options: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Converter.from_pretrained(MUSIC, **options)


def test_a_missing_graph_names_the_command(bundle: Path) -> None:
    graph_path(bundle, way("classic", "jazz")).unlink()
    with pytest.raises(BundleError, match=rf"classic-to-jazz\.onnx: no such graph; make it: audiocycle export {bundle}"):
        Converter.from_pretrained(bundle, runtime="onnx")
    graph_path(bundle, way("jazz", "classic")).unlink()
    assert Converter.from_pretrained(bundle).network.runtime == "torch"


def test_a_graph_of_other_weights_is_refused(bundle: Path) -> None:
    weights = bundle / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(BundleError, match=rf"jazz-to-classic\.onnx: not made for these weights; .* audiocycle export {bundle}"):
        Converter.from_pretrained(bundle, runtime="onnx")


def test_a_graph_of_another_direction_is_refused(bundle: Path) -> None:
    graph_path(bundle, way("jazz", "classic")).write_bytes(graph_path(bundle, way("classic", "jazz")).read_bytes())
    with pytest.raises(BundleError, match=r"jazz-to-classic\.onnx: not made for these weights"):
        Converter.from_pretrained(bundle, runtime="onnx")


@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
@pytest.mark.parametrize(
    "spoilt",
    [lambda graph: graph[1000:], lambda graph: graph[:5000] + b"\xff" * 50 + graph[5050:], lambda graph: graph[:-300]],
    ids=["head", "middle", "tail"],
)
def test_a_damaged_graph_is_said_before_any_file_is_read(bundle: Path, tmp_path: Path, runtime: str, spoilt: Callable[[bytes], bytes]) -> None:
    pytest.importorskip(GRAPH_RUNTIMES[runtime])
    path = graph_path(bundle, way("jazz", "classic"))
    path.write_bytes(spoilt(path.read_bytes()))
    job = Job(tmp_path / "missing.mid", tmp_path / "out/missing.mid")
    with pytest.raises(BundleError) as refused:
        convert_jobs(Task(bundle, "classic", runtime=runtime), [job], folder=tmp_path / "out")
    said = str(refused.value)
    assert said.startswith(f"{path}: damaged")
    assert said.endswith(f"make it again: audiocycle export {bundle}")
    assert "\n" not in said


@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
def test_a_bundle_of_links_as_the_model_hub_keeps_them(bundle: Path, tmp_path: Path, runtime: str) -> None:
    pytest.importorskip(GRAPH_RUNTIMES[runtime])
    linked, blobs = tmp_path / "models--somebody--model/snapshots/0123abc", tmp_path / "models--somebody--model/blobs"
    linked.mkdir(parents=True)
    blobs.mkdir()
    for number, path in enumerate(sorted(bundle.iterdir())):
        path.rename(blobs / f"{number}")
        (linked / path.name).symlink_to(f"../../blobs/{number}")
    network = load_network(linked, read_config(linked), runtime)
    x = np.zeros((1, 2, 84, 64), np.float32)
    assert np.isfinite(network(x, way("jazz", "classic"))).all()


def test_ctrl_c_is_heard_after_openvino_was_let_go_in_another_thread(bundle: Path) -> None:
    """As the garbage collector may do it. A signal handler would run on a stack that OpenVINO has freed."""
    pytest.importorskip("openvino")
    script = """
import os, signal, sys, threading
from pathlib import Path
from audiocycle.bundles.format import read_config
from audiocycle.bundles.runtimes.choice import load_network
from audiocycle.spec import Direction, Domain
held = [load_network(Path(sys.argv[1]), read_config(Path(sys.argv[1])), "openvino")]
held[0].prepare(Direction(Domain("jazz"), Domain("classic")))
thread = threading.Thread(target=held.clear)
thread.start()
thread.join()
signal.signal(signal.SIGINT, lambda *_: print("heard"))
os.kill(os.getpid(), signal.SIGINT)
"""
    done = subprocess.run([sys.executable, "-c", script, str(bundle)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr


def test_what_computed_is_part_of_what_an_output_is_made_with() -> None:
    kinds: list[Any] = [("torch", "fp32"), ("torch", "bf16"), ("onnx", "fp32")]
    tasks = [Task(MUSIC, "classic", runtime=runtime, precision=precision) for runtime, precision in kinds]
    recipes = {recipe_of(task, task.converter()).options for task in tasks}
    assert len(recipes) == len(kinds)
    said, meant = Task(MUSIC, "classic", runtime="onnx"), tasks[-1]
    assert recipe_of(said, said.converter()) == recipe_of(meant, meant.converter())


def test_outputs_of_another_graph_are_made_again(bundle: Path, tmp_path: Path) -> None:
    import onnx

    jobs = [Job(tiny_song(tmp_path / "in.mid"), tmp_path / "out/in.mid")]

    def statuses(runtime: str) -> list[str]:
        done = convert_jobs(Task(bundle, "classic", runtime=runtime), jobs, folder=tmp_path / "out")
        return [record.status for record in done]

    assert [*statuses("onnx"), *statuses("onnx")] == ["converted", "kept"]
    path = graph_path(bundle, way("jazz", "classic"))
    other = onnx.load(path, load_external_data=False)
    other.producer_name = "somebody"
    path.write_bytes(other.SerializeToString())
    assert [*statuses("onnx"), *statuses("torch")] == ["converted", "converted"]
    path.unlink()  # torch computes without
    assert statuses("torch") == ["kept"]


def test_workers_get_what_auto_meant_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Task] = []

    def recipe(task: Task, converter: Converter) -> Any:
        seen.append(task)
        raise InterruptedError

    monkeypatch.setattr("audiocycle.conversion.library.batch.recipe_of", recipe)
    monkeypatch.setattr(choice, "find_spec", Installed("torch", "onnxruntime"))
    task = Task(MUSIC, "classic")
    with pytest.raises(InterruptedError):
        convert_jobs(task, [], folder=tmp_path)
    assert seen == [replace(task, runtime="onnx", precision="fp32")]


@pytest.mark.parametrize("bundle", [VOICE, MUSIC], ids=["voice", "music"])
def test_graphs_of_the_package_hold_no_weights_and_no_paths(bundle: Path) -> None:
    for path in (graph_path(bundle, way(*pair)) for pair in permutations(read_config(bundle).domains, 2)):
        content = path.read_bytes()
        assert len(content) < 60_000
        assert not re.findall(rb"[/\\]\w{2,}[/\\]|\.py\b|torch\.nn", content)
