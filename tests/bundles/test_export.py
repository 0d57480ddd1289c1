"""Exported graphs: the same numbers as torch, from weights that are stored once, and nothing of this machine in them."""

from __future__ import annotations

import builtins
import re
from importlib.util import find_spec
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_bundle import run_cli
from ways import way

from audiocycle.build import build_adapter, build_translator
from audiocycle.bundles import export
from audiocycle.bundles.export import agreements, export_bundle, stored_tensors
from audiocycle.bundles.format import BundleConfig, describe_bundle, read_config
from audiocycle.bundles.runtimes.choice import installed_kinds, load_network
from audiocycle.bundles.runtimes.graphs import graph_path
from audiocycle.bundles.writing import write_bundle
from audiocycle.errors import BundleError, ConfigError
from audiocycle.spec import Domain, directions

DOMAINS = ("anna", "ben", "cleo")
TOLERANCE = 2e-5
"""For float32 outputs that are about 1: sums in another order."""
SIZES = ((1, 1), (1, 64), (3, 129), (1, 130), (3, 131), (1, 500))
"""(batch, frames): multiples of the strides, and all remainders of 4."""
VOICE: dict[str, Any] = {"name": "world", "n_mcep": 35}
ROLLS: dict[str, Any] = {"name": "piano_roll"}
KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "gated_212d": (VOICE, {"generator": "gated_212d", "generator_options": {"n_blocks": 1}}),
    "gated_1d": (VOICE, {"generator": "gated_1d", "generator_options": {"n_blocks": 1}}),
    "gated_2d": (ROLLS, {"generator": "gated_2d", "generator_options": {"n_blocks": 1, "outlet": "binary", "skip": 2.0}}),
    "linear": (ROLLS, {"generator": "gated_2d", "generator_options": {"n_blocks": 1, "outlet": "linear"}}),
    "resnet": (ROLLS, {"generator": "resnet", "generator_options": {"n_blocks": 1}}),
    "unet": (ROLLS, {"generator": "unet", "generator_options": {"depth": 3}}),
}


def random_bundle(folder: Path, kind: str, domains: tuple[str, ...] = DOMAINS[:2], half: bool = True) -> Path:
    """A bundle with random weights; no bias is zero, no factor of a norm is one."""
    adapter, model = KINDS[kind]
    model = model | {"width": 0.01}
    torch.manual_seed(1)
    translator = build_translator(model, directions(list(map(Domain, domains))), build_adapter(adapter).spec)
    with torch.no_grad():
        for number in translator.parameters():
            number.add_(0.1 * torch.randn_like(number))
    config = BundleConfig(folder.name, "voice", domains, adapter, model, {domain: {} for domain in domains})
    write_bundle(folder, config, translator.state_dict(), half=half)
    return folder


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = random_bundle(tmp_path_factory.mktemp("models") / "three", "gated_212d", DOMAINS, half=False)
    export_bundle(folder)
    return folder


def assert_agree(folder: Path, runtime: str, source: str, target: str, sizes: tuple[tuple[int, int], ...] = SIZES) -> None:
    """A runtime and torch in float32 make the same of random features of all sizes."""
    config = read_config(folder)
    shape = build_adapter(config.adapter).spec.shape
    reference, network = (load_network(folder, config, name, "fp32") for name in ("torch", runtime))
    for batch, frames in sizes:
        x = np.random.default_rng(frames).standard_normal((batch, *shape, frames)).astype(np.float32)
        made, wanted = network(x, way(source, target)), reference(x, way(source, target))
        assert made.dtype == np.float32
        np.testing.assert_allclose(made, wanted, atol=TOLERANCE, err_msg=f"{batch} of {frames} frames")


@pytest.mark.parametrize("kind", ["gated_1d", "gated_2d", "resnet", "unet"])  # others are in the fixture, and in the command's test
def test_every_generator_gives_the_same_numbers(tmp_path: Path, kind: str) -> None:
    folder = random_bundle(tmp_path / "model", kind)
    export_bundle(folder)
    sizes = SIZES[1:] if kind == "gated_1d" else SIZES  # of one frame, its norms would see rounding errors only
    assert_agree(folder, "onnx", "anna", "ben", sizes)
    pytest.importorskip("openvino")
    assert_agree(folder, "openvino", "ben", "anna", sizes)


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_every_direction_has_a_graph_with_its_own_weights(three: Path, runtime: str) -> None:
    pytest.importorskip({"onnx": "onnxruntime"}.get(runtime, runtime))
    x = np.random.default_rng(0).standard_normal((1, 35, 70)).astype(np.float32)
    network, made = load_network(three, read_config(three), runtime, "fp32"), []
    for source, target in permutations(DOMAINS, 2):
        assert_agree(three, runtime, source, target)
        made.append(network(x, way(source, target)))
    assert all(np.abs(a - b).max() > 0.01 for a, b in pairwise(made))


def test_graphs_are_small_and_listed(three: Path) -> None:
    names = sorted(f"{source}-to-{target}.onnx" for source, target in permutations(DOMAINS, 2))
    assert describe_bundle(three)["graphs"] == names
    assert sorted(path.name for path in three.iterdir()) == sorted([*names, "README.md", "config.json", "model.safetensors"])
    for name in names:
        content = (three / name).read_bytes()
        assert len(content) < 40_000
        assert not re.findall(rb"[/\\]\w{2,}[/\\]|\.py\b|torch\.nn", content), "a path, or what the exporter notes of the code"


