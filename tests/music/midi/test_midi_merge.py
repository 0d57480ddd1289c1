"""Other programs, and all melodic parts in one track: what a synthesizer is told, and in which order."""

from __future__ import annotations

import pytest
from midi_reference import others, raw_events, sounding_notes
from song_events import control, converted_bytes, melody, sysex
from tiny_midi import meta, midi, off, on, track

GM_ON = sysex("7e 7f 09 01 f7")
GS_RESET = sysex("41 10 42 12 40 00 7f 00 41 f7")


def play_order(data: bytes) -> list[bytes]:
    """What is sent, in order, but notes and meta events."""
    events = sorted(others(raw_events(data)), key=lambda event: event.time)
    return [event.data for event in events if event.data[0] != 0xFF]


def unmerged(data: bytes, **options: object) -> bytes:
    return converted_bytes(data, tracks="merge", strength=0.0, **options)[0]


@pytest.mark.parametrize("reset", [GM_ON, GS_RESET])
@pytest.mark.parametrize(
    "between", [[], [track((0, b"\xc9\x08"), (0, on(36, 90, 9)), (9, off(36, 9)))]], ids=["", "drums"]
)
def test_a_reset_stays_before_the_programs_that_it_resets(reset: bytes, between: list[bytes]) -> None:
    """Whether its chunk loses its notes or not, and whatever lies between that and the busiest."""
    data = midi(
        track((0, meta(3, b"Title")), (0, reset), *melody(1, 40, n=2)),
        *between,
        track((0, b"\xc0\x30"), (0, control(7, 99)), *melody(n=12)),
    )
    sent = play_order(data)
    assert play_order(unmerged(data)) == [each for each in sent if each[0] & 0xF != 1 or each[0] >= 0xF0]


def test_a_merged_track_does_not_come_before_what_is_sent_before_it() -> None:
    data = midi(
        track((0, meta(0x51, b"\x07\xa1\x20")), *melody(1, 40, n=2)),
        track((0, GM_ON)),
        track((0, b"\xc0\x30"), *melody(n=12)),
    )
    assert [each[0] for each in play_order(unmerged(data))] == [0xF0, 0xC0]


def test_words_of_several_chunks_stay_in_the_order_of_the_chunks() -> None:
    chunks = [track((0, meta(5, b"a")), *melody(1, 40, n=2)), track((0, meta(5, b"b")), *melody(n=12))]
    chunks.append(track((0, meta(5, b"c")), *melody(2, 40, n=2)))
    events = [
        event.data[2:] for event in raw_events(unmerged(midi(*chunks))) if event.data[:2] == b"\xff\x05"
    ]
    assert events == [b"a", b"b", b"c"]


def test_port_and_device_of_a_chunk_go_with_it() -> None:
    """The merged track stays on the port of the part whose track it is."""
    data = midi(
        track((0, meta(0x21, b"\x00")), (0, b"\xc0\x30"), *melody(n=12)),
        track(
            (0, meta(0x21, b"\x01")),
            (0, meta(0x20, b"\x01")),
            (0, meta(9, b"B")),
            (0, meta(5, b"la")),
            *melody(1, 40),
        ),
    )
    words = [event.data for event in others(raw_events(unmerged(data))) if event.data[0] == 0xFF]
    assert words == [b"\xff\x21\x00", b"\xff\x05la"]


def test_each_register_has_what_the_song_sets_on_the_channel_in_any_chunk() -> None:
    data = midi(
        track((0, b"\xc0\x30"), (0, control(7, 60)), (0, control(10, 20))),
        track(*melody(pitch=40, n=10), *melody(pitch=60, n=8), (0, control(7, 80)), *melody(pitch=80, n=6)),
        track((960, control(11, 90))),
    )
    made = unmerged(data, programs="target")
    source = sorted((note.start, note.pitch, note.state) for note in sounding_notes(raw_events(data)))
    assert sorted((note.start, note.pitch, note.state) for note in sounding_notes(raw_events(made))) == source
    found = {(note.channel, note.pitch // 20, note.program) for note in sounding_notes(raw_events(made))}
    assert found == {(0, 2, 32), (1, 3, 0), (2, 4, 48)}  # of the treble no program is known: the song's


SETTINGS = [[GM_ON], [GM_ON, control(7, 99)], [(meta(3, b"x")), GS_RESET]]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("tracks", ["keep", "merge"])
def test_a_usual_program_comes_behind_a_reset(settings: list[bytes], tracks: str) -> None:
    data = midi(track(*[(0, each) for each in settings], *melody(pitch=36)))
    made, _ = converted_bytes(data, programs="target", strength=0.0, tracks=tracks)
    sent = [each[0] for each in play_order(made)]
    assert sent.count(0xC0) == 1
    assert sent.index(0xC0) > sent.index(0xF0)
    assert {note.program for note in sounding_notes(raw_events(made))} == {32}


@pytest.mark.parametrize("tracks", ["keep", "merge"])
def test_a_program_in_a_later_chunk_at_the_tick_of_the_first_note_is_too_late_for_it(tracks: str) -> None:
    data = midi(track(*melody(pitch=36)), track((0, b"\xc0\x30"), *melody(1, 60, n=2)))
    made, _ = converted_bytes(data, programs="target", strength=0.0, tracks=tracks)
    assert {note.program for note in sounding_notes(raw_events(made)) if note.channel == 0} == {32}


def test_a_program_in_another_chunk_does_not_undo_the_usual_one() -> None:
    data = midi(track(*melody(pitch=36)), track((960, b"\xc0\x30"), (960, b"\xc0\x31")))
    for tracks in ("keep", "merge"):
        made, _ = converted_bytes(data, programs="target", strength=0.0, tracks=tracks)
        assert {note.program for note in sounding_notes(raw_events(made))} == {32}


@pytest.mark.parametrize("tracks", ["keep", "merge"])
def test_a_channel_that_plays_drums_at_any_time_keeps_its_kits(tracks: str) -> None:
    kit = [(0, control(0, 127)), (0, b"\xc0\x08"), (0, on(38, 90)), (60, off(38))]
    data = midi(track((0, b"\xc0\x30"), *melody(pitch=36, n=12), *kit))
    made, _ = converted_bytes(data, programs="target", strength=0.0, tracks=tracks)
    (before,), (after,) = (
        [n[2:] for n in sounding_notes(raw_events(each)) if n.velocity == 90] for each in (data, made)
    )
    assert after == before
