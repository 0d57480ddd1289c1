"""A song as a symusic score, for eyes, ears and training, and a symusic score as a song.

A score keeps less than a song does: what is written to a file comes from the song.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import symusic
from symusic.core import KeySignatureTick, ScoreTick, TextMetaTick, TimeSignatureTick, TrackTick

from audiocycle.music.midi_channels import share_channels
from audiocycle.music.midi_chunks import find_tracks
from audiocycle.music.midi_events import CONTROL, LYRIC, MARKER, META, NAME, PITCH_BEND, SYSEX, Event, read_events
from audiocycle.music.midi_limits import Limits
from audiocycle.music.midi_song import Song
from audiocycle.music.midi_strokes import Strokes, find_strokes, in_time
from audiocycle.music.notes import IntArray

_PEDAL, _DOWN = 64, 64


def score_of(song: Song, strokes: Strokes | None = None) -> ScoreTick:
    """What a song plays.

    A track is what one chunk plays on one channel with one program, or one kit; it has the controllers and bends of its channel,
    whichever chunks they are in. Words are read as UTF-8, else as Western European.

    Args:
        strokes: the song's notes, if they are there already.
    """
    strokes = find_strokes(song.chunks) if strokes is None else strokes
    score = ScoreTick(song.per_quarter)
    ticks, micros = np.array(song.tempos, dtype=np.int32).reshape(-1, 2).T
    score.tempos = symusic.Tempo.from_numpy(ticks.copy(), micros.copy(), "tick")
    score.time_signatures.extend([TimeSignatureTick(*each) for each in song.signatures])
    score.key_signatures.extend([KeySignatureTick(*each) for each in song.keys])
    score.markers.extend([TextMetaTick(event.tick, words(event.body)) for event in song.metas(MARKER)])
    moves = _moves(song)
    for number, chunk in enumerate(song.chunks):
        metas = [event for event in chunk if event.status == META and event.kind in (NAME, LYRIC)]
        name = next((words(event.body) for event in reversed(metas) if event.kind == NAME), "")
        lyrics = [TextMetaTick(event.tick, words(event.body)) for event in metas if event.kind == LYRIC]
        tracks = _tracks(number, name, strokes, moves)
        if lyrics and not tracks:
            tracks = [TrackTick(name, 0, False)]
        if lyrics:
            tracks[0].lyrics.extend(lyrics)
        score.tracks.extend(tracks)
    return score


def song_of(score: ScoreTick) -> Song:
    """A score as a song of format 1, one chunk a track; tracks that have to share a channel keep their programs."""
    data: bytes = score.dumps_midi()
    layout = find_tracks(data, "score", Limits(max_tracks=len(score.tracks) + 1))
    chunks = share_channels([list(read_events(data, begin, end)) for begin, end in layout.tracks])
    return Song(1, layout.division, layout.division, chunks)


def words(body: bytes) -> str:
    """The text of a meta event; files do not say how it is encoded."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")


def _moves(song: Song) -> dict[int, list[Event]]:
    """Controllers and bends by channel, in order of time."""
    moves: dict[int, list[Event]] = {}
    for *_, event in in_time(song.chunks):
        if event.status < SYSEX and event.status >> 4 in (CONTROL, PITCH_BEND):
            moves.setdefault(event.status & 0xF, []).append(event)
    return moves


def _tracks(number: int, name: str, strokes: Strokes, moves: dict[int, list[Event]]) -> list[TrackTick]:
    """The tracks of a chunk that play notes."""
    mine = np.flatnonzero(strokes.chunk == number)
    kinds = (strokes.channel[mine] * 128 + strokes.program[mine]) * 2 + strokes.is_drum[mine]
    found, firsts = np.unique(kinds, return_index=True)
    tracks = []
    for kind in found[np.argsort(firsts)]:
        channel, program, is_drum = int(kind) >> 8, int(kind) >> 1 & 127, bool(kind & 1)
        track: TrackTick = TrackTick(name, program, is_drum)
        chosen = mine[kinds == kind]
        track.notes = symusic.Note.from_numpy(
            strokes.start[chosen].astype(np.int32),
            (strokes.end[chosen] - strokes.start[chosen]).astype(np.int32),
            strokes.pitch[chosen].astype(np.int8),
            strokes.velocity[chosen].astype(np.int8),
            "tick",
        )
        _set_moves(track, moves.get(channel, ()))
        tracks.append(track)
    return tracks


def _set_moves(track: TrackTick, moves: Sequence[Event]) -> None:
    """Give a track its controllers, pedals and bends."""
    controls = _table([(e.tick, *e.body) for e in moves if e.status >> 4 == CONTROL])
    bends = _table([(e.tick, (e.body[0] | e.body[1] << 7) - 8192, 0) for e in moves if e.status >> 4 == PITCH_BEND])
    if len(controls):
        times, numbers, values = controls.astype(np.int32).T
        track.controls = symusic.ControlChange.from_numpy(times.copy(), numbers.astype(np.uint8), values.astype(np.uint8), "tick")
        pedal = controls[controls[:, 1] == _PEDAL]
        is_down = pedal[:, 2] >= _DOWN
        changes = np.flatnonzero(np.diff(is_down, prepend=False))
        downs, ups = changes[: len(changes) // 2 * 2].reshape(-1, 2).T
        begin, end = pedal[downs, 0].astype(np.int32), pedal[ups, 0].astype(np.int32)
        track.pedals = symusic.Pedal.from_numpy(begin, end - begin, "tick")
    if len(bends):
        track.pitch_bends = symusic.PitchBend.from_numpy(bends[:, 0].astype(np.int32), bends[:, 1].astype(np.int32), "tick")


def _table(rows: list[tuple[int, ...]]) -> IntArray:
    return np.array(rows, dtype=np.int64).reshape(-1, 3)
