"""Graphs of strangers: what is not what our exporter writes reaches no library, and is said."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import HOSTILE, copied, external, remainder_of_floats, spoilt
from tiny_bundle import run_cli, tiny_song
from ways import way

from audiocycle.bundles.format import read_config
from audiocycle.bundles.runtimes import graph_shapes
from audiocycle.bundles.runtimes.choice import load_network
from audiocycle.bundles.runtimes.graphs import Graphs, graph_path
from audiocycle.conversion.converter import Converter
from audiocycle.errors import BundleError

Capture = pytest.CaptureFixture[Any]
MUTATIONS = 400


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return copied(tmp_path / "model")


def graphs(bundle: Path) -> Graphs:
    return Graphs(bundle, read_config(bundle))


@pytest.mark.parametrize("name", HOSTILE)
def test_what_we_never_export_is_refused(bundle: Path, name: str) -> None:
    (bundle / "secret.bin").write_bytes(bytes(1 << 20))
    spoil, said = HOSTILE[name]
    path = spoilt(bundle, spoil)
    with pytest.raises(BundleError, match=said) as refused:
        graphs(bundle)
    assert str(refused.value).startswith(f"{path}: damaged, or not made by audiocycle export (")
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_no_library_sees_a_graph_that_was_refused(bundle: Path, runtime: str) -> None:
    library = pytest.importorskip({"onnx": "onnxruntime"}.get(runtime, runtime))
    spoilt(bundle, HOSTILE["memory"][0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            library,
            {"onnx": "InferenceSession"}.get(runtime, "Core"),
            lambda *_, **__: pytest.fail("was asked"),
        )
        with pytest.raises(BundleError, match="lies elsewhere"):
            load_network(bundle, read_config(bundle), runtime)


def test_auto_takes_torch_instead_and_says_so(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    path = spoilt(bundle, HOSTILE["absolute"][0])
    song = tiny_song(tmp_path / "in.mid")
    done = run_cli(capsys, "convert", song, "-m", bundle, "-t", "classic", "-o", tmp_path / "out.mid")
    assert done.code == 0
    said = [line for line in done.err if str(path) in line]
    assert len(said) == 1
    assert said[0].endswith("(the graphs are not used, torch computes)")
    assert Converter.from_pretrained(bundle).network.runtime == "torch"


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that let something through which no library computes: one will be found some day."""
    strict = graph_shapes.SHAPES["Mod"]

    def mod(given: Any, attributes: Any) -> Any:
        return strict(given, attributes) if given[0].kind == graph_shapes.INT64 else [given[0]]

    monkeypatch.setitem(graph_shapes.SHAPES, "Mod", mod)


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_what_fails_in_a_library_is_told_in_one_line(bundle: Path, runtime: str) -> None:
    pytest.importorskip({"onnx": "onnxruntime"}.get(runtime, runtime))
    path = spoilt(bundle, remainder_of_floats)
    network = load_network(bundle, read_config(bundle), runtime)
    with pytest.raises(BundleError, match="damaged, or too new for what reads it") as refused:
        network(np.zeros((1, 2, 84, 64), np.float32), way("jazz", "classic"))
    assert str(refused.value).startswith(f"{path}: ")
    assert str(refused.value).isprintable()


@pytest.mark.usefixtures("lenient")
def test_auto_takes_torch_where_a_graph_cannot_be_computed(
    bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    path = spoilt(bundle, remainder_of_floats)
    song = tiny_song(tmp_path / "in.mid")
    done = run_cli(capsys, "convert", song, "-m", bundle, "-t", "classic", "-o", tmp_path / "out.mid")
    assert done.code == 0
    said = [line for line in done.err if str(path) in line]
    assert len(said) == 1
    assert said[0].endswith("(the graphs are not used, torch computes)")


def test_auto_takes_torch_where_a_graph_fails_later(bundle: Path, capsys: Capture) -> None:
    """At another size than those that were tried."""
    batch = np.random.default_rng(0).random((1, 2, 84, 64), np.float32)
    wanted = load_network(bundle, read_config(bundle), "torch", "fp32")(batch, way("jazz", "classic"))
    network = load_network(bundle, read_config(bundle), precision="fp32")
    network.prepare(way("jazz", "classic"))
    assert network.runtime != "torch"
    assert capsys.readouterr().err == ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Graphs, "check_size", refuse)
        found = network(batch, way("jazz", "classic"))
    np.testing.assert_array_equal(found, wanted)
    assert (network.runtime, network.precision) == ("torch", "fp32")
    assert capsys.readouterr().err == "a\\x1bb: too large (the graphs are not used, torch computes)\n"


