"""Bundles that convert everybody: their format, what a stranger's may not say, and the same numbers from every runtime."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from tiny_bundle import tiny_bundle, tiny_content_bundle

from audiocycle.build import build_adapter
from audiocycle.bundles.format import CONFIG, WEIGHTS, describe_bundle, read_config
from audiocycle.bundles.library import find_for_target
from audiocycle.bundles.runtimes.choice import load_network
from audiocycle.bundles.runtimes.network import told
from audiocycle.conversion.converter import Converter
from audiocycle.errors import BundleError, DomainError
from audiocycle.spec import ANYONE, Direction, Domain

TOLERANCE = 2e-5
"""For float32 outputs that are about 1: sums in another order."""
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_content_bundle(tmp_path_factory.mktemp("made") / "all")


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Callable[[Change], Path]:
    """``copy(change)``: the bundle with changed settings."""

    def make(change: Change) -> Path:
        made = Path(shutil.copytree(bundle, tmp_path / "bundle"))
        raw = json.loads((made / CONFIG).read_text(encoding="utf-8"))
        change(raw)
        (made / CONFIG).write_text(json.dumps(raw), encoding="utf-8")
        return made

    return make


def refusal(bundle: Path) -> str:
    """The one line with which a bundle is refused."""
    with pytest.raises(BundleError) as caught:
        Converter.from_pretrained(bundle, runtime="torch")
    assert str(caught.value).startswith(str(bundle))
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_only_such_models_need_a_version_that_knows_of_it(bundle: Path, tmp_path: Path) -> None:
    assert json.loads((bundle / CONFIG).read_text(encoding="utf-8"))["format"] == read_config(bundle).format == 3
    assert read_config(tiny_bundle(tmp_path / "one", one_way=True)).format == 2
    assert read_config(tiny_bundle(tmp_path / "both")).format == 1


def test_it_is_told_what_the_model_does(bundle: Path) -> None:
    config = read_config(bundle)
    assert config.any_source
    assert config.targets == ["anna", "ben"]
    assert describe_bundle(bundle)["directions"] == ["anyone->anna", "anyone->ben"]
    assert "Converts voice from everybody to anna and ben" in (bundle / "README.md").read_text(encoding="utf-8")
    assert {name.split(".")[1] for name in load_file(bundle / WEIGHTS)} == {"shared"}


def test_one_target_is_enough(tmp_path: Path) -> None:
    config = read_config(tiny_content_bundle(tmp_path / "one", ("anna",)))
    assert config.domains == ("anna",)
    assert str(config.resolve("anna", None)) == "anyone->anna"


def test_no_source_is_needed_and_none_is_taken(bundle: Path) -> None:
    config = read_config(bundle)
    assert config.resolve("ben", None) == config.resolve("ben", "anyone") == Direction(ANYONE, Domain("ben"))
    for source in ("anna", "ben", "zoe"):
        with pytest.raises(DomainError, match="model all converts everybody; leave `source` out"):
            config.resolve("ben", source)
    for target in ("zoe", "anyone"):
        with pytest.raises(DomainError, match=f"target '{target}' is unknown to model all; it knows: anna, ben"):
            config.resolve(target, None)


def test_it_is_found_for_its_targets(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIOCYCLE_MODELS", str(bundle.parent))
    assert [found.path for found in find_for_target("ben") if found.path.parent == bundle.parent] == [bundle]
    assert [found.path for found in find_for_target("ben", "anyone")] == [bundle]
    with pytest.raises(DomainError, match="no installed model converts"):
        find_for_target("ben", "anna")


def test_a_target_brings_what_a_network_is_told_of_it(bundle: Path) -> None:
    config = read_config(bundle)
    adapter = build_adapter(config.adapter)
    for name in config.domains:
        target = config.resolve(name, None).target
        assert target.condition is not None
        np.testing.assert_array_equal(target.condition, adapter.condition(target.stats))
        assert target.condition.shape == (adapter.spec.condition,)
    assert config.resolve("anna", None).source.stats == {}
    anna, ben = (config.resolve(name, None).target.condition for name in config.domains)
    assert anna is not None
    assert ben is not None
    assert np.abs(anna - ben).max() > 0.5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw.update(any_source=False), "any_source=False: its adapter says otherwise"),
        (lambda raw: raw.pop("any_source"), "any_source=False: its adapter says otherwise"),
        (lambda raw: raw.update(any_source=False, domains=["anna"]), "domains: there must be 2 to 32 names"),
        (lambda raw: raw.update(domains=[]), "domains: there must be 1 to 32 names"),
        (lambda raw: raw.update(domains=["anna", "anyone"], stats=raw["stats"] | {"anyone": raw["stats"]["ben"]}), "domains: anyone is everybody, and no target"),
        (lambda raw: raw.update(adapter={"name": "world"}), "any_source=True: its adapter says otherwise"),
        (lambda raw: raw["adapter"].update(n_mcep=600), "n_mcep=600: choose a whole number from 2 to 128"),
        (lambda raw: raw["adapter"].update(n_mcep=35), "has the shape (36, 1), where (35, 1) belongs"),
        (lambda raw: raw["model"].update(translator="pair"), "weights do not fit config.json (missing: generators.anyone->anna)"),
        (lambda raw: raw["model"].pop("translator"), "weights do not fit config.json (missing: generators.anyone->anna)"),
        (lambda raw: raw["model"].update(generator="gated_1d"), "no option"),
        (lambda raw: raw["model"]["generator_options"].update(made=5), "generator_options.made: follows from the adapter; leave it out"),
        (lambda raw: raw["model"]["generator_options"].update(condition=0), "generator_options.condition: follows from the adapter"),
        (lambda raw: raw["model"].update(width=0.1), "weights do not fit config.json (generators.shared."),
        (lambda raw: raw["model"].update(width=30), "width=30: choose a number from"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(copy: Callable[[Change], Path], change: Change, said: str) -> None:
    assert said in refusal(copy(change))


def test_everybody_and_a_model_of_two_do_not_go_together(tmp_path: Path) -> None:
    made = tiny_bundle(tmp_path / "two")
    raw = json.loads((made / CONFIG).read_text(encoding="utf-8"))
    (made / CONFIG).write_text(json.dumps(raw | {"any_source": True}), encoding="utf-8")
    assert "weights do not fit config.json (missing: generators.anyone->anna)" in refusal(made)


DAMAGED = [
    ({"std": [[0.0]] * 36}, "std among its statistics must be from 0.0001 to 50.0"),
    ({"std": [[-1.0]] * 36}, "std"),
    ({"mean": [[1e12]] * 36}, "mean"),
    ({"mean": [[0.0]] * 35}, "has the shape (35, 1), where (36, 1) belongs"),
    ({"mean": [0.0] * 36}, "has the shape (36,)"),
    ({"log_f0": [9.0, 0.2]}, "log_f0"),
    ({"log_f0": [5.0]}, "log_f0"),
    ({"lowest": [[1e9]]}, "lowest"),
]


@pytest.mark.parametrize(("statistics", "said"), DAMAGED)
def test_statistics_have_limits(copy: Callable[[Change], Path], statistics: dict[str, Any], said: str) -> None:
    bundle = copy(lambda raw: raw["stats"]["ben"].update(statistics))
    assert said in refusal(bundle)
    with pytest.raises(BundleError) as caught:  # who reads a bundle by himself is not told of a speaker that there cannot be, either
        read_config(bundle).direction("anyone", "ben")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["mean", "std", "log_f0"])
def test_statistics_that_are_missing_are_named(copy: Callable[[Change], Path], name: str) -> None:
    assert f"ben: no {name} among its statistics" in refusal(copy(lambda raw: raw["stats"]["ben"].pop(name)))


@pytest.mark.parametrize("value", [[1.0], [[1.0]] * 424, [1e9] * 424, [0.5] * 36], ids=lambda value: str(value)[:20])
def test_deviations_have_limits(copy: Callable[[Change], Path], value: object) -> None:
    assert "deviations" in refusal(copy(lambda raw: raw.update(deviations={"anyone->ben": value})))


def test_what_is_told_goes_behind_the_rows() -> None:
    batch = np.random.default_rng(0).standard_normal((3, 4, 7)).astype(np.float32)
    assert told(batch, Direction(ANYONE, Domain("anna"))) is batch
    given = told(batch, Direction(ANYONE, Domain("anna", condition=np.array([1.0, -2.0], np.float32))))
    assert given.dtype == np.float32
    np.testing.assert_array_equal(given[:, :4], batch)
    np.testing.assert_array_equal(given[:, 4:], np.broadcast_to([[[1.0], [-2.0]]], (3, 2, 7)))


def test_graphs_give_the_numbers_of_torch(bundle: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    from audiocycle.bundles.export import agreements, export_bundle

    folder = Path(shutil.copytree(bundle, tmp_path / "all"))
    assert sorted(path.name for path in export_bundle(folder)) == ["anyone-to-anna.onnx", "anyone-to-ben.onnx"]
    assert {str(found.direction) for found in agreements(folder)} == {"anyone->anna", "anyone->ben"}
    config = read_config(folder)
    shape = build_adapter(config.adapter).spec.shape
    runtimes = ["onnx", *(["openvino"] if pytest.importorskip("openvino") else [])]
    reference = load_network(folder, config, "torch", "fp32")
    for runtime in runtimes:
        network = load_network(folder, config, runtime, "fp32")
        for batch, frames in ((1, 1), (1, 64), (3, 129), (1, 500)):
            x = np.random.default_rng(frames).standard_normal((batch, *shape, frames)).astype(np.float32)
            made = [network(x, config.resolve(name, None)) for name in config.domains]
            wanted = [reference(x, config.resolve(name, None)) for name in config.domains]
            np.testing.assert_allclose(made, wanted, atol=TOLERANCE, err_msg=f"{runtime}: {batch} of {frames} frames")
            assert made[0].shape == x.shape
            assert np.abs(made[0] - made[1]).max() > 1e-3
