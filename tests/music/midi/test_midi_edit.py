"""Changed notes in a song's events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from tiny_midi import midi, off, on, track

from audiocycle.music.midi.edit import edited
from audiocycle.music.midi.limits import LIMITS
from audiocycle.music.midi.song import song_from_bytes
from audiocycle.music.midi.strokes import find_strokes, parts_of
from audiocycle.music.notes import NEW, Notes, join


class Watched(np.ndarray[Any, np.dtype[np.int64]]):
    """Counts what is copied of it."""

    n_copied: ClassVar[int] = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        Watched.n_copied += np.size(found)
        return found


def test_new_notes_beside_many_others_cost_what_they_are_not_what_is_there() -> None:
    """A part whose channel changes its program is looked at once, not once for each new note."""
    n = 200
    events = [each for i in range(n) for each in ((0, bytes([0xC0, i % 2])), (0, on(60)), (96, off(60)))]
    song = song_from_bytes(midi(track(*events)), "s.mid", LIMITS)
    strokes = find_strokes(song.chunks)
    parts, source = parts_of(strokes)
    starts = np.arange(n) * 96
    new = Notes(starts, starts + 48, np.full(n, 72), np.full(n, 64), np.zeros(n, np.int64), np.full(n, NEW))
    Watched.n_copied = 0
    made = edited(
        song, replace(strokes, start=strokes.start.view(Watched)), parts, source, join([source, new])
    )
    assert len(find_strokes(made.chunks)) == 2 * n
    assert Watched.n_copied < 10 * n
