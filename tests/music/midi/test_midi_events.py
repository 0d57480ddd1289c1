"""Events of a track: reading by the book and beside it, and writing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_midi import END, SONG, body, chunk, meta, number, off, on, track

from audiocycle.music.midi.events import META, DamageError, Event, read_events, write_track

SONG_EVENTS = [(0, on(60)), (480, off(60)), (480, on(64, 80)), (720, off(64))]


def read(content: bytes) -> list[tuple[int, bytes]]:
    """(tick, bytes) of all events but the end of the track."""
    events = [e for e in read_events(content, 0, len(content)) if (e.status, e.kind) != (META, 0x2F)]
    return [(e.tick, meta(e.kind, e.body) if e.status == META else bytes([e.status]) + e.body) for e in events]


def test_times_add_up() -> None:
    assert read(body(*SONG, END)) == SONG_EVENTS


def test_running_status_goes_on_even_behind_meta_events() -> None:
    content = body((0, on(60)), (5, meta(6, b"x")), (5, b"\x3c\x00"), (0, b"\x40\x50"), END)
    assert read(content) == [(0, on(60)), (5, meta(6, b"x")), (10, on(60, 0)), (10, on(64, 80))]


@pytest.mark.parametrize(
    "message",
    map(bytes.fromhex, ["f105", "f20102", "f4", "f6", "f8", "f9", "fe"]),
    ids=bytes.hex,
)
def test_messages_that_no_file_may_hold_are_skipped_and_their_time_counts(message: bytes) -> None:
    assert read(body((0, on(60)), (100, message), (380, off(60)), *SONG[2:], END)) == SONG_EVENTS


@pytest.mark.parametrize("message", map(bytes.fromhex, ["f0057e7f0901f7", "f702ff90", "f000", "f0027e7f"]), ids=bytes.hex)
def test_system_exclusive_messages_are_carried_as_they_are(message: bytes) -> None:
    content = body((0, on(60)), (100, message), (380, off(60)), *SONG[2:], END)
    events = list(read_events(content, 0, len(content)))
    assert (events[1].tick, bytes([events[1].status]) + number(len(events[1].body)) + events[1].body) == (100, message)
    assert write_track(events) == chunk(content)


def test_a_status_that_repeats_is_left_out_on_request() -> None:
    content = body((0, on(60)), (5, b"\x3c\x00"), (0, b"\x40\x50"), (0, meta(6, b"x")), (0, on(62)), (300, b"\x3e\x00"), END)
    events = list(read_events(content, 0, len(content)))
    assert write_track(events, running=True) == chunk(content)
    assert len(write_track(events)) == len(chunk(content)) + 3


def test_nothing_behind_the_end_of_track() -> None:
    assert read(body(*SONG[:2], END, *SONG[2:])) == SONG_EVENTS[:2]


@pytest.mark.parametrize("n_left", [0, 1, 2])
def test_a_lost_end_of_track_loses_no_note(n_left: int) -> None:
    assert read(body(*SONG) + b"\x00\xff\x2f"[:n_left]) == SONG_EVENTS


def test_stray_bytes_are_skipped_up_to_a_number() -> None:
    assert read(b"\x00\x07" * 16 + body(*SONG, END)) == SONG_EVENTS
    with pytest.raises(DamageError, match="is damaged at byte 34"):
        read(b"\x00\x07" * 17 + body(*SONG, END))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (body((0, b"\x90\x3c")), "ends within an event, at byte 2"),
        (body((0, meta(6, b"long")))[:-1], "is damaged at byte 4"),
        (body((0, b"\xf0\x10\x7e\xf7"), (0, b"\x90")), "is damaged at byte 3"),
        (body((0, b"\xf0\x08\x7e\x00\x90\x3c\x40\x00\x80\x3c")), "is damaged at byte 3"),
    ],
    ids=["message", "meta", "sysex past the end", "sysex over notes"],
)
def test_damage_that_would_lose_notes(content: bytes, words: str) -> None:
    with pytest.raises(DamageError, match=words):
        read(content)


def test_numbers_of_five_bytes_are_read_and_endless_ones_are_not() -> None:
    assert read(b"\x81\x80\x80\x80\x00" + on(60)) == [(1 << 28, on(60))]
    with pytest.raises(DamageError, match="is damaged at byte 8"):
        read(b"\x80" * 100_000 + b"\x00" + on(60))


@given(st.lists(st.tuples(st.integers(0, (1 << 28) - 1), st.integers(0, 127), st.integers(0, 200)), max_size=30))
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_read(table: list[tuple[int, int, int]]) -> None:
    events, tick = [], 0
    for delta, value, length in table:
        tick += delta
        channel = value % 16
        events.append(Event(tick, META, 6, bytes(length)) if length else Event(tick, 0x90 | channel, 0, bytes([value, 1])))
    content = write_track(events)
    assert int.from_bytes(content[4:8], "big") == len(content) - 8
    again = list(read_events(content, 8, len(content)))
    assert [event._replace(position=0) for event in again[:-1]] == events
    assert (again[-1].status, again[-1].kind, again[-1].tick) == (META, 0x2F, tick)


@given(st.integers(0, (1 << 28) - 1))
@settings(max_examples=40, deadline=None)
def test_times_are_written_as_the_standard_says(delta: int) -> None:
    event = Event(delta, 0x90, 0, b"\x3c\x40")
    assert write_track([event]) == track((delta, on(60, 64)))
    assert len(number(delta)) == max(1, -(-delta.bit_length() // 7))
