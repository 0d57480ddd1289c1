"""The notes of a song, found among its events as a synthesizer plays them, each with the events that it is made of."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.midi.events import ESCAPE, META, NOTE_OFF, NOTE_ON, SYSEX, Event
from audiocycle.music.midi.song import Chunk
from audiocycle.music.midi.state import ChannelState
from audiocycle.music.notes import IntArray, Notes

NOTHING = -1
_LONGEST_MESSAGE = 16
"""Bytes of a system exclusive message that are kept; those that change a channel are shorter."""
_Key = tuple[int, int, int]
_Off = tuple[int, int]


@dataclass(frozen=True)
class Strokes:
    """All notes of a song that end, in order of time; (N,) each.

    Attributes:
        chunk: where its note-on is.
        on: the note-on's place in its chunk.
        off_chunk, off: where its note-off is; ``NOTHING`` where it ends because ``ender`` strikes the same key.
        ender: the note that ends it, or ``NOTHING``.
        channel, pitch, velocity, start, end: as in the file.
        program, is_drum: of its channel when it begins.
        master: the channel on which new notes beside it go: its own, but in an MPE zone that zone's master.
    """

    chunk: IntArray
    on: IntArray
    off_chunk: IntArray
    off: IntArray
    ender: IntArray
    channel: IntArray
    pitch: IntArray
    velocity: IntArray
    start: IntArray
    end: IntArray
    program: IntArray
    is_drum: NDArray[np.bool_]
    master: IntArray

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True)
class Parts:
    """Who plays the melodic notes: a part is one channel in one chunk.

    Attributes:
        chunk, channel: (P,) of each part.
        heir: (P,) the part to which its new notes go: itself, but in an MPE zone, whose channels bend the note that they play, the
            zone's master.
    """

    chunk: IntArray
    channel: IntArray
    heir: IntArray

    def __len__(self) -> int:
        return len(self.chunk)


def find_strokes(chunks: Sequence[Chunk]) -> Strokes:
    """The notes of a song.

    Of notes that overlap on one key (pitch, channel and chunk), the first to begin is the first to end. Where a key is struck
    more often than it is released, each strike that has no release of its own lasts until the next. Notes that nothing ends are left out.
    """
    state = ChannelState()
    found: list[tuple[int, ...]] = []  # chunk, on, channel, pitch, velocity, start, program, is_drum, master
    packets: dict[int, bytes] = {}
    """By chunk: a system exclusive message that was begun, and goes on in packets of its own."""
    keys: dict[_Key, list[tuple[int, int]]] = {}
    """Strikes as (number, 0), releases as (NOTHING, place in the chunk)."""
    for tick, number, place, event in _in_time(chunks):
        status, body = event.status, event.body
        kind = status >> 4
        if status in (SYSEX, ESCAPE):
            _listen(state, packets, number, event)
        elif kind not in (NOTE_ON, NOTE_OFF):
            if status < SYSEX:
                state.play(status, body)
        else:
            channel, pitch = status & 0xF, body[0]
            key = (number, channel, pitch)
            if kind == NOTE_ON and body[1]:
                keys.setdefault(key, []).append((len(found), 0))
                now = state.program[channel], state.is_drum[channel], state.master[channel]
                found.append((number, place, channel, pitch, body[1], tick, *now))
            else:
                keys.setdefault(key, []).append((NOTHING, place))
    return _ended(chunks, found, keys)


def _listen(state: ChannelState, packets: dict[int, bytes], chunk: int, event: Event) -> None:
    """Take in a system exclusive message that is whole, or a packet of one; an escape that continues nothing says nothing."""
    begun = packets.pop(chunk, b"") if event.status == ESCAPE else b""
    if event.status == ESCAPE and not begun:
        return
    message = (begun + event.body)[:_LONGEST_MESSAGE]
    if not state.tell(message) and not event.body.endswith(b"\xf7"):
        packets[chunk] = message


def _in_time(chunks: Sequence[Chunk]) -> list[tuple[int, int, int, Event]]:
    """All events as (tick, chunk, place in it, event), in the order in which a player sends them: meta events are left out."""
    found = [
        (event.tick, number, place, event)
        for number, chunk in enumerate(chunks)
        for place, event in enumerate(chunk)
        if event.status != META
    ]
    found.sort(key=itemgetter(0))  # chunk by chunk where times are equal
    return found


def parts_of(strokes: Strokes) -> tuple[Parts, Notes]:
    """The parts of a song, and its melodic notes with them as tracks and their place in ``strokes`` as origin."""
    origin = np.flatnonzero(~strokes.is_drum)
    own, masters = (
        strokes.chunk[origin] * 16 + channel[origin] for channel in (strokes.channel, strokes.master)
    )
    names = np.unique(np.concatenate([own, masters]))
    track = np.searchsorted(names, own)
    heir = np.arange(len(names))
    heir[track] = np.searchsorted(names, masters)
    parts = Parts(names // 16, names % 16, heir)
    start, end, pitch, velocity = (
        each[origin] for each in (strokes.start, strokes.end, strokes.pitch, strokes.velocity)
    )
    notes = Notes(start, end, pitch, velocity, track.astype(np.int64), origin)
    return parts, notes.where(np.lexsort((notes.pitch, notes.start)))


def _ended(
    chunks: Sequence[Chunk], found: list[tuple[int, ...]], keys: dict[_Key, list[tuple[int, int]]]
) -> Strokes:
    """The strikes with their ends."""
    n = len(found)
    off_chunk, off, ender, end = ([NOTHING] * n for _ in range(4))
    loose: dict[tuple[int, int], list[int]] = {}
    spare: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for (number, channel, pitch), sequence in keys.items():
        chunk, alone = chunks[number], _without_release(sequence)
        waiting: deque[int] = deque()
        last = NOTHING  # a strike that has no release of its own
        for strike, place in sequence:
            if strike == NOTHING:
                if waiting:
                    stroke = waiting.popleft()
                    off_chunk[stroke], off[stroke], end[stroke] = number, place, chunk[place].tick
                else:
                    spare.setdefault((channel, pitch), []).append((chunk[place].tick, number, place))
                continue
            if last != NOTHING:
                ender[last], end[last] = strike, found[strike][5]
            last = strike if strike in alone else NOTHING
            if last == NOTHING:
                waiting.append(strike)
            else:
                loose.setdefault((channel, pitch), []).append(strike)
    for name, releases in spare.items():  # of other chunks
        free = deque(sorted(releases))
        for stroke in sorted(loose.get(name, ())):  # in order of time
            while free and free[0][0] < found[stroke][5]:
                free.popleft()
            if free and (end[stroke] == NOTHING or free[0][0] <= end[stroke]):
                end[stroke], off_chunk[stroke], off[stroke] = free.popleft()
                ender[stroke] = NOTHING
    return _table(found, off_chunk, off, ender, end)


def _without_release(sequence: list[tuple[int, int]]) -> set[int]:
    """The strikes of a key that no release belongs to, when each belongs to the nearest strike before it that is free."""
    free: list[int] = []
    for strike, _ in sequence:
        if strike != NOTHING:
            free.append(strike)
        elif free:
            free.pop()
    return set(free)


def _table(
    found: list[tuple[int, ...]], off_chunk: list[int], off: list[int], ender: list[int], end: list[int]
) -> Strokes:
    """The strikes that end, as columns."""
    rows = np.array(found, dtype=np.int64).reshape(-1, 9).T
    chunk, on, channel, pitch, velocity, start, program, is_drum, master = rows
    ends = np.array(end, dtype=np.int64) != NOTHING
    numbers = np.cumsum(ends) - 1  # of those that stay
    enders = np.array(ender, dtype=np.int64)
    if len(enders):
        enders = np.where((enders != NOTHING) & ends[enders], numbers[enders], NOTHING)
    columns = (
        chunk, on, np.array(off_chunk, np.int64), np.array(off, np.int64), enders, channel, pitch, velocity,
        start, np.array(end, np.int64), program, is_drum.astype(bool), master,
    )  # fmt: skip
    return Strokes(*(column[ends] for column in columns))
