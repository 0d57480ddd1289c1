"""Which notes are the tune, the bass and the chords, and that they stay when they are to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import even_bars

from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.grid import Span
from audiocycle.music.lines import BASS, CHORDS, MELODY, chords, closed, held, outer_lines
from audiocycle.music.notes import NEW, Notes, join
from audiocycle.music.options import MusicOptions
from audiocycle.music.piano_roll import LOWEST, ONSET, SUSTAIN, draw
from audiocycle.music.renderer import ScoreRenderer
from audiocycle.music.sides import SpanSide
from audiocycle.objectives.content import line
from audiocycle.spec import Direction, Domain, Encoded

STEP = 120
SPAN = even_bars(0, 4, 480)


def played(*notes: tuple[int, int, int], part: int = 0) -> Notes:
    """Notes as (MIDI pitch, first step, steps)."""
    pitch, first, steps = np.array(notes, np.int64).reshape(-1, 3).T
    rest = np.full(len(pitch), 64), np.full(len(pitch), part), np.full(len(pitch), NEW)
    return join([Notes(first * STEP, (first + steps) * STEP, pitch, *rest)])


def lines(notes: Notes, span: Span = SPAN) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Tune and bass as (pitch, step)."""
    tune, bass = outer_lines(notes, draw(notes, span), span)
    pairs = list(zip(notes.pitch.tolist(), (notes.start // STEP).tolist(), strict=True))
    return {pairs[i] for i in np.flatnonzero(tune)}, {pairs[i] for i in np.flatnonzero(bass)}


def test_outer_notes_of_chords_and_what_begins_under_a_held_note() -> None:
    tune, bass = lines(played((72, 0, 8), (64, 0, 4), (65, 4, 4), (48, 0, 4), (50, 4, 4)))
    assert tune == {(72, 0)}
    assert bass == {(48, 0), (50, 4)}


def test_a_middle_voice_that_shows_for_a_moment_is_no_line() -> None:
    notes = played((84, 0, 2), (60, 2, 2), (84, 4, 4), (36, 0, 16))
    assert lines(notes)[0] == {(84, 0), (84, 4)}
    leap = played((84, 0, 2), (72, 2, 2), (84, 4, 4), (36, 0, 16))  # an octave is a leap of the tune's own
    assert lines(leap)[0] == {(84, 0), (72, 2), (84, 4)}
    rest = played((84, 0, 2), (60, 2, 14), (84, 16, 4), (36, 0, 16))  # a rest, in which another voice leads
    assert (60, 2) in lines(rest)[0]
    upside_down = played((36, 0, 2), (60, 2, 2), (36, 4, 4), (84, 0, 16))
    assert lines(upside_down)[1] == {(36, 0), (36, 4)}


def test_the_part_that_is_mostly_on_top_has_the_tune_where_another_crosses_it() -> None:
    flute = played(*((72, 4 * beat, 4) for beat in range(8)))
    harp = played(*((48, 4 * beat, 4) for beat in range(7)), (84, 28, 4), part=1)
    tune, _ = lines(join([flute, harp]))
    assert (72, 28) in tune  # the harp is above it
    assert (48, 0) not in tune


def test_notes_that_share_a_step_are_told_apart_by_when_they_begin() -> None:
    grace = played((76, 0, 4), (74, 0, 4))
    grace = Notes(np.array([0, 50]), np.array([45, 480]), np.array([76, 74]), *grace.columns[3:])
    tune, _ = outer_lines(grace, draw(grace, SPAN), SPAN)
    assert tune.all()


@given(st.lists(st.integers(0, 84), min_size=1, max_size=60), st.sampled_from([3, 5, 9, 17]))
def test_valleys_are_filled_as_the_term_of_the_objective_fills_them(curve: list[int], window: int) -> None:
    """Two implementations of one definition: there 0 is no line, here it is the caller's to compare."""
    highest = np.array(curve)
    theirs = line(torch.tensor(curve, dtype=torch.float32)[None], window)[0].numpy()
    ours = np.where(closed(highest, window) - highest > 12, 0, highest)
    assert ours.tolist() == theirs.tolist()


def test_chords_by_hand() -> None:
    notes = played((48, 0, 4), (64, 2, 1), (67, 16, 2))
    cells = chords(draw(notes, SPAN)[SUSTAIN] > 0, SPAN)
    assert {int(row) % 12 for row in np.flatnonzero(cells[:, 0])} == {0, 4}
    assert (cells[:, :1] == cells[:, :16]).all()  # three silent beats
    assert {int(row) % 12 for row in np.flatnonzero(cells[:, 63])} == {7}


NOTES = st.lists(
    st.tuples(st.integers(30, 100), st.integers(0, 60), st.integers(1, 8), st.integers(0, 1)),
    min_size=1,
    max_size=30,
)


@settings(deadline=None, max_examples=60)
@given(
    NOTES,
    st.sampled_from([0.0, 0.5, 1.0]),
    st.integers(0, 99),
    st.sampled_from(["melody", "bass", "melody,bass,chords"]),
)
def test_lines_that_are_kept_stay_note_for_note_at_their_place(
    drawn: list[tuple[int, int, int, int]], strength: float, seed: int, keep: str
) -> None:
    adapter = PianoRollAdapter()
    notes = join([played(*(n[:3] for n in drawn if n[3] == part), part=part) for part in (0, 1)])
    notes = Notes(*notes.columns[:5], np.arange(len(notes)))
    tune, bass = outer_lines(notes, draw(notes, SPAN), SPAN)
    random = np.random.default_rng(seed)
    answer = random.random((2, 84, SPAN.n_steps)).astype(np.float32) ** 3
    stats = {
        "programs": np.zeros(3, np.float32),
        "onsets": np.array([0.5, 1.0], np.float32),
        "polyphony": np.array([4.0, 6.0], np.float32),
    }
    encoded = Encoded(draw(notes, SPAN), SpanSide(notes, SPAN))
    options = MusicOptions(keep=keep, strength=strength)
    made = ScoreRenderer(adapter).render(
        adapter.transfer(encoded, answer, Direction(Domain("a", stats), Domain("b", stats)), options)
    )
    for wanted, above in ((tune, 1), (bass, -1)):
        if ("melody" if above == 1 else "bass") not in keep:
            continue
        assert set(np.flatnonzero(wanted)) <= set(made.origin.tolist())
        line, new = (
            draw(chosen, SPAN)[SUSTAIN][::above] > 0
            for chosen in (notes.where(wanted), made.where(made.origin == NEW))
        )
        number = np.arange(1, 85)[:, None]
        highest = (number * line).max(axis=0)
        assert not (new & (number > highest) & (highest > 0)).any()


def test_chords_that_are_kept_bar_other_pitch_classes() -> None:
    notes = played((60, 0, 4), (64, 0, 4), (62, 4, 4))
    mask = held(notes, draw(notes, SPAN), SPAN, {CHORDS})
    assert not mask.certain.any()
    assert mask.barred[:, 62 - LOWEST, 0].all()
    assert not mask.barred[:, 72 - LOWEST, 0].any()


def test_a_mask_moves_probabilities_and_leaves_other_channels_alone() -> None:
    notes = played((60, 0, 4), (48, 0, 4))
    mask = held(notes, draw(notes, SPAN), SPAN, {MELODY, BASS})
    answer: Any = np.full((3, 84, SPAN.n_steps), 0.5, np.float32)
    nearer = mask.likelier(answer, 2.0)
    assert nearer[SUSTAIN, 60 - LOWEST, 2] == pytest.approx(1 / (1 + np.exp(-2)))
    assert nearer[ONSET, 61 - LOWEST, 0] == pytest.approx(1 / (1 + np.exp(2)))
    assert (
        nearer[SUSTAIN, 50 - LOWEST, 0] == nearer[ONSET, 60 - LOWEST, 8] == nearer[2, 60 - LOWEST, 0] == 0.5
    )
    sure = mask.certainly(answer)
    assert set(np.unique(sure)) == {0.0, 0.5, 1.0}
    assert answer.max() == 0.5


def test_silence_has_no_lines() -> None:
    notes = played()
    assert not any(line.any() for line in outer_lines(notes, draw(notes, SPAN), SPAN))
    assert not held(notes, draw(notes, SPAN), SPAN, {MELODY, BASS, CHORDS}).certain.any()
