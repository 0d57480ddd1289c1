"""Phrases made as thick and as busy as their genre usually is: what is counted, what moves, and what never does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import even_bars

from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.notes import empty
from audiocycle.music.options import MusicOptions
from audiocycle.music.piano_roll import decode
from audiocycle.music.sides import ScoreSide, SpanSide
from audiocycle.music.thickness import (
    HALVINGS,
    MARGIN,
    MOST,
    MOST_MORE,
    as_usual,
    fills,
    notes_drawn,
    polyphony,
    surer,
    usual_amounts,
)
from audiocycle.spec import Direction, Domain, Encoded, FloatArray, Stats

WINDOW, LEVEL, HOLD = 16, 0.5, 0.3
THICK, THIN = np.array([11.0, 13.0], np.float32), np.array([7.0, 8.0], np.float32)


def opinion(seed: int = 0, phrases: int = 2) -> FloatArray:
    """Probabilities (2, 20, T) of notes of a beat, about 10 of which sound at a time; where one may begin, sound is as likely."""
    random = np.random.default_rng(seed)
    likely = random.random((20, WINDOW * phrases // 4)) ** 1.5
    made = np.zeros((2, 20, WINDOW * phrases), np.float32)
    made[0] = np.repeat(likely, 4, axis=1)
    made[1, :, ::4] = likely
    return made


def fitted(usual: dict[str, FloatArray], given: FloatArray, share: float = 1.0) -> FloatArray:
    return as_usual(usual, given, np.append(np.arange(0, given.shape[-1], WINDOW), given.shape[-1]), LEVEL, HOLD, share)


def thickness(probability: FloatArray, phrase: int) -> float:
    """Of the notes that a user gets."""
    return float(polyphony(notes_drawn(probability[..., phrase * WINDOW : (phrase + 1) * WINDOW], LEVEL, HOLD)[0].sum(axis=0)))


def begun(probability: FloatArray, phrase: int) -> int:
    return int(notes_drawn(probability[..., phrase * WINDOW : (phrase + 1) * WINDOW], LEVEL, HOLD)[1].sum())


def test_polyphony_by_hand() -> None:
    sounds = np.zeros((5, 4), bool)
    assert polyphony(sounds.sum(axis=0)) == 0
    sounds[:3, 0] = sounds[4, 2] = True
    assert polyphony(sounds.sum(axis=0)) == 2  # 3 and 1, silent steps apart


def test_the_usual_is_the_middle_of_a_genres_phrases() -> None:
    rolls = []
    for count in range(11):  # one phrase with so many pitches, struck twice; the silent one does not count
        roll = np.zeros((2, 84, WINDOW), np.uint8)
        roll[0, :count] = 1
        roll[1, :count, 0] = roll[1, :count, 4] = 1
        rolls.append(roll)
    usual = usual_amounts([np.concatenate(rolls[:6], axis=-1), np.concatenate(rolls[6:], axis=-1)], WINDOW)
    assert usual["polyphony"] == pytest.approx([1.9, 9.1])
    assert usual["onsets"] == pytest.approx([3.8 / WINDOW, 18.2 / WINDOW])
    assert {name: x.tolist() for name, x in usual_amounts([rolls[0]], WINDOW).items()} == {"polyphony": [0, 0], "onsets": [0, 0]}


def test_notes_are_what_the_decoder_makes_but_for_drones() -> None:
    given = np.zeros((2, 3, WINDOW), np.float32)
    given[0, 0, 2:6], given[1, 0, 2] = 0.9, 0.9
    given[0, 1, 4:9] = 0.9  # sound that nothing begins
    drawn = notes_drawn(given, LEVEL, HOLD)
    assert len(decode(given, LEVEL, HOLD)) == 2
    expected = np.zeros_like(drawn)
    expected[0, 0, 2:6] = expected[1, 0, 2] = True
    np.testing.assert_array_equal(drawn, expected)


@pytest.mark.parametrize("usual", [THICK, THIN])
def test_each_phrase_comes_into_the_usual_range(usual: FloatArray) -> None:
    made = fitted({"polyphony": usual}, opinion())
    for phrase in range(2):
        assert not usual[0] <= thickness(opinion(), phrase) <= usual[1]
        nearest = usual[0] + MARGIN * (usual[1] - usual[0]) if usual is THICK else usual[1] - MARGIN * (usual[1] - usual[0])
        assert thickness(made, phrase) == pytest.approx(nearest, abs=0.5)
    np.testing.assert_array_equal(made[1], opinion()[1])  # onsets are left alone


def test_half_a_phrase_gets_half_the_notes() -> None:
    whole = opinion(phrases=1)
    usual = {"onsets": np.array([40.0, 50.0], np.float32) / WINDOW}
    made = notes_drawn(fitted(usual, whole[..., : WINDOW // 2]), LEVEL, HOLD)[1]
    assert 20 <= made.sum() <= 25


@pytest.mark.parametrize("usual", [[40.0, 50.0], [24.0, 28.0]])
def test_each_phrase_has_as_many_notes_as_usual(usual: list[float]) -> None:
    made = fitted({"onsets": np.array(usual, np.float32) / WINDOW}, opinion())
    for phrase in range(2):
        assert not usual[0] <= begun(opinion(), phrase) <= usual[1]
        assert usual[0] <= begun(made, phrase) <= usual[1]
    np.testing.assert_array_equal(made[0], opinion()[0])  # what sounds is left alone


def test_a_phrase_that_is_usual_is_left_alone() -> None:
    given = opinion(phrases=1)
    there, many = thickness(given, 0), begun(given, 0)
    usual = {"polyphony": np.array([there - 1, there + 1], np.float32), "onsets": np.array([many - 5, many + 5], np.float32) / WINDOW}
    np.testing.assert_array_equal(fitted(usual, given), given)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), low=st.floats(0.5, 15), width=st.floats(0.1, 5), level=st.floats(0.05, 0.95))
def test_order_and_certainties_stay_and_nothing_moves_further_than_said(seed: int, low: float, width: float, level: float) -> None:
    given = opinion(seed, 1)
    given[0, 0], given[0, 1] = 0.0, 1.0
    usual = {"polyphony": np.array([low, low + width], np.float32), "onsets": np.array([low, low + width], np.float32) / 4}
    made = as_usual(usual, given, np.array([0, WINDOW]), level, 0.6 * level)
    assert (made[0, 0] == 0).all()
    assert (made[0, 1] == 1).all()
    for channel in range(2):
        order = np.argsort(given[channel], axis=None)
        assert (np.diff(made[channel].ravel()[order]) >= -1e-6).all()
        unsure = (given[channel] > 0.01) & (given[channel] < 0.99)
        moved = [np.log(x[channel][unsure] / (1 - x[channel][unsure])) for x in (given, made)]
        assert np.abs(moved[1] - moved[0]).max() <= MOST + 1e-3


def test_half_the_way_is_the_root_of_the_odds() -> None:
    given = np.clip(opinion(phrases=1), 0.01, 0.99)
    whole, half = (fitted({"polyphony": THICK}, given, share)[0] for share in (1.0, 0.5))
    odds = [p / (1 - p) for p in (given[0], half, whole)]
    np.testing.assert_allclose(odds[1] ** 2, odds[0] * odds[2], rtol=1e-3)
    np.testing.assert_array_equal(fitted({"polyphony": THICK}, given, 0.0), given)


def test_silence_stays_silent_and_what_is_out_of_reach_is_gone_towards() -> None:
    silent = np.zeros((2, 20, WINDOW), np.float32)
    np.testing.assert_array_equal(fitted({"polyphony": THICK}, silent), silent)
    faint = opinion(phrases=1)
    made = fitted({"polyphony": np.array([19.0, 20.0], np.float32)}, faint)
    np.testing.assert_allclose(made[0], surer(faint[0], np.exp(MOST_MORE)), atol=MOST_MORE / 2**HALVINGS)


def test_a_texture_is_filled_within_the_sources_register_and_by_no_sixteenths() -> None:
    given = np.clip(opinion(), 0.01, 0.99)
    source = np.zeros((2, 20, 2 * WINDOW), np.uint8)
    source[0, 5:12, 3] = source[0, 8, WINDOW] = 1  # a phrase of seven rows, and one of one
    phrases = np.array([0, WINDOW, 2 * WINDOW])
    given[0, 6, 1] = 0.1
    where = fills(source, given, phrases, HOLD)
    assert where[0, 5:12, :WINDOW].all()
    assert where[0].sum() == 7 * WINDOW + WINDOW
    assert not where[1, 6, 0]  # it would be a sixteenth
    made = as_usual({"polyphony": THICK, "onsets": THICK}, given, phrases, LEVEL, HOLD, 1.0, where)
    assert (made[~where] <= given[~where]).all()
    assert (made > given)[where].any()


def test_odds_are_multiplied() -> None:
    np.testing.assert_allclose(surer(np.array([0.0, 0.5, 0.8, 1.0], np.float32), 3.0), [0, 0.75, 12 / 13, 1], rtol=1e-6)


def towards(stats: Stats) -> Direction:
    return Direction(Domain("pop"), Domain("jazz", stats))


@pytest.mark.parametrize(("options", "moved"), [({}, True), ({"thickness": "network"}, False)])
def test_the_adapter_uses_what_the_target_is_like(options: dict[str, Any], moved: bool) -> None:
    adapter = PianoRollAdapter()
    roll = np.zeros((2, 84, 64), np.uint8)
    roll[0, :5], roll[1, :5, 0] = 1, 1
    programs = np.zeros((3, 128), np.int64)
    target = adapter.fit([Encoded(roll, ScoreSide(programs, np.zeros(1)))])
    assert (target["polyphony"].tolist(), target["onsets"].tolist()) == ([5, 5], [5 / 64, 5 / 64])
    source = Encoded(roll, SpanSide(empty(), even_bars(0, 4, 480)))
    answer = np.zeros((2, 84, 64), np.float32)
    answer[0, :5], answer[0, :2] = 0.25, 0.9
    answer[1, :5, 0], answer[1, :2, 0] = 0.25, 0.9
    for damaged in ([5.0], [6.0, 5.0], [float("nan"), 5.0], [[5.0, 5.0]]):
        odd = target | {"polyphony": np.array(damaged), "onsets": np.array(damaged)}
        np.testing.assert_array_equal(adapter.transfer(source, answer, towards(odd), MusicOptions()).features, answer)
    made = adapter.transfer(source, answer, towards(target), MusicOptions(**options)).features
    assert (notes_drawn(made, LEVEL, HOLD).sum(axis=1)[0] == (5 if moved else 2)).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), level=st.floats(0.1, 0.9))
def test_notes_are_drawn_step_by_step(seed: int, level: float) -> None:
    random = np.random.default_rng(seed)
    given = random.random((2, 6, 24), np.float32)
    expected = np.zeros((2, 6, 24), bool)
    for row, first, steps in decode(given, level, 0.6 * level):
        if given[1, row, first] >= 0.6 * level:
            expected[0, row, first : first + steps] = expected[1, row, first] = True
    np.testing.assert_array_equal(notes_drawn(given, level, 0.6 * level), expected)
