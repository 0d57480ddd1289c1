"""Loudness, silences and the soft limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.voice.level import KNEE, MAX_GAIN, frame_energies, loudness_gain, silence_envelope, soft_clip

FRAME = 10


def test_frame_energies_are_mean_squares_and_the_last_frame_may_be_short() -> None:
    samples = np.concatenate([np.full(10, 0.5), np.zeros(10), np.full(5, 1.0)])
    np.testing.assert_allclose(frame_energies(samples, FRAME), [0.25, 0.0, 0.5])


@pytest.mark.parametrize("sample", [1e-30, -1e-38])
def test_only_zeros_count_as_silence(sample: float) -> None:
    samples = np.zeros(10, dtype=np.float32)
    samples[3] = sample
    assert frame_energies(samples, FRAME)[0] > 0


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31), factor=st.floats(0.05, 20.0))
def test_gain_undoes_a_change_of_level(seed: int, factor: float) -> None:
    samples = np.random.default_rng(seed).normal(size=300)
    gain = loudness_gain(frame_energies(samples, FRAME), frame_energies(samples / factor, FRAME))
    assert gain == pytest.approx(factor)


def test_pauses_do_not_count_for_the_gain() -> None:
    speech, hiss = np.full(50, 0.25), np.full(50, 1e-7)
    assert loudness_gain(np.concatenate([speech, hiss]), np.concatenate([speech, 1e4 * hiss])) == pytest.approx(1.0)


def test_near_silence_is_not_blown_up() -> None:
    assert loudness_gain(np.ones(5), np.full(5, 1e-20)) == MAX_GAIN


@pytest.mark.parametrize(("source", "converted"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (1.0, np.nan)])
def test_silence_and_nonsense_leave_the_level_alone(source: float, converted: float) -> None:
    assert loudness_gain(np.full(3, source), np.full(3, converted)) == 1.0


def test_no_frame_at_all_has_unit_gain() -> None:
    assert loudness_gain(np.zeros(0), np.zeros(0)) == 1.0


def test_silent_frames_are_exactly_zero_and_their_neighbours_fade() -> None:
    silent = np.array([False, True, True, False, False])
    gain = silence_envelope(silent, FRAME, 0, 50)
    np.testing.assert_array_equal(gain[10:30], 0.0)
    np.testing.assert_allclose(gain[40:], 1.0)
    assert np.all(np.diff(gain[:10]) < 0)
    assert np.all(np.diff(gain[30:40]) > 0)
    assert np.abs(np.diff(gain)).max() <= 1.5 / FRAME


@settings(max_examples=50, deadline=None)
@given(silent=st.lists(st.booleans(), min_size=1, max_size=20), cut=st.integers(0, 200))
def test_envelope_in_pieces_is_the_envelope(silent: list[bool], cut: int) -> None:
    mask = np.array(silent)
    n = FRAME * len(mask)
    cut = min(cut, n)
    pieces = [silence_envelope(mask, FRAME, 0, cut), silence_envelope(mask, FRAME, cut, n)]
    np.testing.assert_array_equal(np.concatenate(pieces), silence_envelope(mask, FRAME, 0, n))


@settings(max_examples=100, deadline=None)
@given(samples=st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=30))
def test_soft_clip_is_odd_and_monotone_and_never_clips(samples: list[float]) -> None:
    x = np.sort(np.array(samples, dtype=np.float32))
    y = soft_clip(x)
    assert np.abs(y).max() < 1.0
    assert np.all(np.diff(y) >= 0)
    np.testing.assert_array_equal(soft_clip(-x), -y)
    fits = np.abs(x) <= KNEE
    np.testing.assert_array_equal(y[fits], x[fits])


def test_soft_clip_bends_without_a_step() -> None:
    x = np.linspace(0.8, 1.2, 4001)
    assert np.diff(soft_clip(x).astype(np.float64)).max() < 1.2 * (x[1] - x[0])
