"""Scores to training phrases, and a network's answer to probabilities: what teaches, what is refused, what strength means."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import (
    BAR,
    DIRECTION,
    STATS,
    STEP,
    TPQ,
    a_score,
    a_track,
    converted,
    core,
    noise,
    notes,
    scores,
    table,
)

from audiocycle.build import build_adapter
from audiocycle.errors import ConfigError, InputError
from audiocycle.music.adapter import MIN_ON_GRID, PianoRollAdapter, allowed_rows, bars_of, leaning, register
from audiocycle.music.notes import notes_of
from audiocycle.music.options import MusicOptions
from audiocycle.music.phrases import phrase_borders
from audiocycle.music.piano_roll import LOWEST, ONSET, SUSTAIN, VELOCITY, decode
from audiocycle.music.sides import ScoreSide
from audiocycle.spec import Direction, Domain, Encoded, Values
from audiocycle.system.limits import hold_statistics

PHRASE = 4 * BAR
ADAPTER = PianoRollAdapter()


def song(*starts: int, pitch: int = 60, **options: Any) -> Any:
    """A score of sixteenths."""
    return a_score(a_track(*((start, start + STEP, pitch, 64) for start in starts)), **options)


@pytest.mark.parametrize(
    ("adapter", "shape", "window", "rate"),
    [
        (PianoRollAdapter(), (2, 84), 64, 8.0),
        (PianoRollAdapter(grid="triplet"), (2, 84), 96, 12.0),
        (PianoRollAdapter(bars=1, velocity=True), (3, 84), 16, 8.0),
    ],
)
def test_spec(adapter: PianoRollAdapter, shape: tuple[int, int], window: int, rate: float) -> None:
    spec = adapter.spec
    assert (spec.modality, spec.shape, spec.window, spec.frame_rate) == ("music", shape, window, rate)
    assert (spec.values, spec.steps_per_beat) == (Values.PROBABILITIES, rate / 2)


@pytest.mark.parametrize(
    "setting", [{"grid": "swing"}, {"bars": 0}, {"transpose": 13}, {"transpose": -1}, {"velocity_range": 1.0}, {"metres": "3/4"}]
)
def test_impossible_settings_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(setting))}={next(iter(setting.values()))}"):
        PianoRollAdapter(**setting)


def test_phrases_with_sound_are_joined_and_silent_or_partial_ones_left_out() -> None:
    score = song(0, 2 * PHRASE + STEP, 3 * PHRASE + 5 * STEP)  # the fourth phrase is a bar long
    encoded = ADAPTER.analyze_score(score, "a.mid")
    assert encoded.features.shape == (2, 84, 128)
    assert encoded.features.dtype == np.uint8
    assert np.argwhere(encoded.features[ONSET]).tolist() == [[36, 0], [36, 64 + 1]]
    assert encoded.side.places.tolist() == [0.0, 32.0]


def test_phrases_begin_where_four_four_does() -> None:
    late = 3 * TPQ
    score = song(0, late, late + PHRASE, late + 2 * PHRASE - STEP, metres=[(0, 3, 4), (late, 4, 4)])
    encoded = ADAPTER.analyze_score(score, "a.mid")
    assert np.argwhere(encoded.features[ONSET])[:, 1].tolist() == [0, 64, 127]
    assert encoded.side.places.tolist() == [3.0, 19.0]


def test_drums_and_far_pitches_teach_nothing_and_programs_are_counted_by_register() -> None:
    drums = a_track((0, STEP, 38, 100), is_drum=True)
    bass = a_track((0, STEP, 30, 64), (0, STEP, 47, 64), (BAR, PHRASE, 48, 64), program=33)
    high = a_track((0, STEP, 72, 64), (0, STEP, 120, 64), program=73)
    encoded = ADAPTER.analyze_score(a_score(drums, bass, high), "a.mid")
    assert np.flatnonzero(encoded.features[ONSET].any(axis=1)).tolist() == [30 - 24, 47 - 24, 48 - 24, 72 - 24]
    programs = encoded.side.programs
    assert np.argwhere(programs).tolist() == [[0, 33], [1, 33], [2, 73]]
    assert programs[programs > 0].tolist() == [2, 1, 2]


def test_free_performances_are_refused_with_the_figure() -> None:
    on, off = range(0, PHRASE, BAR), range(STEP // 2, PHRASE, BAR // 2)
    assert MIN_ON_GRID > 4 / 12
    with pytest.raises(InputError, match=r"^a\.mid: only 33% of its onsets lie on the straight grid \(at least 50%.*quantise"):
        ADAPTER.analyze_score(song(*on, *off), "a.mid")
    assert ADAPTER.analyze_score(song(*on, *off[:4]), "a.mid").features.any()  # just half


def test_swing_is_seen_straight_and_on_the_triplet_grid_as_it_is() -> None:
    swung = song(*(beat * TPQ + late for beat in range(16) for late in (0, 320)))
    straight, triplet = (PianoRollAdapter(grid=grid).analyze_score(swung, "a.mid") for grid in ("straight", "triplet"))
    assert np.flatnonzero(straight.features[ONSET].any(axis=0)).tolist() == list(range(0, 64, 2))
    assert np.flatnonzero(triplet.features[ONSET].any(axis=0)).tolist() == [6 * beat + late for beat in range(16) for late in (0, 4)]
    np.testing.assert_allclose(straight.side.swing[:, 0], [2 / 3, 16, 0], atol=1e-6)


@pytest.mark.parametrize(
    "score",
    [
        song(0, metres=[(0, 3, 4)]),
        song(0, STEP),
        song(0, PHRASE - STEP, pitch=20),
        a_score(a_track((0, PHRASE, 60, 64), is_drum=True)),
    ],
    ids=["three four", "no whole phrase", "too low", "drums"],
)
def test_nothing_to_learn_from_is_refused(score: Any) -> None:
    with pytest.raises(InputError, match=r"^a\.mid: no whole 4-bar phrase in 4/4 with notes"):
        ADAPTER.analyze_score(score, "a.mid")


def test_what_lies_behind_the_last_note_makes_no_bars() -> None:
    score = song(0, PHRASE - STEP)
    score.markers.append(core.TextMetaTick(100 * PHRASE, "end"))
    assert [span.n_bars for span in ADAPTER.layout(bars_of(score)).spans] == [4]
    short = a_score(a_track((BAR, BAR, 60, 64)))
    assert [span.n_bars for span in ADAPTER.layout(bars_of(short)).spans] == [2]  # a note of no length has a bar, too


def test_phrases_of_all_metres_teach_on_request() -> None:
    """As many whole bars as fit begin a phrase; a window holds what follows, too."""
    waltz = song(*range(0, 30 * 3 * TPQ, TPQ), metres=[(0, 3, 4)])
    with pytest.raises(InputError, match=r"no whole 4-bar phrase in 4/4"):
        ADAPTER.analyze_score(waltz, "a.mid")
    encoded = PianoRollAdapter(metres="all").analyze_score(waltz, "a.mid")
    assert encoded.side.places.tolist() == [0, 15, 30, 45, 60]  # the sixth phrase is less than a window
    assert encoded.features.shape == (2, 84, 5 * 64)
    assert np.flatnonzero(encoded.features[ONSET].any(axis=0)).tolist() == list(range(0, 5 * 64, 4))
    four = song(*range(0, 2 * PHRASE, TPQ), PHRASE + STEP)
    np.testing.assert_array_equal(*(PianoRollAdapter(metres=m).analyze_score(four, "a.mid").features for m in ("all", "4/4")))


@pytest.mark.parametrize("pairs", [False, True])
def test_what_bundles_of_before_say_of_pairs_is_taken(pairs: bool) -> None:
    assert build_adapter({"name": "piano_roll", "grid": "straight", "pairs": pairs}) == ADAPTER


def test_usual_programs_and_registers_without_any() -> None:
    counts = np.zeros((2, 3, 128), np.int64)
    counts[0, 0, 33], counts[1, 0, 32], counts[1, 1, 5] = 3, 4, 1
    fitted = ADAPTER.fit([Encoded(np.zeros((2, 84, 64)), ScoreSide(each, np.zeros(1))) for each in counts])
    assert fitted["programs"].tolist() == [32, 5, -1]
    assert fitted["programs"].dtype == np.float32
    assert register(np.array([0, 47, 48, 71, 72, 127])).tolist() == [0, 0, 1, 1, 2, 2]


def test_normalised_and_back() -> None:
    adapter = PianoRollAdapter(velocity=True)
    encoded = adapter.analyze_score(song(0, STEP, PHRASE - STEP), "a.mid")
    normal = adapter.normalize(encoded.features, STATS)
    assert normal.dtype == np.float32
    assert sorted(set(normal[VELOCITY].ravel().tolist())) == pytest.approx([0, 64 / 127])
    np.testing.assert_array_equal(normal[:VELOCITY], encoded.features[:VELOCITY])
    np.testing.assert_allclose(adapter.denormalize(normal, STATS), encoded.features, atol=1e-5)
    batch = np.stack([encoded.features] * 2)
    np.testing.assert_array_equal(adapter.normalize(batch, STATS)[1], normal)


@given(seed=st.integers(0, 2**32), transpose=st.integers(0, 12), velocity=st.booleans())
@settings(max_examples=50, deadline=None)
def test_augmented_phrases_move_as_a_whole_and_never_wrap(seed: int, transpose: int, velocity: bool) -> None:
    random = np.random.default_rng(seed)
    crops = np.zeros((4, 2 + velocity, 84, 8), np.uint8)
    crops[:, SUSTAIN] = random.random((4, 84, 8)) < 0.2
    crops[:, ONSET] = crops[:, SUSTAIN] * (random.random((4, 84, 8)) < 0.5)
    if velocity:
        crops[:, VELOCITY] = crops[:, SUSTAIN] * random.integers(1, 128, (4, 84, 8))
    before = crops.copy()
    moved = PianoRollAdapter(transpose=transpose, velocity=velocity).augment(crops, random)
    np.testing.assert_array_equal(crops, before)
    assert moved.dtype == crops.dtype
    padded = np.pad(crops, [(0, 0), (0, 0), (12, 12), (0, 0)])
    for crop, result in zip(padded, moved, strict=True):
        fits = [n for n in range(-transpose, transpose + 1) if np.array_equal(crop[:2, 12 - n : 96 - n], result[:2])]
        assert fits
        if velocity:
            louder = result[VELOCITY][result[SUSTAIN] > 0] / crop[VELOCITY, 12 - fits[0] : 96 - fits[0]][result[SUSTAIN] > 0]
            assert np.array_equal(result[VELOCITY] > 0, result[SUSTAIN] > 0)
            assert np.ptp(louder[result[VELOCITY][result[SUSTAIN] > 0] > 60]) < 0.05 or result[VELOCITY].max() == 127


def test_quiet_notes_stay_audible() -> None:
    crops = np.ones((50, 3, 84, 1), np.uint8)
    moved = PianoRollAdapter(transpose=0, velocity=True, velocity_range=0.9).augment(crops, np.random.default_rng(0))
    assert set(moved[:, VELOCITY].ravel().tolist()) == {1, 2}


def test_where_a_note_begins_there_is_something_and_nobody_asks_how_flat_probabilities_are() -> None:
    roll = np.zeros((2, 84, 4), np.uint8)
    roll[SUSTAIN, 40, 1:3] = roll[ONSET, 40, 1] = 1
    assert ADAPTER.active_frames(roll, STATS).tolist() == [False, True, False, False]
    assert ADAPTER.judged_frames(roll) is None


def test_all_transpositions_happen() -> None:
    crops = np.zeros((200, 2, 84, 1), np.uint8)
    crops[:, :, 40] = 1
    moved = PianoRollAdapter(transpose=2).augment(crops, np.random.default_rng(0))
    assert set(np.argwhere(moved[:, ONSET])[:, 1].tolist()) == {38, 39, 40, 41, 42}


@pytest.mark.parametrize("threshold", [0.01, 0.3, 0.5, 0.99])
def test_leaning_means_what_it_says(threshold: float) -> None:
    """With threshold h and strength s, a source's cell stays from s h, another comes from 1 - s (1 - h)."""
    probability = np.linspace(0, 0.99, 100, dtype=np.float32)[None]
    for strength in (0.0, 0.3, 1.0):
        stays = leaning(probability, np.ones((1, 100), bool), strength, threshold) >= threshold
        comes = leaning(probability, np.zeros((1, 100), bool), strength, threshold) >= threshold
        away = np.abs(probability - strength * threshold) > 1e-4
        np.testing.assert_array_equal(stays[away], (probability >= strength * threshold)[away])
        needed = 1 - strength * (1 - threshold)
        away = np.abs(probability - needed) > 1e-4
        np.testing.assert_array_equal(comes[away], (probability >= needed)[away])


