"""A network's edits as notes: what it left alone is the source's to the tick, what it added fits in."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from songs import BAR, DIRECTION, STEP, TPQ, even_bars, notes

from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.notes import Notes, empty
from audiocycle.music.options import MusicOptions
from audiocycle.music.piano_roll import LOWEST, ONSET, SUSTAIN, VELOCITY
from audiocycle.music.renderer import (
    DEFAULT_VELOCITY,
    ScoreRenderer,
    expected_velocity,
    local_mean,
)

C4 = 60 - LOWEST
Edit = Callable[[np.ndarray], None]


def rows(made: Notes) -> list[tuple[int, ...]]:
    """Start, end, pitch, velocity and track of each note."""
    return list(zip(*(column.tolist() for column in made.columns[:5]), strict=True))


def rendered(
    source: Notes, edit: Edit, n_bars: int = 2, start: int = 0, velocity: bool = False, **options: Any
) -> list[tuple[int, ...]]:
    """What becomes of the source's notes where ``edit`` changed their roll."""
    adapter, chosen = PianoRollAdapter(velocity=velocity), MusicOptions(**options)
    encoded = adapter.analyze(source, even_bars(start, n_bars, TPQ))
    answer = encoded.features.astype(np.float32)
    edit(answer)
    return rows(ScoreRenderer(adapter).render(adapter.transfer(encoded, answer, DIRECTION, chosen)))


def sound(first: int, last: int, level: float = 1.0, row: int = C4) -> Edit:
    def edit(roll: np.ndarray) -> None:
        roll[SUSTAIN, row, first:last] = level

    return edit


def strike(step: int, level: float = 1.0, row: int = C4) -> Edit:
    def edit(roll: np.ndarray) -> None:
        roll[ONSET, row, step] = level

    return edit


def both(*edits: Edit) -> Edit:
    def edit(roll: np.ndarray) -> None:
        for each in edits:
            each(roll)

    return edit


def nothing(roll: np.ndarray) -> None:
    """The network's edit that is none."""


LOOSE = notes((7, 4 * STEP - 11, 60, 83, 0))  # a note of four steps, played late and let go early


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (nothing, [(7, 4 * STEP - 11, 60, 83, 0)]),
        (sound(2, 4, 0.0), [(7, 2 * STEP, 60, 83, 0)]),  # cut
        (sound(4, 6), [(7, 6 * STEP, 60, 83, 0)]),  # lengthened
        (sound(4, 32), [(7, 32 * STEP, 60, 83, 0)]),
        (both(sound(0, 4, 0.0), strike(0, 0.0)), []),
        (strike(2), [(7, 2 * STEP, 60, 83, 0), (2 * STEP, 4 * STEP, 60, 83, 0)]),  # struck again
        (sound(2, 3, 0.0), [(7, 2 * STEP, 60, 83, 0)]),  # what sounds behind the gap has no onset: no new note
        (sound(1, 4, 0.0), [(7, 4 * STEP - 11, 60, 83, 0)]),  # no note is cut to a sixteenth that is alone
        (both(sound(1, 2, 0.0), strike(2)), [(7, STEP, 60, 83, 0), (2 * STEP, 4 * STEP, 60, 83, 0)]),
        (sound(0, 1, 0.0), [(7, 4 * STEP - 11, 60, 83, 0)]),  # an onset sounds
        (strike(0, 0.0), [(7, 4 * STEP - 11, 60, 83, 0)]),  # sound without an onset begins there all the same
    ],
    ids=["same", "cut", "longer", "to the end", "gone", "repeated", "broken off", "cut too short", "broken", "sound lost", "onset lost"],
)
def test_one_note(edit: Edit, expected: list[tuple[int, ...]]) -> None:
    assert rendered(LOOSE, edit) == expected


def test_repeated_notes_do_not_fuse_until_the_network_says_so() -> None:
    source = notes(*((n * STEP + 3, (n + 1) * STEP + 3, 60, 80 + n) for n in range(4)))
    assert rendered(source, nothing) == rows(source)
    assert rendered(source, strike(2, 0.0)) == [
        (3, STEP + 3, 60, 80, 0),
        (STEP + 3, 3 * STEP, 60, 81, 0),
        (3 * STEP + 3, 4 * STEP + 3, 60, 83, 0),
    ]


