"""Notes of a score as arrays, and back: what rolls and renderers work on, without a loop over notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import symusic
from numpy.typing import NDArray

if TYPE_CHECKING:
    from symusic.core import ScoreTick

IntArray = NDArray[np.int64]
NEW = -1
NEVER = 1 << 32
"""Ticks; later than any time in a MIDI file."""
COLUMNS = ("time", "duration", "pitch", "velocity")


@dataclass(frozen=True)
class Notes:
    """Notes of several tracks, in order of time.

    Attributes:
        start, end: (N,) ticks.
        pitch, velocity: (N,) MIDI numbers.
        track: (N,) index of the track in its score, or of the part in its song.
        origin: (N,) number of the source's note that it is, or was before it was resized; NEW for others.
    """

    start: IntArray
    end: IntArray
    pitch: IntArray
    velocity: IntArray
    track: IntArray
    origin: IntArray

    def __len__(self) -> int:
        return len(self.start)

    def where(self, chosen: NDArray[Any]) -> Notes:
        """The notes of a mask or of indices."""
        return Notes(*(column[chosen] for column in self.columns))

    @property
    def columns(self) -> tuple[IntArray, ...]:
        """start, end, pitch, velocity, track, origin."""
        return self.start, self.end, self.pitch, self.velocity, self.track, self.origin


def join(parts: list[Notes]) -> Notes:
    """Several lots of notes as one, in order of time."""
    columns = [np.concatenate(column) for column in zip(*(part.columns for part in parts), strict=True)]
    joined = Notes(*columns)
    return joined.where(np.lexsort((joined.pitch, joined.start)))


def empty() -> Notes:
    """No notes."""
    return Notes(*(np.zeros(0, np.int64) for _ in range(6)))


def next_start(notes: Notes, voice: IntArray) -> IntArray:
    """(N,) start of the next note of the same voice; notes are in order of voice and start."""
    same = voice[1:] == voice[:-1]
    return np.append(np.where(same, notes.start[1:], NEVER), np.full(min(1, len(notes)), NEVER))


def latest_end(end: IntArray, voice: IntArray) -> IntArray:
    """(N,) the latest of the ends up to each note in its voice; notes are in order of voice."""
    return np.asarray(np.maximum.accumulate(voice * NEVER + end) - voice * NEVER)


def notes_of(score: ScoreTick) -> Notes:
    """All notes of a score but those of its drum tracks."""
    parts = [empty()]
    for index, track in enumerate(score.tracks):
        if len(track.notes) and not track.is_drum:
            table = track.notes.numpy()
            time, duration, pitch, velocity = (table[name].astype(np.int64) for name in COLUMNS)
            parts.append(
                Notes(
                    time, time + duration, pitch, velocity, np.full(len(time), index), np.full(len(time), NEW)
                )
            )
    return join(parts)


def set_notes(track: Any, notes: Notes) -> None:
    """Give a track these notes instead of its own."""
    track.notes = symusic.Note.from_numpy(
        notes.start.astype(np.int32),
        (notes.end - notes.start).astype(np.int32),
        notes.pitch.astype(np.int8),
        notes.velocity.astype(np.int8),
        "tick",
    )
