"""Log-mel analysis against librosa's filter bank and numpy's FFT; statistics; what a renderer receives."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import Encoded, FloatArray
from audiocycle.system.limits import hold_statistics
from audiocycle.voice import mel_adapter
from audiocycle.voice.mel_adapter import MelAdapter
from audiocycle.voice.options import VoiceOptions

ADAPTER = MelAdapter()
LOG_FLOOR = math.log(ADAPTER.floor)


def noise(n_samples: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, n_samples)


def reference(samples: FloatArray, adapter: MelAdapter) -> FloatArray:
    """HiFi-GAN's mel in numpy and librosa, float64."""
    margin = (adapter.n_fft - adapter.hop_length) // 2
    padded = np.pad(samples, margin, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, adapter.n_fft)[:: adapter.hop_length]
    window = np.zeros(adapter.n_fft)
    start = (adapter.n_fft - adapter.win_length) // 2
    turns = np.arange(adapter.win_length) / adapter.win_length
    window[start : start + adapter.win_length] = 0.5 - 0.5 * np.cos(2 * np.pi * turns)
    filters = librosa.filters.mel(
        sr=adapter.sample_rate,
        n_fft=adapter.n_fft,
        n_mels=adapter.n_mels,
        fmin=adapter.f_min,
        fmax=adapter.f_max,
        norm="slaney",
    )
    mel = filters @ np.abs(np.fft.rfft(frames * window)).T
    return np.asarray(np.log(np.maximum(mel, adapter.floor)))


@pytest.mark.parametrize(
    "adapter",
    [ADAPTER, MelAdapter(16000, 512, 400, 160, 40, 50.0, 7600.0), replace(ADAPTER, f_max=11025.0)],
    ids=["hifigan", "16k", "full-band"],
)
def test_mel_is_that_of_librosa_and_numpy(adapter: MelAdapter) -> None:
    time = np.arange(adapter.sample_rate // 2 + 77) / adapter.sample_rate
    voiced = sum(0.3 / k * np.sin(2 * np.pi * 140 * k * time) for k in range(1, 20))
    hiss = noise(len(time)) * np.where(time > 0.4, 1.0, 1e-3)
    samples = np.asarray(voiced * (time < 0.25) + hiss)
    features = adapter.analyze(samples).features
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, reference(samples, adapter), atol=1e-4)


