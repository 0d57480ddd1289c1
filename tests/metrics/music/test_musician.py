"""The musician's list: songs made by hand, of which every figure can be counted."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.metrics.music.musician import (
    MUSICIANS_LIST,
    after_the_end,
    bass_leaps,
    keys,
    lone_sixteenths,
    musicians_list,
    off_beat,
    out_of_key,
    overlaps,
    pitch_range,
    polyphony,
    ringing_classes,
    swing_ratio,
    third_strikes,
    top_line_kept,
)
from audiocycle.metrics.music.song_notes import song_notes

SCALE = np.array([0, 2, 4, 5, 7, 9, 11])
NOTE = st.tuples(st.integers(0, 256), st.integers(1, 32), st.integers(24, 107), st.integers(0, 3))


def line(pitches, beats=1.0, **more):
    """One note after the other, of equal length."""
    start = np.arange(len(pitches)) * beats
    return song_notes(start, start + beats, pitches, **more)


def some(notes):
    start, steps, pitch, part = np.array(notes, np.int64).reshape(-1, 4).T
    return song_notes(start / 4, (start + steps) / 4, pitch, part, 33 * part)


@pytest.mark.parametrize("tonic", range(12))
def test_a_scale_is_in_its_key_and_a_strange_note_is_not(tonic):
    notes = [*SCALE[[0, 2, 4, 0, 3, 4, 6, 0, 1, 4, 5, 3, 0, 2, 4, 0]]] * 2
    assert set(keys(line(np.array(notes) + 60 + tonic))) == {tonic}
    assert out_of_key(line(np.array(notes) + 60 + tonic)) == 0.0
    notes[10] = 6
    assert out_of_key(line(np.array(notes) + 60 + tonic)) == pytest.approx(1 / 32)


def test_the_leading_tone_belongs_to_minor():
    notes = line([57, 60, 64, 57, 59, 60, 62, 64, 65, 64, 62, 60, 59, 56, 57, 57] * 2)
    assert set(keys(notes)) == {21}
    assert out_of_key(notes) == 0.0


def test_keys_follow_a_modulation():
    tune = SCALE[[0, 2, 4, 0, 3, 4, 6, 0] * 4] + 60
    found = keys(line([*tune, *tune + 6]))
    assert found[0] == 0
    assert found[-1] == 6
    assert out_of_key(line([*tune, *tune + 6])) < 0.1


def test_off_beat_counts_moments_and_not_notes():
    notes = song_notes([0, 0, 0, 1, 1.5], [1, 1, 1, 1.5, 2], [60, 64, 67, 60, 60])
    assert off_beat(notes) == pytest.approx(1 / 3)


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0, 2.5])
def test_the_swing_ratio_is_that_of_the_eighths(ratio):
    upbeat = np.arange(16) + ratio / (1 + ratio)
    start = np.sort([*np.arange(16), *upbeat])
    assert swing_ratio(song_notes(start, start + 0.3, 60)) == pytest.approx(ratio)


def test_sixteenths_dotted_figures_and_few_beats_do_not_swing():
    assert math.isnan(swing_ratio(line([60] * 64, 0.25)))
    dotted = np.sort([*np.arange(16), *np.arange(16) + 0.75])
    assert math.isnan(swing_ratio(song_notes(dotted, dotted + 0.2, 60)))
    assert math.isnan(swing_ratio(line([60] * 8, 0.5)))


def test_bass_leaps_are_those_over_an_octave():
    assert bass_leaps(line([36, 48, 36, 48, 36])) == 0.0
    assert bass_leaps(line([36, 49, 36, 48, 36])) == pytest.approx(2 / 4)
    above = song_notes([0, 1, 2, 0], [1, 2, 3, 3], [60, 80, 60, 36])  # under a held bass nothing leaps
    assert bass_leaps(above) == 0.0
    assert (
        bass_leaps(song_notes([0, 5], [1, 6], [36, 60]))
        != bass_leaps(song_notes([0, 1], [1, 2], [36, 60]))
        == 1.0
    )


def test_third_and_further_strikes():
    assert third_strikes(line([60, 60], 0.5)) == 0.0
    assert third_strikes(line([60, 60, 60, 60], 0.5)) == pytest.approx(2 / 4)
    assert third_strikes(line([60, 60, 60, 60], 1.0)) == 0.0
    assert third_strikes(line([60, 62, 60, 62, 60, 62, 60], 0.25)) == pytest.approx(
        3 / 7
    )  # a tremolo strikes, too
    twice = song_notes(
        [0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1], 60, [0, 1, 0, 1]
    )  # two parts in unison strike once
    assert third_strikes(twice) == 0.0


def test_a_sixteenth_is_lone_where_nothing_is_near():
    speck = ([0.25], [0.5], [60])
    assert lone_sixteenths(song_notes(*speck)) == 1.0
    assert lone_sixteenths(song_notes([0.25], [0.75], [60])) == 0.0
    assert lone_sixteenths(song_notes([0.25, 1.0], [0.5, 2.0], [60, 64])) == 0.0
    assert lone_sixteenths(song_notes([0.25, 1.0], [0.5, 2.0], [60, 90])) == 0.5
    assert lone_sixteenths(song_notes([0.25, 1.25], [0.5, 2.0], [60, 64])) == 0.5


def test_what_the_pedal_holds_rings_together():
    dry = line([60, 64, 67, 71])
    assert ringing_classes(dry) == 1.0
    held = line([60, 64, 67, 71], ring=4.0)
    assert ringing_classes(held) == pytest.approx((1 + 2 + 3 + 4) / 4)
    assert polyphony(held) == 1.0
    assert ringing_classes(song_notes([0, 0], [1, 1], [60, 72])) == 1.0
    assert polyphony(song_notes([0, 0], [1, 1], [60, 72])) == 2.0


def test_overlaps_are_of_parts_for_one_voice():
    start = np.arange(10.0)
    for program, expected in ((0, math.nan), (73, 0.9), (42, 0.9), (35, 0.9), (48, math.nan)):
        assert overlaps(song_notes(start, start + 2, 60, 0, program)) == pytest.approx(expected, nan_ok=True)
    assert overlaps(song_notes(start, start + 1.1, 60, 0, 73)) == 0.0  # legato
    two = song_notes([*start, *start], [*start + 1, *start + 1], 60, [0] * 10 + [1] * 10, 73)
    assert overlaps(two) == 0.0
    assert overlaps(song_notes(start, start + 1, 60, 0, 73)) == 0.0


def test_an_overlap_is_found_behind_shorter_notes():
    start = np.array([0.0, 1, 2, 3, 10, 11, 12, 13])
    end = np.array([3.5, 2, 3, 4, 11, 12, 13, 14])
    assert overlaps(song_notes(start, end, 60, 0, 73)) == pytest.approx(3 / 8)


def test_range():
    assert pitch_range(line([40, 60, 52])) == 20.0


def test_the_top_line_is_kept_where_it_is_and_where_nothing_covers_it():
    tune, chords = line([72, 74, 76, 77]), [(0.0, 4.0, p) for p in (48, 52, 55)]
    start, end, pitch = (np.array(x) for x in zip(*chords, strict=True))

    def played(tune, chords):
        return song_notes([*tune.start, *start], [*tune.end, *end], [*tune.pitch, *chords])

    source = played(tune, pitch)
    assert top_line_kept(source, source) == 1.0
    assert top_line_kept(source, played(tune, pitch + 1)) == 1.0
    assert top_line_kept(source, played(tune, pitch + 40)) == 0.0
    assert top_line_kept(
        source, song_notes(tune.start + np.array([0, 0.17, 0.17, 0.25]), tune.end + 0.3, tune.pitch)
    ) == pytest.approx(3 / 4)
    assert top_line_kept(source, song_notes(start, end, pitch)) == 0.0
    assert top_line_kept(source, song_notes([], [], [])) == 0.0
    assert math.isnan(top_line_kept(song_notes([], [], []), source))


def test_notes_after_the_end():
    assert after_the_end(line([60] * 10), 8.0) == pytest.approx(0.2)
    assert after_the_end(line([60] * 10), 10.0) == 0.0


def test_no_notes_have_no_numbers():
    assert all(math.isnan(value) for value in musicians_list(song_notes([], [], [])).values())


@given(st.lists(NOTE, min_size=1, max_size=60), st.integers(1, 20))
def test_nothing_depends_on_where_a_song_begins(notes, beats):
    played = some(notes)
    later = song_notes(played.start + beats, played.end + beats, played.pitch, played.part, played.program)
    assert musicians_list(later) == pytest.approx(musicians_list(played), nan_ok=True)


@given(st.lists(NOTE, min_size=1, max_size=60), st.integers(-12, 12))
def test_nothing_depends_on_the_key(notes, semitones):
    played = some(notes)
    moved = song_notes(played.start, played.end, played.pitch + semitones, played.part, played.program)
    before, after = musicians_list(played), musicians_list(moved)
    for name in set(MUSICIANS_LIST) - {"out_of_key"}:  # of two keys that fit alike the first is taken
        assert after[name] == pytest.approx(before[name], nan_ok=True)
    assert top_line_kept(played, played) == 1.0
