"""An offset and rumble go, speech stays, and digital silence stays digital silence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bundle import vowel

from audiocycle.spec import FloatArray
from audiocycle.voice.low_cut import StreamLowCut, audible, audible_blocks, standing_still

RATE = 16000
VOICE = vowel(2.0)


def decibels(samples: FloatArray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-30))


def tone(hertz: float, seconds: float = 2.0, rate: int = RATE) -> FloatArray:
    return np.asarray(0.1 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate + 0.5), dtype=np.float32)


def streamed(samples: FloatArray, rate: int = RATE, size: int = 1600) -> FloatArray:
    cut = StreamLowCut(rate)
    return np.concatenate([cut.push(samples[at : at + size]) for at in range(0, len(samples), size)])


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 192000])
@pytest.mark.parametrize(("hertz", "file", "stream"), [(5.0, -90.0, -60.0), (10.0, -90.0, -60.0), (20.0, -55.0, -30.0)])
def test_what_nobody_hears_goes(rate: int, hertz: float, file: float, stream: float) -> None:
    sound = tone(hertz, rate=rate)
    inner = slice(rate // 2, -rate // 2)
    assert decibels(audible(sound, rate)[inner]) - decibels(sound) < file
    assert decibels(streamed(sound, rate)[inner]) - decibels(sound) < stream


@pytest.mark.parametrize("hertz", [60.0, 80.0, 200.0, 3000.0])
def test_what_a_voice_has_stays(hertz: float) -> None:
    sound = tone(hertz)
    inner = slice(RATE // 2, -RATE // 2)
    assert decibels(audible(sound, RATE)[inner]) - decibels(sound[inner]) == pytest.approx(0.0, abs=0.2)
    assert decibels(streamed(sound)[inner]) - decibels(sound[inner]) == pytest.approx(0.0, abs=0.2)
    np.testing.assert_allclose(audible(sound, RATE)[inner], sound[inner], atol=0.003)  # nothing moves in time


def test_speech_changes_by_next_to_nothing() -> None:
    clean = audible(VOICE, RATE)
    np.testing.assert_allclose(audible(clean, RATE), clean, atol=0.01 * np.abs(clean).max())


@settings(max_examples=30, deadline=None)
@given(offset=st.floats(-1.0, 1.0), size=st.integers(1, 70_000))
def test_an_offset_is_nothing(offset: float, size: int) -> None:
    moved = VOICE.astype(np.float64) + offset
    for cut in (lambda x: audible(x, RATE), lambda x: np.concatenate([*audible_blocks(iter(np.split(x, [min(size, len(x))])), RATE)]), streamed):
        np.testing.assert_allclose(cut(moved), cut(VOICE), atol=1e-5)
    assert not audible(np.full(size, offset, np.float32), RATE).any()
    assert not streamed(np.full(size, offset, np.float32)).any()


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(0, 40_000), max_size=8), rate=st.sampled_from([8000, 16000, 22050]))
def test_blocks_of_any_size_give_the_same(sizes: list[int], rate: int) -> None:
    samples = np.resize(VOICE, sum(sizes)).astype(np.float32)
    parts = np.split(samples, np.cumsum(sizes)[:-1]) if sizes else []
    made = list(audible_blocks(iter(parts), rate))
    assert sum(map(len, made)) == len(samples)
    assert all(len(block) % round(0.01 * rate) == 0 for block in made[:-1])
    if len(samples):
        np.testing.assert_allclose(np.concatenate(made), audible(samples, rate), atol=1e-6)
        cut = StreamLowCut(rate)
        np.testing.assert_array_equal(np.concatenate([cut.push(part) for part in parts]), streamed(samples, rate, len(samples)))


@pytest.mark.parametrize("offset", [0.0, 0.1, -0.3])
def test_digital_silence_comes_out_as_zeros_whatever_its_offset(offset: float) -> None:
    samples = VOICE.astype(np.float64).copy()
    samples[3200:6400] = samples[-1600:] = 0.0
    for made, late in ((audible(samples + offset, RATE), 0), (streamed(samples + offset), 160)):
        assert not made[3200 + late : 6400].any()
        assert not made[len(samples) - 1600 + late :].any()
        assert np.count_nonzero(made[:3200]) > 3000


def test_a_long_silence_leaves_no_numbers_that_cost_time() -> None:
    cut = StreamLowCut(RATE)
    cut.push(VOICE)
    for _ in range(40):
        assert not cut.push(np.zeros(8000))[200:].any()
    assert not cut.state.any()


@pytest.mark.parametrize("beginning", [0.0, 0.1, 0.9])
def test_neither_beginning_nor_end_thumps(beginning: float) -> None:
    """A recording with an offset, cut out of a vowel: nothing there is louder than the vowel."""
    samples = VOICE[700:-700].astype(np.float64) + beginning
    for made in (audible(samples, RATE), streamed(samples)):
        loudest = np.abs(made[2000:-2000]).max()
        assert np.abs(made[:800]).max() < 1.2 * loudest
        assert np.abs(made[-800:]).max() < 1.2 * loudest


@pytest.mark.parametrize("n_samples", [0, 1, 2, 159, 160, 161])
def test_short_ones_are_as_long(n_samples: int) -> None:
    assert len(audible(VOICE[:n_samples], RATE)) == n_samples


def test_frames_of_equal_samples_stand_still() -> None:
    assert standing_still(np.array([1.0, 1, 1, 2, 1, 1, 1, 1]), 3).tolist() == [True] * 3 + [False] * 3 + [True] * 2
