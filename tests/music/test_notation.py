"""Written notes: grids, lengths, voices, names; whatever is played can be written, and says what was played."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.music.kern import Staff, kern
from audiocycle.music.notation import (
    IN_TRIPLETS,
    LENGTHS,
    QUARTER,
    Key,
    Lines,
    WrittenBar,
    bars_of_staff,
    key_of,
    lengths,
    metres_of,
    tidied,
    written,
)

FOUR, THREE, SIX_EIGHTHS = WrittenBar(4, 4, 48), WrittenBar(3, 4, 36), WrittenBar(6, 8, 36)


def a_staff(notes: list[tuple[int, int, int]]) -> Lines:
    """Notes of (start, end, pitch), none of them new."""
    start, end, pitch = np.array(notes, np.int64).reshape(-1, 3).T
    return Lines(start, end, pitch, np.zeros_like(start), np.zeros(len(start), bool))


@pytest.mark.parametrize(
    ("start", "end", "metre", "is_rest", "expected"),
    [
        (0, 48, FOUR, False, [(0, 48)]),
        (12, 36, FOUR, False, [(12, 36)]),  # a half note in the middle
        (6, 18, FOUR, False, [(6, 18)]),  # a syncopated quarter
        (18, 30, FOUR, False, [(18, 24), (24, 30)]),  # it would hide the middle
        (0, 30, FOUR, False, [(0, 24), (24, 30)]),
        (3, 15, FOUR, False, [(3, 12), (12, 15)]),
        (4, 24, FOUR, False, [(4, 12), (12, 24)]),  # begins on a triplet
        (0, 36, THREE, False, [(0, 36)]),
        (0, 36, THREE, True, [(0, 36)]),
        (12, 36, FOUR, True, [(12, 24), (24, 36)]),
        (0, 30, SIX_EIGHTHS, False, [(0, 18), (18, 30)]),
        (6, 18, SIX_EIGHTHS, False, [(6, 18)]),
        (0, 36, SIX_EIGHTHS, False, [(0, 36)]),
        (0, 60, WrittenBar(5, 4, 60), True, [(0, 48), (48, 60)]),
        (0, 42, WrittenBar(7, 8, 42), False, [(0, 36), (36, 42)]),
    ],
)
def test_lengths_show_the_beats(
    start: int, end: int, metre: WrittenBar, is_rest: bool, expected: list[tuple[int, int]]
) -> None:
    assert lengths(start, end, metre, is_rest) == expected


@given(
    metre=st.sampled_from(
        [(4, 4), (3, 4), (2, 2), (5, 4), (7, 8), (6, 8), (9, 8), (12, 8), (5, 8), (12, 16), (17, 4)]
    ),
    data=st.data(),
    is_rest=st.booleans(),
)
@settings(max_examples=300)
def test_any_time_can_be_written(metre: tuple[int, int], data: st.DataObject, is_rest: bool) -> None:
    top, bottom = metre
    whole = WrittenBar(top, bottom, 48 * top // bottom)
    places = [
        place
        for place in range(whole.length + 1)
        if place % 3 == 0 or (whole.beat == QUARTER and place % 4 == 0)
    ]
    start, end = sorted(data.draw(st.lists(st.sampled_from(places), min_size=2, max_size=2, unique=True)))
    if (end - start) < 3 or any(
        place % 12 % 3 and other // 12 == place // 12 and other % 12 % 4
        for place, other in ((start, end), (end, start))
    ):
        return  # sixteenths and triplets never meet in one beat
    parts = lengths(start, end, whole, is_rest)
    assert [parts[0][0], parts[-1][1]] == [start, end]
    assert all(a[1] == b[0] for a, b in pairwise(parts))
    assert all(b - a in LENGTHS + IN_TRIPLETS for a, b in parts)


def test_swung_eighths_are_triplets_and_loose_ones_are_not() -> None:
    begins, metres = np.array([0.0, 4.0, 8.0]), [FOUR, FOUR]
    swung = np.concatenate([np.arange(8), np.arange(8) + 0.64])
    start, end = written(swung, swung + 0.3, begins, metres)
    assert sorted(set((start % 12).tolist())) == [0, 8]
    assert set((end % 12).tolist()) <= {0, 4, 8}
    loose = np.concatenate([np.arange(8), np.arange(8) + 0.53])
    assert sorted(set((written(loose, loose + 0.4, begins, metres)[0] % 12).tolist())) == [0, 6]


def test_compound_beats_have_six_sixteenths() -> None:
    start = np.arange(12) * 0.5
    found, end = written(start, start + 0.5, np.array([0.0, 3.0, 6.0]), [SIX_EIGHTHS, SIX_EIGHTHS])
    assert found.tolist() == (6 * np.arange(12)).tolist()
    assert end.tolist() == (6 * np.arange(1, 13)).tolist()


def test_bars_cut_short_are_short() -> None:
    metres = metres_of(np.array([0.0, 4.0, 6.0, 9.0]), [(0.0, 4, 4), (6.0, 3, 4)])
    assert [(metre.numerator, metre.length) for metre in metres] == [(4, 48), (4, 24), (3, 36)]


@pytest.mark.parametrize(
    ("key", "pitches", "names"),
    [
        (Key(0), (60, 61, 66, 70), "C4 D4- F4# B4-"),
        (Key(0, True), (68, 70, 61), "G4# B4- C4#"),
        (Key(-1), (68, 70, 66), "A4- B4- G4-"),
        (Key(4), (61, 63, 59, 24), "C4# D4# B3 C1"),
        (Key(-6), (59, 60), "C4- C4"),
        (Key(7), (60, 59), "B3# B3"),
    ],
)
def test_names_fit_the_key(key: Key, pitches: tuple[int, ...], names: str) -> None:
    told = [key.name(pitch) for pitch in pitches]
    assert (
        " ".join(f"{letter}{octave}{'#' * sharps}{'-' * -sharps}" for letter, sharps, octave in told) == names
    )


@given(fifths=st.integers(-7, 7), is_minor=st.booleans(), pitch=st.integers(0, 127))
def test_a_name_sounds_as_its_pitch(fifths: int, is_minor: bool, pitch: int) -> None:
    letter, sharps, octave = Key(fifths, is_minor).name(pitch)
    assert (
        12 * (octave + 1) + {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[letter] + sharps
        == pitch
    )
    assert abs(sharps) <= 2


@pytest.mark.parametrize("up", range(12))
def test_the_key_is_found_wherever_it_is(up: int) -> None:
    major = np.array([0, 2, 4, 5, 7, 9, 11, 0, 4, 7, 0])
    found = key_of(major + 60 + up, np.ones(len(major)))
    assert not found.is_minor
    assert (7 * found.fifths - up) % 12 == 0
    minor = np.array([0, 2, 3, 5, 7, 8, 11, 0, 3, 7, 0])
    found = key_of(minor + 60 + up, np.ones(len(minor)))
    assert found.is_minor
    assert (7 * (found.fifths + 3) - up) % 12 == 0


def test_two_lengths_at_once_are_two_voices_the_higher_first() -> None:
    lines = tidied(a_staff([(0, 48, 48), (0, 12, 60), (12, 24, 62), (24, 48, 64)]), 48)
    ((upper, lower),) = bars_of_staff(lines, 0, [FOUR])
    assert [[head.pitch for head in chord.heads] for chord in upper] == [[60], [62], [64]]
    assert [(chord.start, chord.end) for chord in lower] == [(0, 48)]


def test_a_third_voice_shortens_the_oldest_note_for_good() -> None:
    lines = tidied(a_staff([(0, 96, 48), (6, 48, 60), (12, 30, 64)]), 96)
    first, second = bars_of_staff(lines, 0, [FOUR, FOUR])
    chords = {head.pitch: (chord, head) for voice in first for chord in voice for head in chord.heads}
    assert chords[48][0].end == 12
    assert not chords[48][1].tied_after
    assert second == [[]]


def test_notes_over_a_bar_line_are_tied() -> None:
    lines = tidied(a_staff([(36, 60, 60)]), 96)
    ((before,), (after,)) = bars_of_staff(lines, 0, [FOUR, FOUR])
    assert (before[0].heads[0].tied_after, after[0].heads[0].tied_before) == (True, True)
    text = kern([Staff("a", "G2", [[before], [after]], 0)], [FOUR, FOUR], Key(0), "#123456")
    assert "[4c" in text
    assert "4c]" in text


def test_short_gaps_are_playing_and_no_rests() -> None:
    lines = tidied(a_staff([(0, 9, 60), (12, 18, 62), (24, 36, 64)]), 48)
    assert lines.end.tolist() == [12, 18, 36]


@given(
    notes=st.lists(
        st.tuples(st.integers(0, 63), st.integers(1, 40), st.integers(0, 127)), min_size=1, max_size=40
    ),
    metre=st.sampled_from([(4, 4), (3, 4), (6, 8), (7, 8)]),
)
@settings(max_examples=100)
def test_every_note_is_written_once_and_in_its_place(
    notes: list[tuple[int, int, int]], metre: tuple[int, int]
) -> None:
    top, bottom = metre
    bar = WrittenBar(top, bottom, 48 * top // bottom)
    metres = [bar] * -(-64 * 3 // bar.length)
    total = bar.length * len(metres)
    lines = tidied(
        a_staff([(3 * start, 3 * (start + length), pitch) for start, length, pitch in notes]), total
    )
    found = bars_of_staff(lines, 0, metres)
    begun = set()
    for number, voices in enumerate(found):
        assert 1 <= len(voices) <= 2
        for voice in voices:
            assert all(a.end <= b.start for a, b in pairwise(voice))
            for chord in voice:
                assert 0 <= chord.start < chord.end <= bar.length
                begun |= {
                    (number * bar.length + chord.start, head.pitch)
                    for head in chord.heads
                    if not head.tied_before
                }
    assert begun == {(3 * start, pitch) for start, _, pitch in notes}
    columns = kern([Staff("a", "G2", found, 0)], metres, Key(0), "#123456").splitlines()
    assert columns[1:3] == ["**kern", "*staff1"]