@given(
    seed=st.integers(0, 2**32),
    strengths=st.tuples(st.integers(0, 50), st.integers(0, 50)),
    threshold=st.floats(0.01, 0.99),
)
@settings(max_examples=200, deadline=None)
def test_more_strength_never_takes_an_edit_back(seed: int, strengths: tuple[int, int], threshold: float) -> None:
    random = np.random.default_rng(seed)
    source = random.random((2, 20, 50)) < 0.3
    probability = random.random(source.shape, dtype=np.float32) ** random.choice([0.1, 1, 10])
    edits = {}
    for strength in sorted(strengths):
        options = MusicOptions(strength=strength / 50, threshold=threshold)
        biased = leaning(probability, source, options.strength, threshold)
        edits[strength] = ((biased >= threshold) != source, (biased >= options.hold) != source)
    for less, more in zip(edits[min(strengths)], edits[max(strengths)], strict=True):
        assert not (less & ~more).any()
    if min(strengths) == 0:
        assert not edits[0][0].any()
        assert not edits[0][1].any()


def test_a_network_that_is_quite_sure_still_yields_to_no_strength() -> None:
    sure = np.ones((1, 2), np.float32)
    for threshold in (0.01, 0.5, 0.99):
        assert (leaning(sure, np.array([[True, False]]), 0.0, threshold) >= threshold).tolist() == [[True, False]]
        assert (leaning(0 * sure, np.array([[True, False]]), 0.0, threshold) >= threshold).tolist() == [[True, False]]
        assert (leaning(sure, np.array([[True, False]]), 1.0, threshold) >= threshold).all()


