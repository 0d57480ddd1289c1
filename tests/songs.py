"""Songs that need no file, and networks that need no training, for the tests of music."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.grid import Span
from audiocycle.music.metres import metre_on
from audiocycle.music.midi.score import score_of, song_of
from audiocycle.music.midi.song import Song
from audiocycle.music.modality import MusicModality
from audiocycle.music.notes import NEW, Notes
from audiocycle.music.options import MusicOptions
from audiocycle.music.renderer import ScoreRenderer
from audiocycle.music.song_conversion import convert_song
from audiocycle.spec import Direction, Domain, FloatArray, Outcome, Translation

symusic = pytest.importorskip("symusic")
core = symusic.core

TPQ = 480
STEP = TPQ // 4
BAR = 4 * TPQ
STATS = {"programs": np.array([32, 0, -1], np.float32)}
"""Of the target genre: bass and piano; nothing is known of the treble."""
DIRECTION = Direction(Domain("pop", STATS), Domain("jazz", STATS))

Network = Callable[[FloatArray], FloatArray]
"""Features, not normalised, to the network's answer, denormalised; both (C, 84, T)."""


def notes(*rows: tuple[int, ...]) -> Notes:
    """Rows of start, end, pitch, velocity and, unless they are 0 and NEW, track and origin."""
    table = np.array([(*row, 0, NEW)[:6] if len(row) < 5 else (*row, NEW)[:6] for row in rows], dtype=np.int64).reshape(-1, 6)
    return Notes(*table.T)


def a_track(*rows: tuple[int, int, int, int], name: str = "", program: int = 0, is_drum: bool = False) -> Any:
    """Rows of start, end, pitch and velocity."""
    track = core.TrackTick(name, program, is_drum)
    for start, end, pitch, velocity in rows:
        track.notes.append(core.NoteTick(start, end - start, pitch, velocity))
    return track


def a_score(*tracks: Any, metres: Sequence[tuple[int, int, int]] = (), tpq: int = TPQ) -> Any:
    """Metres are tick, numerator and denominator."""
    score = symusic.Score(tpq)
    score.tracks.extend(list(tracks))
    for metre in metres:
        score.time_signatures.append(core.TimeSignatureTick(*metre))
    return score


def table(track: Any) -> list[tuple[int, int, int, int]]:
    """A track's notes, sorted: start, end, pitch, velocity."""
    return sorted((note.time, note.time + note.duration, note.pitch, note.velocity) for note in track.notes)


def tables(score: Any) -> list[list[tuple[int, int, int, int]]]:
    return [table(track) for track in score.tracks]


def without_notes(score: Any) -> bytes:
    """Everything of a score but its notes, as a file that can be compared."""
    bare = score.copy()
    for track in bare.tracks:
        track.notes.clear()
        track.lyrics.append(core.TextMetaTick(0, f"{track.name} {track.program} {track.is_drum}"))
    return bytes(bare.dumps_midi())


def same(features: FloatArray) -> FloatArray:
    """The network that changes nothing."""
    return features.astype(np.float32)


def noise(seed: int, busy: float = 0.1) -> Network:
    """A network that has an opinion of every cell, whatever the source says; ``busy`` of them are from a half to one."""

    def answer(features: FloatArray) -> FloatArray:
        made = np.random.default_rng(seed).random(features.shape, dtype=np.float32)
        quiet = np.float32(1 - busy)
        made = np.where(made < quiet, 0.5 / quiet * made, 1 + np.float32(0.5 / busy) * (made - 1))
        made[2:] *= 127
        return made

    return answer


def translation(network: Network, adapter: PianoRollAdapter, options: MusicOptions) -> Translation:
    return Translation(lambda encoded: adapter.transfer(encoded, network(encoded.features), DIRECTION, options), DIRECTION)


def converted(
    score: Any, network: Network = same, adapter: PianoRollAdapter | None = None, **options: Any
) -> tuple[Any, dict[str, int]]:
    """What :func:`convert_song` makes of a score."""
    made, outcome = converted_song(song_of(score), network, adapter, **options)
    return score_of(made), dict(outcome.details)


def converted_song(
    song: Song, network: Network = same, adapter: PianoRollAdapter | None = None, **options: Any
) -> tuple[Song, Outcome]:
    """What :func:`convert_song` makes of a song."""
    adapter, chosen = adapter or PianoRollAdapter(), MusicOptions(**options)
    return convert_song(song, "song.mid", adapter, ScoreRenderer(adapter), translation(network, adapter, chosen), chosen)


