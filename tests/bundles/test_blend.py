"""Voices between voices: what a blend may be called, and that it lies between its parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_bundle import tiny_bundle, tiny_content_bundle, vowel

from audiocycle.bundles.blend import shares_of
from audiocycle.bundles.export import export_bundle
from audiocycle.bundles.format import BundleConfig, read_config
from audiocycle.bundles.library import find_for_target
from audiocycle.conversion.converter import Converter
from audiocycle.errors import DomainError
from audiocycle.spec import Signal


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_content_bundle(tmp_path_factory.mktemp("made") / "all")


@pytest.fixture(scope="module")
def config(bundle: Path) -> BundleConfig:
    return read_config(bundle)


@given(st.dictionaries(st.text("abcd -_", min_size=1, max_size=5).map(str.strip).filter(bool), st.floats(1e-3, 1e3), min_size=1, max_size=4))
def test_shares_add_up_to_one_and_stay_in_proportion(parts: dict[str, float]) -> None:
    shares = shares_of(", ".join(f"{name}={share!r}" for name, share in parts.items()))
    assert list(shares) == list(parts)
    assert sum(shares.values()) == pytest.approx(1.0)
    first = next(iter(parts))
    assert [share / shares[first] for share in shares.values()] == pytest.approx([share / parts[first] for share in parts.values()])


@pytest.mark.parametrize("target", ["anna=", "=1", "anna=0", "anna=-1,ben=2", "anna=nan", "anna=inf", "anna=1,anna=2", "anna=0.5,ben", "anna=0.5;ben=0.5"])
def test_what_is_no_blend_is_told(target: str) -> None:
    with pytest.raises(DomainError, match=r"a blend names voices once each, with numbers above 0, as in anna=0\.6,ben=0\.4"):
        shares_of(target)


def test_a_plain_name_is_none() -> None:
    assert shares_of("anna") == {}


def test_it_lies_between_its_parts(config: BundleConfig) -> None:
    anna, ben, between = (config.resolve(target, None) for target in ("anna", "ben", "anna=3,ben=1"))
    for name, values in between.target.stats.items():
        np.testing.assert_allclose(values, 0.75 * anna.target.stats[name] + 0.25 * ben.target.stats[name], rtol=1e-5)
    for each in (anna, ben, between):
        assert each.target.condition is not None
    assert str(between) == "anyone->anna=3,ben=1"


def test_what_is_a_list_it_has_of_all(config: BundleConfig) -> None:
    places = {name: np.full((512, 384), share, np.float32) for name, share in (("anna", 0.5), ("ben", -0.5))}
    known = replace(config, stats={name: {**stats, "places": places[name]} for name, stats in config.stats.items()})
    found = known.resolve("anna=3,ben=1", None).target.stats["places"]
    np.testing.assert_array_equal(found, np.concatenate([places["anna"], places["ben"]]))


def test_all_of_one_is_that_one(config: BundleConfig) -> None:
    np.testing.assert_allclose(config.resolve("ben=2", None).target.condition, config.resolve("ben", None).target.condition, rtol=1e-5)


def test_unknown_parts_and_models_of_pairs_are_told(config: BundleConfig, tmp_path: Path) -> None:
    with pytest.raises(DomainError, match=r"target 'carl' is unknown to model .*; it knows: anna, ben"):
        config.resolve("anna=1,carl=1", None)
    with pytest.raises(DomainError, match="only a model that converts everybody blends them"):
        read_config(tiny_bundle(tmp_path / "pair")).resolve("anna=1,ben=1", None)


def test_a_model_is_found_by_a_blend(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiocycle.bundles.library.model_folders", lambda: (bundle.parent,))
    assert [model.path for model in find_for_target("anna=0.5,ben=0.5")] == [bundle]
    with pytest.raises(DomainError, match=r"no installed model converts to 'anna=0\.5,carl=0\.5'"):
        find_for_target("anna=0.5,carl=0.5")


def test_a_sound_becomes_a_blend_whatever_computes_it(tmp_path: Path) -> None:
    bundle = tiny_content_bundle(tmp_path / "all")
    export_bundle(bundle)
    sounds = [Converter.from_pretrained(bundle, runtime=runtime)(Signal(vowel(1.0), 16000), "anna=0.6,ben=0.4") for runtime in ("torch", "onnx")]
    assert [len(sound.samples) for sound in sounds] == [16000, 16000]
    np.testing.assert_allclose(sounds[0].samples, sounds[1].samples, atol=2e-3)
    plain = Converter.from_pretrained(bundle, runtime="onnx")(Signal(vowel(1.0), 16000), "anna")
    assert np.abs(plain.samples - sounds[1].samples).max() > 1e-3
