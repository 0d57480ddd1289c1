"""Guides of scores: the target genre's nearest bars by melody, harmony and bass, in any key."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from audiocycle.music.guide import BASS, HARMONY, KEYS, MELODY, TEMPERATURE, NearestBars, outline
from audiocycle.music.piano_roll import N_PITCHES, ONSET, SUSTAIN

BAR = 16
Rolls = NDArray[np.uint8]


def roll(*notes: tuple[int, int, int], bars: int = 1) -> Rolls:
    """(2, 84, 16 bars) of (row, first step, steps)."""
    made = np.zeros((2, N_PITCHES, BAR * bars), np.uint8)
    for row, first, steps in notes:
        made[SUSTAIN, row, first : first + steps] = 1
        made[ONSET, row, first] = 1
    return made


def a_bar(random: np.random.Generator) -> Rolls:
    """A melody of four beats above a triad and its bass, far enough from the edges to be moved by half an octave."""
    root = int(random.integers(20, 32))
    tune = [(int(random.integers(48, 72)), 4 * beat, 4) for beat in range(4)]
    return roll((root, 0, 16), (root + 12, 0, 16), (root + 16, 0, 16), (root + 19, 0, 16), *tune)


def test_likeness_counts_what_agrees_beat_by_beat() -> None:
    chord = [(24, 0, 16), (28, 0, 16), (31, 0, 16)]
    same = roll(*chord, (60, 0, 16))
    other_tune = roll(*chord, (67, 0, 16))  # a fifth higher, of the chord: harmony is heard through pitch classes
    x, y = (outline(bar[None], 4)[0] for bar in (same, other_tune))
    # By hand. Harmony: of 4 sounding notes C counts twice, of the other's G does, so that (2 1 1)·(1 1 2) / 6. The bass agrees. The
    # melody, at its own height, does not in the beat where it is struck, and in the others nothing is.
    assert x @ x * (MELODY + HARMONY + BASS) == pytest.approx(MELODY / 4 + HARMONY + BASS, rel=1e-5)
    assert x @ y * (MELODY + HARMONY + BASS) == pytest.approx(HARMONY * 5 / 6 + BASS, rel=1e-5)
    tune = roll(*chord, *((60, 4 * beat, 4) for beat in range(4)))
    x = outline(tune[None], 4)[0]
    assert x @ x == pytest.approx(1.0)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31), key=st.sampled_from(list(KEYS)))
def test_the_same_bar_in_another_key_is_found_and_moved_back(seed: int, key: int) -> None:
    random = np.random.default_rng(seed)
    asked = a_bar(random)
    elsewhere = np.concatenate([np.roll(asked, -key, axis=1), *(a_bar(random) for _ in range(3))], axis=-1)
    np.testing.assert_array_equal(NearestBars([elsewhere], 4, neighbours=1).guide(asked), asked)


def test_neighbours_are_weighed_by_likeness() -> None:
    """Two bars of the same outline but for the bass, one of them the source's."""
    chord = [(36, 0, 16), (40, 0, 16), (43, 0, 16), (60, 0, 4)]
    near, far = roll((12, 0, 16), *chord), roll((19, 0, 16), *chord)
    asked = roll((12, 0, 16), *chord)
    there = NearestBars([np.concatenate([near, far], axis=-1)], 4, neighbours=2)
    likeness = [float(outline(asked[None], 4)[0] @ outline(x[None], 4)[0]) for x in (near, far)]
    shares = np.exp(np.array(likeness) / TEMPERATURE)
    expected = (shares[0] * near + shares[1] * far) / shares.sum()
    np.testing.assert_allclose(there.guide(asked), expected, atol=2e-3)  # shares below a thousandth are left out


def test_silence_stays_and_is_never_found() -> None:
    music = a_bar(np.random.default_rng(0))
    silence = np.zeros_like(music)
    there = NearestBars([np.concatenate([silence, music], axis=-1)], 4, neighbours=24)
    guide = there.guide(np.concatenate([silence, music, silence], axis=-1))
    assert not guide[..., :BAR].any()
    assert not guide[..., 2 * BAR :].any()
    np.testing.assert_array_equal(NearestBars([np.concatenate([silence, music], axis=-1)], 4, 1).guide(music), music)


def test_nothing_wraps_around_the_keyboard() -> None:
    high = roll((83, 0, 16), (48, 0, 16))
    there = NearestBars([high], 4, neighbours=1)
    low = there.guide(roll((82, 0, 16), (47, 0, 16)))
    np.testing.assert_array_equal(low, roll((82, 0, 16), (47, 0, 16)))
    lost = there.guide(roll((49, 0, 16)))  # nearest is the bar a semitone higher, whose upper note leaves the roll
    assert not lost[:, :48].any()


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**31), bars=st.integers(1, 5), triplets=st.booleans(), neighbours=st.integers(1, 40))
def test_guides_are_probabilities_of_the_sources_shape(seed: int, bars: int, triplets: bool, neighbours: int) -> None:
    random = np.random.default_rng(seed)
    steps = 24 if triplets else 16
    theirs, ours = ((random.random((2, N_PITCHES, steps * bars)) < 0.02).astype(np.uint8) for _ in range(2))
    theirs[SUSTAIN, 40] = 1
    guide = NearestBars([theirs], steps // 4, neighbours).guide(ours)
    assert guide.shape == ours.shape
    assert guide.min() >= 0
    assert guide.max() <= 1 + 1e-6


def test_a_crowd_of_like_bars_is_averaged_too() -> None:
    """Each of them has less than a thousandth."""
    bar = a_bar(np.random.default_rng(0))
    crowd = np.concatenate([bar] * 1200, axis=-1)
    np.testing.assert_allclose(NearestBars([crowd], 4, neighbours=1200).guide(bar), bar, atol=1e-5)


def test_of_too_many_bars_those_that_are_kept_are_of_all_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiocycle.music.guide.KEPT_BARS", 40)
    phrase = np.concatenate([roll((40 + i, 0, 16)) for i in range(4)], axis=-1)
    kept = NearestBars([phrase] * 25, 4, neighbours=1).moved(0)
    assert len(kept) == 40
    assert kept[:, SUSTAIN, 40:44].any(axis=(0, 2)).all()
