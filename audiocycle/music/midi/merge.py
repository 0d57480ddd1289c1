"""Other instruments for a song, and all melodic parts in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

import numpy as np

from audiocycle.music.adapter import register
from audiocycle.music.midi.edit import Edits, closed, take_notes, with_notes
from audiocycle.music.midi.events import (
    CHANNEL_PREFIX,
    CONTROL,
    DEVICE,
    META,
    NAME,
    NOTE_OFF,
    NOTE_ON,
    PORT,
    PROGRAM,
    SYSEX,
    Event,
)
from audiocycle.music.midi.song import Chunk, Song
from audiocycle.music.midi.state import BANK, BANK_FINE, DRUMS
from audiocycle.music.midi.strokes import Parts, Strokes
from audiocycle.music.notes import IntArray, Notes, join, latest_end, next_start
from audiocycle.spec import FloatArray

REGISTER_NAMES = (b"bass", b"middle", b"treble")
OF_ITS_CHUNK = (NAME, DEVICE, CHANNEL_PREFIX, PORT)
"""Kinds of meta events that are about the chunk in which they are."""


def replayed(song: Song, strokes: Strokes, parts: Parts, converted: Notes, programs: FloatArray) -> Song:
    """The song with each melodic channel on the program of the register in which most of its notes lie, where that is known.

    All program changes of the channel become that program, in the standard bank; channels that play drums at any time are left
    alone, and an MPE zone counts as one.
    """
    chunks, chosen = list(song.chunks), dict[int, int]()
    owner = parts.channel[parts.heir]
    for zone in np.setdiff1d(owner, strokes.channel[strokes.is_drum]).tolist():
        program = usual_program(converted.pitch[owner[converted.track] == zone], programs)
        if program is not None:
            channels = {zone, *parts.channel[owner == zone].tolist()}
            chosen |= dict.fromkeys(channels, program)
            chunks = [_on_program(chunk, channels, program) for chunk in chunks]
    edits = Edits(replace(song, chunks=chunks))
    for channel, (number, place) in _untold(chunks).items():
        if channel in chosen:
            edits.put_before(number, place, Event(0, PROGRAM << 4 | channel, 0, bytes([chosen[channel]])))
    return replace(song, chunks=edits.chunks())


def _untold(chunks: Sequence[Chunk]) -> dict[int, tuple[int, int]]:
    """Channels that play before they are told a program, in the order in which a player takes events: chunk and place of their first note."""
    told, found = set[int](), dict[int, tuple[int, int]]()
    events = [
        (event.tick, number, place, event)
        for number, chunk in enumerate(chunks)
        for place, event in enumerate(chunk)
        if event.status >> 4 == PROGRAM or (event.status >> 4 == NOTE_ON and event.body[1])
    ]
    for _, number, place, event in sorted(events, key=itemgetter(0)):
        channel = event.status & 0xF
        if event.status >> 4 == PROGRAM:
            told.add(channel)
        elif channel not in told:
            found.setdefault(channel, (number, place))
    return found


def usual_program(pitch: IntArray, programs: FloatArray) -> int | None:
    """The usual program of the register in which most notes lie; None where that is not known."""
    if not len(pitch):
        return None
    program = int(programs[register(np.median(pitch, keepdims=True))[0]])
    return program if program >= 0 else None


def merged(
    song: Song, strokes: Strokes, parts: Parts, converted: Notes, busiest: int, programs: FloatArray | None
) -> tuple[Song, Notes, int]:
    """The song with all melodic notes in one track, or one for each register if ``programs`` are given; its notes; where it is.

    The tracks take name, program and controllers of the busiest part. Words, and all else that belongs to no channel, go to the
    first of them. What is set on the other parts' channels goes, and so do their chunks, unless something still plays there, or they
    send system messages: those stay in their order.
    """
    home, channel = int(parts.chunk[busiest]), int(parts.channel[parts.heir[busiest]])
    drums = set(strokes.channel[strokes.is_drum].tolist())
    freed = set(parts.channel.tolist()) - drums - {channel}
    bare = _without(song, strokes, freed)
    emptied = [
        n for n in np.unique(parts.chunk).tolist() if n != home and all(e.status == META for e in bare[n])
    ]
    if 0 in emptied and any(e.status != META for n in range(1, home) for e in bare[n]):
        emptied.remove(0)  # a track in its place would come before what is sent before it
    groups = np.zeros(len(converted), dtype=np.int64) if programs is None else register(converted.pitch)
    found = np.unique(groups).tolist() or [0]
    channels = [channel, *sorted(freed), *_unused(song), *[channel] * len(found)]
    first = closed(_in_play(bare, sorted([home, *emptied]), home), bare[home][-1])
    others = closed([*(e for e in bare[home] if _is(e, NAME)), *_settings(bare, channel)], bare[home][-1])
    tracks: list[Chunk] = []
    lots: list[Notes] = []
    for group, target in zip(found, channels, strict=False):
        lot = unison(converted.where(groups == group))
        track = _moved(others, channel, target) if tracks else first
        if programs is not None:
            title = Event(0, META, NAME, REGISTER_NAMES[group])
            track = [title, *(event for event in track if not _is(event, NAME))]
            program = usual_program(lot.pitch, programs)
            if program is not None and target not in drums:
                track = _with_program(track, target, program, int(lot.start.min()))
                if target == channel:  # other chunks may tell it another one
                    bare = [_on_program(chunk, {channel}, program) for chunk in bare]
        tracks.append(with_notes(track, target, lot))
        lots.append(lot)
    place = 0 if 0 in emptied else home
    chunks: list[Chunk] = []
    for number, chunk in enumerate(bare):
        if number == place:
            chunks += tracks
        elif number != home and number not in emptied:
            chunks.append(chunk)
    return (
        replace(song, chunks=chunks),
        join(lots),
        next(i for i, chunk in enumerate(chunks) if chunk is tracks[0]),
    )


def _without(song: Song, strokes: Strokes, channels: set[int]) -> list[Chunk]:
    """The song's chunks without melodic notes, and without anything on these channels."""
    edits = Edits(song)
    take_notes(edits, strokes, np.flatnonzero(~strokes.is_drum).tolist())
    for number, chunk in enumerate(song.chunks):
        edits.out[number] |= {
            i for i, event in enumerate(chunk) if event.status < SYSEX and event.status & 0xF in channels
        }
    return edits.chunks()


