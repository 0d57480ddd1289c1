"""A song as a symusic score, for eyes, ears and training, and a symusic score as a song.

A score keeps less than a song does: what is written to a file comes from the song.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import symusic
from symusic.core import (
    ControlChangeTick,
    KeySignatureTick,
    ScoreTick,
    TextMetaTick,
    TimeSignatureTick,
    TrackTick,
)

from audiocycle.music.midi.channels import channels_for
from audiocycle.music.midi.events import (
    ALL_NOTES_OFF,
    CONTROL,
    END,
    KEY_SIGNATURE,
    LYRIC,
    MARKER,
    META,
    NAME,
    NOTE_OFF,
    NOTE_ON,
    PITCH_BEND,
    PROGRAM,
    SYSEX,
    TEMPO,
    TIME_SIGNATURE,
    Event,
)
from audiocycle.music.midi.limits import LIMITS, Limits, check_moves, check_tracks
from audiocycle.music.midi.pedals import DOWN, PEDAL, is_pedal
from audiocycle.music.midi.song import Chunk, Song
from audiocycle.music.midi.state import DRUMS
from audiocycle.music.midi.strokes import Strokes, find_strokes
from audiocycle.music.notes import IntArray, Notes, set_notes

BEND_CENTRE = 8192


def score_of(
    song: Song, strokes: Strokes | None = None, name: str = "song", limits: Limits = LIMITS
) -> ScoreTick:
    """What a song plays.

    A track is what one chunk plays on one channel with one program, or one kit; it has the controllers and bends of its channel,
    whichever chunks they are in. So does what a chunk sets on a channel that plays nothing. Words are read as UTF-8, else as Western European.

    Args:
        strokes: the song's notes, if they are there already.
        name: of the song in messages.

    Raises:
        InputError: it would have too many tracks, or too many controllers in all of them together.
    """
    strokes = find_strokes(song.chunks) if strokes is None else strokes
    playing = set(strokes.channel.tolist())
    kinds = [_kinds(number, chunk, strokes, playing) for number, chunk in enumerate(song.chunks)]
    check_tracks(sum(map(len, kinds)), name, limits)
    found = _moves(song)
    n_moves = {channel: len(events) for channel, events in found.items()}
    check_moves(sum(n_moves.get(channel, 0) for each in kinds for channel, *_ in each), name, limits)
    moves = {channel: _Moves.of(events) for channel, events in found.items()}
    score: Any = ScoreTick(song.per_quarter)
    ticks, micros = np.array(song.tempos, dtype=np.int32).reshape(-1, 2).T
    score.tempos = symusic.Tempo.from_numpy(ticks.copy(), micros.copy(), "tick")
    score.time_signatures.extend([TimeSignatureTick(*each) for each in song.signatures])
    score.key_signatures.extend([KeySignatureTick(*each) for each in song.keys])
    score.markers.extend([TextMetaTick(event.tick, words(event.body)) for event in song.metas(MARKER)])
    for chunk, each in zip(song.chunks, kinds, strict=True):
        metas = [event for event in chunk if event.status == META and event.kind in (NAME, LYRIC)]
        title = next((words(event.body) for event in reversed(metas) if event.kind == NAME), "")
        lyrics = [TextMetaTick(event.tick, words(event.body)) for event in metas if event.kind == LYRIC]
        tracks: list[Any] = []
        for channel, program, is_drum, chosen in each:
            tracks.append(TrackTick(title, program, is_drum))
            _set_notes(tracks[-1], strokes, chosen)
            if channel in moves:
                moves[channel].give(tracks[-1])
        if lyrics and not tracks:
            tracks = [TrackTick(title, 0, False)]
        if lyrics:
            tracks[0].lyrics.extend(lyrics)
        score.tracks.extend(tracks)
    return cast("ScoreTick", score)


def song_of(score: ScoreTick) -> Song:
    """A score as a song of format 1, a chunk for each track behind one for tempos, signatures and markers.

    Where programs meet on a channel, because there are more of them than channels, each note is preceded by its own.
    """
    melodic = iter(channels_for([track.program for track in score.tracks if not track.is_drum]))
    channels = [DRUMS if track.is_drum else next(melodic) for track in score.tracks]
    met: dict[int, set[int]] = {}
    for track, channel in zip(score.tracks, channels, strict=True):
        met.setdefault(channel, set()).add(track.program)
    chunks = [_in_order(_common(score))]
    chunks += [_in_order(_played(t, c, len(met[c]) > 1)) for t, c in zip(score.tracks, channels, strict=True)]
    return Song(1, score.ticks_per_quarter, score.ticks_per_quarter, chunks)


def with_changes(score: ScoreTick, source: Song, converted: Song, programs: bool) -> ScoreTick:
    """A copy of a score with what became of its notes; all else is the score's own, and it ends no earlier.

    Args:
        source: what :func:`song_of` made of the score: track i is its chunk i + 1.
        converted: what became of that, with the same chunks.
        programs: take the programs, too.
    """
    result: Any = score.copy()
    before, after = (find_strokes(song.chunks) for song in (source, converted))
    for number, track in enumerate(result.tracks, start=1):
        old, new = (np.flatnonzero(strokes.chunk == number) for strokes in (before, after))
        if programs and len(old) and not track.is_drum:
            track.program = next(e.body[0] for e in converted.chunks[number] if e.status >> 4 == PROGRAM)
        if not np.array_equal(
            _rows(before, old), _rows(after, new)
        ):  # else notes that overlap stay as they are
            _set_notes(track, after, new)
        pedals = [[event for event in song.chunks[number] if is_pedal(event)] for song in (source, converted)]
        if pedals[0] != pedals[1]:
            moves = [event for event in converted.chunks[number] if event.status >> 4 in (CONTROL, PITCH_BEND)]
            _Moves.of(moves).give(track)
    if result.end() < score.end():
        longest = max(result.tracks, key=lambda track: 0 if track.is_drum else len(track.notes))
        longest.controls.append(ControlChangeTick(score.end(), ALL_NOTES_OFF, 0))
    return cast("ScoreTick", result)


def _rows(strokes: Strokes, chosen: IntArray) -> IntArray:
    """(N, 4) start, end, pitch and velocity, in an order of their own."""
    columns = (strokes.start, strokes.end, strokes.pitch, strokes.velocity)
    rows = np.stack([column[chosen] for column in columns], axis=1)
    return rows[np.lexsort(rows.T)]


def _common(score: ScoreTick) -> Iterator[tuple[int, Event]]:
    """What belongs to no track; each with its place among the events of its tick."""
    for tempo in score.tempos:
        yield 0, Event(tempo.time, META, TEMPO, tempo.mspq.to_bytes(3, "big"))
    for each in score.time_signatures:
        yield (
            0,
            Event(
                each.time,
                META,
                TIME_SIGNATURE,
                bytes([each.numerator, each.denominator.bit_length() - 1, 24, 8]),
            ),
        )
    for key in score.key_signatures:
        yield 0, Event(key.time, META, KEY_SIGNATURE, bytes([key.key % 256, key.tonality]))
    for marker in score.markers:
        yield 0, Event(marker.time, META, MARKER, marker.text.encode(errors="replace"))


def _played(track: TrackTick, channel: int, is_shared: bool) -> Iterator[tuple[int, Event]]:
    """A track's events; each with its place among those of its tick."""
    if track.name:
        yield 0, Event(0, META, NAME, track.name.encode(errors="replace"))
    program = Event(0, PROGRAM << 4 | channel, 0, bytes([track.program]))
    yield 0, program
    for lyric in track.lyrics:
        yield 1, Event(lyric.time, META, LYRIC, lyric.text.encode(errors="replace"))
    for control in track.controls:
        yield 1, Event(control.time, CONTROL << 4 | channel, 0, bytes([control.number, control.value]))
    if not any(control.number == PEDAL for control in track.controls):  # else pedals are told twice
        for pedal in sorted(track.pedals, key=lambda pedal: pedal.time):
            for tick, value in ((pedal.time, 127), (pedal.end, 0)):
                yield 1, Event(tick, CONTROL << 4 | channel, 0, bytes([PEDAL, value]))
    for bend in track.pitch_bends:
        value = bend.value + BEND_CENTRE
        yield 1, Event(bend.time, PITCH_BEND << 4 | channel, 0, bytes([value & 0x7F, value >> 7]))
    for note in track.notes:
        if is_shared:
            yield 2, program._replace(tick=note.time)
        yield 2, Event(note.time, NOTE_ON << 4 | channel, 0, bytes([note.pitch, note.velocity]))
        yield (
            0 if note.duration else 2,
            Event(note.time + note.duration, NOTE_OFF << 4 | channel, 0, bytes([note.pitch, 0])),
        )


