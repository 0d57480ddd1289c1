"""Mel to sound to mel on a synthetic vowel, lengths, alignment in time, determinism."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from audiocycle.errors import ConfigError
from audiocycle.spec import Encoded, FloatArray
from audiocycle.voice.griffin_lim import GriffinLimRenderer, linear_magnitudes
from audiocycle.voice.mel_adapter import MelAdapter, mel_filters
from audiocycle.voice.sides import VoiceSide

ADAPTER = MelAdapter()
torch.set_num_threads(1)  # on a busy machine, threads that share tiny matrices wait for seconds


def vowel(seconds: float = 1.0) -> FloatArray:
    """An "ah" of 140 Hz with vibrato: harmonics through three formants, and faint noise."""
    time = np.arange(int(seconds * ADAPTER.sample_rate)) / ADAPTER.sample_rate
    phase = 2 * np.pi * np.cumsum(140 + 10 * np.sin(2 * np.pi * 5 * time)) / ADAPTER.sample_rate
    sound = np.cos(np.outer(np.arange(1, 40), phase)).sum(axis=0)
    for formant, bandwidth in ((700, 80), (1200, 90), (2600, 120)):
        radius = np.exp(-np.pi * bandwidth / ADAPTER.sample_rate)
        turn = 2 * np.pi * formant / ADAPTER.sample_rate
        sound = lfilter([1.0], [1.0, -2 * radius * np.cos(turn), radius**2], sound)
    noise = np.random.default_rng(0).standard_normal(len(sound))
    return np.asarray(0.5 * sound / np.abs(sound).max() + 1e-4 * noise)


def test_round_trip_of_a_vowel() -> None:
    encoded = ADAPTER.analyze(vowel())
    signal = GriffinLimRenderer(ADAPTER).render(encoded)
    assert signal.sample_rate == ADAPTER.sample_rate
    assert np.abs(signal.samples).max() <= 1.0
    error = np.abs(ADAPTER.analyze(signal.samples).features - encoded.features)
    assert error.mean() < 0.17  # 1.5 dB
    assert error[:, 2:-2].mean() < 0.14


def test_inverse_mel_fits_the_bands() -> None:
    mel = torch.from_numpy(ADAPTER.analyze(vowel(0.3)).features).exp()
    magnitudes = linear_magnitudes(mel, mel_filters(ADAPTER))
    assert magnitudes.shape == (513, mel.shape[1])
    assert magnitudes.min() >= 0
    fitted = mel_filters(ADAPTER) @ magnitudes
    assert float((fitted.clamp(min=1e-5).log() - mel.log()).abs().mean()) < 1e-3


@settings(max_examples=15, deadline=None)
@given(n_samples=st.integers(1, 6000))
def test_every_length_is_exact(n_samples: int) -> None:
    encoded = ADAPTER.analyze(vowel(0.3)[:n_samples])
    signal = GriffinLimRenderer(ADAPTER, n_iter=2).render(encoded)
    assert signal.samples.shape == (n_samples,)
    assert np.isfinite(signal.samples).all()


@pytest.mark.parametrize("hop_length", [255, 256])
def test_a_click_stays_in_its_place(hop_length: int) -> None:
    adapter = replace(ADAPTER, hop_length=hop_length)
    samples = np.zeros(20000)
    samples[9000:9040] = 0.9 * np.random.default_rng(0).uniform(-1, 1, 40)
    rendered = GriffinLimRenderer(adapter).render(adapter.analyze(samples)).samples.astype(np.float64)
    centre = float((np.arange(20000) * rendered**2).sum() / (rendered**2).sum())
    assert abs(centre - 9020) < 64


def test_rendering_is_deterministic_and_leaves_the_random_state_alone() -> None:
    encoded = ADAPTER.analyze(vowel(0.2))
    state = torch.get_rng_state()
    first = GriffinLimRenderer(ADAPTER).render(encoded).samples
    assert torch.equal(state, torch.get_rng_state())
    torch.rand(3)
    np.testing.assert_array_equal(first, GriffinLimRenderer(ADAPTER).render(encoded).samples)


def test_silence_stays_silent_and_excess_is_clipped() -> None:
    renderer = GriffinLimRenderer(ADAPTER, n_iter=4)
    assert np.abs(renderer.render(ADAPTER.analyze(np.zeros(3000))).samples).max() < 1e-3
    assert np.abs(renderer.render(Encoded(np.full((80, 9), 9.0, np.float32), VoiceSide())).samples).max() == 1.0


def test_impossible_options_are_named() -> None:
    with pytest.raises(ConfigError, match="n_iter"):
        GriffinLimRenderer(ADAPTER, n_iter=0)
    with pytest.raises(ConfigError, match="hop_length 1024"):
        GriffinLimRenderer(replace(ADAPTER, hop_length=1024))
