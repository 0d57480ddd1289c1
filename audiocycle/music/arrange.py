"""Converted notes back into the source's song: its tracks or one track, its programs or the target's usual ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audiocycle.music.grid import Span
from audiocycle.music.midi.edit import edited, put_into
from audiocycle.music.midi.events import ALL_NOTES_OFF, CONTROL, Event
from audiocycle.music.midi.merge import merged, replayed
from audiocycle.music.midi.song import Song
from audiocycle.music.midi.strokes import Parts, Strokes
from audiocycle.music.notes import NEVER, NEW, IntArray, Notes, join, latest_end, next_start
from audiocycle.music.options import MusicOptions
from audiocycle.music.piano_roll import begins_in
from audiocycle.spec import FloatArray


def outside(notes: Notes, spans: Sequence[Span]) -> Notes:
    """The notes that no span's roll shows."""
    shown = np.zeros(len(notes), dtype=bool)
    for span in spans:
        shown |= begins_in(notes, span)
    return notes.where(~shown)


def arrange(
    song: Song, strokes: Strokes, parts: Parts, source: Notes, converted: Notes, options: MusicOptions, programs: FloatArray | None
) -> tuple[Song, Notes]:
    """The song with the notes ``converted``; drums and everything but notes stay, and it is as long at least. And the notes that it got.

    Args:
        strokes, parts, source: of ``song``.
        converted: what became of ``source``; ``track`` says to which part each belongs.
        programs: the target genre's usual ones by register, -1 where unknown; None where nothing was converted.
    """
    converted = replace(converted, track=np.where(converted.origin == NEW, parts.heir[converted.track], converted.track))
    converted = without_overlaps(converted, source, parts.channel, parts.chunk)
    busiest = int(np.bincount(source.track, minlength=len(parts)).argmax())
    wanted = programs if options.programs == "target" else None
    chunk = int(parts.chunk[busiest])
    if options.tracks == "merge":
        result, converted, chunk = merged(song, strokes, parts, converted, busiest, wanted)
    else:
        result = edited(song, strokes, parts, source, converted)
        if wanted is not None:
            result = replayed(result, strokes, parts, converted, wanted)
    if result.last < song.last:
        silence = Event(song.last, CONTROL << 4 | int(parts.channel[busiest]), 0, bytes([ALL_NOTES_OFF, 0]))
        result = put_into(result, chunk, silence)
    return result, converted


def without_overlaps(converted: Notes, source: Notes, lanes: IntArray, chunks: IntArray) -> Notes:
    """Notes of one pitch and lane that run into each other are told apart, unless the source has both.

    MIDI cannot say which of two sounding notes of a pitch a note-off ends. What the source did stays as it did it: notes
    that are quite the source's are left alone, new ones begin when those end, and others end where the next begins.

    Args:
        lanes: of each track; tracks of one lane share a channel.
        chunks: of each track. At one tick, players take what is in an earlier chunk first: there is a tick between a note that ends in
            a later chunk and the next one.
    """
    kept = converted.origin != NEW
    ends = np.full(int(source.origin.max(initial=0)) + 1, NEVER)
    ends[source.origin] = source.end
    exact = kept & (ends[np.maximum(converted.origin, 0)] == converted.end)
    voice = lanes[converted.track] * 128 + converted.pitch
    order = np.lexsort((exact, converted.start, voice))  # of two that begin together, the first is lost
    converted, kept, exact, voice = converted.where(order), kept[order], exact[order], voice[order]
    following, chunk = next_start(converted, voice), chunks[converted.track]
    end = np.where(exact, converted.end, np.minimum(converted.end, following))
    held = latest_end(np.where(exact, converted.end, 0), voice)
    start = np.where(kept, converted.start, np.maximum(converted.start, held))
    steps_down = chunk[:-1] > chunk[1:]  # from one note to the next
    meets = np.append(steps_down & (end[:-1] == following[:-1]), np.zeros(min(1, len(converted)), dtype=bool))
    end = np.where(~exact & meets, end - 1, end)
    met = np.append(np.zeros(min(1, len(converted)), dtype=bool), steps_down & (end[:-1] == start[1:]) & (voice[:-1] == voice[1:]))
    start = np.where(~kept & met, start + 1, start)
    return join([replace(converted, start=start, end=end).where(exact | (end > start))])
