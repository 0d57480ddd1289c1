"""Dynamic time warping against a plain reference, and the level gate."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError, InputError
from audiocycle.metrics.voice.alignment import dtw_path, loud_frames, pairwise_distance


def plain_cost(distance: np.ndarray) -> float:
    """Cost of the cheapest path, in loops that can be checked by eye."""
    total = np.full((distance.shape[0] + 1, distance.shape[1] + 1), np.inf)
    total[0, 0] = 0.0
    for i in range(distance.shape[0]):
        for j in range(distance.shape[1]):
            total[i + 1, j + 1] = distance[i, j] + min(total[i, j], total[i, j + 1], total[i + 1, j])
    return float(total[-1, -1])


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_path_is_legal_and_the_cheapest(n_first: int, n_second: int, n_dims: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(n_first, n_dims)), rng.normal(size=(n_second, n_dims))
    path = dtw_path(first, second)
    assert path[0].tolist() == [0, 0]
    assert path[-1].tolist() == [n_first - 1, n_second - 1]
    steps = {tuple(step) for step in np.diff(path, axis=0).tolist()}
    assert steps <= {(1, 1), (1, 0), (0, 1)}
    distance = np.linalg.norm(first[:, None] - second[None], axis=-1)
    assert distance[path[:, 0], path[:, 1]].sum() == pytest.approx(plain_cost(distance))


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_a_sequence_aligns_to_itself_one_to_one(n_frames: int, seed: int) -> None:
    sequence = np.round(np.random.default_rng(seed).normal(size=(n_frames, 2)))  # with repeated frames
    np.testing.assert_array_equal(dtw_path(sequence, sequence), np.arange(n_frames)[:, None].repeat(2, 1))


def test_a_stretched_sequence_aligns_at_no_cost() -> None:
    sequence = np.random.default_rng(0).normal(size=(20, 5))
    slow = sequence.repeat(3, axis=0)
    path = dtw_path(sequence, slow)
    np.testing.assert_array_equal(sequence[path[:, 0]], slow[path[:, 1]])


def test_distance_of_equal_frames_is_exactly_zero() -> None:
    sequence = 1e3 * np.random.default_rng(0).normal(size=(10, 34))
    assert (np.diag(pairwise_distance(sequence, sequence)) == 0.0).all()


def test_two_sequences_of_five_seconds_take_less_than_a_second() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(1000, 34)), rng.normal(size=(1000, 34))
    started = time.process_time()
    dtw_path(first, second)
    assert time.process_time() - started < 1.0


def test_gate_keeps_frames_within_its_range() -> None:
    level_db = np.array([-100.0, -39.9, 0.0, -40.1, -20.0])
    spectrum = 10 ** (level_db / 10)[:, None] * np.full((1, 8), 1 / 8)
    assert loud_frames(spectrum, 40.0).tolist() == [False, True, True, False, True]


@given(st.floats(1e-6, 1e6))
def test_gate_does_not_depend_on_gain(gain: float) -> None:
    spectrum = np.exp(np.random.default_rng(0).normal(scale=4, size=(30, 8)))
    np.testing.assert_array_equal(loud_frames(spectrum), loud_frames(spectrum * gain))


def test_user_errors_are_named() -> None:
    with pytest.raises(InputError, match="empty"):
        loud_frames(np.zeros((0, 8)))
    with pytest.raises(InputError, match="empty"):
        dtw_path(np.zeros((0, 3)), np.zeros((2, 3)))
    with pytest.raises(ConfigError, match=r"\(2, 3\) and \(2, 4\)"):
        dtw_path(np.zeros((2, 3)), np.zeros((2, 4)))
