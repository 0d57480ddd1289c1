"""What states say of a whole recording."""

from __future__ import annotations

import numpy as np
import pytest

from audiocycle.voice.content import encoder
from audiocycle.voice.content.adapter import at_states
from audiocycle.voice.content.hearing import articulation, voices_at_once, weights


def test_articulation_is_the_deviation_of_all_rows_together() -> None:
    states = np.random.default_rng(0).normal(size=(50, 4)) * [1.0, 2.0, 0.5, 0.0] + 7.0
    judged = np.arange(50) < 30
    expected = sum(float(np.var(row)) for row in states[:30].T) ** 0.5
    assert articulation(states, judged) == pytest.approx(expected)
    assert articulation(np.ones((5, 3)), np.ones(5, bool)) == 0.0


def test_of_no_frame_with_speech_all_are_taken() -> None:
    states, nowhere = np.random.default_rng(0).normal(size=(50, encoder.ENCODERS[encoder.ENGLISH].states)), np.zeros(50, bool)
    assert articulation(states, nowhere) == articulation(states, ~nowhere)
    assert voices_at_once(states, nowhere) == voices_at_once(states, ~nowhere)


def test_voices_are_a_linear_function_of_the_mean() -> None:
    assert weights().shape == (encoder.ENCODERS[encoder.ENGLISH].states + 1,)
    states = np.random.default_rng(0).normal(size=(50, encoder.ENCODERS[encoder.ENGLISH].states))
    judged = np.arange(50) % 3 == 0
    assert voices_at_once(states, judged) == pytest.approx(float(states[judged].mean(axis=0) @ weights()[:-1] + weights()[-1]))


def test_a_state_is_where_its_middle_lies() -> None:
    """Four frames of 5 ms to a state of 20 ms: its third begins at its middle."""
    speech = np.zeros(21, bool)
    speech[[2, 7, 10]] = True
    np.testing.assert_array_equal(at_states(speech, 6, 200.0), [True, False, True, False, False, False])