def test_key_lock_by_hand() -> None:
    roll = np.zeros((2, 84, 10), np.uint8)
    roll[SUSTAIN, 60 - LOWEST, 1] = roll[SUSTAIN, 67 - LOWEST, 8] = 1
    allowed = allowed_rows(roll, np.array([0, 4, 8, 10]))
    assert [(np.flatnonzero(allowed[:, step]) % 12).tolist() for step in (0, 3, 4, 7, 8, 9)] == [
        [0] * 7,
        [0] * 7,
        [],
        [],
        [7] * 7,
        [7] * 7,
    ]


@given(score=scores(), seed=st.integers(0, 99), strength=st.floats(0, 1), bars=st.sampled_from((1, 4)))
@settings(max_examples=60, deadline=None)
def test_key_lock_lets_no_foreign_pitch_class_into_a_phrase(score: Any, seed: int, strength: float, bars: int) -> None:
    adapter, options = PianoRollAdapter(bars=bars), MusicOptions(key_lock=True, strength=strength)
    all_notes = notes_of(score)
    for span in adapter.layout(bars_of(score)).spans:
        source = adapter.analyze(all_notes, span)
        answer = adapter.transfer(source, noise(seed)(source.features), DIRECTION, options)
        for row, first, steps in decode(answer.features, options.threshold, options.hold).tolist():
            for begin, end in pairwise(phrase_borders(span.bars, adapter.spec.window)):
                if begin < first + steps and first < end:
                    sounding = np.flatnonzero(source.features[SUSTAIN, :, begin:end].any(axis=1)) % 12
                    assert row % 12 in sounding


