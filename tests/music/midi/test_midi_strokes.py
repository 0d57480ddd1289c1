"""Which notes a song has, and on what: packets of system exclusive messages, and parameters that are not registered."""

from __future__ import annotations

import pytest
from tiny_midi import END, midi, off, on, track

from audiocycle.music.midi.limits import LIMITS
from audiocycle.music.midi.song import finer, song_from_bytes
from audiocycle.music.midi.strokes import Strokes, find_strokes

NOTE = ((0, on(60, channel=1)), (96, off(60, channel=1)))


def strokes(*events: bytes) -> Strokes:
    """Of a note on channel 2 behind these events."""
    return find_strokes(
        song_from_bytes(midi(track(*[(0, event) for event in events], *NOTE)), "s.mid", LIMITS).chunks
    )


def packet(status: int, content: str) -> bytes:
    data = bytes.fromhex(content)
    return bytes([status, len(data)]) + data


def control(number: int, value: int) -> bytes:
    return bytes([0xB0, number, value])


MPE_ZONE = [control(101, 0), control(100, 6), control(6, 15)]


@pytest.mark.parametrize(
    ("packets", "is_drum"),
    [
        ([packet(0xF0, "41 10 42 12 40 11 15 01 19 f7")], False),  # part 2: the first channel
        ([packet(0xF0, "41 10 42 12 40 12 15 01 18 f7")], True),
        ([packet(0xF0, "41 10 42 12 40"), packet(0xF7, "12 15 01 18 f7")], True),
        (
            [
                packet(0xF0, "41 10"),
                packet(0xF7, "42 12 40"),
                packet(0xF7, "12 15"),
                packet(0xF7, "01 18 f7"),
            ],
            True,
        ),
        ([packet(0xF7, "41 10 42 12 40 12 15 01 18 f7")], False),  # an escape: nothing was begun
        ([packet(0xF0, "41 10 42 12 40 f7"), packet(0xF7, "12 15 01 18 f7")], False),
        ([packet(0xF0, "43 10 4c"), packet(0xF7, "08 01 07 01 f7")], True),
    ],
)
def test_a_message_in_packets_means_what_it_means_whole(packets: list[bytes], is_drum: bool) -> None:
    assert strokes(*packets).is_drum.tolist() == [is_drum]


def test_packets_of_another_chunk_continue_nothing() -> None:
    first, second = packet(0xF0, "41 10 42 12 40"), packet(0xF7, "12 15 01 18 f7")
    chunks = song_from_bytes(midi(track((0, first)), track((0, second), *NOTE)), "s.mid", LIMITS).chunks
    assert find_strokes(chunks).is_drum.tolist() == [False]


def test_a_reset_whose_message_goes_on_resets_once() -> None:
    """What is said between its packets holds."""
    drums = packet(0xF0, "43 10 4c 08 01 07 01 f7")
    assert strokes(packet(0xF0, "7e 7f 09 01"), drums, packet(0xF7, "f7")).is_drum.tolist() == [True]


def test_endless_packets_are_not_kept() -> None:
    assert strokes(packet(0xF0, "41 10"), *[packet(0xF7, "00 " * 100)] * 100).is_drum.tolist() == [False]


@pytest.mark.parametrize(
    ("events", "master"),
    [
        (MPE_ZONE, 0),
        ([*MPE_ZONE[:2], control(99, 1), control(98, 8), control(6, 64)], 1),  # vibrato rate of GS
        ([*MPE_ZONE[:2], control(98, 8), control(6, 64)], 1),
        ([control(99, 1), control(98, 8), *MPE_ZONE], 0),
    ],
)
def test_data_of_another_parameter_makes_no_mpe_zone(events: list[bytes], master: int) -> None:
    assert strokes(*events).master.tolist() == [master]


def test_an_end_of_track_far_behind_the_music_can_be_written_with_more_ticks() -> None:
    song = song_from_bytes(midi(track(*NOTE, *[((1 << 28) - 200, END[1])]), division=4), "s.mid", LIMITS)
    made = finer(song, 24)
    assert (made.per_quarter, find_strokes(made.chunks).end.tolist()) == (96, [96 * 24])
    assert made.chunks[0][-1].tick == (1 << 28) - 1
