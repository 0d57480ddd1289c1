"""Quality measures of piano rolls: one worked example, the edges of each measure, silence."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError
from audiocycle.metrics.music import quality as module
from audiocycle.metrics.music.quality import SHAPE, middle, roll_quality

C4 = 36
SHARES = ("scale_consistency", "empty_beat_rate", "qualified_note_rate", "fragmentation")


def roll_of(notes: Sequence[tuple[int, int, int]], n_steps: int = 64) -> np.ndarray:
    """A roll of (row, onset, duration)."""
    roll = np.zeros((2, 84, n_steps), np.uint8)
    for row, onset, duration in notes:
        roll[0, row, onset : onset + duration] = 1
        roll[1, row, onset] = 1
    return roll


def test_two_bars_by_hand() -> None:
    roll = roll_of(
        [
            (C4, 0, 8),  # C over beats 1 and 2
            (C4 + 4, 4, 4),  # E in beat 2
            (C4 + 12, 12, 1),  # a short C in beat 4
            (C4 + 6, 13, 1),  # a short F sharp in beat 4, the next step
        ],
        32,
    )
    assert roll_quality(roll) == pytest.approx(
        {
            "pitch_class_entropy": 1.5,  # C 1/2, E 1/4, F sharp 1/4: 1/2 * 1 + 2 * 1/4 * 2
            "scale_consistency": 1.0,  # G major and E minor hold C, E and F sharp
            "polyphony": 14 / 10,  # 8 + 4 + 1 + 1 sounding steps over 8 + 2 steps with sound
            "notes_per_bar": 4 / 2,
            "median_note_steps": (1 + 4) / 2,  # of 1, 1, 4, 8
            "empty_beat_rate": 5 / 8,  # beat 3 and the second bar
            "qualified_note_rate": 2 / 4,
            "fragmentation": 0.0,
        }
    )


def test_scale_consistency_is_the_best_scale() -> None:
    chromatic = roll_of([(C4 + k, 4 * k, 4) for k in range(12)])
    assert roll_quality(chromatic)["scale_consistency"] == pytest.approx(7 / 12)
    assert roll_quality(chromatic)["pitch_class_entropy"] == pytest.approx(np.log2(12))
    natural_minor = roll_of([(C4 + k, 4 * i, 4) for i, k in enumerate([0, 2, 3, 5, 7, 8, 10])])
    assert roll_quality(natural_minor)["scale_consistency"] == 1.0
    harmonic_minor = roll_of([(C4 + k, 4 * i, 4) for i, k in enumerate([0, 2, 3, 5, 7, 8, 11])])
    assert roll_quality(harmonic_minor)["scale_consistency"] == pytest.approx(6 / 7)


def test_notes_count_once_however_long() -> None:
    roll = roll_of([(C4, 0, 60), (C4 + 1, 0, 1)])
    assert roll_quality(roll)["pitch_class_entropy"] == pytest.approx(1.0)


def test_fragments_are_notes_that_resume_their_pitch() -> None:
    gaps = roll_of([(C4, 0, 2), (C4, 2, 2), (C4, 5, 2), (C4, 9, 2), (C4 + 1, 11, 2)])
    # The second starts at once, the third after 1 step, the fourth after 2 (a rest), the last is another pitch.
    assert roll_quality(gaps)["fragmentation"] == pytest.approx(2 / 5)


def test_a_flickering_tone_is_fragmented_and_unqualified() -> None:
    tone, flicker = np.zeros((1, 84, 64), np.float32), np.zeros((1, 84, 64), np.float32)
    tone[0, C4], flicker[0, C4, ::2] = 1.0, 1.0
    assert roll_quality(tone)["fragmentation"] == 0.0
    assert roll_quality(flicker)["fragmentation"] == pytest.approx(31 / 32)
    assert roll_quality(flicker)["qualified_note_rate"] == 0.0


def test_triplet_grid_counts_beats_of_6_steps() -> None:
    quality = roll_quality(roll_of([(C4, 0, 12)], 48), steps_per_beat=6)
    assert quality["notes_per_bar"] == pytest.approx(1 / 2)
    assert quality["empty_beat_rate"] == pytest.approx(6 / 8)


def test_silence() -> None:
    quality = roll_quality(np.zeros((2, 84, 64), np.uint8))
    assert quality.pop("empty_beat_rate") == 1.0
    assert set(quality.values()) == {0.0}
    assert not any(np.signbit(list(quality.values())))  # no "-0.0" in a table


@given(seed=st.integers(0, 2**32 - 1), density=st.floats(0.0, 1.0), octaves=st.sampled_from([-12, 12]))
@settings(max_examples=25)
def test_ranges_and_that_an_octave_changes_nothing(seed: int, density: float, octaves: int) -> None:
    roll = (np.random.default_rng(seed).random((2, 84, 32)) < density / 2).astype(np.uint8)
    quality = roll_quality(roll)
    assert all(0.0 <= quality[name] <= 1.0 for name in SHARES)
    assert 0.0 <= quality["pitch_class_entropy"] <= np.log2(12) + 1e-12
    assert all(isinstance(value, float) for value in quality.values())
    assert roll_quality(np.roll(roll, octaves, axis=1)) == pytest.approx(quality)


def test_docstring_names_every_measure() -> None:
    assert roll_quality.__doc__
    assert all(f"``{name}``" in roll_quality.__doc__ for name in roll_quality(roll_of([])))
    assert f"{module.QUALIFIED_STEPS} steps or more" in module.DEFINITION


def test_impossible_grid_is_refused() -> None:
    with pytest.raises(ConfigError, match="steps_per_beat"):
        roll_quality(roll_of([]), steps_per_beat=0)


def test_the_middle_by_hand() -> None:
    assert middle(np.arange(11.0)) == (1.0, 9.0)
    assert middle(np.array([4.0, 1.0, 3.0, 2.0])) == pytest.approx((1.3, 3.7))  # at places 0.3 and 2.7 of 0 to 3
    assert middle(np.array([5.0])) == (5.0, 5.0)
    assert middle(np.arange(5.0), 1.0) == (0.0, 4.0)
    assert set(SHAPE) < set(roll_quality(roll_of([])))


@settings(deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40))
def test_at_least_most_values_lie_in_their_middle(values: list[float]) -> None:
    low, high = middle(np.array(values))
    assert np.mean([low <= value <= high for value in values]) >= 0.8 - 2 / len(values)


@pytest.mark.parametrize(("values", "share"), [([], 0.8), ([1.0], 0.0), ([1.0], 1.1)])
def test_a_middle_of_nothing_is_refused(values: list[float], share: float) -> None:
    with pytest.raises(ConfigError, match="the middle"):
        middle(np.array(values), share)
