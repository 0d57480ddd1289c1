"""A song as its file has it: every event of every chunk, in order, so that whatever a conversion does not touch leaves as it came.

Files that differ from the standard are read all the same where no music is lost: wrong chunk lengths and counts, stray bytes,
undefined messages, controls, velocities and programs above 127, a lost end-of-track event, SMPTE time, divisions that
overflowed. Refused: what ends within a track, notes of impossible pitch, and bytes that make no sense.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import InputError
from audiocycle.music.midi.chunks import SMPTE_BIT, find_tracks
from audiocycle.music.midi.events import (
    END,
    KEY_SIGNATURE,
    META,
    NOTE_OFF,
    NOTE_ON,
    PITCH_BEND,
    SYSEX,
    TEMPO,
    TIME_SIGNATURE,
    DamageError,
    Event,
    read_events,
    write_header,
    write_track,
)
from audiocycle.music.midi.limits import LONGEST_TICKS, Limits, check_length

_FRAME_RATES = {24: 24.0, 25: 25.0, 29: 30000 / 1001, 30: 30.0}
"""Frames a second by the number in a SMPTE division."""
USUAL_TEMPO = 500_000
"""Microseconds a quarter note where nothing else is said."""

Chunk = list[Event]
"""The events of a track in order of time; the last is its end-of-track event."""


@dataclass(frozen=True)
class Song:
    """What a MIDI file holds.

    Attributes:
        form: the file's format, 0 or 1 (2 with a single track).
        division: as the header has it.
        per_quarter: ticks a quarter note.
        chunks: the tracks.
        tempo: microseconds a quarter note, instead of all tempo events; for SMPTE time, which knows none.
        strangers: chunks of other kinds, whole: how many tracks lie before each, and its bytes.
        running: the file leaves out statuses that repeat.
    """

    form: int
    division: int
    per_quarter: int
    chunks: Sequence[Chunk]
    tempo: int | None = None
    strangers: Sequence[tuple[int, bytes]] = ()
    running: bool = False

    @property
    def last(self) -> int:
        """The tick of the last event that is not the end of a track."""
        return max((chunk[-2].tick for chunk in self.chunks if len(chunk) > 1), default=0)

    @property
    def tempos(self) -> list[tuple[int, int]]:
        """Tick and microseconds a quarter note of all tempo changes, in order."""
        if self.tempo is not None:
            return [(0, self.tempo)]
        found = [
            (e.tick, int.from_bytes(e.body, "big"))
            for e in self.metas(TEMPO)
            if len(e.body) == 3 and any(e.body)
        ]
        return sorted(found, key=lambda each: each[0])

    @property
    def signatures(self) -> list[tuple[int, int, int]]:
        """Tick, numerator and denominator of all time signatures that mean something, chunk by chunk."""
        found = [event for event in self.metas(TIME_SIGNATURE) if len(event.body) == 4]
        return [(e.tick, e.body[0], 1 << e.body[1]) for e in found if e.body[0] > 0 and e.body[1] < 8]

    @property
    def keys(self) -> list[tuple[int, int, int]]:
        """Tick, sharps (flats below 0) and minor (1) of all key signatures that mean something, chunk by chunk."""
        found = [event for event in self.metas(KEY_SIGNATURE) if len(event.body) == 2]
        keys = [(e.tick, (e.body[0] + 128) % 256 - 128, e.body[1]) for e in found]
        return [key for key in keys if abs(key[1]) <= 7 and key[2] <= 1]

    def metas(self, kind: int) -> list[Event]:
        """Meta events of a kind, chunk by chunk."""
        return self._metas.get(kind, [])

    @cached_property
    def _metas(self) -> dict[int, list[Event]]:
        found: dict[int, list[Event]] = {}
        for chunk in self.chunks:
            for event in chunk:
                if event.status == META:
                    found.setdefault(event.kind, []).append(event)
        return found

    def seconds(self, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
        """When those ticks are, by the tempo map."""
        starts, begun, per_tick = self._tempo_map
        place = np.searchsorted(starts, ticks, side="right") - 1
        return np.asarray(begun[place] + (ticks - starts[place]) * per_tick[place])

    def ticks(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Which ticks, not rounded, those times are by the tempo map."""
        starts, begun, per_tick = self._tempo_map
        place = np.maximum(np.searchsorted(begun, seconds, side="right") - 1, 0)
        return np.asarray(starts[place] + (seconds - begun[place]) / per_tick[place])

    @cached_property
    def _tempo_map(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """The ticks at which tempos begin, when that is, and how many seconds a tick has from there on."""
        starts, micros = np.array([(0, USUAL_TEMPO), *self.tempos], dtype=np.float64).T
        per_tick = micros * 1e-6 / self.per_quarter
        return starts, np.concatenate([[0.0], np.cumsum(np.diff(starts) * per_tick[:-1])]), per_tick


def song_from_bytes(data: bytes, name: str, limits: Limits) -> Song:
    """The content of a MIDI file.

    Raises:
        InputError: it is no MIDI file, is damaged so that notes would be lost, or is above one of ``limits``.
    """
    if len(data) > limits.max_bytes:
        raise InputError(
            f"{name}: is larger than {limits.max_bytes:,} bytes, the most that are read; split it"
        )
    layout = find_tracks(data, name, limits)
    division, per_quarter, scale, tempo = _timing(layout.division)
    chunks: list[Chunk] = []
    for number, (begin, end) in enumerate(layout.tracks, start=1):
        must_end = layout.is_cut and number == len(layout.tracks)
        try:
            chunk = _read_chunk(data, begin, end, must_end)
        except DamageError as error:
            raise InputError(
                f"{name}: track {number} {error}; copy it again, or export it again from its source"
            ) from None
        most = min(limits.max_quarters * per_quarter, LONGEST_TICKS)
        if chunk[-1].tick > most:
            check_length(
                next((event.tick for event in chunk[:-1] if event.tick > most), 0), per_quarter, name, limits
            )
            chunk[-1] = chunk[-1]._replace(tick=min(chunk[-1].tick, LONGEST_TICKS))
        chunks.append(
            chunk if scale == 1.0 else [event._replace(tick=round(event.tick * scale)) for event in chunk]
        )
    form = layout.form if layout.form == 1 or (layout.form in (0, 2) and len(chunks) == 1) else 1
    strangers = [(place, data[begin:end]) for place, begin, end in layout.strangers]
    running = any(
        data[event.position - 1] < 0x80 for chunk in chunks for event in chunk if event.status < SYSEX
    )
    return Song(form, division, per_quarter, chunks, tempo, strangers, running)


def song_to_bytes(song: Song) -> bytes:
    """The MIDI file of a song."""
    form = song.form if len(song.chunks) == 1 else 1
    parts = [write_track(chunk, song.running) for chunk in song.chunks]
    for place, stranger in reversed(song.strangers):
        parts.insert(min(place, len(parts)), stranger)
    return write_header(form, len(song.chunks), song.division) + b"".join(parts)


def finer(song: Song, times: int) -> Song:
    """The same song with so many times more ticks; ends of tracks that would lie too far off for a file stay nearer."""
    chunks = [
        [event._replace(tick=min(event.tick * times, LONGEST_TICKS)) for event in chunk]
        for chunk in song.chunks
    ]
    per_unit = song.division if song.tempo is None else song.division & 0xFF  # a quarter note, or a frame
    division = song.division + per_unit * (times - 1)
    return replace(song, division=division, per_quarter=song.per_quarter * times, chunks=chunks)


def _timing(division: int) -> tuple[int, int, float, int | None]:
    """For a header's division: the one to write, ticks a quarter note, what ticks are multiplied by, and the tempo if it is fixed.

    SMPTE time counts frames of a second, not notes. It is read as music at about 120 beats a minute: seconds are kept,
    beats are a guess. Where the top byte is no frame rate, the division is ticks above 32767 that ran into the SMPTE bit.
    """
    if division < SMPTE_BIT:
        return division, division, 1.0, None
    frames, per_frame = 0x100 - (division >> 8), division & 0xFF
    if frames not in _FRAME_RATES or per_frame == 0:
        return division // 2, division // 2, division // 2 / division, None
    per_second = _FRAME_RATES[frames] * per_frame
    per_quarter = round(per_second / 2)
    return division, per_quarter, 1.0, round(1e6 * per_quarter / per_second)


def _read_chunk(data: bytes, begin: int, end: int, must_end: bool) -> Chunk:
    """The events of a track, all values possible, with an end-of-track event.

    Raises:
        DamageError: a note's pitch is impossible, the bytes are misread, or the end is missing and ``must_end``.
    """
    events: Chunk = []
    try:
        events.extend(read_events(data, begin, end))
    except DamageError:
        _clipped(events)  # perhaps it is misread further on because it was misread before
        raise
    events = _clipped(events)
    if not events or not events[-1].ends:
        if must_end:
            raise DamageError("is cut off")
        events.append(Event(events[-1].tick if events else 0, META, END, b""))
    return events


def _clipped(events: Chunk) -> Chunk:
    """The events without values above 127, and without programs and controls that do not exist.

    Raises:
        DamageError: a note's pitch is impossible, or the bytes are misread.
    """
    if all(event.status >= SYSEX or event.body.isascii() for event in events):
        return events
    mended, was_clipped = [], False
    for event in events:
        if event.status >= SYSEX:
            mended.append(event)
            continue
        is_clipped = not event.body.isascii()
        if event.status >> 4 in (NOTE_OFF, NOTE_ON) and event.body[0] > 127:
            raise DamageError(f"has a note of pitch {event.body[0]}, above 127, at byte {event.position:,}")
        if is_clipped and was_clipped:  # one is a wrong value; two in a row are bytes misread
            raise DamageError(f"is damaged at byte {event.position:,}")
        was_clipped = is_clipped
        if (
            event.body[0] < 128 or event.status >> 4 == PITCH_BEND
        ):  # else a program or control that does not exist
            mended.append(
                event._replace(body=bytes(min(value, 127) for value in event.body)) if is_clipped else event
            )
    return mended