def refuse(*_: Any) -> None:
    raise BundleError("a\x1bb: too large")


def test_a_link_out_of_the_folder_is_not_followed(bundle: Path, tmp_path: Path) -> None:
    for path in (graph_path(bundle, way("jazz", "classic")), bundle / "model.safetensors"):
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(BundleError, match=rf"{path.name}: a link out of the bundle's folder"):
            graphs(bundle)
        path.unlink()
        (tmp_path / "elsewhere").rename(path)
    path.rename(bundle / "within")
    path.symlink_to("within")
    assert graphs(bundle).model(way("jazz", "classic"))


@pytest.mark.parametrize("name", ["model.safetensors", "jazz-to-classic.onnx"])
def test_what_is_no_file_is_refused_and_not_waited_for(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    os.mkfifo(bundle / name)
    with pytest.raises(BundleError, match=rf"{name}: not a regular file"):
        graphs(bundle)
    (bundle / name).unlink()
    (bundle / name).symlink_to(name)
    with pytest.raises(BundleError, match=rf"{name}: (cannot be read|no such graph)"):
        graphs(bundle)


def test_a_graph_of_any_size_is_not_read(bundle: Path) -> None:
    with graph_path(bundle, way("jazz", "classic")).open("r+b") as file:
        file.truncate(1 << 40)  # takes no space
    with pytest.raises(BundleError, match=r"larger than 4 MiB"):
        graphs(bundle)


def test_what_a_library_gets_opens_no_file(bundle: Path) -> None:
    import onnx

    model = onnx.load_from_string(graphs(bundle).model(way("jazz", "classic")))
    assert not [tensor for tensor in model.graph.initializer if tensor.external_data or tensor.data_location]
    kept = onnx.load(graph_path(bundle, way("jazz", "classic")), load_external_data=False)
    place = {entry.key: entry.value for entry in external(kept).external_data}
    there = (bundle / "model.safetensors").read_bytes()[int(place["offset"]) :][: int(place["length"])]
    assert (
        next(tensor for tensor in model.graph.initializer if tensor.name == external(kept).name).raw_data
        == there
    )
    onnx.checker.check_model(model)


def test_weights_that_change_after_the_check_are_not_used(bundle: Path) -> None:
    checked = graphs(bundle)
    content = bytearray((bundle / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (bundle / "model.safetensors").write_bytes(content)
    with pytest.raises(BundleError, match="was changed meanwhile"):
        checked.model(way("jazz", "classic"))


def test_each_size_is_followed_before_it_is_computed(bundle: Path) -> None:
    network = load_network(bundle, read_config(bundle), "onnx")
    with pytest.raises(BundleError, match="a convolution of other channels than there are"):
        network(np.zeros((1, 3, 84, 64), np.float32), way("jazz", "classic"))
    assert network(np.zeros((2, 2, 84, 1), np.float32), way("jazz", "classic")).shape == (2, 2, 84, 1)


def test_mutated_graphs_are_refused_or_harmless(bundle: Path) -> None:
    """Nothing but our own error comes out, and what passes computes features of the right shape, or is refused by the library."""
    path, config, chance = graph_path(bundle, way("jazz", "classic")), read_config(bundle), random.Random(5)
    whole = path.read_bytes()
    x = np.zeros((1, 2, 84, 64), np.float32)
    passed = 0
    for _ in range(MUTATIONS):
        content = bytearray(whole)
        for _ in range(chance.choice([1, 1, 2, 8])):
            place = chance.randrange(len(content))
            match chance.randrange(4):
                case 0:
                    content[place] = chance.randrange(256)
                case 1:
                    content[place] ^= 1 << chance.randrange(8)
                case 2:
                    del content[place : place + chance.choice([1, 4, 100])]
                case _:
                    content[place:place] = content[place : place + chance.choice([1, 4, 100])]
        path.write_bytes(content)
        try:
            made = load_network(bundle, config, "onnx")(x, way("jazz", "classic"))
        except BundleError:
            continue
        assert made.shape == x.shape
        passed += 1
    assert passed < MUTATIONS / 2


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"\xff" * 100, b"GIF89a" + bytes(1000), bytes(range(256)) * 50]
)
def test_other_files_are_refused(bundle: Path, content: bytes) -> None:
    path = graph_path(bundle, way("jazz", "classic"))
    path.write_bytes(content)
    with pytest.raises(BundleError, match=rf"{path.name}: damaged, or not made by audiocycle export"):
        graphs(bundle)
