"""Accents by line and place: told from notes that are louder than those around them, and given to new notes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from songs import DIRECTION, STATS, STEP, TPQ, even_bars, notes

from audiocycle.music.accents import (
    BASS,
    INNER,
    PRIOR,
    TABLES,
    TOP,
    accents_in,
    accents_of,
    around,
    lines_of,
    places_of,
    usual_accents,
)
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.grid import Span, joined
from audiocycle.music.notes import Notes, empty
from audiocycle.music.options import MusicOptions
from audiocycle.music.piano_roll import LOWEST, ONSET, SUSTAIN
from audiocycle.music.renderer import ScoreRenderer
from audiocycle.spec import Direction, Domain
from audiocycle.system.limits import hold_statistics


def chords(*velocities: int, bars: int = 4, loud: int = 0) -> Notes:
    """Three notes on each beat, of the lowest to the highest with these velocities; ``loud`` more from bar to bar, and 20 more on first beats."""
    rows = [
        (beat * TPQ, (beat + 1) * TPQ, pitch, velocity + loud * (beat // 4) + 20 * (beat % 4 == 0))
        for beat in range(4 * bars)
        for pitch, velocity in zip((40, 60, 76), velocities, strict=True)
    ]
    return notes(*rows)


def test_lines() -> None:
    pitch, step = np.array([60, 40, 76, 64, 59, 60, 50]), np.array([0, 0, 0, 0, 4, 8, 12])
    assert lines_of(pitch, step).tolist() == [INNER, BASS, TOP, INNER, BASS, TOP, BASS]
    assert lines_of(pitch[:0], step[:0]).tolist() == []


def test_places() -> None:
    assert places_of(np.arange(32), even_bars(0, 2, TPQ)).tolist() == [*range(16)] * 2
    waltz = joined([even_bars(0, 1, TPQ), even_bars(4 * TPQ, 1, TPQ, (3, 4))])
    assert places_of(np.arange(16, 28), waltz).tolist() == [0, 1, 2, 3, *[4, 5, 6, 7] * 2]
    compound = Span(np.array([0.0, 720, 1440]), np.array([0, 6, 12]), np.array([0, 12]))
    assert places_of(np.arange(12), compound).tolist() == [0, 0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7]


def test_accents_are_told_beside_what_is_around_them_however_loud_that_is() -> None:
    span = even_bars(0, 4, TPQ)
    soft, loud = (accents_in(chords(*velocities), span) for velocities in ((30, 36, 42), (70, 76, 82)))
    np.testing.assert_allclose(soft, loud)
    total, count = soft
    assert count.sum() == 48
    mean = total / np.maximum(count, 1)
    np.testing.assert_allclose(mean[:, 0] - mean[:, 4], 20)
    np.testing.assert_allclose(mean[TOP] - mean[BASS], np.where(np.arange(16) % 4 == 0, 12, 0))
    rising = accents_in(chords(30, 36, 42, loud=10), span)
    np.testing.assert_allclose(rising[0][:, 4:].sum() / rising[1][:, 4:].sum(), mean[:, 4:].sum() / 9, atol=3)


def test_songs_without_dynamics_tell_nothing() -> None:
    span = even_bars(0, 4, TPQ)
    flat = notes(*((beat * TPQ, beat * TPQ + 100, 60, 80) for beat in range(16)))
    assert not accents_in(flat, span).any()
    assert not accents_in(empty(), span).any()
    nothing = usual_accents([accents_in(flat, span)])
    assert not nothing["accents"].any()
    assert accents_of(nothing["accents"], np.array([60]), np.array([0]), flat, span) is None
    assert accents_of(None, np.array([60]), np.array([0]), flat, span) is None


def test_statistics_of_a_genre() -> None:
    sums = accents_in(chords(70, 76, 82), even_bars(0, 4, TPQ))
    usual = usual_accents([sums, sums])
    hold_statistics("pop", usual, TABLES)
    np.testing.assert_allclose(usual["accents"], 2 * sums[0] / (2 * sums[1] + PRIOR), rtol=1e-5)


def new_velocities(source: Notes, pitch: int, accents: Any = None, **options: Any) -> list[int]:
    """Of new notes of a pitch on the beats and off-beats of four bars."""
    stats = {**STATS, "third_strikes": np.ones(2)} | ({} if accents is None else {"accents": accents})
    adapter, span = PianoRollAdapter(), even_bars(0, 4, TPQ)
    encoded = adapter.analyze(source, span)
    answer = encoded.features.astype(np.float32)
    answer[SUSTAIN, pitch - LOWEST], answer[ONSET, pitch - LOWEST, ::2] = 1.0, 1.0
    direction = Direction(DIRECTION.source, Domain("jazz", stats))
    chosen = MusicOptions(thickness="network", **options)
    made = ScoreRenderer(adapter).render(adapter.transfer(encoded, answer, direction, chosen))
    return made.velocity[(made.pitch == pitch) & (made.origin < 0)].tolist()


BACK_BEAT = np.zeros((3, 16), np.float32)
BACK_BEAT[TOP, [4, 12]] = 15
BACK_BEAT[BASS, 0] = 10


def test_new_notes_have_the_targets_accents() -> None:
    source = chords(70, 76, 82)
    own, made = new_velocities(source, 90), new_velocities(source, 90, BACK_BEAT)
    assert own[0] > own[2], "the source's first beats are louder"
    assert made == [made[0], made[0], made[0] + 15, made[0], made[0], made[0], made[0] + 15, made[0]] * 4
    half = new_velocities(source, 90, BACK_BEAT, strength=0.6)
    assert half[2] - half[0] == pytest.approx(0.6 * 15 + 0.4 * (own[2] - own[0]), abs=1)
    assert new_velocities(source, 30, BACK_BEAT)[0] == made[0] + 10


def test_the_sources_accents_where_they_are_asked_for_and_where_nothing_else_is_known() -> None:
    source = chords(70, 76, 82)
    own = new_velocities(source, 90)
    assert new_velocities(source, 90, BACK_BEAT, feel="source") == own
    assert new_velocities(source, 90, 0 * BACK_BEAT) == own
    flat = notes(*((beat * TPQ, beat * TPQ + STEP, 60, 80) for beat in range(16)))
    assert set(new_velocities(flat, 90, BACK_BEAT)) == {80}


@pytest.mark.parametrize("n_bars", [1, 2, 3, 5])
def test_what_is_around_a_bar(n_bars: int) -> None:
    velocity = np.arange(10, 10 * n_bars + 1, 10)
    expected = [velocity[max(0, bar - 1) : bar + 2].mean() for bar in range(n_bars)]
    np.testing.assert_allclose(around(velocity, np.arange(n_bars), n_bars), expected)
