"""Loudness, silences and the soft limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.voice.level import (
    KNEE,
    MAX_GAIN,
    RunningLevel,
    frame_energies,
    loudness_gain,
    near,
    silence_envelope,
    soft_clip,
    speech_level,
    speech_mask,
)

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


def speech(seconds: float, level: float = 1.0, seed: int = 0) -> np.ndarray:
    """Energies of frames of 10 ms, as of speech: syllables over 30 dB, and a pause in every fifth second, 60 dB below."""
    random = np.random.default_rng(seed)
    frames = round(100 * seconds)
    energies = 10.0 ** (-1.5 + 1.5 * np.sin(np.arange(frames) / 4.0) + 0.2 * random.standard_normal(frames))
    energies[np.arange(frames) % 500 > 400] = 1e-6
    return level * energies


@pytest.mark.parametrize("place", [0, 300, 980])
@pytest.mark.parametrize("louder", [1e2, 1e4, 1e6])
@pytest.mark.parametrize("becomes", [1e-3, 1.0, 10.0])
def test_one_bump_does_not_decide_the_loudness(place: int, louder: float, becomes: float) -> None:
    source, converted = speech(10.0), 0.5 * speech(10.0, seed=1)
    calm = loudness_gain(source, converted)
    bump = louder * np.linspace(1.0, 0.0, 20) ** 2
    source[place : place + 20] += bump
    converted[place : place + 20] += becomes * bump
    assert 20 * np.log10(loudness_gain(source, converted) / calm) == pytest.approx(0.0, abs=0.35)


def test_lively_speech_has_no_bumps() -> None:
    energies = speech(10.0)
    assert speech_mask(energies).sum() == (energies > energies.max() * 1e-4).sum()
    sparse = np.full(60_000, 1e-6)
    sparse[30_000:33_000] = speech(30.0)  # half of one of ten minutes
    assert speech_level(sparse) > 0.1


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31), frames=st.integers(1, 3000), factor=st.floats(1e-6, 1e6), lead=st.integers(0, 500))
def test_what_is_speech_depends_neither_on_the_level_nor_on_digital_silence(seed: int, frames: int, factor: float, lead: int) -> None:
    energies = 10.0 ** np.random.default_rng(seed).normal(-4.0, 2.0, frames)
    found = speech_mask(energies)
    assert found.any()
    np.testing.assert_array_equal(speech_mask(factor * energies), found)
    assert speech_level(np.concatenate([np.zeros(lead), energies])) == speech_level(energies)
    assert not speech_mask(np.concatenate([np.zeros(lead), energies]))[:lead].any()


def test_frames_near_others() -> None:
    assert near(np.array([0, 0, 0, 1, 0, 0, 0, 0], dtype=bool), 2).tolist() == [False, True, True, True, True, True, False, False]
    assert not near(np.zeros(3, dtype=bool), 2).any()


def test_the_running_level_is_that_of_the_whole() -> None:
    level, energies = RunningLevel(0.1), speech(20.0)
    for begin in range(0, len(energies), 10):
        bins = level.add(energies[begin : begin + 10])
    speech_bins = level.bins_of_speech
    whole = 10 * np.log10(speech_level(energies)) - level.FLOOR_DB
    assert speech_bins.start + 40 == pytest.approx(whole, abs=1.5)
    assert speech_bins.stop - 16 == speech_bins.start + 40
    assert (bins >= 0).all()
    assert level.add(np.zeros(4)).tolist() == [-1] * 4
    assert RunningLevel(0.1).bins_of_speech.start == 0


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
