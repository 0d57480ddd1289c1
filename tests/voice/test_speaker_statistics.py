"""What recordings have beside speech does not decide a speaker's statistics; and what a network is shown has a lowest level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tiny_bundle import vowel

from audiocycle.spec import FloatArray, Stats
from audiocycle.voice.mel_adapter import MelAdapter
from audiocycle.voice.world_adapter import WorldAdapter

ADAPTERS: list[Any] = [WorldAdapter(), MelAdapter()]
NAMES = ["world", "mel"]


def speech(rate: int) -> FloatArray:
    """Ten seconds of syllables with pauses between, over a quiet room."""
    pause = np.zeros(rate // 5)
    x = np.concatenate([part for f0 in 2 * (150.0, 170.0, 140.0, 160.0) for part in (vowel(1.0, rate, f0=f0), pause)])
    return x + 2e-4 * np.random.default_rng(1).normal(size=len(x))


def burst(n: int, rate: int) -> FloatArray:
    return 0.95 * np.random.default_rng(0).uniform(-1, 1, n)


def thump(n: int, rate: int) -> FloatArray:
    t = np.arange(n) / rate
    return 0.95 * np.exp(-20 * t) * np.sin(2 * np.pi * 60 * t)


def beep(n: int, rate: int) -> FloatArray:
    return 0.9 * np.sin(2 * np.pi * 1000 * np.arange(n) / rate)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=NAMES)
@pytest.mark.parametrize("sound", [burst, thump, beep])
def test_one_loud_sound_does_not_decide_which_frames_count(adapter: Any, sound: Any) -> None:
    """A fiftieth of the recording; up to a twentieth may be."""
    rate = adapter.sample_rate
    quiet = 0.03 * speech(rate)
    loud = quiet.copy()
    loud[: rate // 5] += sound(rate // 5, rate)
    features = [adapter.analyze(x, side=False) for x in (quiet, loud)]
    shares = [adapter.speech(each.features).mean() for each in features]
    assert shares[1] > shares[0] - 0.1
    alone, beside = (adapter.fit([each]) for each in features)
    assert_near(beside, alone)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=NAMES)
@pytest.mark.parametrize("level", [0.0, 1 / 32768])
def test_digital_silence_moves_no_statistic(adapter: Any, level: float) -> None:
    x = speech(adapter.sample_rate)
    gap = level * np.random.default_rng(2).integers(-1, 2, 2 * len(x))
    alone, beside = (adapter.fit([adapter.analyze(each, side=False)]) for each in (x, np.concatenate([x, gap])))
    assert_near(beside, alone)


def assert_near(found: Stats, wanted: Stats) -> None:
    distance = (found["mean"] - wanted["mean"]) / wanted["std"]
    assert np.abs(distance).mean() < 0.1
    assert abs(distance[0, 0]) < 0.3
    assert np.exp(np.abs(np.log(found["std"] / wanted["std"])).mean()) < 1.1
    if "log_f0" in wanted:
        np.testing.assert_allclose(found["log_f0"], wanted["log_f0"], atol=0.1)


@settings(max_examples=50, deadline=None)
@given(
    features=arrays.arrays(np.float32, (36, 7), elements=st.floats(-40, 10, width=32)),
    batch=st.booleans(),
    lowest=st.one_of(st.none(), st.floats(-20, 0, width=32)),
)
def test_no_level_below_the_lowest_is_shown_and_nothing_else_changes(features: FloatArray, batch: bool, lowest: float | None) -> None:
    mean, std = np.linspace(-10, 1, 36, dtype=np.float32)[:, None], np.linspace(2, 0.1, 36, dtype=np.float32)[:, None]
    world, mel = WorldAdapter(), MelAdapter(n_mels=36)
    given_x = features[None] if batch else features
    plain = (given_x - mean) / std
    known = {"mean": mean, "std": std}
    row = known if lowest is None else known | {"lowest": np.array([[lowest]], np.float32)}
    made = world.normalize(given_x, row)
    limit = -4.0 if lowest is None else (lowest - mean[0, 0]) / std[0, 0]
    np.testing.assert_allclose(made[..., 1:, :], plain[..., 1:, :], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(made[..., 0, :], np.maximum(plain[..., 0, :], limit), rtol=1e-5, atol=1e-5)
    again = world.normalize(world.denormalize(made, row), row)
    np.testing.assert_allclose(again, made, rtol=1e-4, atol=1e-4)
    bands = known if lowest is None else known | {"lowest": np.full((36, 1), lowest, np.float32)}
    least = np.full((36, 1), -4.0) if lowest is None else (lowest - mean) / std
    np.testing.assert_allclose(mel.normalize(given_x, bands), np.maximum(plain, least), rtol=1e-5, atol=1e-4)
