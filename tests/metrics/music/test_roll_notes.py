"""Notes of a piano roll: hand-made rolls, a plain loop as reference, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from audiocycle.errors import ConfigError
from audiocycle.metrics.music.notes import beat_sums, notes_of, onsets, pitch_classes, sounding


def notes_by_loop(roll: np.ndarray) -> list[list[int]]:
    """The definition, one step at a time."""
    found = []
    for row in range(84):
        length = 0
        for step in range(roll.shape[2]):
            starts = roll.shape[0] > 1 and roll[1, row, step] == 1
            if starts or (roll[0, row, step] == 1 and length == 0):
                found.append([row, step, 0])
                length = 1
            elif roll[0, row, step] == 0:
                length = 0
            if length:
                found[-1][2] += 1
    return found


def test_held_repeated_and_separate_notes() -> None:
    roll = np.zeros((2, 84, 12), np.uint8)
    roll[0, 5, 0:4] = 1  # held over 4 steps ...
    roll[1, 5, [0, 2]] = 1  # ... and struck again at step 2: two notes of 2 steps
    roll[0, 5, 6] = 1  # sustain rises without an onset: a note all the same
    roll[1, 3, 11] = 1  # an onset without sustain lasts one step
    assert notes_of(roll).tolist() == [[3, 11, 1], [5, 0, 2], [5, 2, 2], [5, 6, 1]]
    assert notes_of(roll).dtype == np.int64


def test_without_an_onset_channel_repeated_notes_fuse() -> None:
    roll = np.zeros((1, 84, 8), np.float32)
    roll[0, 5, 0:4] = 1.0
    roll[0, 83, 7] = 1.0
    assert notes_of(roll).tolist() == [[5, 0, 4], [83, 7, 1]]


@given(
    roll=hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 3), st.just(84), st.integers(1, 9)), elements=st.integers(0, 1)
    ),
    dtype=st.sampled_from([np.uint8, np.float32, np.bool_]),
)
@settings(max_examples=40)
def test_equals_a_plain_loop_for_any_dtype(roll: np.ndarray, dtype: type) -> None:
    notes = notes_of(roll.astype(dtype))
    assert notes.tolist() == notes_by_loop(roll)
    assert notes[:, 2].sum() == sounding(roll).sum()  # every sounding step belongs to exactly one note
    np.testing.assert_array_equal(np.argwhere(onsets(roll)), notes[:, :2])


def test_dense_random_roll_equals_a_plain_loop() -> None:
    roll = (np.random.default_rng(0).random((2, 84, 64)) < [[[0.6]], [[0.2]]]).astype(np.uint8)
    assert notes_of(roll).tolist() == notes_by_loop(roll)


def test_silent_roll_has_no_notes() -> None:
    assert notes_of(np.zeros((2, 84, 64), np.uint8)).shape == (0, 3)


def test_pitch_classes_sum_octaves_and_beats_sum_steps() -> None:
    flags = np.zeros((84, 6), bool)
    flags[[0, 12, 24], 0:5] = True  # three C's
    flags[83, 5] = True  # the top row is a B
    chroma = pitch_classes(flags)
    assert chroma[0].tolist() == [3, 3, 3, 3, 3, 0]
    assert chroma[11].tolist() == [0, 0, 0, 0, 0, 1]
    assert beat_sums(chroma, 4)[[0, 11]].tolist() == [[12, 3], [0, 1]]  # the second beat has 2 steps only


@pytest.mark.parametrize("shape", [(84, 64), (2, 64, 84), (0, 84, 64), (2, 84, 0)])
def test_what_is_no_roll_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="84"):
        notes_of(np.zeros(shape, np.uint8))


def test_impossible_grid_is_refused() -> None:
    with pytest.raises(ConfigError, match="steps_per_beat"):
        beat_sums(np.zeros((12, 16), np.int64), 0)