def a_random_score(seed: int, size: int, quarters: Sequence[int]) -> Any:
    """A song of up to some ten bars whose notes collide in every way: few pitches, times on and beside the grid."""
    random = np.random.default_rng([seed, size])
    quarter = int(random.choice(quarters))
    step = max(1, quarter // 4)
    beside = np.array([0, 0, 0, 0, -1, 1, -(step // 3), step // 3, step // 2, -(step // 2)])

    def some(count: int) -> list[tuple[int, int, int, int]]:
        start = np.maximum(random.integers(0, 120, count) * step + random.choice(beside, count), 0)
        length = np.maximum(random.choice([0, 1, 1, 2, 4, 16, 40], count) * step + random.choice(beside, count), 0)
        pitch = random.choice([60, 60, 61, 72, 40, 24, 23, 107, 108, 0, 127], count)
        return np.stack([start, start + length, pitch, random.integers(1, 128, count)], axis=1).tolist()

    tracks = [
        a_track((0, step, 72, 50), *some(size), name=f"track {i}", program=int(random.integers(128)), is_drum=bool(random.random() < 0.3))
        for i in range(random.integers(4))
    ]
    melody = a_track((0, step, 60, 64), *some(size), name="melody", program=5)
    metres = [
        (int(max(0, random.integers(28) * quarter + random.choice([0, 0, 0, 1]))), int(top), int(bottom))
        for top, bottom in random.choice([(4, 4), (4, 4), (3, 4), (2, 4), (2, 2), (6, 8), (7, 8)], random.integers(5))
    ]
    score = a_score(*tracks, melody, metres=metres, tpq=quarter)
    score.tempos.extend([core.TempoTick(0, 100.0), core.TempoTick(9 * step, 140.0)])
    score.key_signatures.append(core.KeySignatureTick(0, 2, 0))
    score.markers.append(core.TextMetaTick(8 * step, "chorus"))
    melody = score.tracks[-1]
    melody.lyrics.append(core.TextMetaTick(step, "la"))
    melody.controls.extend([core.ControlChangeTick(0, 64, 127), core.ControlChangeTick(6 * step, 64, 0)])
    melody.pedals.append(core.PedalTick(0, 6 * step))
    melody.pitch_bends.append(core.PitchBendTick(step, 100))
    return score_of(song_of(score))  # of notes that overlap on a pitch, a file does not say which ends first


def scores(quarters: Sequence[int] = (480, 96, 24, 100)) -> st.SearchStrategy[Any]:
    """Songs of :func:`a_random_score`."""
    return st.builds(a_random_score, st.integers(0, 2**32), st.integers(0, 16), st.just(quarters))


def even_bars(start: float, n_bars: int, tpq: int, metre: tuple[int, int] = (4, 4), grid: str = "straight") -> Span:
    """Bars of one metre from a tick on."""
    on_grid = metre_on(grid, *metre)
    assert on_grid is not None
    steps, bars = on_grid.lines(n_bars, 0)
    return Span(start + steps * (tpq / on_grid.per_quarter), steps, bars)


CHORDS = ((48, 52, 55), (53, 57, 60), (43, 47, 50), (45, 48, 52))


def tune(n_bars: int, beats: int = 4, upbeat: int = 0) -> Notes:
    """A bass and a chord for each bar, a tune of quarters above."""
    rows = []
    for bar in range(n_bars):
        chord, start = CHORDS[bar % 4], (bar * beats + upbeat) * TPQ
        rows.append((start, start + beats * TPQ, chord[0] - 12, 70))
        rows += [(start, start + beats * TPQ, pitch, 60) for pitch in chord]
        rows += [(start + i * TPQ, start + (i + 1) * TPQ, chord[i % 3] + 24, 80) for i in range(beats)]
    if upbeat:
        rows += [(i * TPQ, (i + 1) * TPQ, 79, 80) for i in range(upbeat)]
    return notes(*rows)


def conversion_parts(**options: Any) -> tuple[ScoreRenderer, Translation, MusicOptions]:
    """What :meth:`MusicModality.convert` asks for beside files, of a network with an opinion of everything."""
    adapter, chosen = PianoRollAdapter(), MusicOptions(**options)
    return ScoreRenderer(adapter), translation(noise(0), adapter, chosen), chosen


def a_modality() -> MusicModality:
    """MIDI files as a model with the usual settings has them."""
    return MusicModality(PianoRollAdapter())
