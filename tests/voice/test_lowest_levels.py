"""The lowest level of recordings: a rare frame, or digital silence however much of it, does not make it lower."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.spec import FloatArray
from audiocycle.voice.lowest_levels import DEEPEST_DB, RARE, LowestLevels

NEPER = np.log(10.0) / 10.0


def lowest(*recordings: FloatArray, **options: float) -> FloatArray:
    found = LowestLevels(**options)
    for levels in recordings:
        level = levels.sum(axis=0)
        found.add(levels, level >= np.quantile(level, 0.3) if levels.size else level > 0)
    return found.lowest


@given(seed=st.integers(0, 2**32 - 1), lengths=st.lists(st.integers(0, 800), min_size=1, max_size=4).filter(any))
def test_few_frames_lie_below_and_none_of_a_short_recording(seed: int, lengths: list[int]) -> None:
    random = np.random.default_rng(seed)
    recordings = [random.normal(-10.0, 2.0, (3, n)).clip(-16.0, -4.0) for n in lengths]  # nothing is so deep that it counts as silence
    found, whole = lowest(*recordings), np.concatenate(recordings, axis=1)
    assert found.shape == (3, 1)
    below = (whole < found).mean(axis=1)
    assert (below <= RARE).all()
    if whole.shape[1] < 1 / RARE:
        assert not below.any()
    assert (found <= np.quantile(whole, RARE, axis=1, keepdims=True) + 1e-9).all()
    assert (found >= whole.min(axis=1, keepdims=True) - LowestLevels.STEP - 1e-9).all()


@pytest.mark.parametrize("silence", [-36.7, -22.0])  # WORLD's level of zeros, and of dither
@pytest.mark.parametrize("share", [0.01, 0.5, 3.0])
def test_digital_silence_counts_as_no_deeper_than_silence(silence: float, share: float) -> None:
    speech = np.random.default_rng(0).normal(-7.0, 1.0, (1, 2000))
    both = np.concatenate([speech, np.full((1, round(2000 * share)), silence)], axis=1)
    found = LowestLevels()
    found.add(both, np.r_[np.ones(2000, bool), np.zeros(both.shape[1] - 2000, bool)])
    loud = np.quantile(speech, 0.95)
    assert found.lowest[0, 0] == pytest.approx(max(silence, loud - DEEPEST_DB * NEPER), abs=0.02)


def test_rows_and_recordings_have_their_own_depth() -> None:
    """Of magnitudes, whose logarithms have half as many steps to the decibel; and no quiet recording hides in a loud one."""
    loud, quiet = np.full((2, 400), 0.0), np.full((2, 400), -9.0)
    loud[1] -= 3.0
    loud[:, :10] = quiet[:, :10] = -11.5
    found = lowest(loud, quiet, per_decibel=np.log(10.0) / 20.0)
    np.testing.assert_allclose(found, [[-11.5], [-11.5]], atol=0.02)
    np.testing.assert_allclose(lowest(loud, per_decibel=np.log(10.0) / 20.0), [[-DEEPEST_DB / 2 * NEPER], [-3 - DEEPEST_DB / 2 * NEPER]], atol=0.02)
