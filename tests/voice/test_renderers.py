"""WORLD synthesis gives the vowel back; the differential filter gives the waveform itself back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bundle import vowel

from audiocycle.spec import Encoded, FloatArray
from audiocycle.system import threads
from audiocycle.voice import renderers
from audiocycle.voice.renderers import (
    FADE_FRAMES,
    MAX_GAIN_DB,
    DifferentialRenderer,
    WorldRenderer,
    filter_by_frames,
    fit_length,
    joined,
    noise_cuts,
)
from audiocycle.voice.sides import VoiceSide
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


def with_source(encoded: Encoded[VoiceSide], **changes: Any) -> Encoded[VoiceSide]:
    return Encoded(changes.pop("features", encoded.features), replace(encoded.side, source_features=encoded.features, **changes))


def test_world_round_trip_keeps_spectrum_and_pitch() -> None:
    first = ADAPTER.analyze(steady_vowel())
    again = ADAPTER.analyze(WorldRenderer(ADAPTER).render(first).samples)
    inner = slice(20, -20)
    np.testing.assert_array_less(np.abs(cents(again.side.f0[inner], first.side.f0[inner])), 5)
    envelopes = [10 * np.log10(ADAPTER.envelope(e.features[:, inner])) for e in (first, again)]
    log_spectral_distance = np.sqrt(np.square(envelopes[0] - envelopes[1]).mean(axis=1))
    assert np.median(log_spectral_distance) < 2.0  # dB


@pytest.mark.parametrize("ratio", [0.5, 1.5, 2.0])
def test_world_speaks_at_the_pitch_it_is_given(ratio: float) -> None:
    encoded = ADAPTER.analyze(steady_vowel())
    made = WorldRenderer(ADAPTER).render(with_source(encoded, f0=ratio * encoded.side.f0))
    f0 = ADAPTER.analyze(made.samples).side.f0[30:-30]
    assert abs(np.median(cents(f0[f0 > 0], ratio * 150))) < 20


def spoken(adapter: WorldAdapter, hiss: float = 3e-3) -> Encoded[VoiceSide]:
    """Four seconds: vowels of 0.6 s, each followed by 0.2 s of hiss."""
    rate = adapter.sample_rate
    random = np.random.default_rng(0)
    syllable = [vowel(0.6, rate), np.zeros(round(0.2 * rate))]
    return with_source(adapter.analyze(np.concatenate(5 * syllable) + random.normal(scale=hiss, size=5 * sum(map(len, syllable)))))


@pytest.mark.parametrize(("sample_rate", "period"), [(16000, 5.0), (22050, 5.8)])
def test_synthesis_in_pieces_is_synthesis(monkeypatch: pytest.MonkeyPatch, sample_rate: int, period: float) -> None:
    adapter = WorldAdapter(sample_rate=sample_rate, frame_period=period)
    encoded = spoken(adapter)
    cuts = noise_cuts(encoded.side.f0, round(1000 / period))
    pieces = WorldRenderer(adapter).render(encoded).samples
    monkeypatch.setattr(renderers, "PIECE_SECONDS", 1e6)
    whole = WorldRenderer(adapter).render(encoded).samples
    assert len(cuts) >= 2
    assert len(pieces) == len(whole)
    levels, pitches = [], []
    for made in (pieces, whole):
        frames = made[: len(made) // 800 * 800].reshape(-1, 800)
        levels.append(10 * np.log10(np.square(frames).mean(axis=1) + 1e-9))
        pitches.append(adapter.analyze(made).side.f0)
    assert np.sqrt(np.square(levels[0] - levels[1]).mean()) < 1.0  # dB; the hiss is another one
    both = (pitches[0] > 0) & (pitches[1] > 0)
    assert ((pitches[0] > 0) == (pitches[1] > 0)).mean() > 0.97
    assert np.median(np.abs(cents(pitches[0][both], pitches[1][both]))) < 3
    for cut in cuts:  # no click, and no hole, in the hiss
        around = slice(round((cut - 4) * period * sample_rate / 1000), round((cut + 4) * period * sample_rate / 1000))
        assert np.abs(pieces[around]).max() < 3 * np.abs(whole[around]).max()
        assert 0.3 < np.square(pieces[around]).mean() / np.square(whole[around]).mean() < 3.0


def test_threads_change_no_bit_of_the_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded, made = spoken(ADAPTER), []
    for count in (1, 4):
        monkeypatch.setattr(threads, "_limit", count)
        made.append([renderer(ADAPTER).render(encoded).samples for renderer in (WorldRenderer, DifferentialRenderer)])
    for one, other in zip(*made, strict=True):
        np.testing.assert_array_equal(one, other)


@given(stretches=st.lists(st.integers(1, 30), max_size=40), first=st.booleans(), distance=st.integers(1, 100))
def test_cuts_are_in_the_middle_of_noise(stretches: list[int], first: bool, distance: int) -> None:
    voiced = np.repeat([first ^ bool(index % 2) for index in range(len(stretches))], stretches).astype(bool)
    cuts = noise_cuts(np.where(voiced, 120.0, 0.0), distance)
    assert np.all(np.diff([0, *cuts, len(voiced)]) >= distance) or not cuts
    for cut in cuts:
        assert not voiced[cut - FADE_FRAMES : cut + FADE_FRAMES].any()
    assert cuts == noise_cuts(np.where(voiced, 240.0, 0.0), distance)


def test_a_steady_voice_is_not_cut() -> None:
    assert noise_cuts(np.full(5000, 100.0), 200) == []
    assert noise_cuts(np.zeros(1000), 200) == [500]


def test_noises_are_joined_with_constant_power() -> None:
    random = np.random.default_rng(0)
    made = np.stack([joined(list(random.normal(size=(3, 500))), [0, 400, 800]) for _ in range(3000)])
    assert made.shape == (3000, 1300)
    np.testing.assert_allclose(np.square(made).mean(axis=0), 1.0, atol=0.15)
    np.testing.assert_array_equal(joined([np.arange(3.0)], [0]), np.arange(3.0))


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
