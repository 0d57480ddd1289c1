"""Limits: each refusal names the limit; values that MIDI does not have are found before they are written."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import symusic
from symusic.core import ScoreTick
from tiny_midi import SONG, midi, track

from audiocycle.errors import InputError, OutputError
from audiocycle.music.midi.limits import (
    LONGEST_TICKS,
    Limits,
    check_length,
    check_score,
    check_writable,
    is_sane,
)


def song(n_tracks: int = 1) -> ScoreTick:
    return ScoreTick.from_midi(midi(*[track(*SONG)] * n_tracks))


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(max_tracks=2), "s.mid: has more than the 2 tracks"),
        (Limits(max_notes=5), "s.mid: has 6 notes, more than the 5 "),
        (Limits(max_quarters=1), "s.mid: lasts 2 quarter notes, more than the 1 "),
    ],
)
def test_each_limit_is_named_with_its_value(limits: Limits, words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_score(song(3), "s.mid", limits)


def test_a_score_at_its_limits_passes() -> None:
    check_score(song(3), "s.mid", Limits(max_tracks=3, max_notes=6, max_quarters=2))


def test_no_notes() -> None:
    with pytest.raises(InputError, match=r"s\.mid: holds no notes"):
        check_score(ScoreTick(480), "s.mid", Limits())


def test_long_silence_passes_and_a_roll_of_a_billion_steps_does_not() -> None:
    check_length(3000 * 4 * 960, 960, "s.mid", Limits())  # 3000 empty bars
    with pytest.raises(InputError, match="lasts 536,870,910 quarter notes, more than the 40,000"):
        check_length(536_870_910, 1, "s.mid", Limits())


def test_a_time_that_no_file_can_put_between_two_events() -> None:
    check_length(LONGEST_TICKS, 32767, "s.mid", Limits())
    with pytest.raises(InputError, match="lasts 268,435,456 ticks, more than 268,435,455"):
        check_length(LONGEST_TICKS + 1, 32767, "s.mid", Limits())


def tempo(mspq: int) -> Callable[[ScoreTick], None]:
    return lambda score: score.tempos.append(symusic.Tempo(0, mspq=mspq))


def signature(numerator: int, denominator: int) -> Callable[[ScoreTick], None]:
    return lambda score: score.time_signatures.append(symusic.TimeSignature(0, numerator, denominator))


def key(sharps: int, tonality: int) -> Callable[[ScoreTick], None]:
    return lambda score: score.key_signatures.append(symusic.KeySignature(0, sharps, tonality))


def note(time: int = 0, duration: int = 10, pitch: int = 60, velocity: int = 64) -> Callable[[ScoreTick], None]:
    return lambda score: score.tracks[0].notes.append(symusic.Note(time, duration, pitch, velocity))


@pytest.mark.parametrize(
    ("change", "sane"),
    [
        (tempo(500_000), True),
        (tempo(0), False),
        (signature(6, 8), True),
        (signature(0, 4), False),
        (signature(4, 0), False),
        (key(-7, 1), True),
        (key(8, 0), False),
        (key(0, 2), False),
        (note(time=-1), False),
    ],
)
def test_values_that_cannot_be_meant(change: Callable[[ScoreTick], None], sane: bool) -> None:
    score = song()
    change(score)
    assert is_sane(score) is sane


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (tempo(1 << 24), "tempos above 3.58"),
        (tempo(0), "tempos above 3.58"),
        (signature(0, 4), "at least one beat"),
        (signature(3, 3), "over a power of two"),
        (signature(3, 0), "over a power of two"),
        (note(time=-1), "times of 0 to"),
        (note(time=1 << 28), "times of 0 to"),
        (note(duration=-1), "end no earlier"),
        (note(pitch=-3), "pitches of 0 to 127"),
        (note(velocity=0), "velocities of 1 to 127"),
        (lambda score: score.tracks[0].pedals.append(symusic.Pedal(5, -1)), "pedals that go up no earlier"),
        (lambda score: score.tracks[0].pitch_bends.append(symusic.PitchBend(5, 8192)), "pitch bends of -8,192 to"),
        (lambda score: score.tracks[0].controls.append(symusic.ControlChange(5, 128, 0)), "controllers of 0 to 127"),
        (lambda score: score.tracks[0].controls.append(symusic.ControlChange(5, 0, 128)), "controllers of 0 to 127"),
        (lambda score: setattr(score.tracks[0], "program", 128), "programs of 0 to 127"),
    ],
)
def test_what_a_file_cannot_hold_is_refused(change: Callable[[ScoreTick], None], words: str) -> None:
    score = song()
    check_writable(score, "out.mid")
    change(score)
    with pytest.raises(OutputError, match=f"^out.mid: cannot be written, a MIDI file holds only .*{words}"):
        check_writable(score, "out.mid")


@pytest.mark.parametrize("per_quarter", [0, 1 << 15])
def test_resolutions_that_a_header_cannot_hold(per_quarter: int) -> None:
    with pytest.raises(OutputError, match="1 to 32,767 ticks"):
        check_writable(ScoreTick(per_quarter), "out.mid")