def test_notes_of_one_cell_are_cut_together_and_only_the_longest_lengthened() -> None:
    source = notes((0, 2 * STEP, 60, 70, 0), (5, 4 * STEP, 60, 90, 1))
    assert rendered(source, nothing) == rows(source)
    assert rendered(source, sound(3, 4, 0.0)) == [(0, 2 * STEP, 60, 70, 0), (5, 3 * STEP, 60, 90, 1)]
    assert rendered(source, sound(1, 4, 0.0)) == [(0, STEP, 60, 70, 0), (5, STEP, 60, 90, 1)]
    assert rendered(source, sound(4, 8)) == [(0, 2 * STEP, 60, 70, 0), (5, 8 * STEP, 60, 90, 1)]


def test_a_held_note_under_another_tracks_repeats_is_cut_only_where_there_is_silence() -> None:
    source = notes((0, 8 * STEP, 60, 70, 0), (4 * STEP, 6 * STEP, 60, 90, 1))
    assert rendered(source, nothing) == rows(source)
    assert rendered(source, strike(4, 0.0)) == [(0, 8 * STEP, 60, 70, 0)]
    assert rendered(source, sound(7, 8, 0.0)) == [(0, 7 * STEP, 60, 70, 0), (4 * STEP, 6 * STEP, 60, 90, 1)]
    assert rendered(source, strike(6)) == [
        (0, 6 * STEP, 60, 70, 0),
        (4 * STEP, 6 * STEP, 60, 90, 1),
        (6 * STEP, 8 * STEP, 60, 80, 0),  # of no track yet
    ]


def test_notes_within_a_step_stay_or_go_together() -> None:
    source = notes((0, 30, 60, 70), (40, 50, 60, 90), (55, 55, 60, 1))
    assert rendered(source, nothing) == rows(source)
    assert rendered(source, both(strike(0, 0.0), sound(0, 1, 0.0))) == []


def test_what_goes_on_behind_the_span_or_began_before_it() -> None:
    source = notes((BAR - 20, BAR + STEP, 60, 70), (2 * BAR - 3 * STEP, 3 * BAR, 62, 70))
    assert rendered(source, nothing, n_bars=1, start=BAR) == rows(source)
    shorter = rendered(source, sound(15, 16, 0.0, row=62 - LOWEST), n_bars=1, start=BAR)
    assert shorter == [(BAR - 20, BAR + STEP, 60, 70, 0), (2 * BAR - 3 * STEP, 2 * BAR - STEP, 62, 70, 0)]
    longer = rendered(source, sound(1, 16), n_bars=1, start=BAR)
    assert longer == [(BAR - 20, 2 * BAR, 60, 70, 0), (2 * BAR - 3 * STEP, 3 * BAR, 62, 70, 0)]


def test_new_notes_are_moved_as_their_neighbours_are() -> None:
    source = notes((20, STEP, 60, 70), (40, STEP, 64, 70), (4 * STEP - 10, 5 * STEP, 60, 70))
    chord, upbeat, alone = 67 - LOWEST, 72 - LOWEST, 50 - LOWEST
    added = [both(strike(a, row=row), sound(a, a + 2, row=row)) for row, a in ((chord, 0), (upbeat, 4), (alone, 9))]
    made = rendered(source, both(*added))
    assert [(start, end, pitch) for start, end, pitch, *_ in made if pitch in (67, 72, 50)] == [
        (30, 2 * STEP, 67),
        (4 * STEP - 10, 6 * STEP, 72),
        (9 * STEP, 11 * STEP, 50),
    ]


def test_new_notes_begin_no_earlier_than_their_span() -> None:
    source = notes((BAR - 20, BAR + STEP, 60, 70))
    made = rendered(source, both(strike(0, row=50), sound(0, 4, row=50)), n_bars=1, start=BAR)
    assert made == [(BAR - 20, BAR + STEP, 60, 70, 0), (BAR, BAR + 4 * STEP, 74, 70, 0)]


