"""Modulation spectrum: sines, scaling, scipy's Welch as an independent reference, and what smoothing does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import welch

from audiocycle.errors import ConfigError, InputError
from audiocycle.metrics.voice import modulation
from audiocycle.metrics.voice.modulation import modulation_distance, modulation_spectrum


def walk(n_frames: int, seed: int = 0, order: int = 5) -> np.ndarray:
    """A mel-cepstrum that moves slowly, as speech does."""
    return np.cumsum(np.random.default_rng(seed).normal(scale=0.1, size=(n_frames, order + 1)), axis=0)


@pytest.mark.parametrize("n_frames", [256, 384, 1024])
def test_equals_welch_of_scipy(n_frames: int) -> None:
    moving = walk(n_frames)
    moving -= moving.mean(axis=0)
    window = np.hanning(258)[1:-1]
    _, density = welch(moving, 1.0, window, noverlap=128, detrend=False, return_onesided=False, axis=0)
    np.testing.assert_allclose(modulation_spectrum(moving), 10 * np.log10(density[:129] / 256))


def test_a_sine_of_12_5_hz_is_one_peak_with_its_variance() -> None:
    frames = np.arange(512)
    spectrum = modulation_spectrum(3.0 * np.sin(2 * np.pi * 12.5 * frames / 200.0)[:, None])
    assert spectrum[:, 0].argmax() == 16  # 12.5 Hz of 200 Hz / 256
    both_sides = 2 * 10 ** (spectrum[1:-1, 0] / 10)
    assert both_sides.sum() == pytest.approx(3.0**2 / 2, rel=1e-3)


@given(gain=st.floats(0.1, 10.0), n_frames=st.integers(64, 600), seed=st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_half_as_lively_is_6_db_away(gain: float, n_frames: int, seed: int) -> None:
    moving = walk(n_frames, seed)
    assert modulation_distance(moving, gain * moving) == pytest.approx(abs(20 * np.log10(gain)), abs=1e-3)
    assert modulation_distance(moving, 0.5 * moving) == pytest.approx(6.0206, abs=1e-3)


WHOLE_SEGMENTS = st.integers(1, 256) | st.sampled_from([384, 512, 640])  # others lie a frame off when time runs back


@given(n_frames=WHOLE_SEGMENTS, seed=st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_neither_level_nor_direction_of_time_counts(n_frames: int, seed: int) -> None:
    moving = walk(n_frames, seed)
    louder = moving + np.array([7.0, 0, 0, 0, 0, 0]) * np.arange(n_frames)[:, None]  # c0 alone changes
    assert modulation_distance(moving, louder) == 0.0
    assert modulation_distance(moving, moving[::-1] + 2.0) == pytest.approx(0.0, abs=1e-3)


def test_only_frequencies_up_to_the_bound_count() -> None:
    frames = np.arange(2048)[:, None] * np.ones(3)
    slow, quick = (np.sin(2 * np.pi * hertz * frames / 200.0) for hertz in (10.15625, 89.84375))  # bins 13, 115
    noise = 0.1 * np.random.default_rng(0).normal(size=frames.shape)
    assert modulation_distance(noise + slow, noise + slow + quick) < 0.01
    assert modulation_distance(noise + slow, noise + 2 * slow) > 0.3
    assert modulation_distance(noise, noise + quick, frame_rate=100.0) > 1.0  # bin 115 is then 45 Hz


def test_smoothing_shows_and_length_does_not() -> None:
    moving = walk(3000)
    smooth = np.apply_along_axis(lambda c: np.convolve(c, np.ones(9) / 9, mode="valid"), 0, moving)
    assert modulation_distance(moving[:2000], moving[1000:]) < 2.0
    assert modulation_distance(moving, smooth) > 10.0


def test_a_trajectory_that_stands_still_is_finite() -> None:
    assert np.isfinite(modulation_spectrum(np.ones((10, 3)))).all()


def test_user_errors_are_named_and_the_definition_states_the_settings() -> None:
    with pytest.raises(InputError, match="silent"):
        modulation_spectrum(np.zeros((0, 35)))
    with pytest.raises(ConfigError, match="orders"):
        modulation_distance(walk(9), walk(9)[:, 1:])
    assert f"windows of {modulation.SEGMENT} frames" in modulation.DEFINITION
    assert f"{modulation.HIGHEST_HZ:.0f} Hz" in modulation.DEFINITION
