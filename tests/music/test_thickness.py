"""Phrases made as thick as their genre usually is: what is counted, what moves, and what never does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.options import MusicOptions
from audiocycle.music.thickness import MARGIN, as_thick_as, polyphony, surer, usual_polyphony
from audiocycle.spec import Encoded, FloatArray

WINDOW = 8
THICK, THIN = np.array([9.0, 11.0], np.float32), np.array([4.0, 5.0], np.float32)


def opinion(seed: int = 0, phrases: int = 2) -> FloatArray:
    """Probabilities (2, 20, T), about 7 pitches of which are above 0.5 at a time."""
    return np.asarray(np.random.default_rng(seed).random((2, 20, WINDOW * phrases)) ** 2, np.float32)


def thickness(probability: FloatArray, phrase: int) -> float:
    return polyphony(probability[0, :, phrase * WINDOW : (phrase + 1) * WINDOW] >= 0.5)


def test_polyphony_by_hand() -> None:
    sounds = np.zeros((5, 4), bool)
    assert polyphony(sounds) == 0
    sounds[:3, 0] = sounds[4, 2] = True
    assert polyphony(sounds) == 2  # 3 and 1, silent steps apart


def test_the_usual_is_the_middle_of_a_genres_phrases() -> None:
    rolls = []
    for count in range(11):  # one phrase with so many pitches; the silent one does not count
        roll = np.zeros((2, 84, WINDOW), np.uint8)
        roll[0, :count] = 1
        rolls.append(roll)
    low, high = usual_polyphony([np.concatenate(rolls[:6], axis=-1), np.concatenate(rolls[6:], axis=-1)], WINDOW)
    assert (low, high) == (pytest.approx(1.9), pytest.approx(9.1))
    assert usual_polyphony([rolls[0]], WINDOW).tolist() == [0, 0]


@pytest.mark.parametrize("usual", [THICK, THIN])
def test_each_phrase_comes_into_the_usual_range(usual: FloatArray) -> None:
    fitted = as_thick_as(usual, opinion(), WINDOW, 0.5)
    for phrase in range(2):
        assert not usual[0] <= thickness(opinion(), phrase) <= usual[1]
        nearest = usual[0] + MARGIN * (usual[1] - usual[0]) if usual is THICK else usual[1] - MARGIN * (usual[1] - usual[0])
        assert thickness(fitted, phrase) == pytest.approx(nearest, abs=0.3)
    np.testing.assert_array_equal(fitted[1], opinion()[1])  # onsets are left alone


def test_a_phrase_that_is_usual_is_left_alone() -> None:
    there = thickness(opinion(phrases=1), 0)
    usual = np.array([there - 1, there + 1], np.float32)
    np.testing.assert_array_equal(as_thick_as(usual, opinion(phrases=1), WINDOW, 0.5), opinion(phrases=1))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), low=st.floats(0.5, 15), width=st.floats(0.1, 5), level=st.floats(0.05, 0.95))
def test_order_and_certainties_stay_and_nothing_leaves_0_to_1(seed: int, low: float, width: float, level: float) -> None:
    given = opinion(seed, 1)
    given[0, 0], given[0, 1] = 0.0, 1.0
    fitted = as_thick_as(np.array([low, low + width], np.float32), given, WINDOW, level)[0]
    assert (fitted[0] == 0).all()
    assert (fitted[1] == 1).all()
    assert ((fitted >= 0) & (fitted <= 1)).all()
    order = np.argsort(given[0], axis=None)
    assert (np.diff(fitted.ravel()[order]) >= -1e-6).all()


def test_half_the_way_is_the_root_of_the_odds() -> None:
    whole, half = (as_thick_as(THICK, opinion(phrases=1), WINDOW, 0.5, share)[0] for share in (1.0, 0.5))
    odds = [p / (1 - p) for p in (opinion(phrases=1)[0], half, whole)]
    np.testing.assert_allclose(odds[1] ** 2, odds[0] * odds[2], rtol=1e-3)
    np.testing.assert_array_equal(as_thick_as(THICK, opinion(phrases=1), WINDOW, 0.5, 0.0), opinion(phrases=1))


def test_silence_stays_silent_and_a_full_roll_cannot_be_filled_further() -> None:
    silent = np.zeros((2, 20, WINDOW), np.float32)
    np.testing.assert_array_equal(as_thick_as(THICK, silent, WINDOW, 0.5), silent)
    full = np.full((2, 4, WINDOW), 0.9, np.float32)
    np.testing.assert_array_equal(as_thick_as(THICK, full, WINDOW, 0.5), full)


def test_odds_are_multiplied() -> None:
    np.testing.assert_allclose(surer(np.array([0.0, 0.5, 0.8, 1.0], np.float32), 3.0), [0, 0.75, 12 / 13, 1], rtol=1e-6)


@pytest.mark.parametrize(("options", "moved"), [({}, True), ({"thickness": "network"}, False)])
def test_the_adapter_uses_what_the_target_is_like(options: dict[str, str], moved: bool) -> None:
    adapter = PianoRollAdapter()
    roll = np.zeros((2, 84, 64), np.uint8)
    roll[0, :5], roll[1, :5, 0] = 1, 1
    programs = np.zeros((3, 128), np.int64)
    target = adapter.fit([Encoded(roll, {"programs": programs})])
    assert target["polyphony"].tolist() == [5, 5]
    answer = np.zeros((2, 84, 64), np.float32)
    answer[0, :5], answer[0, :2] = 0.4, 0.9
    for damaged in ([5.0], [6.0, 5.0], [float("nan"), 5.0], [[5.0, 5.0]]):
        odd = target | {"polyphony": np.array(damaged)}
        np.testing.assert_array_equal(adapter.transfer(Encoded(roll), answer, odd, odd, MusicOptions()).features, answer)
    made = adapter.transfer(Encoded(roll), answer, target, target, MusicOptions(**options)).features
    assert ((made[0] >= 0.5).sum(axis=0) == (5 if moved else 2)).all()
