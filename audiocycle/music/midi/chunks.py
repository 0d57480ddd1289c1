"""The shell of a MIDI file: its header, and where its tracks lie. Looks at chunk headers only, so it is fast.

Source: Standard MIDI Files 1.0 (RP-001): ``MThd``, length, format, number of tracks, division; then ``MTrk``, length,
events for each track.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from audiocycle.errors import InputError
from audiocycle.music.midi.limits import Limits, check_tracks

END_OF_TRACK = b"\xff\x2f\x00"
SMPTE_BIT = 0x8000
"""Set in a division that counts frames of a second instead of ticks of a quarter note."""
_LONGEST_HEADER = 256
"""Bytes. A header that says more is damaged, or belongs to a packer that reuses the name MThd."""
_LOST_TAIL = 4
"""So many bytes at the end of a file hold no more than an end-of-track event: no music is lost with them."""


@dataclass(frozen=True)
class ChunkLayout:
    """Where things lie in a MIDI file.

    Attributes:
        form: the format that the header says.
        division: the header's 16 bits that say how long a tick is.
        tracks: (begin, end) of each track's events, in bytes of the file.
        strangers: chunks of other kinds: how many tracks lie before it, and (begin, end) of the whole chunk.
        is_cut: by its length, the last track goes on behind the end of the file.
    """

    form: int
    division: int
    tracks: list[tuple[int, int]]
    strangers: list[tuple[int, int, int]]
    is_cut: bool


def find_tracks(data: bytes, name: str, limits: Limits) -> ChunkLayout:
    """Read the header and the chunk headers; lengths and numbers are believed only as far as the file bears them out.

    Bytes before ``MThd`` are skipped: a RIFF container (``.rmi``), MacBinary, the head of a mail.

    Raises:
        InputError: no MIDI file, a header that means nothing, no tracks, too many, or several songs (format 2).
    """
    begin = data.find(b"MThd")
    if begin < 0 or len(data) < begin + 14:
        raise InputError(f"{name}: {_what_else(data, begin)}")
    length, form, _, division = struct.unpack_from(">IHHH", data, begin + 4)
    if not 6 <= length <= _LONGEST_HEADER:
        raise InputError(f"{name}: its MIDI header claims {length:,} bytes; it is damaged or packed, export it again")
    if division == 0:
        raise InputError(f"{name}: its header says 0 ticks a quarter note, so its notes have no times; export it again")
    tracks, strangers, is_cut = _walk(data, begin + 8 + length, limits.max_tracks)
    if not tracks:
        raise InputError(f"{name}: holds no tracks, so no notes; choose another file")
    check_tracks(len(tracks), name, limits)
    if form == 2 and len(tracks) > 1:
        raise InputError(f"{name}: holds {len(tracks)} separate songs (MIDI format 2); save each as a file of format 0 or 1")
    return ChunkLayout(form, division, tracks, strangers, is_cut)


def _what_else(data: bytes, begin: int) -> str:
    """What a file without a whole MIDI header is, and what to do about it."""
    if not data:
        return "the file is empty (0 bytes); copy or export it again"
    if begin >= 0:
        return "is truncated, it ends within its MIDI header; copy it again"
    if data.startswith(b"SMF2CLIP"):
        return "is a MIDI 2.0 clip; export it as a Standard MIDI File (MIDI 1.0)"
    return "is not a MIDI file (it has no MThd header); export it as a Standard MIDI File"


def _walk(data: bytes, position: int, enough: int) -> tuple[list[tuple[int, int]], list[tuple[int, int, int]], bool]:
    """Tracks and strangers (see :class:`ChunkLayout`) from ``position`` on; whether the last track is cut off.

    Stops above ``enough`` tracks.
    """
    tracks: list[tuple[int, int]] = []
    strangers: list[tuple[int, int, int]] = []
    is_cut = False
    while len(data) - position >= 8 and len(tracks) <= enough:
        kind, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "big")
        body, end = position + 8, position + 8 + size
        if kind == b"MThd":  # another song was appended
            break
        if kind == b"MTrk":
            true_end = _true_end(data, body, end)
            is_cut = true_end == len(data) and end > len(data) + _LOST_TAIL
            tracks.append((body, true_end))
            position = true_end
        elif kind.isalnum() and end <= len(data):  # a chunk of another kind
            strangers.append((len(tracks), position, end))
            position = end
        else:
            position = data.find(b"MTrk", position)
            if position < 0:  # padding behind the last track
                break
    return tracks, strangers, is_cut


def _true_end(data: bytes, body: int, end: int) -> int:
    """Where a track's events end: ``end``, as its length says, unless what lies there contradicts it."""
    ends = end == len(data) or data.startswith((b"MTrk", b"MThd"), end) or data.endswith(END_OF_TRACK, body, end)
    if ends and end <= len(data):
        return end
    following = data.find(b"MTrk", body)
    last = following if following >= 0 else len(data)
    return end if end < last and data.find(END_OF_TRACK, end - 2, last) < 0 else last