def _in_order(events: Iterator[tuple[int, Event]]) -> Chunk:
    """A chunk of events; those of a tick by their places: a key is released before it is struck again."""
    chunk = [event for _, event in sorted(events, key=lambda each: (each[1].tick, each[0]))]
    return [*chunk, Event(chunk[-1].tick if chunk else 0, META, END, b"")]


def words(body: bytes) -> str:
    """The text of a meta event; files do not say how it is encoded."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")


def _moves(song: Song) -> dict[int, list[Event]]:
    """Controllers and bends by channel, in order of time."""
    found = [event for chunk in song.chunks for event in chunk if event.status >> 4 in (CONTROL, PITCH_BEND)]
    moves: dict[int, list[Event]] = {}
    for event in sorted(found, key=lambda event: event.tick):
        moves.setdefault(event.status & 0xF, []).append(event)
    return moves


def _kinds(
    number: int, chunk: Chunk, strokes: Strokes, playing: set[int]
) -> list[tuple[int, int, bool, IntArray]]:
    """The tracks that a chunk becomes: channel, program, whether it plays drums, and which of ``strokes`` are its notes."""
    mine = np.flatnonzero(strokes.chunk == number)
    kinds = (strokes.channel[mine] * 128 + strokes.program[mine]) * 2 + strokes.is_drum[mine]
    values, firsts = np.unique(kinds, return_index=True)
    found = [
        (kind >> 8, kind >> 1 & 127, bool(kind & 1), mine[kinds == kind])
        for kind in values[np.argsort(firsts)].tolist()
    ]
    programs: dict[int, int] = {}  # of channels that play nothing, the last
    for event in chunk:
        if event.status < SYSEX and event.status & 0xF not in playing:
            channel = event.status & 0xF
            programs[channel] = event.body[0] if event.status >> 4 == PROGRAM else programs.get(channel, 0)
    return [
        *found,
        *((channel, program, channel == DRUMS, mine[:0]) for channel, program in programs.items()),
    ]


def _set_notes(track: Any, strokes: Strokes, chosen: IntArray) -> None:
    columns = (strokes.start, strokes.end, strokes.pitch, strokes.velocity)
    start, end, pitch, velocity = (column[chosen] for column in columns)
    set_notes(track, Notes(start, end, pitch, velocity, chosen, chosen))


@dataclass(frozen=True)
class _Moves:
    """What moves on a channel: (N, 3) tick, number and value of its controllers; (N, 2) tick and value of its bends; begin and end of its pedals."""

    controls: IntArray
    bends: IntArray
    pedals: IntArray

    @classmethod
    def of(cls, events: Sequence[Event]) -> _Moves:
        controls = _table([(e.tick, *e.body) for e in events if e.status >> 4 == CONTROL], 3)
        bends = _table(
            [
                (e.tick, (e.body[0] | e.body[1] << 7) - BEND_CENTRE)
                for e in events
                if e.status >> 4 == PITCH_BEND
            ],
            2,
        )
        pedal = controls[controls[:, 1] == PEDAL]
        is_down = pedal[:, 2] >= DOWN
        changes = np.flatnonzero(np.diff(is_down, prepend=False))
        return cls(controls, bends, pedal[changes[: len(changes) // 2 * 2], 0].reshape(-1, 2))

    def give(self, track: Any) -> None:
        """Set them on a track; each has lists of its own: symusic lets several tracks share one, and a change of it is one of all."""
        if len(self.controls):
            times, numbers, values = self.controls.T
            track.controls = symusic.ControlChange.from_numpy(
                times.astype(np.int32), numbers.astype(np.uint8), values.astype(np.uint8), "tick"
            )
        if len(self.pedals):
            begin, end = self.pedals.astype(np.int32).T
            track.pedals = symusic.Pedal.from_numpy(begin.copy(), end - begin, "tick")
        if len(self.bends):
            times, values = self.bends.astype(np.int32).T
            track.pitch_bends = symusic.PitchBend.from_numpy(times.copy(), values.copy(), "tick")


def _table(rows: list[tuple[int, ...]], width: int) -> IntArray:
    return np.array(rows, dtype=np.int64).reshape(-1, width)
