"""Rewrites a MIDI file that symusic refuses, or would misread, into one that is by the book.

Mended, because no music is lost: wrong chunk lengths and counts, stray bytes, undefined messages, controls, velocities and
programs above 127, tempos and signatures that say nothing, a lost end-of-track event, SMPTE time, divisions that
overflowed. Refused: what ends within a track, notes of impossible pitch, and bytes that make no sense.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from audiocycle.errors import InputError
from audiocycle.music.midi_chunks import SMPTE_BIT, Layout
from audiocycle.music.midi_events import (
    END,
    KEY_SIGNATURE,
    META,
    NOTE_OFF,
    NOTE_ON,
    PITCH_BEND,
    TEMPO,
    TIME_SIGNATURE,
    DamageError,
    Event,
    read_events,
    write_header,
    write_track,
)
from audiocycle.music.midi_limits import Limits, check_length

_FRAME_RATES = {24: 24.0, 25: 25.0, 29: 30000 / 1001, 30: 30.0}
"""Frames a second by the number in a SMPTE division."""
_TRACK_NAME, _LYRIC, _MARKER = 0x03, 0x05, 0x06


@dataclass(frozen=True)
class _Timing:
    """What replaces a division: ticks times ``scale``, ``per_quarter`` a quarter; ``tempo`` replaces all tempos."""

    per_quarter: int
    scale: float = 1.0
    tempo: int | None = None


def repaired(data: bytes, layout: Layout, name: str, limits: Limits) -> bytes:
    """The music of a file as a file that strict readers take; what a score does not keep is left out.

    Raises:
        InputError: a track is cut off or damaged so that notes would be lost, or longer than ``limits``.
    """
    timing = _timing(layout.division)
    chunks = []
    for number, (begin, end) in enumerate(layout.tracks, start=1):
        must_end = layout.is_cut and number == len(layout.tracks)
        events = _mended(read_events(data, begin, end), timing, must_end)
        try:
            chunks.append(write_track(_no_longer(events, timing.per_quarter, name, limits)))
        except DamageError as error:
            raise InputError(f"{name}: track {number} {error}; copy it again, or export it again from its source") from None
    if timing.tempo is not None:
        chunks.insert(0, write_track([Event(0, META, TEMPO, timing.tempo.to_bytes(3, "big"))]))
    return write_header(len(chunks), timing.per_quarter) + b"".join(chunks)


def _timing(division: int) -> _Timing:
    """Ticks a quarter note for any division.

    SMPTE time counts frames of a second, not notes. It is read as music at about 120 beats a minute: seconds are kept,
    beats are a guess. Where the top byte is no frame rate, the division is ticks above 32767 that ran into the SMPTE bit.
    """
    if division < SMPTE_BIT:
        return _Timing(division)
    frames, per_frame = 0x100 - (division >> 8), division & 0xFF
    if frames not in _FRAME_RATES or per_frame == 0:
        return _Timing(division // 2, scale=division // 2 / division)
    per_second = _FRAME_RATES[frames] * per_frame
    per_quarter = round(per_second / 2)
    return _Timing(per_quarter, tempo=round(1e6 * per_quarter / per_second))


def _no_longer(events: Iterator[Event], per_quarter: int, name: str, limits: Limits) -> Iterator[Event]:
    """The events, as long as their times are within the limits: symusic's are 32 bits, and wrap around."""
    for event in events:
        check_length(event.tick, per_quarter, name, limits)
        yield event


def _mended(events: Iterator[Event], timing: _Timing, must_end: bool) -> Iterator[Event]:
    """The events that a score keeps, with the new timing, all values possible.

    Raises:
        DamageError: a note's pitch is impossible, the bytes are misread, or the end is missing and ``must_end``.
    """
    has_end = was_clipped = False
    for event in events:
        has_end = (event.status, event.kind) == (META, END)
        if event.status == META:
            if _is_meant(event) and not (event.kind == TEMPO and timing.tempo is not None):
                yield event._replace(tick=round(event.tick * timing.scale))
            continue
        is_clipped = not event.body.isascii()
        if event.status >> 4 in (NOTE_OFF, NOTE_ON) and event.body[0] > 127:
            raise DamageError(f"has a note of pitch {event.body[0]}, above 127, at byte {event.position:,}")
        if is_clipped and was_clipped:  # one is a wrong value; two in a row are bytes misread
            raise DamageError(f"is damaged at byte {event.position:,}")
        was_clipped = is_clipped
        if event.body[0] < 128 or event.status >> 4 == PITCH_BEND:  # else a program or control that does not exist
            body = bytes(min(value, 127) for value in event.body) if is_clipped else event.body
            yield event._replace(tick=round(event.tick * timing.scale), body=body)
    if must_end and not has_end:
        raise DamageError("is cut off")


def _is_meant(event: Event) -> bool:
    """False for a meta event that a score does not keep, or that says nothing."""
    body = event.body
    if event.kind == TEMPO:
        return len(body) == 3 and any(body)
    if event.kind == TIME_SIGNATURE:  # numerator, denominator as a power of two, and two more
        return len(body) == 4 and body[0] > 0 and body[1] < 8
    if event.kind == KEY_SIGNATURE:  # sharps (flats below 0), minor
        return len(body) == 2 and (body[0] + 7) % 256 <= 14 and body[1] <= 1
    return event.kind in (_TRACK_NAME, _LYRIC, _MARKER)
