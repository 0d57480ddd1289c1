"""Songs as scores and scores as songs: what a player, which knows one program a channel at a time, makes of many tracks."""

from __future__ import annotations

from collections import defaultdict

import pytest
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import converted_song
from symusic.core import ScoreTick, TrackTick
from tiny_midi import SONG, meta, midi, off, on, track

from audiocycle.errors import InputError
from audiocycle.music.midi.channels import CHANNELS, channels_for
from audiocycle.music.midi.file import score_from_bytes
from audiocycle.music.midi.limits import LIMITS, Limits
from audiocycle.music.midi.score import score_of, song_of
from audiocycle.music.midi.song import Song, song_from_bytes, song_to_bytes
from audiocycle.music.midi.state import DRUMS

PROGRAMS = st.lists(st.integers(0, 127) | st.integers(0, 3), max_size=60)


def a_score(*parts: tuple[int, int, bool]) -> ScoreTick:
    """A note for each (program, pitch, is drum), at the tick of its pitch."""
    score = ScoreTick(480)
    for program, pitch, is_drum in parts:
        part: TrackTick = symusic.Track("", program, is_drum)
        part.notes.append(symusic.Note(pitch, 1, pitch, 64))
        score.tracks.append(part)
    return score


def played(song: Song) -> dict[int, list[tuple[bool, int]]]:
    """What sounds: (drums, program) of the notes of each pitch, as a player mixes the tracks."""
    program: dict[int, int] = defaultdict(int)
    found = defaultdict(list)
    for event in sorted((event for chunk in song.chunks for event in chunk), key=lambda event: event.tick):
        channel = event.status & 0xF
        if event.status >> 4 == 0xC:
            program[channel] = event.body[0]
        elif event.status >> 4 == 0x9 and event.body[1]:
            found[event.body[0]].append((channel == DRUMS, program[channel]))
    return found


def score(data: bytes) -> ScoreTick:
    return score_of(song_from_bytes(data, "s.mid", LIMITS))


def kinds(of: ScoreTick) -> list[tuple[str, int, bool, int]]:
    return [(part.name, part.program, part.is_drum, len(part.notes)) for part in of.tracks]


def test_fifteen_tracks_have_a_channel_each() -> None:
    assert channels_for([5] * 15) == list(CHANNELS)
    assert DRUMS not in CHANNELS


def test_the_sixteenth_shares_with_its_own_program() -> None:
    assert channels_for([*range(15), 3]) == [*CHANNELS, CHANNELS[3]]
    assert channels_for([7] * 16 + [8])[-1] not in channels_for([7] * 16 + [8])[:-1]


@given(PROGRAMS)
@settings(max_examples=40, deadline=None)
def test_programs_meet_only_where_there_are_too_many(programs: list[int]) -> None:
    channels = channels_for(programs)
    assert len(channels) == len(programs)
    assert set(channels) <= set(CHANNELS)
    if len(set(programs)) <= 15:
        assert len(set(zip(channels, programs, strict=True))) == len(set(channels))
    if len(programs) >= 15:
        assert len(set(channels)) == 15 or len(set(programs)) < 15


@given(PROGRAMS)
@settings(max_examples=40, deadline=None)
def test_every_note_sounds_with_its_program(programs: list[int]) -> None:
    song = song_of(a_score(*((program, pitch, False) for pitch, program in enumerate(programs))))
    assert played(song) == {pitch: [(False, program)] for pitch, program in enumerate(programs)}


def test_drum_kits_stay_on_their_channel_and_take_turns() -> None:
    song = song_of(a_score((8, 36, True), (25, 38, True), (0, 60, False)))
    assert played(song) == {36: [(True, 8)], 38: [(True, 25)], 60: [(False, 0)]}


def test_drums_in_the_middle_of_fifteen_tracks_move_nobody() -> None:
    song = song_of(a_score(*((i, 40 + i, i == 9) for i in range(16))))
    assert played(song) == {40 + i: [(i == 9, i)] for i in range(16)}