def test_long_signals_are_analysed_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mel_adapter, "_BLOCK_FRAMES", 7)
    samples = noise(40 * 256)
    np.testing.assert_allclose(ADAPTER.analyze(samples).features, reference(samples, ADAPTER), atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(n_samples=st.integers(1, 4000), hop_length=st.sampled_from([128, 255, 256]))
def test_every_length_has_frames(n_samples: int, hop_length: int) -> None:
    adapter = replace(ADAPTER, hop_length=hop_length)
    encoded = adapter.analyze(noise(n_samples))
    assert encoded.features.shape == (80, max(1, n_samples // hop_length))
    assert np.isfinite(encoded.features).all()
    assert encoded.side == {"n_samples": n_samples}
    log_mel, length = adapter.frames_to_render(encoded)
    assert length == n_samples
    assert log_mel.shape == (80, math.ceil(n_samples / hop_length))


def test_side_is_optional() -> None:
    encoded = ADAPTER.analyze(noise(1000).astype(np.float32), side=False)
    assert encoded.side == {}
    assert ADAPTER.frames_to_render(encoded)[1] == 3 * 256


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros(0), "at least one sample"),
        (np.zeros((2, 100)), r"shape \(2, 100\)"),
        (np.array([0.0, np.nan]), "NaN"),
        (np.array([0.0, np.inf]), "infinite"),
    ],
)
def test_unusable_waveforms_are_refused(samples: FloatArray, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        ADAPTER.analyze(samples)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"sample_rate": 0}, "sample_rate=0"),
        ({"n_mels": 0}, "n_mels=0"),
        ({"hop_length": 0}, "hop_length=0"),
        ({"win_length": 2048}, "rising order"),
        ({"sample_rate": 8000}, "f_max 8000"),
        ({"f_min": 9000.0}, "f_min 9000"),
        ({"floor": 0.0}, "floor"),
    ],
)
def test_impossible_options_are_named(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        MelAdapter(**options)


def test_spec() -> None:
    assert ADAPTER.spec.modality == "voice"
    assert ADAPTER.spec.shape == (80,)
    assert ADAPTER.spec.frame_rate == pytest.approx(22050 / 256)


def test_statistics_leave_silence_out() -> None:
    rng = np.random.default_rng(0)
    loud = rng.normal(-2.0, 0.5, (80, 400)).astype(np.float32)
    quiet = np.full((80, 300), LOG_FLOOR, np.float32)
    faint = loud[:, :50] - np.float32(math.log(10 ** (60 / 20)))
    stats = ADAPTER.fit([Encoded(np.concatenate([loud, quiet, faint], axis=1)), Encoded(quiet)])
    np.testing.assert_allclose(stats["mean"], loud.mean(axis=1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(stats["std"], loud.std(axis=1, keepdims=True), rtol=1e-4)


def test_each_item_has_its_own_loudest_frame() -> None:
    loud, soft = (np.full((80, 10), value, np.float32) for value in (0.0, -8.0))
    np.testing.assert_allclose(ADAPTER.fit([Encoded(loud), Encoded(soft)])["mean"], -4.0)


def test_silence_alone_has_finite_statistics() -> None:
    stats = ADAPTER.fit([ADAPTER.analyze(np.zeros(5000))])
    np.testing.assert_allclose(stats["mean"], LOG_FLOOR, rtol=1e-6)
    np.testing.assert_allclose(stats["std"], 1e-3)
    assert {array.dtype for array in stats.values()} == {np.dtype(np.float32)}
    assert {array.shape for array in stats.values()} == {(80, 1)}


@pytest.mark.parametrize("items", [[], [Encoded(np.zeros((80, 0), np.float32))]])
def test_statistics_need_frames(items: list[Encoded]) -> None:
    with pytest.raises(InputError, match="at least one frame"):
        ADAPTER.fit(items)


def test_normalisation_centres_and_inverts() -> None:
    encoded = ADAPTER.analyze(noise(30000))
    stats = ADAPTER.fit([encoded])
    normal = ADAPTER.normalize(encoded.features, stats)
    assert normal.dtype == np.float32
    np.testing.assert_allclose(normal.mean(axis=1), 0.0, atol=1e-4)
    np.testing.assert_allclose(normal.std(axis=1), 1.0, atol=1e-3)
    np.testing.assert_allclose(ADAPTER.denormalize(normal, stats), encoded.features, atol=1e-5)


def test_transfer_keeps_the_source_side() -> None:
    encoded = ADAPTER.analyze(noise(3000))
    stats = ADAPTER.fit([encoded])
    converted = ADAPTER.transfer(encoded, encoded.features + 1.0, stats, stats, VoiceOptions())
    np.testing.assert_array_equal(converted.features, encoded.features + 1.0)
    assert converted.side == encoded.side
    assert converted.side is not encoded.side
    with pytest.raises(ValueError, match="for a source"):
        ADAPTER.transfer(encoded, encoded.features[:, :-1], stats, stats, VoiceOptions())


def test_a_renderer_gets_frames_within_the_analysis_range() -> None:
    features = np.full((80, 2), -50.0, np.float32)
    features[:, 1] = -1.0
    log_mel, n_samples = ADAPTER.frames_to_render(Encoded(features, {"n_samples": 3 * 256 - 1}))
    assert n_samples == 3 * 256 - 1
    np.testing.assert_allclose(log_mel[0].numpy(), [LOG_FLOOR, -1.0, -1.0], rtol=1e-6)


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        (np.zeros((40, 5)), r"\(40, 5\)"),
        (np.zeros((80, 0)), r"T > 0"),
        (np.full((80, 5), np.nan), "NaN"),
    ],
)
def test_a_renderer_gets_no_broken_frames(features: FloatArray, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        ADAPTER.frames_to_render(Encoded(features))


def test_what_is_fitted_is_within_the_limits_of_bundles() -> None:
    for samples in (np.random.default_rng(0).normal(0, 0.1, 30_000), np.zeros(30_000)):
        fitted = ADAPTER.fit([ADAPTER.analyze(samples)])
        hold_statistics("anna", fitted, ADAPTER.known_statistics)
        assert fitted.keys() <= ADAPTER.known_statistics.keys()