def test_the_index_of_a_weights_file_is_read_right(three: Path) -> None:
    from safetensors.numpy import load_file

    content = (three / "model.safetensors").read_bytes()
    tensors, places = load_file(three / "model.safetensors"), stored_tensors(three / "model.safetensors")
    assert places.keys() == tensors.keys()
    for name, place in places.items():
        there = content[place.offset : place.offset + place.length]
        assert (place.kind, place.shape, there) == ("F32", tensors[name].shape, tensors[name].tobytes())


def test_new_weights_remove_the_graphs_of_the_old(tmp_path: Path) -> None:
    folder = random_bundle(tmp_path / "model", "gated_212d")
    graph_path(folder, way("anna", "ben")).write_bytes(b"of earlier weights")
    random_bundle(folder, "gated_212d")
    assert describe_bundle(folder)["graphs"] == []


def compared(printed: str) -> dict[str, float]:
    """Of what the command prints: largest errors by direction, runtime and precision."""
    found = re.findall(r"^(\w+ -> \w+ +\w+ \w+) +largest error ([\d.e+-]+),", printed, re.MULTILINE)
    return {" ".join(kind.split()): float(error) for kind, error in found}


def test_the_command_exports_and_compares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = random_bundle(tmp_path / "model", "linear")
    done = run_cli(capsys, "export", folder)
    assert (done.code, done.err) == (0, [])
    assert done.out.startswith(f"{folder}/anna-to-ben.onnx: ")
    errors = compared(done.out)
    for pair in ("anna -> ben", "ben -> anna"):
        assert errors[f"{pair} onnx fp32"] < TOLERANCE
        halves = [f"{pair} {runtime} {precision}" for runtime, precision in installed_kinds() if precision == "bf16"]
        assert all(0 < errors[half] < 0.2 for half in halves)


class WithoutHalf:
    """OpenVINO's core as it is on a processor without bfloat16."""

    def __init__(self, core: Any) -> None:
        self.core = core

    def get_property(self, device: str, name: str) -> Any:
        assert name == "OPTIMIZATION_CAPABILITIES"
        return [kind for kind in self.core.get_property(device, name) if kind != "BF16"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.core, name)


@pytest.fixture
def without_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor without bfloat16, whatever this one is."""
    from audiocycle.bundles.runtimes import torch_network

    monkeypatch.setattr(torch_network, "choose_bf16", lambda precision, device: precision == "bf16")
    if find_spec("openvino"):
        from audiocycle.bundles.runtimes import openvino_network

        plain = WithoutHalf(openvino_network.core())
        monkeypatch.setattr(openvino_network, "core", lambda: plain)


@pytest.mark.usefixtures("without_half")
def test_without_bfloat16_the_command_compares_what_there_is_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = random_bundle(tmp_path / "model", "linear")
    done = run_cli(capsys, "export", folder)
    assert (done.code, done.err) == (0, [])
    assert {kind.split()[-1] for kind in compared(done.out)} == {"fp32"}
    assert [line for line in done.out.splitlines() if "not compared" in line] == [
        f"{name} bf16: not compared, this processor does not have it" for name in ("openvino", "torch") if find_spec(name)
    ]
    assert len(describe_bundle(folder)["graphs"]) == 2


@pytest.mark.usefixtures("without_half")
def test_bfloat16_that_is_asked_for_and_is_not_there_is_refused(three: Path) -> None:
    pytest.importorskip("openvino")
    with pytest.raises(ConfigError, match="precision=bf16: OpenVINO has no bfloat16 on this processor; leave it out"):
        load_network(three, read_config(three), "openvino", "bf16")
    assert load_network(three, read_config(three), "openvino").precision == "fp32"
    assert load_network(three, read_config(three), "torch").precision == "fp32"


def test_graphs_that_differ_from_torch_do_not_stay(three: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for path in three.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(export, "TOLERANCE", 1e-12)
    with pytest.raises(BundleError, match=r"differs from torch by .* report this"):
        list(agreements(folder))
    assert describe_bundle(folder)["graphs"] == []


def changing(network: torch.nn.Module, change: Any) -> torch.nn.Module:
    """A network whose output is changed."""
    network.register_forward_hook(lambda network, given, made: change(made))
    return network


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (torch.sin, "the network uses Sin, which graphs in bundles may not"),
        (lambda y: torch.cat([y, y], dim=-1), r"no graph in a bundle may be as the network's is \(.+\)"),
    ],
    ids=["operator", "shape"],
)
def test_a_graph_that_readers_would_refuse_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, said: str) -> None:
    folder = random_bundle(tmp_path / "model", "gated_1d")
    graph_path(folder, way("ben", "anna")).write_bytes(b"of an earlier export")
    real = export.traced
    monkeypatch.setattr(export, "traced", lambda network, shape: real(changing(network, change), shape))
    with pytest.raises(BundleError, match=rf"^{folder}: {said}; convert with `runtime=torch`$"):
        export_bundle(folder)
    assert describe_bundle(folder)["graphs"] == []


def test_exporting_without_its_libraries_says_how_to_get_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, real = random_bundle(tmp_path / "model", "gated_212d"), builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("onnx_ir"):
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert "pip install 'audiocycle[export]'" in run_cli(capsys, "export", folder).error


def test_an_unknown_format_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(capsys, "export", "model", "--format", "tflite").error == "--format tflite: unknown; choose one of: onnx"
