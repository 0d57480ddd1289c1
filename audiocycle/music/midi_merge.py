"""Other instruments for a song, and all melodic parts in one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from audiocycle.music.adapter import register
from audiocycle.music.midi_edit import Edits, closed, take_notes, with_notes
from audiocycle.music.midi_events import CONTROL, META, NAME, NOTE_ON, PROGRAM, SYSEX, Event
from audiocycle.music.midi_song import Chunk, Song
from audiocycle.music.midi_state import BANK, BANK_FINE, DRUMS
from audiocycle.music.midi_strokes import Parts, Strokes
from audiocycle.music.notes import IntArray, Notes, join, latest_end, next_start
from audiocycle.spec import FloatArray

REGISTER_NAMES = (b"bass", b"middle", b"treble")


def replayed(song: Song, strokes: Strokes, parts: Parts, made: Notes, programs: FloatArray) -> Song:
    """The song with each melodic channel on the program of the register in which most of its notes lie, where that is known.

    All program changes of the channel become that program, in the standard bank; channels that play drums at any time are left
    alone, and an MPE zone counts as one.
    """
    chunks = list(song.chunks)
    owner = parts.channel[parts.heir]
    for zone in np.setdiff1d(owner, strokes.channel[strokes.is_drum]).tolist():
        pitches = made.pitch[owner[made.track] == zone]
        program = usual_program(pitches, programs)
        if program is None:
            continue
        channels = {zone, *parts.channel[owner == zone].tolist()}
        chunks = [_on_program(chunk, channels, program) for chunk in chunks]
        for channel in channels:
            first = min(
                (e.tick for c in chunks for e in c if e.status == NOTE_ON << 4 | channel), default=None
            )
            changes = [e.tick for c in chunks for e in c if e.status == PROGRAM << 4 | channel]
            if (
                first is not None and min(changes, default=first + 1) > first
            ):  # it plays before it is told its program
                number = int(parts.chunk[parts.channel == channel][0])
                chunks[number] = _with_program(chunks[number], channel, program)
    return replace(song, chunks=chunks)


def usual_program(pitch: IntArray, programs: FloatArray) -> int | None:
    """The usual program of the register in which most notes lie; None where that is not known."""
    if not len(pitch):
        return None
    program = int(programs[register(np.median(pitch, keepdims=True))[0]])
    return program if program >= 0 else None


def merged(
    song: Song, strokes: Strokes, parts: Parts, made: Notes, busiest: int, programs: FloatArray | None
) -> tuple[Song, Notes, int]:
    """The song with all melodic notes in one track, or one for each register if ``programs`` are given; its notes; where it is.

    The tracks take name, program and controllers of the busiest part. Words, and all else that belongs to no channel, go to the
    first of them. What is set on the other parts' channels goes, and so do their chunks, unless something still plays there.
    """
    home, channel = int(parts.chunk[busiest]), int(parts.channel[parts.heir[busiest]])
    freed = set(parts.channel.tolist()) - set(strokes.channel[strokes.is_drum].tolist()) - {channel}
    bare = _without(song, strokes, freed)
    emptied = [
        n for n in np.unique(parts.chunk).tolist() if n != home and not any(e.status < SYSEX for e in bare[n])
    ]
    rest = [event for number in emptied for event in bare[number] if not _is(event, NAME) and not event.ends]
    groups = np.zeros(len(made), dtype=np.int64) if programs is None else register(made.pitch)
    found = np.unique(groups).tolist() or [0]
    channels = [channel, *sorted(freed), *_unused(song), *[channel] * len(found)]
    tracks: list[Chunk] = []
    lots: list[Notes] = []
    for group, target in zip(found, channels, strict=False):
        lot = unison(made.where(groups == group))
        track = _copy(bare[home], rest, channel, target, is_first=not tracks)
        if programs is not None:
            track = [
                Event(0, META, NAME, REGISTER_NAMES[group]),
                *(event for event in track if not _is(event, NAME)),
            ]
            program = usual_program(lot.pitch, programs)
            track = track if program is None else _with_program(track, target, program)
        tracks.append(with_notes(track, target, lot))
        lots.append(lot)
    place = min([home, *emptied[: emptied[:1] == [0]]])
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


def _copy(chunk: Chunk, rest: list[Event], channel: int, target: int, is_first: bool) -> Chunk:
    """A chunk for another channel: the first has all that was there and the ``rest`` of others, the next ones what is set on its channel."""
    if is_first:
        return closed(sorted([*chunk[:-1], *rest], key=lambda event: event.tick), chunk[-1])
    moved = [
        e._replace(status=e.status & 0xF0 | target)
        for e in chunk
        if e.status < SYSEX and e.status & 0xF == channel
    ]
    return closed([*(event for event in chunk if _is(event, NAME)), *moved], chunk[-1])


def _with_program(chunk: Chunk, channel: int, program: int) -> Chunk:
    """The chunk with its channel on a program from the start."""
    place = next(i for i, event in enumerate(chunk) if event.status != META or event.tick or event.ends)
    change = Event(0, PROGRAM << 4 | channel, 0, bytes([program]))
    has_one = any(event.status == change.status and event.tick == 0 for event in chunk)
    return [
        *_on_program(chunk[:place], {channel}, program),
        *([] if has_one else [change]),
        *_on_program(chunk[place:], {channel}, program),
    ]


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


def _is(event: Event, kind: int) -> bool:
    return event.status == META and event.kind == kind


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
