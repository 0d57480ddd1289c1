"""The shell of a MIDI file: which bytes are the tracks, whatever the lengths say."""

from __future__ import annotations

import pytest
from tiny_midi import END, SONG, body, chunk, header, midi, track

from audiocycle.errors import InputError
from audiocycle.music.midi.chunks import ChunkLayout, find_tracks
from audiocycle.music.midi.limits import LIMITS

BODY = body(*SONG, END)
RMI = b"RIFF\x00\x01\x00\x00RMIDdata\x00\x01\x00\x00"


def layout(data: bytes) -> ChunkLayout:
    return find_tracks(data, "s.mid", LIMITS)


def bodies(data: bytes) -> list[bytes]:
    return [data[begin:end] for begin, end in layout(data).tracks]


@pytest.mark.parametrize("form", [0, 1, 2])
def test_a_file_by_the_book(form: int) -> None:
    data = midi(track(*SONG), form=form)
    assert layout(data) == ChunkLayout(form, 480, [(22, 22 + len(BODY))], [], is_cut=False)


def test_padding_and_foreign_chunks_do_not_disturb() -> None:
    data = midi(track(*SONG), chunk(b"x" * 9, kind=b"XFIH"), track(*SONG), n_tracks=2) + bytes(100)
    assert bodies(data) == [BODY, BODY]
    ((place, begin, end),) = layout(data).strangers
    assert (place, data[begin:end]) == (1, chunk(b"x" * 9, kind=b"XFIH"))


@pytest.mark.parametrize(
    "data",
    [
        midi(track(*SONG), n_tracks=9),
        midi(track(*SONG), n_tracks=0),
        midi(track(*SONG), form=0x6D01),
        b"\x00" * 128 + midi(track(*SONG)),
        RMI + midi(track(*SONG)),
        b"MThd\x00\x00\x00\x0a" + header(1)[8:] + b"more" + track(*SONG),
        header(1) + track(*SONG, length=(1 << 31) - 1),
        header(1) + track(*SONG, length=4),
        header(1) + b"\x00\x00\x00" + track(*SONG),
    ],
    ids=["too many", "none", "format", "junk", "rmi", "long header", "2 GiB", "too short", "bytes between"],
)
def test_one_whole_track_is_found_though_the_header_is_wrong(data: bytes) -> None:
    assert bodies(data) == [BODY]


@pytest.mark.parametrize("error", [-5, -1, 1, 3, 1000])
def test_a_wrong_length_does_not_hide_the_next_track(error: int) -> None:
    data = midi(track(*SONG, length=len(BODY) + error), track(*SONG))
    assert bodies(data) == [BODY, BODY]


def test_a_length_is_right_where_only_the_end_of_track_is_missing() -> None:
    without_end = body(*SONG)
    assert bodies(midi(chunk(without_end)) + bytes(20)) == [without_end]


@pytest.mark.parametrize(("n_lost", "is_cut"), [(0, False), (1, False), (4, False), (5, True)])
def test_cut_files_are_told_from_lost_end_of_track_events(n_lost: int, is_cut: bool) -> None:
    data = midi(track(*SONG), track(*SONG))
    assert layout(data[: len(data) - n_lost]).is_cut is is_cut


def test_a_second_song_is_not_read_into_the_first() -> None:
    assert bodies(midi(track(*SONG)) + midi(track(*SONG))) == [BODY]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"ID3 no music", "is not a MIDI file"),
        (b"SMF2CLIP" + bytes(40), "MIDI 2.0 clip"),
        (header(1)[:11], "ends within its MIDI header"),
        (b"MThd\x06\x01\x0b\x78MTrkb\x03" + bytes(40), "header claims 100,731,768 bytes"),
        (midi(track(*SONG), division=0), "0 ticks a quarter note"),
        (header(0), "holds no tracks"),
        (midi(track(*SONG), track(*SONG), form=2), "2 separate songs"),
        (midi(*[track(*SONG)] * 257), "more than the 256 tracks"),
    ],
)
def test_what_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=f"^s.mid: .*{words}"):
        layout(data)


def test_a_million_chunk_names_are_not_walked() -> None:
    with pytest.raises(InputError, match="more than the 256 tracks"):
        layout(header(1) + b"MTrk" * (1 << 20))
