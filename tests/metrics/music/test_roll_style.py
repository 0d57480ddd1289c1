"""Style histograms of piano rolls: counted by hand and by a plain loop, and their similarity."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError
from audiocycle.metrics.music import style as roll_style
from audiocycle.metrics.music.notes import notes_of
from audiocycle.metrics.music.style import StyleProfile, cosines, style_profile

C4 = 36
UNISON = 20  # the column of no interval
SILENCE = np.zeros((2, 84, 64), np.uint8)


class Similarity(NamedTuple):
    """Cosines of both histograms, as the judge takes them."""

    time_pitch: float
    onset_duration: float


def style_similarity(a: StyleProfile, b: StyleProfile) -> Similarity:
    pairs = ((a.time_pitch, b.time_pitch), (a.onset_duration, b.onset_duration))
    return Similarity(*(float(cosines(first.ravel()[None], second.ravel())[0]) for first, second in pairs))


def roll_of(notes: Sequence[tuple[int, int, int]], n_steps: int = 64) -> np.ndarray:
    """A roll of (row, onset, duration)."""
    roll = np.zeros((2, 84, n_steps), np.uint8)
    for row, onset, duration in notes:
        roll[0, row, onset : onset + duration] = 1
        roll[1, row, onset] = 1
    return roll


def noise(seed: int, density: float = 0.02) -> np.ndarray:
    onsets = np.random.default_rng(seed).random((84, 64)) < density
    return np.stack([onsets | np.roll(onsets, 1, axis=1), onsets]).astype(np.uint8)


def nonzero(histogram: np.ndarray) -> dict[tuple[int, int], float]:
    return {(int(r), int(c)): float(histogram[r, c]) for r, c in np.argwhere(histogram)}


def test_time_pitch_differences_by_hand() -> None:
    # C and E together, G 6 steps later, and a C one bar (16 steps) after the first.
    roll = roll_of([(C4, 0, 2), (C4 + 4, 0, 2), (C4 + 7, 6, 2), (C4, 16, 2)])
    # C-E and E-C start together; C-G and E-G lie 6 apart; G-C 10 apart; C-C and E-C a whole bar: not counted.
    expected = {(0, UNISON + 4): 0.2, (0, UNISON - 4): 0.2, (6, UNISON + 7): 0.2, (6, UNISON + 3): 0.2}
    assert nonzero(style_profile([roll]).time_pitch) == pytest.approx({**expected, (10, UNISON - 7): 0.2})


def test_repeated_notes_and_wide_intervals() -> None:
    # The C again at 2 and 15 steps; 20 semitones above it counts, 21 does not.
    high = C4 + 21
    roll = roll_of([(C4, 0, 1), (C4, 15, 1), (C4 + 20, 32, 1), (C4, 33, 1), (high, 34, 1), (high, 49, 1)])
    # Pairs: C-C 15 steps; (C+20)-C 1 step, -20; (C+20)-high 2 steps, +1; C-high too wide; high-high 15 steps.
    expected = {(15, UNISON): 0.5, (1, 0): 0.25, (2, UNISON + 1): 0.25}
    assert nonzero(style_profile([roll]).time_pitch) == pytest.approx(expected)


def test_onset_durations_by_hand() -> None:
    roll = roll_of([(C4, 0, 1), (C4, 16, 1), (C4 + 1, 4, 16), (C4 + 2, 20, 40), (C4 + 3, 63, 1)])
    # Downbeats of 1 step twice; beat 2 with a bar, and with 40 steps (the last bin); the last step of a bar.
    expected = {(0, 0): 0.4, (4, 15): 0.4, (15, 0): 0.2}
    assert nonzero(style_profile([roll]).onset_duration) == pytest.approx(expected)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_pairs_equal_a_plain_loop(seed: int) -> None:
    roll = noise(seed)
    counts = np.zeros((16, 41))
    notes = notes_of(roll).tolist()
    for i, (pitch, onset, _) in enumerate(notes):
        for j, (other_pitch, other_onset, _) in enumerate(notes):
            if i != j and 0 <= other_onset - onset < 16 and abs(other_pitch - pitch) <= 20:
                counts[other_onset - onset, other_pitch - pitch + 20] += 1
    np.testing.assert_allclose(style_profile([roll]).time_pitch, counts / counts.sum())


def test_rolls_are_summed_as_counts_and_never_joined() -> None:
    one, two = roll_of([(C4, 60, 1), (C4, 63, 1)]), roll_of([(C4, 0, 1), (C4, 2, 1), (C4, 4, 1)])
    profile = style_profile([one, two])
    # 3 steps once; 2 steps twice and 4 once; nothing between the end of one and the start of two.
    expected = {(3, UNISON): 0.25, (2, UNISON): 0.5, (4, UNISON): 0.25}
    assert nonzero(profile.time_pitch) == pytest.approx(expected)
    assert profile.onset_duration.sum() == pytest.approx(1.0)
    assert profile.onset_duration[12, 0] == pytest.approx(1 / 5)


def test_cosine_by_hand() -> None:
    a = style_profile([roll_of([(C4, 0, 1), (C4, 4, 1), (C4, 8, 1)])])  # onsets 0 4 8; differences 4 4 8
    b = style_profile([roll_of([(C4, 0, 1), (C4, 8, 1)])])  # onsets 0 8; difference 8
    similarity = style_similarity(a, b)
    assert similarity.onset_duration == pytest.approx(2 / np.sqrt(3 * 2))
    assert similarity.time_pitch == pytest.approx(1 / np.sqrt(2**2 + 1**2))


@given(seed=st.integers(0, 2**31), semitones=st.integers(-6, 6))
@settings(max_examples=15)
def test_neither_transposing_nor_repeating_changes_the_style(seed: int, semitones: int) -> None:
    roll = noise(seed)
    roll[:, :8] = roll[:, -8:] = 0  # room to move
    moved = np.roll(roll, semitones, axis=1)
    similarity = style_similarity(style_profile([roll]), style_profile([moved, moved]))
    assert similarity.time_pitch == pytest.approx(1.0)
    assert similarity.onset_duration == pytest.approx(1.0)
    assert max(similarity.time_pitch, similarity.onset_duration) <= 1.0


def test_later_by_a_beat_changes_only_the_onsets() -> None:
    roll = roll_of([(C4, 0, 2), (C4 + 4, 3, 2), (C4 + 7, 6, 2)])
    similarity = style_similarity(style_profile([roll]), style_profile([np.roll(roll, 1, axis=2)]))
    assert similarity.time_pitch == pytest.approx(1.0)
    assert similarity.onset_duration == 0.0


def test_silence_and_a_single_note() -> None:
    silent, empty = style_profile([SILENCE]), style_profile([])
    single = style_profile([roll_of([(C4, 0, 4)])])
    assert not silent.time_pitch.any()
    assert not single.time_pitch.any()  # one note makes no pair
    assert style_similarity(silent, empty) == Similarity(1.0, 1.0)
    assert style_similarity(silent, single) == Similarity(1.0, 0.0)


def test_triplet_grid_has_bars_of_24_steps() -> None:
    profile = style_profile([roll_of([(C4, 0, 2), (C4, 23, 30)], 96)], steps_per_beat=6)
    assert profile.time_pitch.shape == (24, 41)
    assert nonzero(profile.time_pitch) == {(23, UNISON): 1.0}
    assert nonzero(profile.onset_duration) == {(0, 1): 0.5, (23, 23): 0.5}


def test_definition_states_the_range() -> None:
    assert f"from -{roll_style.MAX_INTERVAL} to {roll_style.MAX_INTERVAL} semitones" in roll_style.DEFINITION


def test_errors_are_named() -> None:
    with pytest.raises(ConfigError, match="steps_per_beat"):
        style_profile([SILENCE], steps_per_beat=0)
