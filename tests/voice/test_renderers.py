"""WORLD synthesis gives the vowel back; the differential filter gives the waveform itself back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bundle import vowel

from audiocycle.spec import Encoded, FloatArray
from audiocycle.voice.renderers import (
    MAX_GAIN_DB,
    DifferentialRenderer,
    WorldRenderer,
    filter_by_frames,
    fit_length,
)
from audiocycle.voice.world_adapter import WorldAdapter

ADAPTER = WorldAdapter()


def steady_vowel(seconds: float = 1.0, f0: float = 150.0) -> FloatArray:
    """A vowel of constant pitch and level, with a little breath in all bands."""
    t = np.arange(round(16000 * seconds)) / 16000
    sound = np.zeros(len(t))
    for k in range(1, 45):
        level = sum(1 / (1 + ((k * f0 - centre) / width) ** 2) for centre, width in ((700, 90), (1200, 150), (2600, 300)))
        sound += (level + 0.01) * np.sin(2 * np.pi * k * f0 * t)
    return np.asarray(0.3 * sound / np.abs(sound).max() + 1e-3 * np.random.default_rng(0).normal(size=len(t)))


def cents(f0: FloatArray, reference: FloatArray | float) -> FloatArray:
    return np.asarray(1200 * np.log2(f0 / reference))


def with_source(encoded: Encoded, **changes: Any) -> Encoded:
    return Encoded(changes.pop("features", encoded.features), encoded.side | {"source_features": encoded.features} | changes)


def test_world_round_trip_keeps_spectrum_and_pitch() -> None:
    first = ADAPTER.analyze(steady_vowel())
    again = ADAPTER.analyze(WorldRenderer(ADAPTER).render(first).samples)
    inner = slice(20, -20)
    np.testing.assert_array_less(np.abs(cents(again.side["f0"][inner], first.side["f0"][inner])), 5)
    envelopes = [10 * np.log10(ADAPTER.envelope(e.features[:, inner])) for e in (first, again)]
    log_spectral_distance = np.sqrt(np.square(envelopes[0] - envelopes[1]).mean(axis=1))
    assert np.median(log_spectral_distance) < 2.0  # dB


@pytest.mark.parametrize("ratio", [0.5, 1.5, 2.0])
def test_world_speaks_at_the_pitch_it_is_given(ratio: float) -> None:
    encoded = ADAPTER.analyze(steady_vowel())
    made = WorldRenderer(ADAPTER).render(with_source(encoded, f0=ratio * encoded.side["f0"]))
    f0 = ADAPTER.analyze(made.samples).side["f0"][30:-30]
    assert abs(np.median(cents(f0[f0 > 0], ratio * 150))) < 20


@pytest.mark.parametrize("n_samples", [1, 79, 80, 81, 1000, 4096, 16080])
@pytest.mark.parametrize("renderer", [WorldRenderer, DifferentialRenderer])
def test_rendered_sound_has_exactly_the_samples_asked_for(renderer: Any, n_samples: int) -> None:
    encoded = with_source(ADAPTER.analyze(vowel(1.5)[:n_samples]))
    made = renderer(ADAPTER).render(encoded)
    assert made.samples.shape == (n_samples,)
    assert made.samples.dtype == np.float32
    assert made.sample_rate == 16000
    assert np.isfinite(made.samples).all()


@pytest.mark.parametrize("sample_rate", [16000, 22050])
def test_differential_with_unit_ratio_returns_the_input(sample_rate: int) -> None:
    adapter = WorldAdapter(sample_rate=sample_rate)
    samples = vowel(1.0, sample_rate)
    made = DifferentialRenderer(adapter).render(with_source(adapter.analyze(samples)))
    np.testing.assert_allclose(made.samples, samples, atol=1e-6)


def test_differential_applies_the_ratio_up_to_its_limit() -> None:
    samples = vowel(1.0)
    encoded = ADAPTER.analyze(samples)
    for gain_db, heard_db in ((6.0, 6.0), (-6.0, -6.0), (90.0, MAX_GAIN_DB)):
        louder = encoded.features.copy()
        louder[0] += gain_db / (10 / np.log(10))
        made = DifferentialRenderer(ADAPTER).render(with_source(encoded, features=louder)).samples
        np.testing.assert_allclose(made, samples * 10 ** (heard_db / 20), rtol=1e-3, atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(n_samples=st.integers(1, 3000), period=st.floats(20.0, 130.0), n_gains=st.integers(1, 40))
def test_unit_gain_gives_the_input_back(n_samples: int, period: float, n_gains: int) -> None:
    samples = np.random.default_rng(n_samples).normal(size=n_samples)
    np.testing.assert_allclose(filter_by_frames(samples, np.ones((n_gains, 257)), period), samples, atol=1e-5)


def test_gain_stays_in_time_when_frames_do_not_fall_on_samples() -> None:
    period = 110.25  # 5 ms at 22050 Hz: rounding it to 110 would be off by 10 frames after 4500
    gain = np.ones((5000, 65), dtype=np.float32)
    gain[4500:] = 0.0
    made = filter_by_frames(np.ones(round(5000 * period)), gain, period)
    assert abs(int(np.argmax(made < 0.5)) - 4500 * period) < 2 * period


@pytest.mark.parametrize(("length", "expected"), [(2, [1, 2]), (3, [1, 2, 3]), (5, [1, 2, 3, 0, 0])])
def test_fit_length_cuts_or_fills_with_zeros(length: int, expected: list[float]) -> None:
    assert fit_length(np.array([1.0, 2.0, 3.0]), length).tolist() == expected
