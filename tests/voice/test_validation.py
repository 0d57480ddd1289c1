"""Measures of held-out recordings: what is the target's own is best, and each way to be worse costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from small_training import vowel

from audiocycle.build import build_adapter
from audiocycle.errors import InputError
from audiocycle.spec import ANYONE, Direction, Domain, Encoded, FloatArray, Translation
from audiocycle.voice.content.adapter import ContentAdapter
from audiocycle.voice.content.portrait import MEAN_DEVIATIONS
from audiocycle.voice.modality import VoiceModality
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.validation import Files, Sounds, VoiceValidation
from audiocycle.voice.world_adapter import WorldAdapter

RATE = 16000


def recordings(folder: Path, adapter: WorldAdapter, f0: float, count: int) -> Files:
    folder.mkdir()
    for index in range(count):
        soundfile.write(folder / f"{index}.wav", vowel(2.0, f0, seed=index), RATE)
    return [(path, VoiceModality(adapter).encode(path)) for path in sorted(folder.iterdir())]


@pytest.fixture(scope="module")
def low(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return recordings(tmp_path_factory.mktemp("content") / "low", ContentAdapter(), 110.0, 5)


@pytest.fixture(scope="module")
def validation(low: Files) -> VoiceValidation:
    """Of a model that converts everybody: two recordings are held out."""
    adapter = ContentAdapter()
    target = Domain("low", adapter.fit([item for _, item in low[2:]]))
    return VoiceValidation(adapter, Direction(ANYONE, target), low[:2], low[:2], low[2:], 40.0)


def measured(validation: VoiceValidation, change: object = None) -> dict[str, float]:
    """What conversions come to that leave the envelope as it was recorded, but for a change of it."""

    def convert(encoded: Encoded[VoiceSide]) -> Encoded[VoiceSide]:
        own = next(one for one in validation.pieces if one.side is encoded.side).copies[0][:36]
        return Encoded(own if change is None else change(own), encoded.side)  # type: ignore[operator]

    return validation(Translation(convert, Direction(ANYONE, Domain("low"))))


def test_what_was_recorded_is_as_good_as_can_be(validation: VoiceValidation) -> None:
    found = measured(validation)
    assert found == pytest.approx({"score": 1.0, "likeness": 1.0, "words": 1.0, "variance": 1.0, "envelope_db": 0.0}, abs=2e-2)


def flatter(features: FloatArray) -> FloatArray:
    return np.concatenate([features[:1], 0.3 * features[1:] + 0.7 * features[1:].mean(axis=1, keepdims=True)]).astype(np.float32)


def other_voice(features: FloatArray) -> FloatArray:
    return np.concatenate([features[:1], features[1:] + 5.0 * np.array(MEAN_DEVIATIONS)[1:, None]]).astype(np.float32)


def backwards(features: FloatArray) -> FloatArray:
    return np.ascontiguousarray(features[:, ::-1])


@pytest.mark.parametrize(("change", "measure"), [(flatter, "variance"), (other_voice, "likeness"), (backwards, "words"), (flatter, "envelope_db")])
def test_each_way_to_be_worse_costs(validation: VoiceValidation, change: object, measure: str) -> None:
    found, best = measured(validation, change), measured(validation)
    worse = found[measure] - best[measure] if measure == "envelope_db" else best[measure] - found[measure]
    assert worse > 0.1
    assert found["score"] < best["score"] - 0.03


def test_a_variance_that_is_too_large_is_no_better_than_one_that_is_too_small(validation: VoiceValidation) -> None:
    def livelier(features: FloatArray) -> FloatArray:
        return np.concatenate([features[:1], 2.0 * features[1:] - features[1:].mean(axis=1, keepdims=True)]).astype(np.float32)

    found = measured(validation, livelier)
    assert found["variance"] > 1.2
    assert found["score"] < 0.95


def test_other_throats_are_converted_too(validation: VoiceValidation) -> None:
    assert {len(one.copies) for one in validation.pieces} == {3}
    assert all(not np.allclose(one.copies[0][40:], other[40:]) for one in validation.pieces for other in one.copies[1:])
    assert all(one.copies[0].shape == other.shape for one in validation.pieces for other in one.copies[1:])


def test_two_voices_are_measured_without_a_recording_of_the_same_words(tmp_path: Path) -> None:
    adapter = WorldAdapter()
    low, high = recordings(tmp_path / "low", adapter, 110.0, 4), recordings(tmp_path / "high", adapter, 220.0, 4)
    stats = {name: adapter.fit([item for _, item in items[1:]]) for name, items in (("low", low), ("high", high))}
    direction = Direction(Domain("low", stats["low"]), Domain("high", stats["high"]))
    validation = VoiceModality(adapter).validation(direction, low[:1], high[:1], high[1:], 40.0)
    found = validation(Translation(lambda encoded: encoded, direction))
    assert set(found) == {"score", "likeness", "words", "variance"}
    assert found["words"] == pytest.approx(1.0)  # the source is left as it is
    moved = validation(Translation(lambda encoded: replace(encoded, features=np.roll(encoded.features, 100, axis=1)), direction))
    assert moved["words"] < 0.9


def test_kinds_of_sounds_are_told_apart_by_what_is_said() -> None:
    random = np.random.default_rng(0)
    said = np.repeat(np.eye(8), 100, axis=0) + 0.01 * random.standard_normal((800, 8))
    envelopes = np.repeat(random.standard_normal((36, 8)), 100, axis=1)
    sounds = Sounds(said, envelopes)
    assert sounds.distance(said, envelopes) == pytest.approx(0.0, abs=1e-6)
    order = np.roll(np.arange(800), 100)
    assert sounds.distance(said[order], envelopes[:, order]) == pytest.approx(0.0, abs=1e-6)
    assert sounds.distance(said, envelopes[:, order]) > 1.0
    assert np.isnan(sounds.distance(said[:10], envelopes[:, :10]))


def test_recordings_without_speech_are_told_with_the_remedy(tmp_path: Path, low: Files) -> None:
    soundfile.write(tmp_path / "silent.wav", np.full(RATE, 1e-9, np.float32), RATE)
    adapter = ContentAdapter()
    target = Domain("low", adapter.fit([item for _, item in low[2:]]))
    silent = [(tmp_path / "silent.wav", Encoded(low[0][1].features, low[0][1].side))]
    with pytest.raises(InputError, match=r"no speech .*set data\.held_out=0"):
        VoiceValidation(adapter, Direction(ANYONE, target), silent, silent, low[2:], 40.0)


@pytest.mark.parametrize(("name", "validates"), [("world", True), ("content", True), ("mel", False)])
def test_features_of_world_are_measured(name: str, validates: bool) -> None:
    adapter = build_adapter({"name": name})
    assert VoiceModality(adapter).validates is validates  # type: ignore[arg-type]
