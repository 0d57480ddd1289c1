"""Beats of free playing are found, and nothing is found of notes without any."""

from __future__ import annotations

import numpy as np
import pytest
from free_playing import Take, f_measure, take
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.music.beats import LONGEST, NEAR, SHORTEST, Beats, Evidence, estimate, onsets_of


def found(made: Take) -> Beats:
    start, end, pitch, velocity = made.rows.T
    return estimate(onsets_of(start, end, pitch.astype(np.int64), velocity.astype(np.int64)))


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"metre": 3, "beat": 0.45},
        {"upbeat": 1, "beat": 0.75},
        {"rubato": 0.2},
        {"swing": 0.64},
        {"jitter": 0.0, "spread": 0.0, "rubato": 0.0},
        {"spread": 0.05, "beat": 0.9},
    ],
)
def test_beats_are_found(asked: dict[str, float]) -> None:
    measured = []
    for seed in range(3):
        made = take(seed, **asked)  # type: ignore[arg-type]
        beats = found(made)
        assert not beats.triple or "swing" in asked
        measured.append(f_measure(made.beats[:-1], beats.time))
    assert np.mean(measured) > 0.93


def test_beats_in_thirds_are_found() -> None:
    for seed in range(3):
        made = take(seed, metre=2, n_bars=40, triple=True, beat=0.7)
        beats = found(made)
        assert beats.triple
        assert f_measure(made.beats[:-1], beats.time) > 0.93


def test_notes_anywhere_are_worth_less() -> None:
    random = np.random.default_rng(0)
    start = np.sort(random.uniform(0, 60, 200))
    pitch, velocity = random.integers(40, 80, (2, 200))
    anywhere = estimate(onsets_of(start, start + 0.2, pitch, velocity))
    assert anywhere.worth < 0.5 * found(take(0)).worth


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 20), min_size=1, max_size=40), st.floats(0, 1e5))
def test_any_notes_have_beats_all_the_way(times: list[float], later: float) -> None:
    start = np.sort(np.array(times)) + later
    notes = len(start)
    onsets = onsets_of(start, start + 0.1, np.full(notes, 60), np.full(notes, 64))
    beats = estimate(onsets).time
    gaps = np.diff(beats)
    assert (gaps > SHORTEST - 2 * NEAR - 0.02).all()
    assert (gaps < LONGEST + 2 * NEAR + 0.02).all()
    assert beats[0] < onsets.time[0] + LONGEST + NEAR + 0.02
    assert beats[-1] > onsets.time[-1] - NEAR - 0.03


def test_they_do_not_depend_on_when_a_piece_begins() -> None:
    made = take(1, n_bars=8)
    later = Take(made.rows + np.array([100, 100, 0, 0]), made.beats + 100, 0)
    np.testing.assert_allclose(found(later).time, found(made).time + 100, atol=1e-6)


def test_chords_are_one_onset() -> None:
    start = np.array([1.0, 1.01, 1.02, 1.5, 2.0, 2.02])
    onsets = onsets_of(start, start + 0.4, np.array([48, 60, 64, 72, 50, 62]), np.full(6, 64))
    np.testing.assert_allclose(onsets.time, [1.01, 1.5, 2.01])
    assert onsets.strength[0] > onsets.strength[1]
    assert onsets.strength.mean() == pytest.approx(0, abs=1e-9)


def test_a_beat_is_worth_more_where_onsets_are() -> None:
    time = np.arange(1, 9) * 0.5
    onsets = onsets_of(time, time + 0.4, np.full(8, 60), np.full(8, 64))
    evidence = Evidence(onsets)
    frames = np.arange(evidence.last)
    worth = evidence.beats(frames, usual=0)[:, 0, np.argmin(np.abs(evidence.lengths - 50))]
    inside = np.flatnonzero((evidence.seconds(frames) > 1.2) & (evidence.seconds(frames) < 3))
    best = evidence.seconds(frames[inside[worth[inside].argmax()]])
    assert np.abs(best - time).min() < 0.02