def test_what_one_chunk_sets_holds_for_the_notes_of_another() -> None:
    data = midi(
        track(
            (0, meta(3, b"set up")),
            (0, b"\xc0\x28"),
            (0, b"\xb0\x07\x50"),
            (0, b"\xc1\x20"),
            (0, b"\xe1\x00\x20"),
        ),
        track((0, meta(3, b"violin")), *SONG),
        track((0, meta(3, b"bass")), (0, on(40, channel=1)), (9, off(40, channel=1))),
    )
    made = score(data)
    assert kinds(made) == [("violin", 40, False, 2), ("bass", 32, False, 1)]
    assert [[(c.number, c.value) for c in part.controls] for part in made.tracks] == [[(7, 80)], []]
    assert [[bend.value for bend in part.pitch_bends] for part in made.tracks] == [[], [-4096]]


def test_a_program_in_mid_song_begins_a_track_that_is_as_loud() -> None:
    made = score(midi(track((0, b"\xb0\x07\x50"), (0, b"\xc0\x19"), *SONG, (0, b"\xc0\x1e"), *SONG), form=0))
    assert kinds(made) == [("", 25, False, 2), ("", 30, False, 2)]
    assert [[c.value for c in part.controls] for part in made.tracks] == [[80], [80]]


def test_pedals_are_held_from_64_on() -> None:
    pedal = [
        (0, b"\xb0\x40\x3f"),
        (5, b"\xb0\x40\x40"),
        (5, b"\xb0\x40\x7f"),
        (5, b"\xb0\x40\x00"),
        (5, b"\xb0\x40\x7f"),
    ]
    (part,) = score(midi(track(*pedal, *SONG))).tracks
    assert [(each.time, each.duration) for each in part.pedals] == [(5, 10)]


def test_words_that_are_not_utf8() -> None:
    made = score(
        midi(
            track(
                (0, meta(3, "Flöte".encode("latin1"))),
                (0, meta(5, "süß".encode())),
                (1, meta(5, b"gr\xfcn")),
                *SONG,
            )
        )
    )
    assert made.tracks[0].name == "Flöte"
    assert [lyric.text for lyric in made.tracks[0].lyrics] == ["süß", "grün"]


def test_notes_of_no_length_stay_notes() -> None:
    before = a_score((0, 60, False))
    before.tracks[0].notes[0].duration = 0
    again = score_of(song_of(before))
    assert [(note.time, note.duration) for note in again.tracks[0].notes] == [(60, 0)]


def crowd(n_moves: int, n_chunks: int) -> bytes:
    """A chunk of controllers, and others that play on their channel, each a program of its own."""
    moves = [(1, bytes([0xB0, 7, i % 128])) for i in range(n_moves)]
    players = [track((0, bytes([0xC0, i % 128])), (0, on(60)), (96, off(60))) for i in range(n_chunks)]
    return midi(track(*moves), *players)


def test_one_channels_controllers_in_many_tracks_are_counted_before_they_are_copied() -> None:
    song = song_from_bytes(crowd(500, 20), "s.mid", LIMITS)
    assert [len(part.controls) for part in score_of(song).tracks] == [500] * 20
    with pytest.raises(
        InputError, match=r"^s\.mid: its tracks share 10,000 controllers and bends, more than the 9,999"
    ):
        score_of(song, name="s.mid", limits=Limits(max_moves=9999))
    score_of(song, limits=Limits(max_moves=10_000))


def test_a_file_of_a_few_bytes_cannot_become_a_score_of_gigabytes() -> None:
    """Read, not played: a conversion needs no score, whatever this is as one."""
    data = crowd(40_000, 150)
    with pytest.raises(InputError, match=r"^s\.mid: its tracks share 6,000,000 controllers"):
        score_from_bytes(data, "s.mid")
    with pytest.raises(InputError, match=r"^song: its tracks share"):
        score_of(song_from_bytes(data, "s.mid", LIMITS))
    made, outcome = converted_song(song_from_bytes(data, "s.mid", LIMITS), strength=0.0)
    assert (song_to_bytes(made), outcome.details["notes_in"]) == (data, 150)


def test_a_track_for_each_program_counts_as_a_track() -> None:
    data = midi(
        track(*[each for i in range(9) for each in ((0, bytes([0xC0, i])), (0, on(60)), (9, off(60)))])
    )
    assert len(score_from_bytes(data, "s.mid", Limits(max_tracks=9)).tracks) == 9
    with pytest.raises(InputError, match=r"^s\.mid: has more than the 8 tracks"):
        score_from_bytes(data, "s.mid", Limits(max_tracks=8))


def test_tracks_of_one_channel_share_no_list() -> None:
    first, second = score(crowd(3, 2)).tracks
    first.controls.clear()
    assert len(second.controls) == 3
