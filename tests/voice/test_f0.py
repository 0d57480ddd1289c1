"""The log-Gaussian transform of F0: what it matches, what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.spec import FloatArray
from audiocycle.voice.f0 import convert_f0, log_f0_stats

registers = st.tuples(st.floats(4.0, 6.0), st.floats(0.05, 0.5))
seeds = st.integers(0, 2**31)


def track(seed: int, n_frames: int = 200) -> FloatArray:
    """F0 in Hz with about a third of the frames unvoiced."""
    random = np.random.default_rng(seed)
    return np.where(random.uniform(size=n_frames) < 0.7, np.exp(random.normal(5.0, 0.2, n_frames)), 0.0)


@settings(max_examples=50, deadline=None)
@given(seed=seeds, target=registers)
def test_mean_and_deviation_of_log_f0_become_the_targets(seed: int, target: tuple[float, float]) -> None:
    f0 = track(seed)
    source = log_f0_stats([f0])
    assert source is not None
    np.testing.assert_allclose(log_f0_stats([convert_f0(f0, source, target)]), target, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(seed=seeds, source=registers, target=registers, semitones=st.floats(-24, 24))
def test_unvoiced_frames_stay_unvoiced_and_voiced_ones_voiced(
    seed: int, source: tuple[float, float], target: tuple[float, float], semitones: float
) -> None:
    f0 = track(seed)
    converted = convert_f0(f0, source, target, semitones)
    np.testing.assert_array_equal(converted > 0, f0 > 0)
    assert converted.shape == f0.shape
    assert np.isfinite(converted).all()


@settings(max_examples=50, deadline=None)
@given(seed=seeds, source=registers, target=registers)
def test_there_and_back_is_the_same(seed: int, source: tuple[float, float], target: tuple[float, float]) -> None:
    f0 = track(seed)
    np.testing.assert_allclose(convert_f0(convert_f0(f0, source, target), target, source), f0, rtol=1e-9)


def test_equal_registers_change_nothing() -> None:
    np.testing.assert_allclose(convert_f0(track(1), (5.0, 0.2), (5.0, 0.2)), track(1))


def test_twelve_semitones_double_the_pitch() -> None:
    f0 = track(1)
    plain = convert_f0(f0, (5.0, 0.2), (4.7, 0.3))
    np.testing.assert_allclose(convert_f0(f0, (5.0, 0.2), (4.7, 0.3), 12.0), 2.0 * plain)


def test_a_monotone_source_is_moved_without_being_stretched() -> None:
    f0 = np.array([0.0, 100.0, 101.0])
    np.testing.assert_allclose(convert_f0(f0, (np.log(100.0), 0.0), (np.log(200.0), 0.3)), 2.0 * f0)


def test_statistics_of_several_tracks_ignore_unvoiced_frames() -> None:
    assert log_f0_stats([np.array([0.0, 100.0]), np.array([100.0, 0.0, 0.0])]) == pytest.approx((np.log(100.0), 0.0))


@pytest.mark.parametrize("tracks", [[], [np.zeros(5)], [np.zeros(0)]], ids=["no-track", "unvoiced", "empty"])
def test_without_a_voiced_frame_there_are_no_statistics(tracks: list[FloatArray]) -> None:
    assert log_f0_stats(tracks) is None
