"""F0 measures along a path: hand-computed values and properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.errors import InputError
from audiocycle.metrics.voice.pitch import compare_pitch

F0 = np.array([0.0, 100.0, 110.0, 120.0, 0.0, 130.0])


def straight(n_frames: int) -> np.ndarray:
    return np.arange(n_frames)[:, None].repeat(2, axis=1)


@given(semitones=st.floats(-24, 24))
def test_transposition_is_measured_in_cents_and_keeps_the_contour(semitones: float) -> None:
    result = compare_pitch(F0, F0 * 2 ** (semitones / 12), straight(6))
    assert result.rmse_cents == pytest.approx(100 * abs(semitones), abs=1e-6)
    assert result.rmse_log_hz == pytest.approx(abs(semitones) / 12 * np.log(2), abs=1e-9)
    assert result.correlation == pytest.approx(1.0)
    assert result.vuv_error == 0.0
    assert result.voiced_pairs == 4


def test_zero_to_itself() -> None:
    result = compare_pitch(F0, F0, straight(6))
    assert (result.rmse_cents, result.vuv_error) == (0.0, 0.0)


@given(seed=st.integers(0, 2**32 - 1))
def test_symmetric(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (rng.uniform(80, 300, 20) * (rng.random(20) < 0.7) for _ in range(2))
    there = compare_pitch(first, second, straight(20))
    back = compare_pitch(second, first, straight(20)[:, ::-1])
    np.testing.assert_allclose(
        [there.rmse_cents, there.correlation, there.vuv_error],
        [back.rmse_cents, back.correlation, back.vuv_error],
    )


def test_only_pairs_voiced_in_both_count_for_f0() -> None:
    other = np.array([500.0, 100.0, 0.0, 120.0, np.nan, 130.0])
    result = compare_pitch(F0, other, straight(6))
    assert result.rmse_cents == 0.0
    assert result.voiced_pairs == 3
    assert result.vuv_error == pytest.approx(2 / 6)


def test_an_inverted_contour_correlates_at_minus_one() -> None:
    inverted = np.where(F0 > 0, 1e4 / np.maximum(F0, 1), 0)
    assert compare_pitch(F0, inverted, straight(6)).correlation == pytest.approx(-1.0, abs=1e-12)


def test_the_path_decides_what_is_compared() -> None:
    path = np.array([[1, 0], [1, 1], [2, 2], [3, 3], [5, 4]])
    result = compare_pitch(F0, np.array([100.0, 100.0, 110.0, 120.0, 130.0]), path)
    assert result.rmse_cents == 0.0
    assert result.voiced_pairs == 5


def test_nothing_voiced_gives_nan_and_no_warning() -> None:
    result = compare_pitch(F0, np.zeros(6), straight(6))
    assert np.isnan(result.rmse_cents)
    assert np.isnan(result.correlation)
    assert result.vuv_error == pytest.approx(4 / 6)


def test_a_monotone_voice_has_no_correlation() -> None:
    assert np.isnan(compare_pitch(F0, np.full(6, 120.0), straight(6)).correlation)


def test_a_path_that_does_not_fit_is_named() -> None:
    with pytest.raises(InputError, match="frame period"):
        compare_pitch(F0, F0[:3], straight(6))
    with pytest.raises(InputError, match="empty"):
        compare_pitch(F0, F0, straight(0))
