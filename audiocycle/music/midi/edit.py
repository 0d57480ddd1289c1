"""Changed notes into a song's own events: only the events of notes that were changed are touched.

A note that stays keeps its two events where they are. One that went loses them, one that ends elsewhere has its note-off moved, and a
new one is put into the chunk, and on the channel, of the part that it was given to.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import itemgetter

import numpy as np

from audiocycle.music.midi.events import NOTE_OFF, NOTE_ON, PROGRAM, Event
from audiocycle.music.midi.song import Chunk, Song
from audiocycle.music.midi.strokes import NOTHING, Parts, Strokes
from audiocycle.music.notes import NEW, Notes

RELEASE = 64
"""The velocity of a note-off where nothing is known of it."""
_BEFORE, _THERE, _AFTER = 0, 1, 2
"""Order within a tick: note-offs that were put in, what was there, note-ons that were put in."""


class Edits:
    """Events to be taken out of chunks and put into them."""

    def __init__(self, song: Song) -> None:
        self.song = song
        self.out: dict[int, set[int]] = defaultdict(set)
        self.into: dict[int, list[tuple[int, int, Event]]] = defaultdict(list)
        self.before: dict[int, dict[int, Event]] = defaultdict(dict)
        self._off = next(
            (e for c in song.chunks for e in c if _is_off(e)), Event(0, NOTE_OFF << 4, 0, bytes([0, RELEASE]))
        )

    def take(self, chunk: int, place: int) -> None:
        """Take out an event."""
        if place != NOTHING:
            self.out[chunk].add(place)

    def put(self, chunk: int, event: Event) -> None:
        """Put in an event, behind all that its tick has."""
        self.into[chunk].append((event.tick, _AFTER, event))

    def put_before(self, chunk: int, place: int, event: Event) -> None:
        """Put in an event directly before another, at its tick; one at most before each."""
        self.before[chunk][place] = event._replace(tick=self.song.chunks[chunk][place].tick)

    def put_off(self, chunk: int, channel: int, row: Sequence[int], like: Event | None = None) -> None:
        """Put in the note-off of a note (start, end, pitch, ...), written as ``like`` is, or as the song writes its first."""
        like, (start, end, pitch, *_) = like or self._off, row
        event = Event(end, like.status & 0xF0 | channel, 0, bytes([pitch, like.body[1]]))
        self.into[chunk].append((end, _BEFORE if end > start else _AFTER, event))

    def put_note(
        self, chunk: int, channel: int, row: Sequence[int], program: tuple[int, int] | None = None
    ) -> None:
        """Put in a note: start, end, pitch, velocity; on another program than its channel has: that one, and the channel's."""
        start, _, pitch, velocity = row
        events = [Event(start, NOTE_ON << 4 | channel, 0, bytes([pitch, velocity]))]
        if program is not None:
            own, now = (Event(start, PROGRAM << 4 | channel, 0, bytes([number])) for number in program)
            events = [own, *events, now]
        for event in events:
            self.put(chunk, event)
        self.put_off(chunk, channel, row)

    def chunks(self) -> list[Chunk]:
        """The song's chunks, edited; those that nothing was done to are the very same."""
        return [self._chunk(number, chunk) for number, chunk in enumerate(self.song.chunks)]

    def _chunk(self, number: int, chunk: Chunk) -> Chunk:
        out, into, before = self.out[number], self.into[number], self.before[number]
        if not out and not into and not before:
            return chunk
        stays = []
        for place, event in enumerate(chunk[:-1]):
            if place in before:
                stays.append((event.tick, _THERE, before[place]))
            if place not in out:
                stays.append((event.tick, _THERE, event))
        stays += into
        stays.sort(key=itemgetter(0, 1))
        return closed([event for *_, event in stays], chunk[-1])


def closed(events: Iterable[Event], end: Event) -> Chunk:
    """Events in order of time as a chunk that ends no earlier than they, nor than ``end``, its end-of-track event."""
    chunk = list(events)
    return [*chunk, end._replace(tick=max(end.tick, chunk[-1].tick if chunk else 0))]