def _in_play(chunks: Sequence[Chunk], numbers: Sequence[int], home: int) -> Chunk:
    """The events of several chunks in the order in which a player takes them, without what those but ``home`` say of themselves."""
    found = [
        event
        for number in numbers
        for event in chunks[number]
        if not event.ends and (number == home or not _is(event, *OF_ITS_CHUNK))
    ]
    return sorted(found, key=lambda event: event.tick)


def _settings(chunks: Sequence[Chunk], channel: int) -> Chunk:
    """What a song sets on a channel, in whichever chunk, in the order in which a player takes it."""
    found = [
        event
        for chunk in chunks
        for event in chunk
        if event.status < SYSEX
        and event.status & 0xF == channel
        and event.status >> 4 not in (NOTE_ON, NOTE_OFF)
    ]
    return sorted(found, key=lambda event: event.tick)


def _moved(chunk: Chunk, channel: int, target: int) -> Chunk:
    """The chunk with what is on a channel on another."""
    return [
        event._replace(status=event.status & 0xF0 | target)
        if event.status < SYSEX and event.status & 0xF == channel
        else event
        for event in chunk
    ]


def _with_program(chunk: Chunk, channel: int, program: int, begin: int) -> Chunk:
    """The chunk, which has no notes yet, with its channel on a program from ``begin`` on: behind all that is set until then."""
    chunk = _on_program(chunk, {channel}, program)
    status = PROGRAM << 4 | channel
    if any(event.status == status and event.tick <= begin for event in chunk):
        return chunk
    edits = Edits(Song(1, 1, 1, [chunk]))
    edits.put(0, Event(begin, status, 0, bytes([program])))
    return edits.chunks()[0]


def _on_program(chunk: Chunk, channels: set[int], program: int) -> Chunk:
    """The chunk with all program changes of these channels to one program, and all bank selects to the standard bank."""

    def changed(event: Event) -> Event:
        if event.status >= SYSEX or event.status & 0xF not in channels:
            return event
        if event.status >> 4 == PROGRAM:
            return event._replace(body=bytes([program]))
        if event.status >> 4 == CONTROL and event.body[0] in (BANK, BANK_FINE):
            return event._replace(body=bytes([event.body[0], 0]))
        return event

    return [changed(event) for event in chunk]


def _is(event: Event, *kinds: int) -> bool:
    return event.status == META and event.kind in kinds


def _unused(song: Song) -> list[int]:
    """Channels on which the song does nothing."""
    used = {event.status & 0xF for chunk in song.chunks for event in chunk if event.status < SYSEX}
    return [channel for channel in range(16) if channel not in used and channel != DRUMS]


def unison(notes: Notes) -> Notes:
    """Notes of several tracks for one: of those that begin together on a pitch the loudest; each ends where the next begins.

    A pitch sounds as long as before.
    """
    notes = notes.where(np.lexsort((notes.velocity, notes.start, notes.pitch)))
    end = latest_end(notes.end, notes.pitch)
    following = next_start(notes, notes.pitch)
    lost = (notes.start == following) & (end > following)
    return replace(notes, end=np.minimum(end, following)).where(~lost)
