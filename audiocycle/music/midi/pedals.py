"""The sustain pedal, lifted where other notes than the song's would pile up under it.

Under a pedal that is held, notes ring on. A song changes its pedal with its harmony; where a conversion changes the harmony, the pedal
has to follow. Where no more pitch classes ring together than did in the song, it is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from audiocycle.music.midi.edit import Edits
from audiocycle.music.midi.events import CONTROL, Event
from audiocycle.music.midi.song import Song
from audiocycle.music.midi.strokes import Strokes, find_strokes
from audiocycle.music.notes import NEVER, IntArray

PEDAL, DOWN = 64, 64
"""The controller, and the value from which it is down."""
CHORD = 4
"""Pitch classes that may ring together in any case: a chord with a seventh."""
AGAIN = 16
"""Of a quarter note: the pedal is down again so long after it was lifted."""
_SIZES = np.array([each.bit_count() for each in range(1 << 12)], np.int64)


class Pedalled(NamedTuple):
    """The pedal of a channel, down from ``begin`` to ``end``, ticks; ``value`` as the event says that put it down, in ``chunk``."""

    channel: int
    begin: int
    end: int
    chunk: int
    value: int


def with_pedals_lifted(song: Song, source: Strokes) -> Song:
    """A converted song whose pedals are lifted, at the first note of a beat, wherever more pitch classes would ring together than before.

    Args:
        source: the notes of the song before it was converted.
    """
    pedalled = list(pedals(song))
    if not pedalled:
        return song
    notes, edits = find_strokes(song.chunks), Edits(song)
    for channel in {each.channel for each in pedalled}:
        mine = [each for each in pedalled if each.channel == channel]
        before = _classes(mine, source, channel, song.per_quarter)
        after = _classes(mine, notes, channel, song.per_quarter)
        for number in np.flatnonzero(after.in_all > np.maximum(CHORD, before.in_all)).tolist():
            most, pedal = max(CHORD, int(before.in_all[number])), mine[number]
            for tick in after.changes(number, most):
                again = min(tick + max(1, song.per_quarter // AGAIN), pedal.end)
                edits.put(pedal.chunk, Event(tick, CONTROL << 4 | channel, 0, bytes([PEDAL, 0])))
                if again < pedal.end:
                    edits.put(
                        pedal.chunk, Event(again, CONTROL << 4 | channel, 0, bytes([PEDAL, pedal.value]))
                    )
    return replace(song, chunks=edits.chunks())


def is_pedal(event: Event) -> bool:
    """Whether it moves a sustain pedal."""
    return event.status >> 4 == CONTROL and event.body[0] == PEDAL


def pedals(song: Song) -> Iterator[Pedalled]:
    """Every time that a pedal is down, channel by channel."""
    found = [
        (event.tick, number, event.status & 0xF, event.body[1])
        for number, chunk in enumerate(song.chunks)
        for event in chunk
        if is_pedal(event)
    ]
    down: dict[int, tuple[int, int, int]] = {}
    for tick, number, channel, value in sorted(found, key=itemgetter(0)):
        if value >= DOWN:
            down.setdefault(channel, (tick, number, value))
        elif channel in down:
            begin, chunk, was = down.pop(channel)
            yield Pedalled(channel, begin, tick, chunk, was)
    for channel, (begin, chunk, was) in down.items():
        yield Pedalled(channel, begin, NEVER, chunk, was)


class _Rung(NamedTuple):
    """Which pitch classes ring under each of N pedals, as bits; in B beats.

    Attributes:
        pedal, tick, begun, held: (B,) number of the pedal; the first onset of a beat; what begins in the beat; what keys hold into it.
        in_all: (N,) how many classes ring under each pedal, all in all.
    """

    pedal: IntArray
    tick: IntArray
    begun: IntArray
    held: IntArray
    in_all: IntArray

    def changes(self, number: int, most: int) -> Iterator[int]:
        """The beats, as ticks, at which a pedal has to be lifted so that no more than ``most`` classes ring together."""
        first, stop = np.searchsorted(self.pedal, (number, number + 1))
        ringing = 0
        for tick, begun, held in zip(*(each[first:stop].tolist() for each in self[1:4]), strict=True):
            if ringing and (ringing | begun).bit_count() > most:
                yield tick
                ringing = held
            ringing |= begun | held


def _classes(mine: list[Pedalled], strokes: Strokes, channel: int, per_quarter: int) -> _Rung:
    """What rings under the pedals of a channel, in order of time; they do not overlap."""
    begins, ends = (np.array([each[place] for each in mine], np.int64) for place in (1, 2))
    chosen = (strokes.channel == channel) & ~strokes.is_drum
    start, end, kind = strokes.start[chosen], strokes.end[chosen], strokes.pitch[chosen] % 12
    pedal = np.searchsorted(begins, start, side="right") - 1
    under = (pedal >= 0) & (start < ends[pedal])
    tick, pedal, bit = start[under], pedal[under], 1 << kind[under]
    beat = pedal * NEVER + tick // per_quarter
    firsts = np.flatnonzero(np.diff(beat, prepend=-1))
    begun = np.bitwise_or.reduceat(bit, firsts) if len(firsts) else bit
    tick, pedal = tick[firsts], pedal[firsts]
    held = np.zeros(len(firsts), np.int64)
    for each in range(12):
        of_it = kind == each
        begun_before = np.searchsorted(start[of_it], tick, side="left")
        held |= (begun_before > np.searchsorted(np.sort(end[of_it]), tick, side="right")).astype(
            np.int64
        ) << each
    in_all = np.zeros(len(mine), np.int64)
    np.bitwise_or.at(in_all, pedal, begun | held)
    return _Rung(pedal, tick, begun, held, _SIZES[in_all])
