"""Whole songs as notes on their lines of beats, for what judges songs and not phrases."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from audiocycle.metrics.music.song_notes import SongNotes, song_notes
from audiocycle.music.midi.file import read_score
from audiocycle.music.notes import notes_of
from audiocycle.spec import FloatArray

ENDS = 0.25
"""Beats by which a note may hold on over a bar line without needing another bar."""


@dataclass(frozen=True)
class WholeSong:
    """A song.

    Attributes:
        last: the beat at which its last bar ends.
        bar_beats: beats of a bar: of the metre that most of its notes are in.
    """

    notes: SongNotes
    last: float
    bar_beats: float


def read_whole(path: Path) -> WholeSong:
    """A MIDI file.

    Raises:
        InputError: as :func:`~audiocycle.music.midi.file.read_score`.
    """
    return whole_song(read_score(path))


def whole_song(score: Any) -> WholeSong:
    """A symusic score in ticks; notes are in beats of its metres, dotted quarters in compound ones."""
    notes = notes_of(score)
    ticks, beats, bars = metre_lines(score)
    start, end, ring = (
        on_lines(times, ticks, beats)
        for times in (notes.start, notes.end, pedalled(score, notes.end, notes.track))
    )
    programs = np.array([track.program for track in score.tracks], np.int64)
    found = song_notes(start, end, notes.pitch, notes.track, programs[notes.track], np.maximum(ring, end))
    stretch = np.searchsorted(ticks[:-1], notes.start, side="right") - 1
    bar = bars[np.bincount(stretch).argmax()] if len(notes) else bars[0]
    begins = beats[stretch[-1]] if len(notes) else 0.0
    last_bar = bars[stretch[-1]] if len(notes) else bars[0]
    last = begins + np.ceil((end.max(initial=0.0) - ENDS - begins) / last_bar) * last_bar
    return WholeSong(found, float(last), float(bar))


def metre_lines(score: Any) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(n + 1,) ticks at which metres begin, and a later one; (n + 1,) the beats that are there; (n,) beats in a bar of each.

    4/4 holds before the first signature. A signature that cuts a bar short begins a beat, too.
    """
    quarter = score.ticks_per_quarter
    signatures = {0: (4, 4)} | {
        each.time: (each.numerator, each.denominator)
        for each in sorted(score.time_signatures, key=lambda s: s.time)
    }
    starts = sorted(signatures)
    sizes, bars = [], []
    for start in starts:
        top, bottom = signatures[start]
        compound = bottom >= 8 and top % 3 == 0 and top > 3
        sizes.append(4 * quarter / bottom * 3 if compound else float(quarter))
        bars.append(top / 3 if compound else 4 * top / bottom)
    ticks = [*starts, starts[-1] + sizes[-1]]
    beats = [0.0]
    for (start, stop), size in zip(pairwise(ticks), sizes, strict=True):
        beats.append(beats[-1] + np.ceil((stop - start) / size - 1e-6))
    return np.array(ticks, np.float64), np.array(beats), np.array(bars)


def on_lines(times: Any, ticks: FloatArray, beats: FloatArray) -> FloatArray:
    """Ticks as beats: (N,) to (N,), see :func:`metre_lines`; behind the last line time goes on as before it."""
    stretch = np.clip(np.searchsorted(ticks, times, side="right") - 1, 0, len(ticks) - 2)
    sizes = np.diff(ticks) / np.diff(beats)
    return np.asarray(beats[stretch] + (times - ticks[stretch]) / sizes[stretch], np.float64)


def pedalled(score: Any, end: Any, track: Any) -> FloatArray:
    """(N,) ticks at which notes stop to ring: where the pedal is lifted that is down when they end."""
    ring = np.asarray(end, np.float64).copy()
    for number, each in enumerate(score.tracks):
        if not len(each.pedals):
            continue
        down, up = np.array(
            sorted((pedal.time, pedal.time + pedal.duration) for pedal in each.pedals), np.float64
        ).T
        own = np.flatnonzero(track == number)
        place = np.searchsorted(down, ring[own], side="right") - 1
        held = (place >= 0) & (ring[own] < up[place])
        ring[own[held]] = up[place[held]]
    return ring
