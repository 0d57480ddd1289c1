"""Channels: what a player, which knows one program a channel at a time, makes of many tracks."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.music.midi_channels import CHANNELS, DRUMS, channels_for, share_channels
from audiocycle.music.midi_events import Event

PROGRAMS = st.lists(st.integers(0, 127) | st.integers(0, 3), max_size=60)


def part(program: int, pitch: int, channel: int = 0) -> list[Event]:
    """One note of one instrument."""
    return [
        Event(0, 0xC0 | channel, 0, bytes([program])),
        Event(pitch, 0x90 | channel, 0, bytes([pitch, 64])),
        Event(pitch + 1, 0x90 | channel, 0, bytes([pitch, 0])),
    ]


def played(tracks: list[list[Event]]) -> dict[int, list[tuple[bool, int]]]:
    """What sounds: (drums, program) of the notes of each pitch, as a player mixes the tracks."""
    program: dict[int, int] = defaultdict(int)
    found = defaultdict(list)
    for event in sorted((event for track in tracks for event in track), key=lambda event: event.tick):
        channel = event.status & 0xF
        if event.status >> 4 == 0xC:
            program[channel] = event.body[0]
        elif event.status >> 4 == 0x9 and event.body[1]:
            found[event.body[0]].append((channel == DRUMS, program[channel]))
    return found


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
    tracks = share_channels([part(program, pitch) for pitch, program in enumerate(programs)])
    assert played(tracks) == {pitch: [(False, program)] for pitch, program in enumerate(programs)}


def test_drum_kits_stay_on_their_channel_and_take_turns() -> None:
    tracks = share_channels([part(8, 36, DRUMS), part(25, 38, DRUMS), part(0, 60)])
    assert played(tracks) == {36: [(True, 8)], 38: [(True, 25)], 60: [(False, 0)]}


def test_tracks_that_play_nothing_stay_as_they_are() -> None:
    conductor = [Event(0, 0xFF, 0x51, b"\x07\xa1\x20")]
    assert share_channels([conductor, *(part(1, pitch) for pitch in range(15))])[0] == conductor
