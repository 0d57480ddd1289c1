"""Bundles: what is written comes back; what is damaged, newer or of another model is refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from audiocycle import __version__
from audiocycle.build import build_translator
from audiocycle.bundles.format import (
    BOTH_WAYS,
    CARD,
    CONFIG,
    FORMAT,
    WEIGHTS,
    BundleConfig,
    describe_bundle,
    load_translator,
    read_config,
    stats_to_json,
)
from audiocycle.bundles.writing import write_bundle
from audiocycle.errors import BundleError, OutputError
from audiocycle.models.layers import parameter_count
from audiocycle.spec import FeatureSpec

MODEL = {
    "generator": "gated_212d",
    "critic": "gated_patch",
    "width": 0.125,
    "generator_options": {"n_blocks": 1},
}
STATS = {
    name: {"mean": np.full((8, 1), number), "std": np.full((8, 1), 0.1), "log_f0": np.array([number, 0.2])}
    for name, number in (("anna", 5.3), ("ben", 4.7))
}
SETTINGS = BundleConfig(
    name="anna-ben",
    modality="voice",
    domains=("anna", "ben"),
    adapter={"name": "world", "n_mcep": 8},
    model=MODEL,
    stats={name: stats_to_json(stats) for name, stats in STATS.items()},
    licence="cc-by-4.0",
    training={"steps": 40, "material": "größer"},
)


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return dict(build_translator(MODEL, SETTINGS.directions, FeatureSpec("voice", (8,), 200.0)).state_dict())


@pytest.fixture
def bundle(tmp_path: Path, weights: dict[str, torch.Tensor]) -> Path:
    write_bundle(tmp_path / "bundle", SETTINGS, weights)
    return tmp_path / "bundle"


def edit(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    raw = json.loads((bundle / CONFIG).read_text(encoding="utf-8"))
    change(raw)
    (bundle / CONFIG).write_text(json.dumps(raw), encoding="utf-8")


def load(bundle: Path) -> Any:
    return load_translator(bundle, read_config(bundle))


def assert_refused(bundle: Path, *parts: str) -> None:
    with pytest.raises(BundleError) as caught:
        load(bundle)
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(bundle), *parts):
        assert part in message


def test_a_bundle_is_three_files(bundle: Path) -> None:
    assert sorted(p.name for p in bundle.iterdir()) == [CARD, CONFIG, WEIGHTS]


def test_settings_come_back_as_they_were(bundle: Path) -> None:
    config = read_config(bundle)
    assert config == SETTINGS
    assert (config.format, config.audiocycle) == (BOTH_WAYS, __version__)


def test_statistics_of_every_domain_come_back(bundle: Path) -> None:
    config = read_config(bundle)
    for domain, stats in STATS.items():
        loaded = config.domain(domain).stats
        assert loaded.keys() == stats.keys()
        for key, value in stats.items():
            assert loaded[key].dtype == np.float32
            np.testing.assert_allclose(loaded[key], value, rtol=1e-6)


@pytest.mark.parametrize(("half", "tolerance"), [(True, 1e-3), (False, 0.0)], ids=["float16", "float32"])
def test_weights_come_back_as_float32_in_evaluation_mode(
    tmp_path: Path, weights: dict[str, torch.Tensor], half: bool, tolerance: float
) -> None:
    write_bundle(tmp_path / "b", SETTINGS, weights, half=half)
    translator = load(tmp_path / "b")
    assert not translator.training
    loaded = translator.state_dict()
    assert loaded.keys() == weights.keys()
    for name, value in weights.items():
        assert loaded[name].dtype == torch.float32
        torch.testing.assert_close(loaded[name], value, rtol=tolerance, atol=tolerance * 0.02)
    per_parameter = (tmp_path / "b" / WEIGHTS).stat().st_size / parameter_count(translator)
    assert per_parameter == pytest.approx(2 if half else 4, rel=0.05)


def test_weights_of_a_network_in_training_can_be_written(tmp_path: Path) -> None:
    translator = build_translator(MODEL, SETTINGS.directions, FeatureSpec("voice", (8,), 200.0))
    write_bundle(tmp_path / "b", SETTINGS, dict(translator.named_parameters()))
    assert load(tmp_path / "b").state_dict().keys() == translator.state_dict().keys()


def test_writing_again_replaces_the_bundle(bundle: Path, weights: dict[str, torch.Tensor]) -> None:
    write_bundle(
        bundle, replace(SETTINGS, name="second"), {k: v + 1 for k, v in weights.items()}, card="# mine\n"
    )
    assert read_config(bundle).name == "second"
    assert (bundle / CARD).read_text() == "# mine\n"
    assert sorted(p.name for p in bundle.iterdir()) == [CARD, CONFIG, WEIGHTS]


def test_model_card_tells_what_it_is(bundle: Path) -> None:
    card = (bundle / CARD).read_text(encoding="utf-8")
    front, _, body = card.removeprefix("---\n").partition("---\n")
    assert "license: cc-by-4.0" in front
    for part in ("anna-ben", "anna and ben", "| steps | 40 |", "größer", "--target ben", "consent"):
        assert part in body


def test_description_counts_parameters(bundle: Path, weights: dict[str, torch.Tensor]) -> None:
    described = describe_bundle(bundle)
    assert described["parameters"] == sum(value.numel() for value in weights.values())
    assert described["domains"] == ["anna", "ben"]
    (bundle / WEIGHTS).write_bytes(b"")
    with pytest.raises(BundleError, match="missing or damaged"):
        describe_bundle(bundle)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path, bundle: Path) -> None:
    assert_refused(tmp_path, "it has no config.json", f"did you mean {bundle}?")
    with pytest.raises(BundleError, match="not a bundle"):
        read_config(tmp_path / "missing")


def test_missing_weights_are_named(bundle: Path) -> None:
    (bundle / WEIGHTS).unlink()
    assert_refused(bundle, "it has no model.safetensors; copy it again")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1, 2]", b"null", b"{}", b'{"format": null}', b"\xff\xfe\x00", b'{"format": Infinity}', b'{"format": -1}'],
    ids=repr,
)
def test_damaged_settings_are_refused(bundle: Path, content: bytes) -> None:
    (bundle / CONFIG).write_bytes(content)
    assert_refused(bundle, CONFIG, "copy the bundle again")


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1"])
def test_a_format_that_never_was_is_damage(bundle: Path, version: object) -> None:
    edit(bundle, lambda raw: raw.update(format=version))
    assert_refused(bundle, CONFIG, "not a bundle's settings; copy the bundle again")


@pytest.mark.parametrize("key", ["name", "modality", "domains", "adapter", "model", "stats"])
def test_missing_settings_are_named(bundle: Path, key: str) -> None:
    edit(bundle, lambda raw: raw.pop(key))
    assert_refused(bundle, key, "copy the bundle again")


@pytest.mark.parametrize("value", [None, 5, "x", [], [5], {}, {"x": None}], ids=repr)
@pytest.mark.parametrize("key", ["domains", "adapter", "model", "stats"])
def test_settings_of_a_wrong_kind_are_refused(bundle: Path, key: str, value: object) -> None:
    edit(bundle, lambda raw: raw.update({key: value}))
    assert_refused(bundle, CONFIG)


@pytest.mark.parametrize(
    "value", [None, 5, [], {"mean": "x"}, {"mean": None, "std": [[1], [1, 2]]}], ids=repr
)
def test_a_domain_without_statistics_is_named(bundle: Path, value: object) -> None:
    edit(bundle, lambda raw: raw["stats"].update(ben=value) if value else raw["stats"].pop("ben"))
    assert_refused(bundle, "no statistics of ben")


def test_a_bundle_of_a_newer_format_tells_the_versions(bundle: Path) -> None:
    edit(bundle, lambda raw: raw.update(format=FORMAT + 1, audiocycle="9.9", new_key=1))
    assert_refused(bundle, f"format {FORMAT + 1}", "9.9", __version__, "pip install --upgrade audiocycle")


def test_an_unknown_extra_setting_is_no_obstacle(bundle: Path) -> None:
    edit(bundle, lambda raw: raw.update(remark="hello"))
    assert read_config(bundle) == SETTINGS


@pytest.mark.parametrize("size", [0, 5, 200, -10])
def test_damaged_weights_are_refused(bundle: Path, size: int) -> None:
    path = bundle / WEIGHTS
    path.write_bytes(path.read_bytes()[:size])
    assert_refused(bundle, WEIGHTS, "copy the bundle again")


@pytest.mark.parametrize(
    "change",
    [
        {"model": MODEL | {"width": 0.25}},
        {"model": MODEL | {"generator_options": {"n_blocks": 2}}},
        {"adapter": {"name": "world", "n_mcep": 16}},
        {"domains": ["ben", "anna", "cleo"]},
    ],
    ids=["width", "blocks", "features", "domains"],
)
def test_weights_of_another_model_are_refused(bundle: Path, change: dict[str, Any]) -> None:
    edit(bundle, lambda raw: raw.update(change) or raw["stats"].update(cleo=raw["stats"]["ben"]))
    assert_refused(bundle, "weights do not fit config.json")


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"model": MODEL | {"generator": "os.system"}}, "generator 'os.system' is unknown"),
        ({"adapter": {"name": "audiocycle.voice"}}, "adapter 'audiocycle.voice' is unknown"),
        ({"adapter": {"name": "world", "tempo": 3}}, "no option tempo"),
    ],
)
def test_a_bundle_can_name_only_what_the_build_table_knows(
    bundle: Path, change: dict[str, Any], part: str
) -> None:
    edit(bundle, lambda raw: raw.update(change))
    assert_refused(bundle, part)


def test_weights_that_the_disk_does_not_take_are_told(
    bundle: Path, weights: dict[str, torch.Tensor], little_space: Callable[[int], AbstractContextManager[None]]
) -> None:
    before = (bundle / WEIGHTS).read_bytes()
    with little_space(20_000), pytest.raises(OutputError, match=r"model\.safetensors: cannot be written"):
        write_bundle(bundle, SETTINGS, {k: v + 1 for k, v in weights.items()})
    assert (bundle / WEIGHTS).read_bytes() == before
    assert sorted(p.name for p in bundle.iterdir()) == [CARD, CONFIG, WEIGHTS]
