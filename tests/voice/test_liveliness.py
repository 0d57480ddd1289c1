"""Power and variance of converted features, against WORLD's own envelopes and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_bundle import vowel

from audiocycle.spec import Direction, Domain, FloatArray
from audiocycle.voice.liveliness import LEAST_DEVIATION, log_power, with_power_of, with_variance
from audiocycle.voice.world_adapter import WorldAdapter


def coded(seed: int, frames: int = 40, n_mcep: int = 36) -> FloatArray:
    """Coefficients with the sizes that speech has."""
    scale = np.concatenate([[2.0, 1.2], np.linspace(0.6, 0.1, n_mcep - 2)])[:, None]
    drawn: FloatArray = (np.random.default_rng(seed).normal(size=(n_mcep, frames)) * scale - scale * [[4.0], *[[0.0]] * (n_mcep - 1)]).astype(np.float32)
    return drawn


@pytest.mark.parametrize(("rate", "n_mcep"), [(16000, 36), (16000, 24), (24000, 40), (48000, 48)])
def test_power_is_that_of_worlds_envelope_up_to_a_constant(rate: int, n_mcep: int) -> None:
    adapter = WorldAdapter(sample_rate=rate, n_mcep=n_mcep)
    features = adapter.analyze(vowel(1.0, rate), side=False).features
    envelope = adapter.envelope(features)
    difference = 10 * np.log10(envelope.sum(axis=1)) - 10 / np.log(10) * log_power(features, rate)
    assert difference.std() < 0.15  # dB


@given(seed=st.integers(0, 1000), other=st.integers(0, 1000))
def test_each_frame_gets_the_sources_power_and_keeps_its_shape(seed: int, other: int) -> None:
    source, features = coded(seed), coded(other) + np.float32(1.5)
    before = features.copy()
    made = with_power_of(source, features, 16000)
    np.testing.assert_allclose(log_power(made, 16000), log_power(source, 16000), atol=1e-4)
    np.testing.assert_array_equal(made[1:], features[1:])
    np.testing.assert_array_equal(features, before)
    np.testing.assert_allclose(with_power_of(source, source, 16000), source, atol=1e-5)


def test_equal_means_of_the_log_are_not_equal_power() -> None:
    flat, tilted = np.zeros((36, 1), np.float32), np.zeros((36, 1), np.float32)
    tilted[1] = 2.0
    made = with_power_of(flat, tilted, 16000)
    assert made[0, 0] != 0.0
    assert log_power(tilted, 16000)[0] == pytest.approx(float(log_power(flat, 16000)[0] - made[0, 0]), abs=1e-5)


def flattened(deviation: list[float]) -> Direction:
    """A direction whose output has this deviation."""
    return Direction(Domain("a"), Domain("b", {"mean": np.array([[1.0], [-2.0], [3.0]])}), np.array(deviation)[:, None])


def test_all_of_the_variance_is_the_targets_own() -> None:
    """Output with half of the deviation about the mean: 0.5 ** -1 = 2; half of the missing share: 0.25 ** -0.5 = 2; none: 1."""
    features = np.array([[2.0, 0.0], [-1.0, -3.0], [4.0, 2.0]], np.float32)
    made = with_variance(features, flattened([0.5, 1.0, 2.0]), 1.0)
    np.testing.assert_allclose(made, [[3.0, -1.0], [-1.0, -3.0], [4.0, 2.0]])  # the third is livelier than the target: left alone
    np.testing.assert_allclose(with_variance(features, flattened([0.25, 1.0, 1.0]), 0.5)[0], [3.0, -1.0])
    np.testing.assert_array_equal(with_variance(features, flattened([0.25, 0.25, 0.25]), 0.0), features)


def test_a_dead_coefficient_is_not_blown_up() -> None:
    made = with_variance(np.array([[2.0], [-2.0], [3.0]], np.float32), flattened([0.0, 1.0, 1.0]), 1.0)
    assert made[0, 0] == pytest.approx(1.0 + 1.0 / LEAST_DEVIATION)


def test_a_model_that_was_not_measured_is_left_alone() -> None:
    features = coded(3)
    assert with_variance(features, Direction(Domain("a"), Domain("b", {"mean": np.zeros((36, 1))})), 1.0) is features
