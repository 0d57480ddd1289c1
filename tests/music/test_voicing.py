"""Who plays what a network added: parts that can, a line at a time, and no voice into itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import BAR, STEP, TPQ, a_score, a_track, converted, noise, notes

from audiocycle.music.notes import NEW, Notes, join
from audiocycle.music.players import at_once, legato_of, players_of
from audiocycle.music.voicing import voiced

FLUTE, PIANO, CELLO, BASS = 73, 0, 42, 33
LEGATO = legato_of(TPQ)
Row = tuple[int, ...]


def source_of(*parts: list[Row]) -> Notes:
    """Rows of start, end and pitch of each part."""
    rows = sorted(((start, end, pitch, 64, part) for part, each in enumerate(parts) for start, end, pitch in each), key=lambda row: (row[0], row[2]))
    return notes(*((*row, number) for number, row in enumerate(rows)))


def given_out(source: Notes, kept: Notes, new: list[Row], *programs: int, firm: tuple[int, ...] = ()) -> list[Row]:
    """Start, end, pitch and part of the new notes in the result, in order of time."""
    made = everything(source, kept, new, *programs, firm=firm)
    made = made.where(made.origin == NEW)
    return list(zip(*(column.tolist() for column in (made.start, made.end, made.pitch, made.track)), strict=True))


def everything(source: Notes, kept: Notes, new: list[Row], *programs: int, firm: tuple[int, ...] = ()) -> Notes:
    heir = np.arange(len(programs))
    players = players_of(source, np.array(programs)[source.track], heir, np.array(firm, np.int64), TPQ)
    return voiced(join([kept, notes(*((*row, 64) for row in new))]), source, heir, players, np.arange(0, 40 * BAR, 4 * BAR))


def none(source: Notes) -> Notes:
    return source.where(np.zeros(len(source), bool))


MELODY = [(i * TPQ, (i + 1) * TPQ, 72 + i % 5) for i in range(16)]
BASS_LINE = [(i * TPQ, (i + 1) * TPQ, 36 + i % 5) for i in range(16)]
CHORDS = [(i * BAR, (i + 1) * BAR, pitch) for i in range(4) for pitch in (55, 60, 64)]


def test_what_is_left_alone_comes_back() -> None:
    source = source_of(MELODY, CHORDS, BASS_LINE)
    made = everything(source, source, [], FLUTE, PIANO, BASS)
    assert [column.tolist() for column in made.columns] == [column.tolist() for column in source.columns]


def test_registers_and_lines_stay_with_one_part() -> None:
    source = source_of(MELODY, BASS_LINE)
    high = [(i * TPQ, (i + 1) * TPQ, 60 + 2 * i) for i in range(8)]  # begins nearer to the bass than where it ends
    low = [(i * TPQ, (i + 1) * TPQ, 38) for i in range(8, 16)]
    made = given_out(source, none(source), high + low, FLUTE, BASS)
    assert {part for _, _, pitch, part in made if pitch > 50} == {0}
    assert {part for _, _, pitch, part in made if pitch < 50} == {1}
    assert len(made) == 16


def test_a_line_goes_on_where_its_other_notes_are() -> None:
    source = source_of([(0, TPQ, 66), *((i * BAR, i * BAR + TPQ, 80) for i in range(1, 4))], [(0, TPQ, 55), (TPQ, 2 * TPQ, 60)])
    kept = source.where(source.pitch == 66)
    assert given_out(source, kept, [(TPQ, 2 * TPQ, 64)], FLUTE, FLUTE) == [(TPQ, 2 * TPQ, 64, 0)]


def test_a_solo_line_stays_one() -> None:
    source = source_of([(start, end, pitch - 24) for start, end, pitch in MELODY])
    thick = [(start, end, pitch + up) for start, end, pitch in CHORDS for up in (0, -12)]
    made = everything(source, source, thick, CELLO)
    assert [column.tolist() for column in made.columns] == [column.tolist() for column in source.columns]
    alone = everything(source, none(source), thick, CELLO)
    assert len(alone) == 4
    assert at_once(alone, LEGATO).max() == 1


def test_what_a_line_has_no_voice_for_goes_to_chords() -> None:
    source = source_of(MELODY, CHORDS)
    third = [(i * TPQ, (i + 1) * TPQ, 70) for i in range(4)]  # within the flute's register, under its notes
    assert [row[3] for row in given_out(source, source, third, FLUTE, PIANO)] == [1] * 4


@pytest.mark.parametrize(
    ("held", "new", "ends"),
    [
        ((0, 4 * TPQ, 72), (2 * TPQ, 5 * TPQ, 74), 2 * TPQ),  # the line goes on
        ((0, 4 * TPQ, 72), (2 * TPQ, 3 * TPQ, 74), 4 * TPQ),  # it would leave a hole
        ((0, 4 * TPQ, 72), (STEP, 5 * TPQ, 74), 4 * TPQ),  # too early
        ((0, 4 * TPQ, 72), (4 * TPQ - LEGATO, 5 * TPQ, 74), 4 * TPQ - LEGATO),
    ],
)
def test_where_a_note_of_the_source_makes_way(held: Row, new: Row, ends: int) -> None:
    source = source_of([held, (6 * TPQ, 8 * TPQ, 76)])
    made = everything(source, source, [new], FLUTE)
    assert made.end[0] == ends
    assert len(made) == 2 + (ends < held[1])


def test_firm_notes_make_way_for_nothing() -> None:
    source = source_of([(0, 4 * TPQ, 72), (6 * TPQ, 8 * TPQ, 76)])
    made = everything(source, source, [(2 * TPQ, 5 * TPQ, 74)], FLUTE, firm=(0,))
    assert made.end.tolist() == [4 * TPQ, 8 * TPQ]


def test_a_note_that_was_lengthened_ends_where_the_next_begins() -> None:
    source = source_of(MELODY)
    longer = Notes(source.start, source.end + TPQ, *source.columns[2:])
    made = everything(source, longer, [], FLUTE)
    assert made.end[:-1].tolist() == source.end[:-1].tolist()
    assert made.end[-1] == source.end[-1] + TPQ


def test_a_part_that_rests_stays_out_while_others_can_play() -> None:
    source = source_of(CHORDS, [(4 * BAR + start, 4 * BAR + end, 64) for start, end, _ in MELODY])
    first = given_out(source, source, [(0, TPQ, 67)], PIANO, FLUTE)
    assert first == [(0, TPQ, 67, 0)]
    low = source_of(MELODY, [(4 * BAR + start, 4 * BAR + end, pitch) for start, end, pitch in BASS_LINE])
    assert given_out(low, none(low), [(0, TPQ, 38)], FLUTE, BASS) == [(0, TPQ, 38, 1)]  # nobody else has it


def test_what_nobody_has_is_left_out() -> None:
    source = source_of(MELODY)
    assert given_out(source, none(source), [(0, TPQ, 30), (0, TPQ, 107)], FLUTE) == []


def test_chords_have_as_many_notes_as_hands() -> None:
    source = source_of(CHORDS)
    cluster = [(0, BAR, pitch) for pitch in range(40, 80)]
    made = everything(source, source, cluster, PIANO)
    assert (made.start == 0).sum() == 8


@given(seed=st.integers(0, 99), busy=st.sampled_from((0.01, 0.1)))
@settings(max_examples=40, deadline=None)
def test_one_voice_stays_one_whatever_the_network_says(seed: int, busy: float) -> None:
    song = a_score(
        a_track(*((*row, 80) for row in MELODY), program=FLUTE),
        a_track(*((*row, 80) for row in BASS_LINE), program=BASS),
        a_track(*((*row, 60) for row in CHORDS)),
    )
    made, details = converted(song, noise(seed, busy))
    for track in made.tracks[:2]:
        these = notes(*sorted((note.start, note.end, note.pitch, 64) for note in track.notes))
        assert (at_once(these, LEGATO) <= 1).all()
        assert len(these) > 0
    assert details["notes_unplayed"] > 0 or busy < 0.1
