"""A song's feel as another genre's, and notes that move with it: in order, all together, and only where the feel changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import STATS, TPQ, a_score, a_track, even_bars, noise, same, scores, table

from audiocycle.errors import InputError
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.feel import Feel, SongFeel, song_feel
from audiocycle.music.genre_feel import TABLES, as_genre, moved, usual_swing, weighted_percentiles
from audiocycle.music.grid import Span
from audiocycle.music.midi.score import score_of, song_of
from audiocycle.music.midi.song import Song, song_to_bytes
from audiocycle.music.options import MusicOptions
from audiocycle.music.renderer import ScoreRenderer
from audiocycle.music.song_conversion import convert_song
from audiocycle.spec import Direction, Domain, Outcome, Translation
from audiocycle.system.limits import hold_statistics

SWING = 2 / 3
LATE = round(SWING * TPQ)


def genre(name: str, *swing: float, deviation: float = 0.0) -> Domain:
    """A genre whose songs swing between these ratios (lowest, middle, highest), or as straight as can be."""
    usual = np.array([swing or (0.5,) * 3, (0.5,) * 3], np.float32)
    return Domain(name, {**STATS, "swing": usual, "swing_deviation": np.array([deviation, 0], np.float32)})


STRAIGHT, JAZZ = genre("classic"), genre("jazz", 0.55, 0.6, 0.65)
TO_JAZZ, FROM_JAZZ = Direction(STRAIGHT, JAZZ), Direction(JAZZ, STRAIGHT)


def tune(late: int, bars: int = 8, track: str = "tune", **kwargs: Any) -> Any:
    """Eighths, the off-beats ``late`` ticks after their beats; the notes fill the time."""
    rows = []
    for beat in range(4 * bars):
        on, off, end = beat * TPQ, beat * TPQ + late, (beat + 1) * TPQ
        rows += [(on, off, 60 + beat % 5, 80), (off, end, 67 + beat % 7, 70)]
    return a_track(*rows, name=track, **kwargs)


def converted(song: Song, direction: Direction, network: Any = same, **options: Any) -> tuple[Song, Outcome]:
    adapter, chosen = PianoRollAdapter(), MusicOptions(**options)
    translation = Translation(
        lambda each: adapter.transfer(each, network(each.features), direction, chosen), direction
    )
    return convert_song(song, "song.mid", adapter, ScoreRenderer(adapter), translation, chosen)


def off_beats(song: Song) -> list[list[int]]:
    """By track, the places within beats at which notes begin, in ticks, but 0."""
    return [sorted({start % TPQ for start, *_ in table(track)} - {0}) for track in score_of(song).tracks]


def found(*late: float, bars: int = 8) -> tuple[SongFeel, list[Span]]:
    """The feel of eighths, one ratio for each bar in turn."""
    span, beats = even_bars(0, bars, TPQ), np.arange(4 * bars)
    places = np.concatenate([beats, beats + np.array(late)[beats // 4 % len(late)]])
    return song_feel(np.rint(places * TPQ).astype(np.int64), [span]), [span]


def eighths(song: SongFeel, spans: list[Span], direction: Direction, **options: Any) -> Any:
    return as_genre(song, spans, direction, MusicOptions(**options)).spans[0].eighths


def test_a_swung_song_becomes_straight_where_the_target_is_and_the_reverse() -> None:
    drums = a_track(
        *((beat * TPQ + late, beat * TPQ + late + 60, 42, 90) for beat in range(32) for late in (0, LATE)),
        is_drum=True,
    )
    swung, straight = song_of(a_score(tune(LATE), drums)), song_of(a_score(tune(TPQ // 2)))
    made, outcome = converted(swung, FROM_JAZZ)
    assert off_beats(made) == [[TPQ // 2]] * 2
    assert table(score_of(made).tracks[0]) == table(tune(TPQ // 2)), (
        "notes end where the next begin, as before"
    )
    assert (
        outcome.details["swing_before"],
        outcome.details["swing_after"],
        outcome.details["notes_moved"],
    ) == (0.67, 0.5, 64)
    made, outcome = converted(straight, TO_JAZZ)
    assert off_beats(made) == [[round(0.6 * TPQ)]]
    assert (
        outcome.details["swing_before"],
        outcome.details["swing_after"],
        outcome.details["notes_moved"],
    ) == (0.5, 0.6, 32)
    assert outcome.details["notes_kept"] == 64


@pytest.mark.parametrize("feel", ["0.667", "0.6", "0.5", "0.75"])
@pytest.mark.parametrize("late", [TPQ // 2, LATE])
def test_a_ratio_that_is_asked_for(feel: str, late: int) -> None:
    made, _ = converted(song_of(a_score(tune(late))), FROM_JAZZ, feel=feel)
    assert off_beats(made) == [[round(float(feel) * TPQ)]]


def test_new_notes_swing_as_the_kept_ones_do() -> None:
    made, outcome = converted(song_of(a_score(tune(TPQ // 2))), TO_JAZZ, noise(3))
    assert outcome.details["notes_new"] > 30
    feel = Feel(np.array([0.6]), np.array([0.5]), np.array([False]))
    places = {
        round(TPQ * float(each)) for each in feel.swung(np.array([0.25, 0.5, 0.75]), np.zeros(3, np.int64))
    }
    assert {start % TPQ for start, *_ in table(score_of(made).tracks[0])} == {0, *places}


@pytest.mark.parametrize(
    ("direction", "late"), [(TO_JAZZ, LATE), (FROM_JAZZ, LATE), (FROM_JAZZ, TPQ // 2), (TO_JAZZ, TPQ // 2)]
)
@pytest.mark.parametrize(
    "options", [{"strength": 0.0}, {"strength": 0.0, "feel": "source"}, {"strength": 0.0, "feel": "0.6"}]
)
def test_without_strength_the_very_same_file_comes_back(
    direction: Direction, late: int, options: dict[str, Any]
) -> None:
    song = song_of(a_score(tune(late)))
    made, outcome = converted(song, direction, noise(5), **options)
    assert song_to_bytes(made) == song_to_bytes(song)
    assert "notes_moved" not in outcome.details


def test_half_the_strength_is_half_the_way() -> None:
    song, spans = found(0.5)
    np.testing.assert_allclose(eighths(song, spans, TO_JAZZ, strength=0.5), 0.55, atol=1e-6)


@given(scores(), st.sampled_from([STRAIGHT, Domain("unknown", STATS)]))
@settings(max_examples=25, deadline=None)
def test_a_song_that_is_not_swung_is_untouched_by_a_straight_target(score: Any, target: Domain) -> None:
    song = song_of(score)
    try:
        _, outcome = converted(song, Direction(STRAIGHT, target))
    except InputError:  # nothing to convert
        return
    assert outcome.details.get("swing_before", 0.52) >= 0.52


@given(scores(), st.sampled_from(["0.5", "0.6", "0.75", "target"]), st.sampled_from([TO_JAZZ, FROM_JAZZ]))
@settings(max_examples=40, deadline=None)
def test_whatever_comes_out_can_be_written_and_keeps_its_notes(
    score: Any, feel: str, direction: Direction
) -> None:
    song = song_of(score)
    try:
        made, outcome = converted(song, direction, feel=feel)
    except InputError:
        return
    song_to_bytes(made)
    assert outcome.details["notes_new"] == 0


RATIOS = st.lists(
    st.tuples(st.floats(0.45, 0.75), st.floats(0.5, 0.75), st.booleans()), min_size=4, max_size=4
)


@given(RATIOS, RATIOS, st.sets(st.integers(0, 3000), min_size=1, max_size=80), st.sampled_from([24, 96, 480]))
@settings(max_examples=200, deadline=None)
def test_notes_never_change_places(before: list[Any], after: list[Any], ticks: set[int], tpq: int) -> None:
    own, aim = (Feel(*(np.array(column) for column in zip(*rows, strict=True))) for rows in (before, after))
    span, ordered = even_bars(0, 1, tpq), np.array(sorted(ticks))
    there = moved(ordered, [span], [own], [aim])
    assert (np.diff(there) >= 0).all()
    still = (ordered >= 4 * tpq) | (ordered % tpq == 0)
    assert there[still].tolist() == ordered[still].tolist()
    assert (there // tpq - ordered // tpq <= (there % tpq == 0)).all(), (
        "a note stays in its beat, or ends with it"
    )
    held = np.isin(ordered // tpq, np.flatnonzero(own.figures))
    assert there[held].tolist() == ordered[held].tolist()


def test_close_notes_stay_apart() -> None:
    own, aim = (Feel(np.full(4, ratio), np.full(4, 0.5), np.zeros(4, dtype=bool)) for ratio in (0.5, 0.75))
    ticks = np.array([240, 300, 301, 302, 303, 479, 480])
    there = moved(ticks, [even_bars(0, 1, TPQ)], [own], [aim])
    assert there.tolist() == [360, 390, 391, 392, 393, 480, 480]


def test_a_song_is_to_the_target_what_it_is_to_its_own_genre() -> None:
    usual = genre("pop", 0.52, 0.56, 0.6)
    for ratio, expected in ((0.56, 0.6), (0.6, 0.65), (0.7, 0.65), (0.52, 0.55), (0.58, 0.625)):
        song, spans = found(ratio)
        np.testing.assert_allclose(eighths(song, spans, Direction(usual, JAZZ)), expected, atol=0.003)


def test_what_swings_as_the_target_does_is_left_alone() -> None:
    song, spans = found(0.6)
    assert as_genre(song, spans, Direction(Domain("unknown"), JAZZ), MusicOptions()) is song
    assert as_genre(song, spans, Direction(JAZZ, JAZZ), MusicOptions()) is song
    song, spans = found(0.5)
    assert as_genre(song, spans, Direction(JAZZ, Domain("unknown")), MusicOptions()) is song


def test_bars_differ_as_much_as_the_targets_do_and_beats_of_a_bar_do_not() -> None:
    song, spans = found(0.56, 0.64)
    uneven = genre("jazz", 0.62, 0.66, 0.7, deviation=0.02)
    bars = eighths(song, spans, Direction(JAZZ, uneven)).reshape(-1, 4)
    np.testing.assert_allclose(bars, np.array([[0.64] * 4, [0.68] * 4] * 4), atol=0.003)
    even = eighths(song, spans, Direction(JAZZ, genre("jazz", 0.62, 0.66, 0.7)))
    np.testing.assert_allclose(even, 0.66, atol=0.003)


def test_statistics_of_a_genre() -> None:
    songs: Sequence[Any] = [
        [[0.5, 0.5], [10, 0], [0.0, 0.0]],
        [[0.6, 0.5], [80, 9], [0.02, 0.01]],
        [[0.7, 0.9], [10, 2], [0.1, 0.1]],
    ]
    usual = usual_swing(np.array(songs))
    np.testing.assert_allclose(usual["swing"], [[0.5, 0.6, 0.6], [0.5, 0.5, 0.5]])
    np.testing.assert_allclose(usual["swing_deviation"], [0.02, 0.01])
    nothing = usual_swing(np.zeros((2, 3, 2)))
    for made in (usual, nothing):
        hold_statistics("jazz", made, TABLES)
        assert made.keys() == TABLES.keys()
    assert (nothing["swing"] == 0.5).all()


def test_percentiles_by_weight() -> None:
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 8.0])
    assert weighted_percentiles(values, weights, (5, 10, 50, 90, 95)).tolist() == [1, 1, 2, 2, 3]
