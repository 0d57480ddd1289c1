"""MIDI files as bytes, written by hand so that they can be wrong in any place."""

from __future__ import annotations

import struct

from symusic.core import ScoreTick

TEMPO_120 = b"\x07\xa1\x20"


def number(value: int) -> bytes:
    """A variable-length quantity: seven bits a byte, all but the last with the top bit set."""
    digits = bytes([value & 127])
    while value := value >> 7:
        digits = bytes([value & 127 | 128]) + digits
    return digits


def on(pitch: int, velocity: int = 64, channel: int = 0) -> bytes:
    return bytes([0x90 | channel, pitch, velocity])


def off(pitch: int, channel: int = 0) -> bytes:
    return bytes([0x80 | channel, pitch, 0])


def meta(kind: int, body: bytes) -> bytes:
    return bytes([0xFF, kind]) + number(len(body)) + body


END = (0, meta(0x2F, b""))
SONG = ((0, on(60)), (480, off(60)), (0, on(64, 80)), (240, off(64)))
"""C4 for a quarter, E4 for an eighth, at 480 ticks a quarter."""
SONG_NOTES = [(0, 480, 60, 64), (480, 240, 64, 80)]


def body(*events: tuple[int, bytes]) -> bytes:
    """Pairs of delta and event."""
    return b"".join(number(delta) + event for delta, event in events)


def chunk(content: bytes, length: int | None = None, kind: bytes = b"MTrk") -> bytes:
    return kind + struct.pack(">I", len(content) if length is None else length) + content


def track(*events: tuple[int, bytes], length: int | None = None) -> bytes:
    """A track chunk with an end-of-track event."""
    return chunk(body(*events, END), length)


def header(n_tracks: int, form: int = 1, division: int = 480) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, form, n_tracks, division)


def midi(*tracks: bytes, form: int = 1, division: int = 480, n_tracks: int | None = None) -> bytes:
    return header(len(tracks) if n_tracks is None else n_tracks, form, division) + b"".join(tracks)


def notes(score: ScoreTick) -> list[tuple[int, int, int, int]]:
    """(time, duration, pitch, velocity) of all notes, track by track."""
    return [(n.time, n.duration, n.pitch, n.velocity) for part in score.tracks for n in part.notes]
