"""The deviation of a network's output: measured on known networks, kept in bundles, used in conversion."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tiny_bundle import tiny_bundle, vowel

from audiocycle.bundles.format import CONFIG, BundleConfig, read_config
from audiocycle.bundles.runtimes.network import Network
from audiocycle.conversion.converter import Converter
from audiocycle.data.domains import DomainData
from audiocycle.errors import BundleError, ConfigError
from audiocycle.spec import Direction, Domain, Encoded, FeatureSpec, FloatArray, NoSide, Signal, directions
from audiocycle.training.deviations import output_deviations
from audiocycle.voice.options import VoiceOptions


class Halving(Network):
    """A network that halves what it is given."""

    def prepare(self, direction: Direction) -> None: ...

    def __call__(self, batch: FloatArray, direction: Direction) -> FloatArray:
        return 0.5 * batch


def halving(folder: Path, **changes: Any) -> Converter:
    return Converter(read_config(tiny_bundle(folder, **changes)), Halving())


def recordings(converter: Converter) -> dict[Domain, DomainData]:
    """For each domain the very recording that its statistics were fitted on, four times."""
    made = {}
    for domain, f0 in (("anna", 210.0), ("ben", 120.0)):
        item = Encoded(converter.adapter.analyze(vowel(1.0, f0=f0)).features, NoSide())
        made[Domain(domain)] = DomainData([item] * 4, [Path(f"{domain}-{n}") for n in range(4)], {}, [str(n) for n in range(4)], {})
    return made


def test_a_network_that_halves_has_half_the_deviation_in_each_direction(tmp_path: Path) -> None:
    converter = halving(tmp_path / "b")
    made = output_deviations(converter, recordings(converter))
    assert made.keys() == {"anna->ben", "ben->anna"}
    for values in made.values():
        np.testing.assert_allclose(values, 0.5, atol=2e-3)


class RollAdapter:
    """Features (C, P, T) that are normal as they are; every other frame is judged."""

    spec = FeatureSpec("test", (2, 3), 10.0)

    def judged_frames(self, features: FloatArray) -> Any:
        assert features.shape == (2, 3, 50), "five seconds"
        return np.arange(features.shape[-1]) % 2 == 0

    def normalize(self, features: FloatArray, stats: Any) -> FloatArray:
        return features


def test_features_may_have_more_axes_than_one() -> None:
    spread = np.arange(1, 7, dtype=np.float32).reshape(2, 3, 1)
    features = spread * np.where(np.arange(60) % 4 == 0, 1.0, -1.0).astype(np.float32)
    features[..., 1::2] = 100.0
    ways = directions([Domain("a"), Domain("b")])
    config = SimpleNamespace(any_source=False, directions=ways, direction=lambda source, target: Direction(Domain(source), Domain(target)))
    converter: Any = SimpleNamespace(adapter=RollAdapter(), config=config, translate_features=lambda x, direction: 0.5 * x)
    data = {each: DomainData([Encoded(features, NoSide())], [Path("a")], {}, ["0"], {}) for each in (Domain("a"), Domain("b"))}
    made = output_deviations(converter, data)
    for values in made.values():
        np.testing.assert_allclose(values, 0.5 * spread[..., 0], rtol=1e-2)
    bundle = BundleConfig("x", "test", ("a", "b"), {}, {}, {"a": {}, "b": {}}, deviations=made)
    deviation = bundle.direction("a", "b").output_deviation
    assert deviation is not None
    assert deviation.shape == (2, 3, 1)


def test_conversion_puts_the_variance_back(tmp_path: Path) -> None:
    converter = halving(tmp_path / "b", deviations={"anna->ben": [0.5] * 36})
    encoded = converter.adapter.analyze(vowel(1.0, f0=210.0))
    flat, whole = (converter.translation("ben", variance=share)(encoded).features[1:] for share in (0.0, 1.0))
    np.testing.assert_allclose(whole.std(axis=1), 2 * flat.std(axis=1), rtol=1e-3)
    back = converter.translation("anna", "ben", variance=1.0)(encoded).features  # a direction that was not measured
    np.testing.assert_array_equal(back, converter.translation("anna", "ben", variance=0.0)(encoded).features)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_impossible_shares_are_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(ConfigError, match="variance"):
        halving(tmp_path / "b").translation("ben", variance=share)


def test_the_option_reaches_the_sound(tmp_path: Path) -> None:
    converter = halving(tmp_path / "b", deviations={"anna->ben": [0.5] * 36})
    signal = Signal(vowel(0.6, f0=210.0), 16000)
    sounds = [converter(signal, "ben").samples, *(converter(signal, "ben", variance=share).samples for share in (VoiceOptions().variance, 0.0))]
    np.testing.assert_array_equal(sounds[0], sounds[1])
    assert not np.array_equal(sounds[0], sounds[2])


@pytest.mark.parametrize("damage", [0.5, {"anna->ben": "x"}, {"anna->ben": None}])
def test_damaged_deviations_are_refused(tmp_path: Path, damage: Any) -> None:
    bundle = tiny_bundle(tmp_path / "b")
    raw = json.loads((bundle / CONFIG).read_text(encoding="utf-8"))
    (bundle / CONFIG).write_text(json.dumps(raw | {"deviations": damage}), encoding="utf-8")
    with pytest.raises(BundleError, match="damaged"):
        read_config(bundle)
