"""Songs: what a file holds, damaged or not, and the same file again; or a refusal where music would be lost."""

from __future__ import annotations

import pytest
from symusic.core import ScoreTick
from tiny_midi import END, SONG, SONG_NOTES, TEMPO_120, body, chunk, header, meta, midi, notes, off, on, track

from audiocycle.errors import InputError
from audiocycle.music.midi.limits import LIMITS
from audiocycle.music.midi.score import score_of
from audiocycle.music.midi.song import song_from_bytes, song_to_bytes


def repair(data: bytes) -> ScoreTick:
    return score_of(song_from_bytes(data, "s.mid", LIMITS))


def rewritten(data: bytes) -> bytes:
    """What is written of a file to which nothing was done."""
    return song_to_bytes(song_from_bytes(data, "s.mid", LIMITS))


def test_what_is_whole_stays_what_it_is() -> None:
    data = midi(
        track(
            (0, meta(3, "Flöte".encode())),
            (0, meta(0x51, TEMPO_120)),
            (0, meta(0x58, bytes([6, 3, 24, 8]))),
            (0, meta(0x59, b"\xfd\x01")),
            (0, b"\xc0\x49"),
            (0, b"\xb0\x07\x64"),
            (0, b"\xe0\x00\x20"),
            (10, meta(6, b"refrain")),
            *SONG,
        ),
        track((0, on(36, 100, 9)), (9, off(36, 9))),
    )
    assert repair(data) == ScoreTick.from_midi(data)
    assert rewritten(data) == data


@pytest.mark.parametrize(
    "event",
    [
        meta(0x51, bytes(3)),
        meta(0x51, b"\x07\xa1"),
        meta(0x51, b""),
        meta(0x58, bytes([0, 2, 24, 8])),
        meta(0x58, bytes([4, 8, 24, 8])),
        meta(0x58, b"\x04"),
        meta(0x59, b"\x08\x00"),
        meta(0x59, b"\xf8\x00"),
        meta(0x59, b"\x00\x02"),
        meta(0x59, b""),
        meta(0x54, bytes([0x7F, 99, 99, 99, 99])),
        b"\xc0\xd0",
        b"\xb0\xff\x40",
        b"\xf4",
    ],
    ids=lambda event: event.hex(),
)
def test_events_that_say_nothing_are_left_out(event: bytes) -> None:
    score = repair(midi(track((0, event), *SONG)))
    assert notes(score) == SONG_NOTES
    assert [*score.tempos, *score.time_signatures, *score.key_signatures, *score.tracks[0].controls] == []
    assert score.tracks[0].program == 0


@pytest.mark.parametrize(("sharps", "tonality"), [(7, 0), (-7, 1)])
def test_the_outermost_keys_are_kept(sharps: int, tonality: int) -> None:
    (key,) = repair(midi(track((0, meta(0x59, bytes([sharps % 256, tonality]))), *SONG))).key_signatures
    assert (key.key, key.tonality) == (sharps, tonality)


def test_velocities_and_controls_above_127_are_clipped() -> None:
    score = repair(
        midi(track((0, on(60, 0xF0)), (480, off(60)), (0, b"\xb0\x07\xa8"), (0, on(64)), (240, off(64))))
    )
    assert notes(score) == [(0, 480, 60, 127), (480, 240, 64, 64)]
    assert [(c.number, c.value) for c in score.tracks[0].controls] == [(7, 127)]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            midi(track(*SONG), track((0, on(253)), (9, on(253, 0)))),
            "track 2 has a note of pitch 253, above 127, at byte 54",
        ),
        (midi(track((0, b"\xb0\x00\x90"), (62, b"\xb0\x40\x81"), *SONG)), "track 1 is damaged at byte 28"),
        (midi(chunk(body(*SONG) + b"\x00\x90\x3c")), "track 1 ends within an event"),
        (midi(track(*SONG), track(*SONG))[:-5], "track 2 ends within an event"),
        (midi(track(*SONG), track(*SONG))[:-8], "track 2 is cut off"),
        (
            midi(track((1 << 27, on(60)), (9, off(60))), division=1),
            "lasts 134,217,728 quarter notes, more than the 40,000",
        ),
        (midi(track(*[((1 << 28) - 1, meta(6, b"x"))] * 16, *SONG)), "lasts 559,241 quarter notes"),
        (
            midi(track(*[(1 << 27, meta(6, b"x"))] * 3), division=32767),
            "lasts 268,435,456 ticks, more than 268,435,455",
        ),
    ],
    ids=["pitch", "misread", "chunk cut", "file cut in event", "file cut", "far", "32 bits around", "ticks"],
)
def test_what_would_lose_music_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=f"^s.mid: {words}"):
        repair(data)


def test_a_lost_last_byte_loses_nothing() -> None:
    assert notes(repair(midi(track(*SONG), track(*SONG))[:-1])) == SONG_NOTES * 2


def test_a_length_of_2_gib_is_the_length_that_is_there() -> None:
    assert notes(repair(header(1) + track(*SONG, length=(1 << 31) - 1))) == SONG_NOTES


@pytest.mark.parametrize(
    ("rate", "per_second"),
    [(24, 24.0), (25, 25.0), (29, 30000 / 1001), (30, 30.0)],
    ids=["24", "25", "29.97", "30"],
)
@pytest.mark.parametrize("per_frame", [1, 4, 40, 80])
def test_smpte_times_keep_their_seconds(rate: int, per_second: float, per_frame: int) -> None:
    slow = meta(0x51, b"\x0f\x42\x40")  # tempo means nothing in SMPTE time
    data = midi(chunk(body((0, slow), *SONG, END)), division=(256 - rate) << 8 | per_frame)
    score = repair(data)
    seconds = [(n.start, n.end) for n in score.to("second").tracks[0].notes]
    ticks = [(time, time + duration) for time, duration, *_ in SONG_NOTES]
    assert seconds == [
        pytest.approx((a / per_second / per_frame, b / per_second / per_frame), rel=1e-5) for a, b in ticks
    ]
    (tempo,) = score.tempos
    assert 113 < tempo.qpm < 126  # 29.97 frames of one tick make 15 ticks a quarter


def test_ticks_that_overflowed_into_the_smpte_bit() -> None:
    """The Weimar Jazz Database writes 55440 ticks a quarter where 32767 are possible."""
    score = repair(midi(track((0, meta(0x51, TEMPO_120)), (55440, on(60)), (27720, off(60))), division=55440))
    assert score.ticks_per_quarter == 27720
    assert notes(score) == [(27720, 13860, 60, 64)]
    assert score.tempos[0].qpm == 120
