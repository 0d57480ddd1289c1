"""The events of a MIDI track, read from bytes that may be damaged, and written by the book.

Source: Standard MIDI Files 1.0 (RP-001): a time, then a status (left out where it repeats) and its data.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

META, SYSEX, ESCAPE = 0xFF, 0xF0, 0xF7
DEVICE, CHANNEL_PREFIX, PORT = 0x09, 0x20, 0x21
NAME, LYRIC, MARKER, END, TEMPO, TIME_SIGNATURE, KEY_SIGNATURE = 0x03, 0x05, 0x06, 0x2F, 0x51, 0x58, 0x59
"""Kinds of meta events."""
NOTE_OFF, NOTE_ON, CONTROL, PROGRAM, PITCH_BEND = 0x8, 0x9, 0xB, 0xC, 0xE
"""Upper halves of the status of what is played on a channel."""
ALL_NOTES_OFF = 123
"""A controller that changes nothing where nothing sounds: it makes a song as long as it was."""
_N_DATA = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_N_SYSTEM_DATA = {0xF1: 1, 0xF2: 2, 0xF3: 1}
_MOST_STRAYS = 16
"""Bytes of a track that belong to nothing. Below it, a few were inserted; above it, what is read makes no sense."""
_LONGEST_NUMBER = 8
"""Bytes of a time or a length. The standard allows four; what more of them say, the limits refuse."""


class Event(NamedTuple):
    """One event of a track.

    Attributes:
        tick: time from the track's start.
        status: status byte; ``META`` for meta events, ``SYSEX`` and ``ESCAPE`` for system exclusive ones.
        kind: kind of a meta event, 0 for others.
        body: its data.
        position: where its data lie in the file.
    """

    tick: int
    status: int
    kind: int
    body: bytes
    position: int = 0

    @property
    def ends(self) -> bool:
        """True for the end of a track."""
        return self.status == META and self.kind == END


class DamageError(Exception):
    """A track cannot be read to its end. The message goes on after "track N"."""


def read_events(data: bytes, begin: int, end: int) -> Iterator[Event]:
    """The events of the track in ``data[begin:end]``, up to and with its end-of-track event if it has one.

    What no file may hold (real-time and undefined messages, a few stray bytes) is skipped; its time counts.

    Raises:
        DamageError: it ends within an event, or what is read makes no sense.
    """
    at, tick, running, n_strays = begin, 0, 0, 0
    while at < end:
        delta = data[at]
        if delta < 0x80:
            at += 1
        else:
            delta, at = _number(data, at, end)
        tick += delta
        if at >= end:
            return
        status = data[at]
        if status >= 0x80:
            at += 1
        elif running:
            status = running
        else:
            at, n_strays = at + 1, n_strays + 1
            if n_strays > _MOST_STRAYS:
                raise DamageError(f"is damaged at byte {at:,}")
            continue
        if status < 0xF0:
            running = status
            stop = at + _N_DATA[status >> 4]
            if stop > end:
                raise DamageError(f"ends within an event, at byte {at:,}")
            yield Event(tick, status, 0, data[at:stop], at)
            at = stop
        elif status in (META, SYSEX, ESCAPE):
            if status == META and end - at < 2:  # what is left of an end-of-track event
                return
            kind = data[at] if status == META else 0
            length, at = _number(data, at + (status == META), end)
            body = data[at : at + length]
            if at + length > end or (status == SYSEX and not body.rstrip(b"\xf7").isascii()):
                raise DamageError(f"is damaged at byte {at:,}")
            yield Event(tick, status, kind, body, at)
            if status == META and kind == END:
                return
            at += length
        else:
            at += _N_SYSTEM_DATA.get(status, 0)


def write_track(events: Iterable[Event], running: bool = False) -> bytes:
    """A track chunk of events in order of time; an end-of-track event is added where there is none.

    Args:
        running: leave out a status that repeats.
    """
    body, before, status, ended = bytearray(), 0, 0, False
    for event in events:
        delta = event.tick - before
        if delta < 0x80:
            body.append(delta)
        else:
            body += _as_number(delta)
        if event.status < SYSEX:
            if not running or event.status != status:
                body.append(event.status)
            status = event.status
        else:
            body.append(event.status)
            status = 0
            if event.status == META:
                body.append(event.kind)
                ended = event.kind == END
            body += _as_number(len(event.body))
        body += event.body
        before = event.tick
    if not ended:
        body += b"\x00\xff\x2f\x00"
    return write_chunk(b"MTrk", body)


def write_chunk(name: bytes, body: bytes | bytearray) -> bytes:
    """A chunk of any name."""
    return name + struct.pack(">I", len(body)) + body


def write_header(form: int, n_tracks: int, division: int) -> bytes:
    """The header chunk."""
    return struct.pack(">4sIHHH", b"MThd", 6, form, n_tracks, division)


def _number(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A variable-length quantity and the position behind it; what there is of it where the track ends.

    Raises:
        DamageError: it goes on and on.
    """
    value, last = 0, at + _LONGEST_NUMBER
    while at < end:
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
        if at == last:
            raise DamageError(f"is damaged at byte {at:,}")
    return value, at


def _as_number(value: int) -> bytes:
    """A variable-length quantity."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))
