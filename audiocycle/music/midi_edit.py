"""Changed notes into a song's own events: only the events of notes that were changed are touched.

A note that stays keeps its two events where they are. One that went loses them, one that ends elsewhere has its note-off moved, and a
new one is put into the chunk, and on the channel, of the part that it was given to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import itemgetter

import numpy as np

from audiocycle.music.midi_events import NOTE_OFF, NOTE_ON, Event
from audiocycle.music.midi_song import Chunk, Song
from audiocycle.music.midi_strokes import NOTHING, Parts, Strokes
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
        self._off = next((e for c in song.chunks for e in c if _is_off(e)), Event(0, NOTE_OFF << 4, 0, bytes([0, RELEASE])))

    def take(self, chunk: int, place: int) -> None:
        """Take out an event."""
        if place != NOTHING:
            self.out[chunk].add(place)

    def put(self, chunk: int, event: Event) -> None:
        """Put in an event: a note-off before all that its tick has, others behind."""
        self.into[chunk].append((event.tick, _BEFORE if _is_off(event) else _AFTER, event))

    def put_off(self, chunk: int, channel: int, pitch: int, tick: int, like: Event | None = None) -> None:
        """Put in a note-off, written as ``like`` is, or as the song writes its first."""
        like = like or self._off
        self.put(chunk, Event(tick, like.status & 0xF0 | channel, 0, bytes([pitch, like.body[1]])))

    def put_note(self, chunk: int, channel: int, row: Sequence[int]) -> None:
        """Put in a note: start, end, pitch, velocity."""
        start, end, pitch, velocity = row
        self.put(chunk, Event(start, NOTE_ON << 4 | channel, 0, bytes([pitch, velocity])))
        self.put_off(chunk, channel, pitch, end)

    def chunks(self) -> list[Chunk]:
        """The song's chunks, edited; those that nothing was done to are the very same."""
        return [self._chunk(number, chunk) for number, chunk in enumerate(self.song.chunks)]

    def _chunk(self, number: int, chunk: Chunk) -> Chunk:
        out, into = self.out[number], self.into[number]
        if not out and not into:
            return chunk
        stays = [(event.tick, _THERE, event) for place, event in enumerate(chunk[:-1]) if place not in out]
        stays += into
        stays.sort(key=itemgetter(0, 1))
        return closed([event for *_, event in stays], chunk[-1])


def closed(events: Iterable[Event], end: Event) -> Chunk:
    """Events in order of time as a chunk that ends no earlier than they, nor than ``end``, its end-of-track event."""
    chunk = list(events)
    return [*chunk, end._replace(tick=max(end.tick, chunk[-1].tick if chunk else 0))]


def edited(song: Song, strokes: Strokes, parts: Parts, source: Notes, made: Notes) -> Song:
    """The song with other melodic notes.

    Args:
        source: the melodic notes of ``strokes``.
        made: what becomes of them; ``origin`` says which are the source's, ``track`` to which part others belong.
    """
    edits = Edits(song)
    gone = np.setdiff1d(source.origin, made.origin)
    take_notes(edits, strokes, gone)
    lost = np.zeros(len(strokes) + 1, dtype=bool)
    lost[gone] = True
    kept = made.where(made.origin != NEW)
    at, ends = kept.origin, strokes.end[kept.origin]
    for stroke, end in zip(at[kept.end != ends].tolist(), kept.end[kept.end != ends].tolist(), strict=True):
        off_chunk, off = int(strokes.off_chunk[stroke]), int(strokes.off[stroke])
        edits.take(off_chunk, off)
        like = song.chunks[off_chunk][off] if off != NOTHING else None
        edits.put_off(int(strokes.chunk[stroke]), int(strokes.channel[stroke]), int(strokes.pitch[stroke]), end, like)
    for stroke in at[(kept.end == ends) & (strokes.ender[at] != NOTHING) & lost[strokes.ender[at]]].tolist():
        edits.put_off(*(int(column[stroke]) for column in (strokes.chunk, strokes.channel, strokes.pitch, strokes.end)))
    new = made.where(made.origin == NEW)
    rows = np.stack([new.start, new.end, new.pitch, new.velocity], axis=1).tolist()
    for part, row in zip(new.track.tolist(), rows, strict=True):
        edits.put_note(int(parts.chunk[part]), int(parts.channel[part]), row)
    return replace(song, chunks=edits.chunks())


def put_into(song: Song, chunk: int, event: Event) -> Song:
    """The song with one more event, behind all others of its tick."""
    edits = Edits(song)
    edits.put(chunk, event)
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
