"""A song begins and ends where it did: nothing new before its first note or behind its last, and the last chord stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from audiocycle.music.notes import NEW, Notes, join


def closing(source: Notes, together: int) -> Notes:
    """The last chord of a song, and what is held until its end.

    Args:
        together: ticks between two notes that begin, or end, at one moment.
    """
    last, end = source.start.max(initial=0), source.end.max(initial=0)
    return source.where((source.start >= last - together) | (source.end >= end - together))


def within_song(notes: Notes, source: Notes, together: int) -> Notes:
    """The notes of a conversion within their song.

    New notes begin no earlier than the first note of the source and no later than its last; nothing sounds on longer than the source
    does. What closes the song is the source's.

    Args:
        together: see :func:`closing`.
    """
    begin, last, end = int(source.start.min()), int(source.start.max()), int(source.end.max())
    new = notes.origin == NEW
    beside = new & ((notes.start < begin - together) | (notes.start > last + together) | (notes.start >= end))
    start = np.where(new, np.clip(notes.start, begin, last), notes.start)
    notes = replace(notes, start=start, end=np.minimum(notes.end, end)).where(~beside)
    stays = closing(source, together)
    return join([notes.where((notes.origin == NEW) | ~np.isin(notes.origin, stays.origin)), stays])
