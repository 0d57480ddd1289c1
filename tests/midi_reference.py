"""What a synthesizer hears of a MIDI file, read by hand: knows nothing of the package's own reader."""

from __future__ import annotations

import struct
from collections import defaultdict
from fractions import Fraction
from typing import NamedTuple

N_DATA = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
STATE = (7, 10, 11, 64)
"""Controllers of what is heard: volume, pan, expression, sustain pedal."""


class Raw(NamedTuple):
    """An event: its chunk, time in quarter notes (or in ticks of SMPTE time), and its bytes with the status."""

    chunk: int
    time: Fraction
    data: bytes

    @property
    def is_note(self) -> bool:
        return self.data[0] >> 4 in (8, 9)


class Note(NamedTuple):
    chunk: int
    channel: int
    start: Fraction
    end: Fraction | None
    pitch: int
    velocity: int
    program: int
    bank: tuple[int, int]
    state: tuple[int, ...]
    bend: int


def raw_events(data: bytes) -> list[Raw]:
    """All events, chunk by chunk; values above 127 are cut to 127, programs and controllers above it left out."""
    head = data.index(b"MThd")
    length, _, _, division = struct.unpack(">IHHH", data[head + 4 : head + 14])
    frames, per_frame = 256 - (division >> 8), division & 255
    is_smpte = division >= 0x8000 and frames in (24, 25, 29, 30) and per_frame > 0
    at, chunk, found = head + 8 + length, -1, []
    while (begin := data.find(b"MTrk", at)) >= 0 and b"MThd" not in data[at:begin]:
        chunk += 1
        stop = begin + 8 + struct.unpack(">I", data[begin + 4 : begin + 8])[0]
        if data[stop : stop + 4] not in (b"MTrk", b"") or stop > len(data):
            stop = len(data)
        ticks, at = _events(data, begin + 8, stop)
        found += [Raw(chunk, Fraction(tick, 1 if is_smpte else division), event) for tick, event in ticks]
    return found


def _events(data: bytes, at: int, stop: int) -> tuple[list[tuple[int, bytes]], int]:
    found, tick, running = [], 0, 0
    while at < stop:
        delta, at = _number(data, at, stop)
        tick += delta
        if at >= stop:
            break
        status = data[at]
        at += status >= 0x80
        if status < 0x80:
            status, at = running or status, at + (not running)
            if status < 0x80:
                continue
        if status < 0xF0:
            running = status
            values = data[at : at + N_DATA[status >> 4]]
            at += len(values)
            if values[0] < 0x80 or status >> 4 not in (0xB, 0xC):
                found.append((tick, bytes([status, *(min(value, 127) for value in values)])))
        elif status in (0xFF, 0xF0, 0xF7):
            kind = data[at : at + (status == 0xFF)]
            length, at = _number(data, at + len(kind), stop)
            found.append((tick, bytes([status]) + kind + data[at : at + length]))
            at += length
            if kind == b"\x2f":
                break
        else:
            at += {0xF1: 1, 0xF2: 2, 0xF3: 1}.get(status, 0)
    return found, at


def _number(data: bytes, at: int, stop: int) -> tuple[int, int]:
    value = 0
    while at < stop:
        byte, at = data[at], at + 1
        value = value << 7 | byte & 127
        if byte < 0x80:
            break
    return value, at


def others(events: list[Raw]) -> list[Raw]:
    """All events that are no notes, but the ends of the tracks."""
    return [event for event in events if not event.is_note and event.data[:2] != b"\xff\x2f"]


def sounding_notes(events: list[Raw]) -> list[Note]:
    """The notes with what their channel is set to when they begin. A note-off ends the oldest note of its channel and pitch."""
    program, bend = defaultdict[int, int](int), defaultdict[int, int](lambda: 8192)
    control: dict[tuple[int, int], int] = {}
    bank: dict[int, tuple[int, int]] = {}
    sounding = defaultdict[tuple[int, int], list[int]](list)
    notes: list[Note] = []
    for chunk, time, data in sorted(events, key=lambda event: event.time):
        kind, channel = data[0] >> 4, data[0] & 15
        if kind == 0xC:
            program[channel] = data[1]
            bank[channel] = (control.get((channel, 0), 0), control.get((channel, 32), 0))
        elif kind == 0xB:
            control[channel, data[1]] = data[2]
        elif kind == 0xE:
            bend[channel] = data[1] | data[2] << 7
        elif kind == 9 and data[2]:
            state = tuple(control.get((channel, number), -1) for number in STATE)
            sounding[channel, data[1]].append(len(notes))
            notes.append(
                Note(
                    chunk,
                    channel,
                    time,
                    None,
                    data[1],
                    data[2],
                    program[channel],
                    bank.get(channel, (0, 0)),
                    state,
                    bend[channel],
                )
            )
        elif kind in (8, 9) and sounding[channel, data[1]]:
            number = sounding[channel, data[1]].pop(0)
            notes[number] = notes[number]._replace(end=time)
    return notes
