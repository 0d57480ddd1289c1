"""The mix of channels: the mean, unless that would lose what they hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bundle import vowel

from audiocycle.spec import FloatArray
from audiocycle.voice.channels import ChannelLevels, Mix, mean_of
from audiocycle.voice.sound_file import read_mono

RATE = 16000
VOICE = vowel(2.0).astype(np.float64)
OTHER = vowel(2.0, f0=220.0)[::-1].astype(np.float64)
NOISE = np.random.default_rng(0).standard_normal(len(VOICE))


def choose_mix(samples: FloatArray, sample_rate: int) -> Mix:
    """The mix of a whole recording in memory, (N, channels)."""
    levels = ChannelLevels(samples.shape[1], sample_rate)
    levels.add(samples)
    return levels.mix()


def stereo(*channels: FloatArray) -> FloatArray:
    return np.stack(channels, axis=1)


def mixed(*channels: FloatArray) -> FloatArray:
    block = stereo(*channels).astype(np.float32)
    return choose_mix(block, RATE).of(block)


@pytest.mark.parametrize(
    "channels",
    [(VOICE, VOICE), (VOICE, 0.3 * VOICE), (VOICE, OTHER), (0.1 * VOICE, 0.1 * OTHER, 0.05 * VOICE), (VOICE, np.roll(VOICE, 8)), (NOISE, -0.2 * NOISE + NOISE[::-1])],
    ids=["mono", "off centre", "two speakers", "three", "a spaced pair", "wide"],
)
def test_ordinary_channels_are_averaged(channels: tuple[FloatArray, ...]) -> None:
    block = stereo(*channels).astype(np.float32)
    assert choose_mix(block, RATE) == mean_of(len(channels))
    np.testing.assert_array_equal(choose_mix(block, RATE).of(block), block.mean(axis=1))


@pytest.mark.parametrize("residue", [0.0, 1e-4, 0.01])
@pytest.mark.parametrize("offset", [0.0, 0.2])
def test_a_silent_channel_costs_nothing(residue: float, offset: float) -> None:
    block = stereo(VOICE, residue * 0.1 * NOISE + offset)
    mix = choose_mix(block, RATE)
    assert mix.note == "channel 2 is next to silent, left out"
    np.testing.assert_allclose(mix.of(block), VOICE, atol=1e-6)


@pytest.mark.parametrize("level", [1.0, 0.5])
def test_a_channel_of_opposite_phase_is_turned_round(level: float) -> None:
    block = stereo(VOICE, -level * VOICE + 1e-4 * NOISE)
    mix = choose_mix(block, RATE)
    assert mix.note == "channel 2 has the opposite phase, turned round"
    np.testing.assert_allclose(mix.of(block), (1 + level) / 2 * VOICE, atol=1e-3)


def test_of_many_channels_each_is_seen() -> None:
    block = stereo(0.5 * VOICE, -0.4 * VOICE, 1e-5 * NOISE, VOICE, 0 * NOISE)
    mix = choose_mix(block, RATE)
    assert mix.note == "channels 3, 5 are next to silent, left out; channel 2 has the opposite phase, turned round"
    np.testing.assert_allclose(mix.of(block), 1.9 / 3 * VOICE, atol=1e-3)


def test_a_bump_does_not_make_the_other_channel_silent() -> None:
    bump = np.zeros(len(VOICE))
    bump[1000:1800] = 300.0 * NOISE[:800]
    assert choose_mix(stereo(np.tile(VOICE, 5) + np.pad(bump, (0, 4 * len(bump))), np.tile(VOICE, 5)), RATE).note == ""


def test_who_speaks_late_and_seldom_is_heard() -> None:
    first, second = np.tile(VOICE, 30), np.zeros(30 * len(VOICE))
    second[-3 * len(VOICE) :] = np.tile(0.3 * OTHER, 3)
    first[-3 * len(VOICE) :] = 0.0
    assert choose_mix(stereo(first, second), RATE).note == ""


@settings(max_examples=40, deadline=None)
@given(weights=st.lists(st.sampled_from([0.0, 1e-4, 0.2, 1.0, -0.3, -1.0]), min_size=2, max_size=4), order=st.randoms(use_true_random=False), gain=st.floats(0.01, 100.0))
def test_neither_order_nor_level_of_the_channels_matters(weights: list[float], order: object, gain: float) -> None:
    block = stereo(*(w * VOICE for w in weights))
    places = list(range(len(weights)))
    order.shuffle(places)  # type: ignore[attr-defined]
    made, again = choose_mix(block, RATE).of(block), choose_mix(gain * block[:, places], RATE).of(gain * block[:, places])
    if abs(float(made @ again)) > 0:
        again = again * np.sign(made @ again)  # of two opposite channels either may be the right one, and nobody hears which
    np.testing.assert_allclose(again, gain * made, atol=1e-5 * gain)
    loudest = np.abs(weights).max()
    assert np.abs(made).max() >= 0.25 * loudest * np.abs(VOICE).max(), "no mix is silence"


def test_blocks_of_any_size_find_the_same() -> None:
    block, levels = stereo(VOICE, -VOICE), ChannelLevels(2, RATE)
    for part in np.array_split(block, 7):
        levels.add(part)
    assert levels.mix() == choose_mix(block, RATE)


def test_silence_and_nothing_have_a_mix() -> None:
    assert choose_mix(np.zeros((1000, 2)), RATE) == mean_of(2)
    assert ChannelLevels(3, RATE).mix() == mean_of(3)
    nothing = np.zeros((0, 2), np.float32)
    assert len(choose_mix(nothing, RATE).of(nothing)) == 0


def test_a_file_is_mixed_by_all_that_is_in_it(tmp_path: Path) -> None:
    """A first minute in which one channel is silent says nothing of the second."""
    first = np.concatenate([np.tile(VOICE, 3), np.zeros(len(VOICE))])
    second = np.concatenate([np.zeros(3 * len(VOICE)), VOICE])
    soundfile.write(tmp_path / "two.wav", stereo(first, second), RATE, subtype="FLOAT")
    np.testing.assert_allclose(read_mono(tmp_path / "two.wav", RATE), (first + second) / 2, atol=1e-6)
    soundfile.write(tmp_path / "inverted.wav", stereo(first, -first), RATE, subtype="FLOAT")
    np.testing.assert_allclose(read_mono(tmp_path / "inverted.wav", RATE), first, atol=1e-6)
