"""Content measures of piano rolls: values worked out by hand, and what must hold for any music."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from audiocycle.errors import ConfigError
from audiocycle.metrics.music import content as roll_content
from audiocycle.metrics.music.content import (
    chroma_similarity,
    groove_similarity,
    key_shift,
    note_f1,
    tonnetz_distance,
)
from audiocycle.metrics.music.notes import notes_of

C4, D4, E4, F4, G4, A4, B4 = 36, 38, 40, 41, 43, 45, 47  # rows: MIDI 60 is row 36
SILENCE = np.zeros((2, 84, 64), np.uint8)
MEASURES = [chroma_similarity, groove_similarity, lambda a, b: note_f1(a, b).f1]


def roll_of(notes: Sequence[tuple[int, int, int]], n_steps: int = 64) -> np.ndarray:
    """A roll of (row, onset, duration)."""
    roll = np.zeros((2, 84, n_steps), np.uint8)
    for row, onset, duration in notes:
        roll[0, row, onset : onset + duration] = 1
        roll[1, row, onset] = 1
    return roll


def tune(seed: int, n_notes: int = 25) -> np.ndarray:
    """Notes of C major, C and G most often, in the middle of the keyboard."""
    rng = np.random.default_rng(seed)
    rows = rng.choice([C4, C4, C4, G4, G4, E4, D4, F4, A4, B4], n_notes)
    notes = np.stack([rows, rng.integers(0, 60, n_notes), rng.integers(1, 5, n_notes)], axis=1)
    return roll_of([(row, onset, duration) for row, onset, duration in notes.tolist()])


def shifted(roll: np.ndarray, semitones: int) -> np.ndarray:
    return np.roll(roll, semitones, axis=1)


# Chroma


def test_chroma_of_two_bars_by_hand() -> None:
    a = roll_of([(C4, 0, 4), (G4, 4, 4)], 16)  # beats: C, G, -, -
    b = roll_of([(C4, 0, 4), (C4, 4, 4), (E4, 12, 4)], 16)  # beats: C, C, -, E
    # Windows of 2 beats, in steps: (C4 G4 | C8), (G4 | C4), (- | E4): cosines 4*8 / (sqrt(32) * 8), 0, 0.
    assert chroma_similarity(a, b) == pytest.approx((1 / np.sqrt(2)) / 3)
    # Windows of 1 beat: C|C, G|C, silent in both and so skipped, -|E: 1, 0, 0.
    assert chroma_similarity(a, b, window_beats=1) == pytest.approx(1 / 3)


def test_chroma_weighs_the_sustain_and_counts_octaves() -> None:
    a = roll_of([(C4, 0, 8), (C4 - 12, 0, 4), (G4, 0, 3)], 8)  # C: 12 steps, G: 3
    b = roll_of([(C4, 0, 4), (G4 + 12, 0, 3)], 8)  # C: 4, G: 3
    assert chroma_similarity(a, b) == pytest.approx((12 * 4 + 3 * 3) / (np.hypot(12, 3) * 5))


def test_a_roll_shorter_than_the_window_is_one_window() -> None:
    a, b = roll_of([(C4, 0, 3)], 4), roll_of([(C4, 0, 3), (E4, 0, 4)], 4)
    assert chroma_similarity(a, b, window_beats=2) == pytest.approx(3 / 5)


@given(seed=st.integers(0, 2**32 - 1), octaves=st.integers(-2, 2))
@settings(max_examples=25)
def test_octaves_change_neither_chroma_nor_harmony_nor_key(seed: int, octaves: int) -> None:
    roll = tune(seed)
    assert chroma_similarity(roll, shifted(roll, 12 * octaves)) == pytest.approx(1.0)
    assert tonnetz_distance(roll, shifted(roll, 12 * octaves)) == pytest.approx(0.0)
    assert key_shift(roll, shifted(roll, 12 * octaves)) == 0


def test_triplet_grid() -> None:
    a = roll_of([(C4, 0, 6), (G4, 6, 6)], 24)
    b = roll_of([(C4, 0, 6), (E4, 6, 6)], 24)
    # Beats: C|C, G|E, and two that are silent in both.
    assert chroma_similarity(a, b, steps_per_beat=6, window_beats=1) == pytest.approx(1 / 2)


# Groove


def test_groove_of_one_bar_by_hand() -> None:
    a = roll_of([(C4, 0, 2), (E4, 0, 2), (C4, 4, 2), (C4, 8, 2)], 16)  # onsets 0 4 8; a chord is one onset
    b = roll_of([(A4, 0, 1), (A4, 6, 1), (A4, 8, 1)], 16)  # onsets 0 6 8: two of 16 steps differ
    assert groove_similarity(a, b) == pytest.approx(1 - 2 / 16)


def test_groove_of_a_lost_bar_is_what_its_rests_are_worth() -> None:
    a = roll_of([(C4, 4 * k, 2) for k in range(4)], 32)  # 4 onsets in the first bar, none in the second
    assert groove_similarity(a, SILENCE[:, :, :32]) == pytest.approx(((1 - 4 / 16) + 1) / 2)


# Notes


def test_note_f1_by_hand() -> None:
    reference = roll_of([(C4, 0, 2), (C4, 4, 2), (E4, 8, 2), (G4, 12, 4)])
    estimate = roll_of([(C4, 1, 9), (E4, 10, 2), (G4 + 12, 12, 4)])
    # C4 at 1 meets C4 at 0 (not at 4 as well); E4 is 2 steps late; the G is in another octave: 1 hit.
    match = note_f1(reference, estimate)
    assert (match.precision, match.recall) == (pytest.approx(1 / 3), pytest.approx(1 / 4))
    assert match.f1 == pytest.approx(2 * (1 / 3) * (1 / 4) / (1 / 3 + 1 / 4))
    assert note_f1(reference, estimate, tolerance_steps=0).f1 == 0.0
    assert note_f1(reference, estimate, tolerance_steps=2).recall == pytest.approx(2 / 4)  # E4, too


def test_the_last_step_of_a_pitch_is_far_from_the_first_of_the_next() -> None:
    assert note_f1(roll_of([(C4, 63, 1)]), roll_of([(C4 + 1, 0, 1)]), tolerance_steps=9).f1 == 0.0


@given(seeds=st.tuples(st.integers(0, 2**31), st.integers(0, 2**31)), tolerance=st.integers(0, 5))
@settings(max_examples=25)
def test_no_matching_has_more_pairs(seeds: tuple[int, int], tolerance: int) -> None:
    a, b = (tune(seed, 60) for seed in seeds)
    first, second = notes_of(a)[:, None], notes_of(b)[None]
    near = (first[..., 0] == second[..., 0]) & (np.abs(first[..., 1] - second[..., 1]) <= tolerance)
    hits = np.count_nonzero(maximum_bipartite_matching(csr_matrix(near)) >= 0)
    assert note_f1(a, b, tolerance).recall == pytest.approx(hits / first.shape[0])


@given(seeds=st.tuples(st.integers(0, 2**31), st.integers(0, 2**31)))
@settings(max_examples=25)
def test_swapping_the_rolls_swaps_precision_and_recall(seeds: tuple[int, int]) -> None:
    a, b = tune(seeds[0], 20), tune(seeds[1], 40)
    there, back = note_f1(a, b), note_f1(b, a)
    assert (there.precision, there.recall, there.f1) == (back.recall, back.precision, back.f1)


# Key and harmony


@given(seed=st.integers(0, 2**32 - 1), semitones=st.integers(-6, 5), octave=st.sampled_from([-12, 0, 12]))
@settings(max_examples=25)
def test_key_shift_finds_a_transposition(seed: int, semitones: int, octave: int) -> None:
    roll = tune(seed)
    assert key_shift(roll, shifted(roll, semitones + octave)) == semitones


def test_key_shift_of_equally_good_shifts_is_the_smallest() -> None:
    augmented = roll_of([(C4, 0, 8), (E4, 0, 8), (E4 + 4, 0, 8)])  # maps onto itself every 4 semitones
    assert key_shift(augmented, augmented) == 0
    assert key_shift(augmented, shifted(augmented, 2)) == -2  # 2 and -2 are equally good: downwards
    assert key_shift(augmented, shifted(augmented, 1)) == 1  # as good as -3 and 5


@pytest.mark.parametrize(
    ("interval", "squares"),
    [  # chord of the angle on the circles of fifths, of minor thirds (radius 1) and of major thirds (radius 1/2)
        (7, (2 * np.sin(np.pi / 12)) ** 2 + 2 + 0.75),  # 30, 90 and 120 degrees
        (6, 4 + 4 + 0),  # 180, 180 and 0 degrees
        (4, 3 + 0 + 0.75),  # 120, 0 and 120 degrees
        (3, 2 + 2 + 0),  # 90, 90 and 0 degrees
        (12, 0.0),
    ],
)
def test_tonnetz_distance_of_single_notes(interval: int, squares: float) -> None:
    a, b = roll_of([(C4, 0, 16)]), roll_of([(C4 + interval, 0, 16)])
    assert tonnetz_distance(a, b) == pytest.approx(np.sqrt(squares), abs=1e-12)


def test_related_chords_are_nearer_than_distant_ones() -> None:
    def chord(*rows: int) -> np.ndarray:
        return roll_of([(row, 0, 16) for row in rows])

    c_major = chord(C4, E4, G4)
    a_minor, g_major, f_sharp_major = chord(A4, C4, E4), chord(G4, B4, D4), shifted(c_major, 6)
    distances = [tonnetz_distance(c_major, other) for other in (a_minor, g_major, f_sharp_major)]
    assert distances[0] == pytest.approx(0.7993, abs=1e-4)
    assert distances == sorted(distances)


def test_tonnetz_of_silence_lies_at_the_centre() -> None:
    one, all_twelve = roll_of([(C4, 0, 64)]), roll_of([(C4 + k, 0, 64) for k in range(12)])
    assert tonnetz_distance(one, SILENCE) == pytest.approx(np.sqrt(1 + 1 + 0.25))
    assert tonnetz_distance(all_twelve, SILENCE) == pytest.approx(0.0, abs=1e-12)


# All of them


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_identity_is_perfect_and_nothing_leaves_the_range(seed: int) -> None:
    a, b = tune(seed), np.flip(tune(seed + 1), axis=2)
    for measure in MEASURES:
        assert measure(a, a) == pytest.approx(1.0)
        assert 0.0 <= measure(a, b) <= 1.0
        assert measure(a, b) == pytest.approx(measure(b, a))
    assert key_shift(a, a) == 0
    assert tonnetz_distance(a, a) == 0.0


def test_silence() -> None:
    music = roll_of([(C4, 0, 64)])  # sounds in every window
    assert [measure(SILENCE, SILENCE) for measure in MEASURES] == [1.0, 1.0, 1.0]
    assert chroma_similarity(music, SILENCE) == chroma_similarity(SILENCE, music) == 0.0
    assert note_f1(music, SILENCE) == note_f1(SILENCE, music) == roll_content.NoteMatch(0.0, 0.0, 0.0)
    assert groove_similarity(music, SILENCE) == pytest.approx(63 / 64)
    assert key_shift(music, SILENCE) == key_shift(SILENCE, SILENCE) == 0
    assert tonnetz_distance(SILENCE, SILENCE) == 0.0


def test_definition_states_the_defaults() -> None:
    assert f"windows of {roll_content.WINDOW_BEATS} beats" in roll_content.DEFINITION
    assert "onset within 1 step" in roll_content.DEFINITION
    a, b = roll_of([(C4, 0, 2)]), roll_of([(C4, 1, 2)])
    assert note_f1(a, b).f1 == 1.0


def test_errors_are_named() -> None:
    for measure in (*MEASURES, key_shift, tonnetz_distance):
        with pytest.raises(ConfigError, match="different lengths"):
            measure(SILENCE, SILENCE[:, :, :32])
    with pytest.raises(ConfigError, match="window_beats"):
        chroma_similarity(SILENCE, SILENCE, window_beats=0)
    with pytest.raises(ConfigError, match="steps_per_beat"):
        tonnetz_distance(SILENCE, SILENCE, steps_per_beat=0)
    with pytest.raises(ConfigError, match="tolerance_steps"):
        note_f1(SILENCE, SILENCE, tolerance_steps=-1)
