"""Pedals are lifted where a conversion piles other notes up under them, and nowhere else."""

from typing import Any

import pytest
from songs import BAR, TPQ, a_score, a_track, converted_song, core, noise

from audiocycle.music.midi.pedals import AGAIN, is_pedal, pedals, with_pedals_lifted
from audiocycle.music.midi.score import song_of, with_changes
from audiocycle.music.midi.strokes import find_strokes

C, F_SHARP = (60, 64, 67), (66, 70, 73)


def song(*chords: tuple[int, ...], pedal: tuple[int, int] = (0, 4 * BAR), length: int = TPQ // 2) -> Any:
    """A chord on each beat, under a pedal."""
    track = a_track(*((i * TPQ, i * TPQ + length, pitch, 64) for i, chord in enumerate(chords) for pitch in chord))
    track.controls.extend([core.ControlChangeTick(pedal[0], 64, 100), core.ControlChangeTick(pedal[1], 64, 0)])
    return song_of(a_score(track))


def moves(of: Any) -> list[tuple[int, int]]:
    return [(event.tick, event.body[1]) for chunk in of.chunks for event in chunk if is_pedal(event)]


def lifted(before: Any, after: Any) -> list[tuple[int, int]]:
    """What was put in."""
    found = moves(with_pedals_lifted(after, find_strokes(before.chunks)))
    assert all(move in found for move in moves(after))
    return [move for move in found if move not in moves(after)]


def test_lifted_where_the_harmony_changes() -> None:
    before, after = song(C, C, C, C), song(C, C, F_SHARP, F_SHARP)
    assert lifted(before, after) == [(2 * TPQ, 0), (2 * TPQ + TPQ // AGAIN, 100)]
    there_and_back = song(C, F_SHARP, F_SHARP, C)
    assert [tick for tick, value in lifted(before, there_and_back) if not value] == [TPQ, 3 * TPQ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (song(C, C, C), song(C, (60, 64, 67, 70), C)),  # a chord with a seventh
        (song(C, F_SHARP, C), song(F_SHARP, C, C)),  # the source's own
        (song(C, C), song(C, F_SHARP, pedal=(0, TPQ))),  # the pedal is up
        (song(C, C), song(C, F_SHARP, pedal=(2 * TPQ, 4 * TPQ))),
        (song(C, C), song((*C, *F_SHARP))),  # at one moment: no pedal would help
    ],
)
def test_left_alone(before: Any, after: Any) -> None:
    assert lifted(before, after) == []
    bare = song(C, F_SHARP, pedal=(TPQ, TPQ))
    assert with_pedals_lifted(bare, find_strokes(before.chunks)).chunks == bare.chunks


def test_keys_that_are_held_count() -> None:
    held = song(C, (62,), (65,), (61,), length=8 * TPQ)  # the keys ring on, whatever the pedal does
    assert [tick for tick, value in lifted(song(C, C, C, C), held) if not value] == [2 * TPQ, 3 * TPQ]


def test_a_pedal_that_is_never_released() -> None:
    track = a_track((0, TPQ, 60, 64))
    track.controls.extend([core.ControlChangeTick(0, 64, 127), core.ControlChangeTick(TPQ, 64, 90)])
    (pedal,) = pedals(song_of(a_score(track)))
    assert (pedal.begin, pedal.value, pedal.channel, pedal.chunk) == (0, 127, 0, 1)
    assert pedal.end > BAR


def test_scores_get_the_pedals_of_their_conversion() -> None:
    track = a_track(*((i * TPQ, (i + 1) * TPQ, 60 + 4 * (i % 2), 64) for i in range(32)))
    track.pedals.append(core.PedalTick(0, 6 * BAR))
    score = a_score(track)
    source = song_of(score)
    made, _ = converted_song(source, noise(1))
    assert len(moves(made)) > len(moves(source))
    result = with_changes(score, source, made, programs=False)
    assert [(c.time, c.value) for c in result.tracks[0].controls if c.number == 64] == moves(made)
    assert len(result.tracks[0].pedals) == len([tick for tick, value in moves(made) if value])
    assert len(score.tracks[0].pedals) == 1