def test_key_lock_holds_in_the_result() -> None:
    held = a_track((0, 2 * BAR, 60, 64), (0, 2 * BAR, 64, 64), *((bar * BAR, (bar + 1) * BAR, 67, 64) for bar in range(2, 5)))
    score = a_score(held)
    free, _ = converted(score, noise(0))
    locked, details = converted(score, noise(0), key_lock=True)
    assert {pitch % 12 for _, _, pitch, _ in table(free.tracks[0])} == set(range(12))
    assert {pitch % 12 for _, _, pitch, _ in table(locked.tracks[0])} == {0, 4, 7}
    assert {pitch % 12 for start, _, pitch, _ in table(locked.tracks[0]) if start >= PHRASE} == {7}
    assert details["notes_new"] > 20


def test_transfer_leaves_what_it_is_given_alone() -> None:
    adapter = PianoRollAdapter(velocity=True)
    encoded = adapter.analyze(notes((0, STEP, 60, 99)), adapter.layout(bars_of(song(0, PHRASE - STEP))).spans[0])
    answer = np.full(encoded.features.shape, 0.7, np.float32)
    options = MusicOptions()
    jazz = Domain("jazz", {"programs": np.array([1.0, 2, 3])})
    made = adapter.transfer(encoded, answer, Direction(Domain("pop", STATS), jazz), options)
    assert (answer == np.float32(0.7)).all()
    assert made.features.dtype == np.float32
    np.testing.assert_array_equal(made.features[..., 1:], answer[..., 1:])  # at full strength, where no tune sounds
    assert made.side.target["programs"].tolist() == [1, 2, 3]
    assert made.side.source_roll is encoded.features
    assert (made.side.notes, made.side.span, made.side.options) == (encoded.side.notes, encoded.side.span, options)


def test_what_is_fitted_is_within_the_limits_of_bundles() -> None:
    counts = np.zeros((3, 128), np.int64)
    counts[0, 32] = 3
    for roll in (np.zeros((2, 84, 64), np.uint8), np.ones((2, 84, 64), np.uint8)):
        fitted = ADAPTER.fit([Encoded(roll, ScoreSide(counts, np.zeros(1)))])
        hold_statistics("jazz", fitted, ADAPTER.known_statistics)
        assert fitted.keys() == ADAPTER.known_statistics.keys()
