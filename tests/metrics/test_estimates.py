"""Means over songs and seeds: weights, spread, intervals that cover, and what there is too little for."""

import numpy as np
import pytest

from audiocycle.metrics.estimates import Estimate, difference, estimate, joined


def test_songs_weigh_by_their_phrases_and_seeds_have_a_spread() -> None:
    found = estimate([[0.2, 0.4], [0.8, 1.0]], [3, 1])
    # Seed 0: (3 * 0.2 + 0.8) / 4 = 0.35; seed 1: (3 * 0.4 + 1) / 4 = 0.55.
    assert found.by_seed == pytest.approx([0.35, 0.55])
    assert found.mean == pytest.approx(0.45)
    assert found.spread == pytest.approx(np.sqrt(0.02))  # both 0.1 off, over n - 1


def test_interval_of_two_songs_reaches_from_one_to_the_other() -> None:
    found = estimate([[0.2], [0.8]], [1, 1])  # a quarter of the resamples has only the first, a quarter only the second
    assert found.interval == (pytest.approx(0.2), pytest.approx(0.8))
    assert found.spread is None


def test_interval_is_as_wide_as_the_formula_says() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.1, (400, 1))
    low, high = estimate(values, np.ones(400)).interval or (0, 0)
    half = 1.96 * values.std() / np.sqrt(400)
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)
    assert (high + low) / 2 == pytest.approx(values.mean(), abs=0.1 * half)


def test_joined_is_the_mean_and_its_interval_is_narrower() -> None:
    random = np.random.default_rng(2)
    parts = [estimate(random.normal(mean, 0.1, (100, 1)), np.ones(100)) for mean in (0.2, 0.6)]
    both = joined(parts)
    assert both.mean == pytest.approx(np.mean([part.mean for part in parts]))
    widths = [high - low for low, high in (x.interval or (0, 0) for x in (*parts, both))]
    assert widths[2] == pytest.approx(np.hypot(widths[0], widths[1]) / 2, rel=0.1)


def test_a_single_song_has_no_interval_and_json_says_so() -> None:
    assert estimate([[0.5]], [7]).to_json() == {"mean": 0.5, "low": None, "high": None, "spread": None}
    assert joined([Estimate(np.array([0.2])), estimate([[0.4], [0.4]], [1, 1])]).to_json()["low"] is None


def test_the_same_files_are_drawn_together() -> None:
    """What one direction gains on a file the other loses: of the same files the mean is certain, of others it is not."""
    values = np.array([[1.0], [2.0], [5.0], [9.0]])
    parts = [estimate(values, np.ones(4)), estimate(10.0 - values, np.ones(4))]
    together, apart = joined(parts, same_files=True), joined(parts)
    assert together.mean == apart.mean == 5.0
    assert together.interval == pytest.approx((5.0, 5.0))
    assert apart.interval is not None
    assert apart.interval[1] - apart.interval[0] > 2.0


def test_a_difference_draws_both_together() -> None:
    a, b = estimate([[1.0], [5.0], [9.0]], [1, 1, 1]), estimate([[0.5], [4.5], [8.5]], [1, 1, 1])
    gain = difference(a, b)
    assert (gain.mean, gain.interval) == (0.5, pytest.approx((0.5, 0.5)))
    assert difference(a, estimate([[1.0]], [1])).interval is None
