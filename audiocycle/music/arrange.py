"""Converted notes back into the source's score: its tracks or one track, its programs or the target's usual ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from symusic.core import ControlChangeTick

from audiocycle.music.adapter import register
from audiocycle.music.grid import Span
from audiocycle.music.notes import IntArray, Notes, join, set_notes
from audiocycle.music.options import MusicOptions
from audiocycle.music.piano_roll import begins_in
from audiocycle.spec import FloatArray

ALL_NOTES_OFF = 123
"""A controller that changes nothing where nothing sounds: it makes a score as long as it was."""
NEVER = 1 << 32
"""Ticks; later than any time in a MIDI file."""
REGISTER_NAMES = ("bass", "middle", "treble")


def outside(notes: Notes, spans: Sequence[Span]) -> Notes:
    """The notes that no span's roll shows."""
    shown = np.zeros(len(notes), dtype=bool)
    for span in spans:
        shown |= begins_in(notes, span)
    return notes.where(~shown)


def arrange(score: Any, source: Notes, made: Notes, options: MusicOptions, programs: FloatArray | None) -> Any:
    """A copy of ``score`` with the notes ``made``; drums and everything but notes stay, and it is as long at least.

    Args:
        source: the melodic notes of ``score``.
        made: their conversion; ``track`` says where each belongs.
        programs: the target genre's usual ones by register, -1 where unknown; None where nothing was converted.
    """
    result = score.copy()
    made = without_overlaps(made, source)
    melodic = [i for i, track in enumerate(score.tracks) if not track.is_drum and len(track.notes)]
    wanted = programs if options.programs == "target" else None
    if options.tracks == "merge":
        merge(result, melodic, made, wanted)
    else:
        for index in melodic:
            fill(result.tracks[index], made.where(made.track == index), wanted)
    if result.end() < score.end():
        busiest = max((track for track in result.tracks if not track.is_drum), key=lambda track: len(track.notes))
        busiest.controls.append(ControlChangeTick(score.end(), ALL_NOTES_OFF, 0))
    return result


def fill(track: Any, notes: Notes, programs: FloatArray | None) -> None:
    """Give a track its notes, and the program of the register in which most of them lie, where that is known."""
    set_notes(track, notes)
    if programs is not None and len(notes):
        program = int(programs[register(np.median(notes.pitch, keepdims=True))[0]])
        track.program = program if program >= 0 else track.program


def merge(result: Any, melodic: Sequence[int], made: Notes, programs: FloatArray | None) -> None:
    """Put all melodic notes into one track, or one for each register if ``programs`` are given.

    The new tracks take name, program and controllers of the busiest old one; the first also takes the lyrics of all.
    """
    busiest = max(melodic, key=lambda index: len(result.tracks[index].notes))
    model = result.tracks[busiest].copy()
    for index in melodic:
        if index != busiest:
            model.lyrics.extend(result.tracks[index].lyrics)
    model.lyrics.sort(key=lambda lyric: lyric.time)
    rest = [track.copy() for index, track in enumerate(result.tracks) if index not in melodic]
    groups = np.zeros(len(made), dtype=np.int64) if programs is None else register(made.pitch)
    merged: list[Any] = []
    for group in np.unique(groups) if len(made) else [0]:
        track = model.copy()
        fill(track, unison(made.where(groups == group)), programs)
        if programs is not None:
            track.name = REGISTER_NAMES[group]
        if merged:
            track.lyrics.clear()
        merged.append(track)
    result.tracks = type(result.tracks)([*merged, *rest])


def unison(notes: Notes) -> Notes:
    """Notes of several tracks for one: of those that begin together on a pitch the loudest; each ends where the next begins.

    A pitch sounds as long as before.
    """
    notes = notes.where(np.lexsort((notes.velocity, notes.start, notes.pitch)))
    end = latest_end(notes.end, notes.pitch)
    following = next_start(notes, notes.pitch)
    lost = (notes.start == following) & (end > following)
    return replace(notes, end=np.minimum(end, following)).where(~lost)


def without_overlaps(made: Notes, source: Notes) -> Notes:
    """Notes of one pitch and track that run into each other are told apart, unless the source has both.

    MIDI cannot say which of two sounding notes of a pitch a note-off ends. What the source did stays as it did it: notes
    that are quite the source's are left alone, new ones begin when those end, and others end where the next begins.
    """
    kept, exact = known(made, source)
    order = np.lexsort((exact, made.start, made.pitch, made.track))  # of two that begin together, the first is lost
    made, kept, exact = made.where(order), kept[order], exact[order]
    voice = made.track * 128 + made.pitch
    end = np.where(exact, made.end, np.minimum(made.end, next_start(made, voice)))
    held = latest_end(np.where(exact, made.end, 0), voice)
    start = np.where(kept, made.start, np.maximum(made.start, held))
    return join([replace(made, start=start, end=end).where(exact | (end > start))])


def next_start(notes: Notes, voice: IntArray) -> IntArray:
    """(N,) start of the next note of the same voice; notes are in order of voice and start."""
    same = voice[1:] == voice[:-1]
    return np.append(np.where(same, notes.start[1:], NEVER), np.full(min(1, len(notes)), NEVER))


def latest_end(end: IntArray, voice: IntArray) -> IntArray:
    """(N,) the latest of the ends up to each note in its voice; notes are in order of voice."""
    return np.asarray(np.maximum.accumulate(voice * NEVER + end) - voice * NEVER)


def known(notes: Notes, source: Notes) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(N,) which notes begin as one of the source in its track does, and which of them also end as it does."""
    begins, begins_source = ((n.track * 128 + n.pitch) * NEVER + n.start for n in (notes, source))
    places = np.unique(begins_source)  # numbers in place of keys that have no room for the end
    whole, whole_source = (
        np.searchsorted(places, key) * NEVER + n.end for key, n in ((begins, notes), (begins_source, source))
    )
    kept = np.isin(begins, places)
    return kept, kept & np.isin(whole, whole_source)