def edited(song: Song, strokes: Strokes, parts: Parts, source: Notes, converted: Notes) -> Song:
    """The song with other melodic notes.

    Args:
        source: the melodic notes of ``strokes``.
        converted: what becomes of them; ``origin`` says which are the source's, ``track`` to which part others belong.
    """
    edits = Edits(song)
    gone = np.setdiff1d(source.origin, converted.origin)
    take_notes(edits, strokes, gone)
    lost = np.zeros(len(strokes) + 1, dtype=bool)
    lost[gone] = True
    kept = converted.where(converted.origin != NEW)
    moved = kept.end != strokes.end[kept.origin]
    ender = strokes.ender[kept.origin]
    for number in np.flatnonzero(moved | ((ender != NOTHING) & lost[ender])).tolist():
        stroke = int(kept.origin[number])
        off_chunk, off = int(strokes.off_chunk[stroke]), int(strokes.off[stroke])
        edits.take(off_chunk, off)
        row = [int(column[number]) for column in (kept.start, kept.end, kept.pitch)]
        like = song.chunks[off_chunk][off] if off != NOTHING else None
        edits.put_off(int(strokes.chunk[stroke]), int(strokes.channel[stroke]), row, like)
    _put_new(edits, strokes, parts, converted.where(converted.origin == NEW))
    return replace(song, chunks=edits.chunks())


def _put_new(edits: Edits, strokes: Strokes, parts: Parts, new: Notes) -> None:
    """Put in new notes, each on a program that its part has around it: where parts share a channel, another may have changed it."""
    rows = np.stack([new.start, new.end, new.pitch, new.velocity], axis=1).tolist()
    changes = program_changes(edits.song)
    for part in np.unique(new.track).tolist():
        chunk, channel = int(parts.chunk[part]), int(parts.channel[part])
        mine = np.flatnonzero((strokes.chunk == chunk) & (strokes.channel == channel))
        times, programs = changes.get(channel, ([], [0]))
        varies = len(set(programs)) > 1 and len(mine) > 0
        starts = strokes.start[mine]
        for number in np.flatnonzero(new.track == part).tolist():
            program = None
            if varies:
                now = programs[bisect_right(times, (rows[number][0], chunk))]
                place = int(np.searchsorted(starts, rows[number][0], side="right"))
                around = strokes.program[mine[max(0, place - 1) : place + 1]].tolist()
                program = None if now in around else (around[0], now)
            edits.put_note(chunk, channel, rows[number], program)


def program_changes(song: Song) -> dict[int, tuple[list[tuple[int, int]], list[int]]]:
    """By channel: (tick, chunk) of its program changes, in order, and the programs before and after each."""
    found: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for number, chunk in enumerate(song.chunks):
        for event in chunk:
            if event.status >> 4 == PROGRAM:
                found[event.status & 0xF].append((event.tick, number, event.body[0]))
    made = {}
    for channel, changes in found.items():
        changes.sort(key=itemgetter(0, 1))
        made[channel] = ([change[:2] for change in changes], [0, *(change[2] for change in changes)])
    return made


def put_into(song: Song, chunk: int, event: Event) -> Song:
    """The song with one more event, behind all others of its tick."""
    edits = Edits(song)
    edits.put(chunk, event)
    return replace(song, chunks=edits.chunks())


def without_notes(song: Song, strokes: Strokes, which: Iterable[int]) -> Song:
    """The song without some of its notes."""
    edits = Edits(song)
    take_notes(edits, strokes, which)
    return replace(song, chunks=edits.chunks())


def with_notes(chunk: Chunk, channel: int, notes: Notes) -> Chunk:
    """The chunk with these notes."""
    edits = Edits(Song(1, 1, 1, [chunk]))
    for row in np.stack([notes.start, notes.end, notes.pitch, notes.velocity], axis=1).tolist():
        edits.put_note(0, channel, row)
    return edits.chunks()[0]


def take_notes(edits: Edits, strokes: Strokes, which: Iterable[int]) -> None:
    """Take notes out."""
    for stroke in which:
        edits.take(int(strokes.chunk[stroke]), int(strokes.on[stroke]))
        edits.take(int(strokes.off_chunk[stroke]), int(strokes.off[stroke]))


def _is_off(event: Event) -> bool:
    kind = event.status >> 4
    return kind == NOTE_OFF or (kind == NOTE_ON and event.body[1] == 0)
