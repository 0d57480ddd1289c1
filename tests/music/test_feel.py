"""A song's feel, told from its onsets; and the map between time as it is played and as it is written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import TPQ, even_bars

from audiocycle.music.feel import MOST_SWING, Feel, SongFeel, can_swing, played, snapped, song_feel
from audiocycle.music.grid import Span
from audiocycle.music.metres import lay_out

RATIOS = st.floats(0.5, MOST_SWING)


def a_feel(eighths: Sequence[float], sixteenths: Sequence[float]) -> Feel:
    return Feel(np.array(eighths), np.array(sixteenths), np.zeros(len(eighths), dtype=bool))


def heard(*beats: Sequence[float], bars: int = 8, span: Span | None = None) -> SongFeel:
    """The feel of a song whose beats are played like these, in turn: places within each."""
    span = span or even_bars(0, bars, TPQ)
    n = len(span.sizes)
    return song_feel(
        np.rint([(beat + place) * TPQ for beat in range(n) for place in beats[beat % len(beats)]]).astype(
            np.int64
        ),
        [span],
    )


@given(RATIOS, RATIOS, st.lists(st.floats(0, 1), min_size=1, max_size=50))
@settings(max_examples=200, deadline=None)
def test_straightened_is_the_inverse_of_swung_and_both_are_monotone(
    eighth: float, sixteenth: float, places: list[float]
) -> None:
    feel, phase = a_feel([0.5, eighth], [0.5, sixteenth]), np.sort(places)
    beat = np.ones(len(phase), dtype=np.int64)
    late = feel.swung(phase, beat)
    np.testing.assert_allclose(feel.straightened(late, beat), phase, atol=1e-9)
    np.testing.assert_allclose(feel.swung(feel.straightened(phase, beat), beat), phase, atol=1e-9)
    assert (np.diff(late) >= 0).all()
    assert (late >= phase - 1e-12).all(), "what swings comes late"
    assert ((late >= 0) & (late <= 1)).all()
    np.testing.assert_allclose(feel.swung(phase, 0 * beat), phase, atol=1e-12)


def test_where_off_beats_lie() -> None:
    feel = a_feel([2 / 3], [0.6])
    written, beat = np.array([0, 0.25, 0.5, 0.75, 1]), np.zeros(5, dtype=np.int64)
    np.testing.assert_allclose(feel.swung(written, beat), [0, 0.4, 2 / 3, 2 / 3 + 0.2, 1])


@pytest.mark.parametrize("ratio", [0.53, 0.55, 0.6, 2 / 3, 0.7])
def test_swing_is_told(ratio: float) -> None:
    found = heard([0, ratio])
    np.testing.assert_allclose(found.swing, [ratio, 0], atol=0.002)
    np.testing.assert_allclose(found.spans[0].eighths, ratio, atol=0.002)
    assert found.counts.tolist() == [32, 0]
    assert not found.spans[0].figures.any()


@pytest.mark.parametrize(
    "beats",
    [
        [[0, 0.5]],
        [[0, 0.25, 0.5, 0.75]],
        [[0, 1 / 3, 2 / 3]],
        [
            [0, 1 / 3, 2 / 3],
            [0, 1 / 3, 2 / 3],
            [0, 1 / 3, 2 / 3],
            [0, 2 / 3],
        ],  # a triplet without its middle note
        [[0, 0.5], [0, 0.5], [0, 1 / 3, 2 / 3]],
        [[0, 0.75]],
        [[0, 0.5], [0, 0.75]],
        [[0, 0.25], [0, 0.5]],
        [[0, 0.5, 2 / 3], [0, 1 / 3, 0.5]],  # three against two
        [[0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6]],
        [[0], []],
    ],
    ids=[
        "eighths",
        "sixteenths",
        "triplets",
        "broken",
        "mixed",
        "dotted",
        "dotted too",
        "reversed",
        "3:2",
        "sextuplets",
        "quarters",
    ],
)
def test_what_is_no_swing(beats: list[list[float]]) -> None:
    found = heard(*beats)
    assert found.spans[0].is_straight
    assert played([even_bars(0, 8, TPQ)], found.spans)[0].feel is None


def test_figures_stay_where_swing_moves() -> None:
    beats = [[0, 1 / 3, 2 / 3], [0, 2 / 3], [0, 0.75], [0, 2 / 3], [0, 2 / 3], [0, 2 / 3]]
    found = heard(*beats, bars=12)
    assert found.spans[0].figures.tolist() == [True, False, True, False, False, False] * 8
    np.testing.assert_allclose(found.spans[0].eighths, 2 / 3, atol=0.01)


def test_sixteenths_among_swung_eighths_are_even_where_they_are_played_evenly() -> None:
    beats = [[0, 0.6], [0, 0.6], [0, 0.6], [0, 0.25, 0.5, 0.75]]
    np.testing.assert_allclose(heard(*beats).spans[0].eighths.reshape(-1, 4), [[0.6, 0.6, 0.6, 0.5]] * 8)


@pytest.mark.parametrize("ratio", [0.56, 0.62])
def test_sixteenths_swing_within_halves(ratio: float) -> None:
    found = heard([0, ratio / 2, 0.5, (1 + ratio) / 2])
    np.testing.assert_allclose(found.swing, [0, ratio], atol=0.01)
    np.testing.assert_allclose(found.spans[0].sixteenths, ratio, atol=0.01)
    assert (found.spans[0].eighths == 0.5).all()


@given(st.integers(0, 2**32), st.floats(0.56, 0.68))
@settings(max_examples=30, deadline=None)
def test_an_unsteady_hand_swings_as_well(seed: int, ratio: float) -> None:
    random = np.random.default_rng(seed)
    place = np.arange(64)[:, None] + np.array([0, ratio]) + random.normal(0, 0.015, (64, 2))
    found = song_feel(np.maximum(np.rint(place * TPQ), 0).astype(np.int64).ravel(), [even_bars(0, 16, TPQ)])
    assert found.swing[0] == pytest.approx(ratio, abs=0.02)
    steady = np.arange(64)[:, None] + np.array([0, 0.5]) + random.normal(0, 0.015, (64, 2))
    assert (
        song_feel(np.maximum(np.rint(steady * TPQ), 0).astype(np.int64).ravel(), [even_bars(0, 16, TPQ)])
        .spans[0]
        .is_straight
    )


def test_few_off_beats_say_nothing_and_drums_are_asked_then() -> None:
    few = np.arange(32) * TPQ
    few[:5] += round(0.66 * TPQ)
    span = even_bars(0, 8, TPQ)
    assert song_feel(few, [span]).spans[0].is_straight
    ride = np.concatenate([np.arange(32) * TPQ, np.arange(32) * TPQ + round(0.66 * TPQ)])
    assert song_feel(few, [span], ride).swing[0] == pytest.approx(0.66, abs=0.01)
    straight = np.arange(64) * TPQ // 2
    assert song_feel(straight, [span], ride).spans[0].is_straight


def test_onsets_anywhere_are_no_swing() -> None:
    drifting = np.arange(64) * 501
    assert song_feel(drifting, [even_bars(0, 17, TPQ)]).spans[0].is_straight


def test_each_part_of_a_song_has_its_own() -> None:
    first, second = even_bars(0, 16, TPQ), even_bars(16 * 4 * TPQ, 16, TPQ)
    late = np.where(np.arange(128) < 80, 0.5, 0.65)
    onsets = np.concatenate([np.arange(128) * TPQ, np.rint((np.arange(128) + late) * TPQ).astype(np.int64)])
    eighths = np.concatenate([feel.eighths for feel in song_feel(onsets, [first, second]).spans])
    np.testing.assert_allclose(eighths, late, atol=1e-6)


def test_beats_of_six_steps_and_the_triplet_grid_do_not_swing() -> None:
    assert heard([0, 2 / 3], span=even_bars(0, 8, TPQ, grid="triplet")).spans[0].is_straight


@pytest.mark.parametrize(
    ("metre", "swings"),
    [((4, 4), True), ((3, 4), True), ((2, 2), True), ((6, 8), False), ((7, 8), False), ((12, 8), False)],
)
def test_metres_whose_beats_can_swing(metre: tuple[int, int], swings: bool) -> None:
    (span,) = lay_out([(0, *metre)], 48 * TPQ, TPQ, "straight").spans
    onsets = np.concatenate([np.arange(48) * TPQ, np.arange(48) * TPQ + 310])
    assert can_swing(span).tolist() == [swings] * len(span.sizes)
    assert song_feel(onsets, [span]).spans[0].is_straight != swings


def test_no_bars_and_no_notes() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert song_feel(none, []).spans == []
    assert song_feel(none, [even_bars(0, 2, TPQ)]).spans[0].is_straight
    assert song_feel(none, []).summary.shape == (3, 2)


def test_hardly_swing_is_straight() -> None:
    assert snapped(np.array([0.45, 0.51, 0.6, 0.8])).tolist() == [0.5, 0.5, 0.6, MOST_SWING]