def test_shorter_new_notes_are_left_out_but_never_the_sources() -> None:
    source = notes((0, STEP, 60, 70))
    edit = both(strike(4, row=40), sound(4, 6, row=40), strike(8, row=41), sound(8, 11, row=41))
    assert [pitch for _, _, pitch, *_ in rendered(source, edit)] == [60, 64, 65]
    assert [pitch for _, _, pitch, *_ in rendered(source, edit, shortest=3)] == [60, 65]
    assert [pitch for _, _, pitch, *_ in rendered(source, edit, shortest=4)] == [60]


def test_hysteresis_holds_a_note_through_a_dip() -> None:
    held = both(strike(4, row=40), sound(4, 8, row=40), sound(6, 7, 0.4, row=40))
    assert rendered(LOOSE, held)[1][:3] == (4 * STEP, 8 * STEP, 64)
    broken = both(held, sound(6, 7, 0.2, row=40))
    assert [note[:2] for note in rendered(LOOSE, broken)[1:]] == [(4 * STEP, 6 * STEP)]


def test_less_strength_takes_surer_edits_only() -> None:
    edit = both(strike(8, 0.7, row=40), sound(8, 10, 0.7, row=40), strike(12, 0.95, row=41), sound(12, 14, 0.95, row=41))
    pitches = {s: [pitch for _, _, pitch, *_ in rendered(LOOSE, edit, strength=s)] for s in (0.0, 0.2, 0.7, 1.0)}
    assert pitches == {0.0: [60], 0.2: [60, 65], 0.7: [60, 64, 65], 1.0: [60, 64, 65]}


def test_velocities_follow_the_bar_and_its_accents() -> None:
    loud = [(n * 4 * STEP, n * 4 * STEP + 9, 60, 110 if n == 0 else 90) for n in range(4)]
    soft = [(a + BAR, b + BAR, 60, velocity - 60) for a, b, _, velocity in loud]
    source = notes(*loud, *soft)
    span, first = even_bars(0, 2, TPQ), np.arange(8) * 4
    steps = np.array([0, 4, 16, 20, 6])
    strong, weak, strong_soft, weak_soft, between = expected_velocity(source, first, steps, span)
    assert strong > weak > strong_soft > weak_soft
    # 65 on the whole; four notes and four of the mean in a bar, two and four on a step
    assert strong == pytest.approx((4 * 95 + 4 * 65) / 8 + (2 * 80 + 4 * 65) / 6 - 65)
    assert between == pytest.approx((4 * 95 + 4 * 65) / 8)  # nothing is known of that step


def test_velocities_of_a_source_without_variation_are_its_own() -> None:
    source = notes(*((n * STEP, n * STEP + 9, 60, 77) for n in range(5)))
    span = even_bars(0, 4, TPQ)
    np.testing.assert_allclose(expected_velocity(source, np.arange(5), np.arange(64), span), 77)
    np.testing.assert_array_equal(expected_velocity(empty(), np.arange(0), np.arange(3), span), DEFAULT_VELOCITY)


def test_a_velocity_channel_says_how_loud_new_notes_are() -> None:
    def edit(roll: np.ndarray) -> None:
        for row, level in ((40, 33.4), (43, 0.0), (45, 300.0)):
            roll[ONSET, row, 8] = roll[SUSTAIN, row, 8] = 1
            roll[VELOCITY, row, 8] = level
        roll[VELOCITY, C4, 0] = 5

    made = rendered(LOOSE, edit, velocity=True)
    assert {pitch: velocity for _, _, pitch, velocity, _ in made} == {60: 83, 64: 33, 67: 1, 69: 127}


def test_local_means() -> None:
    place, value = np.array([0, 0, 2]), np.array([10.0, 20, 40])
    wanted = np.array([0, 1, 2])
    assert local_mean(place, value, wanted, 3, prior=0.0, overall=-1.0).tolist() == [15, -1, 40]
    assert local_mean(place, value, wanted, 3, prior=2.0, overall=25.0).tolist() == [20, 25, 30]


def test_a_network_that_is_silent_leaves_nothing() -> None:
    assert rendered(LOOSE, lambda roll: roll.fill(0.0)) == []
    assert rendered(LOOSE, lambda roll: roll.fill(0.0), strength=0.0) == rows(LOOSE)
