"""A speaker in some numbers: finite and within limits for every voice that statistics allow, and 0 for the usual one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.voice.content.portrait import (
    FURTHEST,
    MEAN_DEVIATIONS,
    MEANS,
    PITCH,
    PITCH_DEVIATIONS,
    SPREAD_DEVIATIONS,
    SPREADS,
    portrait,
)
from audiocycle.voice.world_adapter import COEFFICIENT, LEAST_DEVIATION, LOG_F0, MOST_DEVIATION

USUAL = np.array(MEANS)[:, None], np.exp(np.array(SPREADS))[:, None], (PITCH[0], float(np.exp(PITCH[1])))


@given(
    rows=st.integers(2, 128),
    mean=st.floats(-COEFFICIENT, COEFFICIENT),
    deviation=st.floats(LEAST_DEVIATION, MOST_DEVIATION),
    pitch=st.floats(LOG_F0[0][0], LOG_F0[1][0]),
    spread=st.floats(LOG_F0[0][1], LOG_F0[1][1]),
)
def test_every_voice_that_a_bundle_may_hold_is_told_in_numbers_within_limits(rows: int, mean: float, deviation: float, pitch: float, spread: float) -> None:
    told = portrait(np.full((rows, 1), mean, np.float32), np.full((rows, 1), deviation, np.float32), (pitch, spread))
    assert told.shape == (2 * rows + 2,)
    assert told.dtype == np.float32
    assert np.isfinite(told).all()
    assert np.abs(told).max() <= FURTHEST


def test_the_usual_voice_is_zeros() -> None:
    np.testing.assert_allclose(portrait(*USUAL), np.zeros(74), atol=1e-5)


def test_one_deviation_is_one() -> None:
    mean, deviation, (pitch, spread) = USUAL
    told = portrait(mean + np.array(MEAN_DEVIATIONS)[:, None], deviation * np.exp(-np.array(SPREAD_DEVIATIONS))[:, None], (pitch + PITCH_DEVIATIONS[0], spread))
    np.testing.assert_allclose(told, [1.0] * 36 + [-1.0] * 36 + [1.0, 0.0], atol=1e-5)


@pytest.mark.parametrize("rows", [2, 24, 60])
def test_other_numbers_of_coefficients_go_by_those_that_are_known(rows: int) -> None:
    mean, deviation, pitch = USUAL
    known = min(rows, 36)
    padded = [np.pad(values, ((0, max(0, rows - 36)), (0, 0)), mode="edge")[:rows] for values in (mean, deviation)]
    told = portrait(padded[0], padded[1], pitch)
    np.testing.assert_allclose(told, np.zeros(2 * rows + 2), atol=1e-5)
    padded[0][known - 1] += 0.5 * MEAN_DEVIATIONS[known - 1]
    assert portrait(padded[0], padded[1], pitch)[known - 1] == pytest.approx(0.5, abs=1e-4)


def test_there_is_a_number_for_each_coefficient() -> None:
    for table in (MEANS, MEAN_DEVIATIONS, SPREADS, SPREAD_DEVIATIONS):
        assert len(table) == 36
    assert min(*MEAN_DEVIATIONS, *SPREAD_DEVIATIONS, *PITCH_DEVIATIONS) > 0
