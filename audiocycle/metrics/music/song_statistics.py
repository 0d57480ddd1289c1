"""What a song is like, as numbers from which its genre can be told: lengths, intervals, places in the beat, harmony, register, density, repetition.

Conventions: see :mod:`audiocycle.metrics.music.song_notes`. Nothing of how a file was made is among them: no velocities, programs, tracks,
tempo, metre, or key, and no time finer than what a listener hears as another place in the beat. All are finite.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.metrics.music.musician import (
    ON_THE_BEAT,
    STEPS_PER_BEAT,
    bass_leaps,
    keys,
    lone_sixteenths,
    out_of_key,
    third_strikes,
    until_seen,
)
from audiocycle.metrics.music.song_notes import (
    LONGEST,
    Integers,
    SongNotes,
    moments,
    sounding_cells,
    top_line,
)
from audiocycle.spec import FloatArray

DEFINITION = (
    "Song statistics, of whole songs: shares of note lengths; intervals of the top line and of the bass; places in the beat; pitch classes "
    "above the bass, above the key's tonic, and interval classes that sound together; register of top line, bass and all notes; notes and "
    "pitches at once; onsets and new harmonies a beat; repeated notes and rhythms."
)
"""What the statistics are about. Print it beside results."""

PLACES = np.array([0.0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0])
"""Of a beat; an onset counts for the nearest."""
LENGTHS = (0.3, 0.6, 1.1, 2.1)
"""Beats; between them lie sixteenths, eighths, quarters, halves, and what is longer."""
STEPS = (0, 2, 4, 7, 12)
"""Semitones; repetitions, steps, thirds, fourths and fifths, sixths to octaves, and larger ones."""
AGAIN = 4
"""Beats after which something comes again."""
HIGHER = 128
"""Than any pitch."""
_MOST_AT_ONCE = 6


def song_statistics(notes: SongNotes) -> dict[str, float]:
    """All of them, by name; 0 where a song is too short to have one."""
    top = top_line(notes)
    number, times = moments(notes)
    lowest, beats = _bass(notes)
    found = {
        **_named("length", _binned(notes.end - notes.start, LENGTHS)),
        **_named("top_length", _binned((notes.end - notes.start)[top], LENGTHS)),
        **_named("top_step", _binned(np.abs(np.diff(notes.pitch[top])), STEPS)),
        "top_rising": _mean(np.diff(notes.pitch[top]) > 0),
        **_named("bass_step", _binned(np.abs(np.diff(lowest)), STEPS)),
        "bass_fifths": _mean(np.isin(np.abs(np.diff(lowest)), (5, 7))),
        "bass_semitones": _mean(np.abs(np.diff(lowest)) == 1),
        **_named("place", _places(times)),
        **_named("top_place", _places(notes.start[top])),
        **_named("at_once", _at_once(number)),
        **_harmony(notes),
        **_register("all", notes.pitch),
        **_register("top", notes.pitch[top]),
        **_register("bass", lowest),
        **_density(notes, times, beats),
        **_repetition(notes, times),
    }
    for measure in (out_of_key, bass_leaps, third_strikes, lone_sixteenths):
        found[measure.__name__] = measure(notes)
    return {name: float(np.nan_to_num(value)) for name, value in found.items()}


def statistics_table(songs: Iterable[Mapping[str, float]]) -> tuple[list[str], NDArray[np.float64]]:
    """Names (F,), sorted, and values (songs, F)."""
    rows = list(songs)
    names = sorted(rows[0])
    return names, np.array([[row[name] for name in names] for row in rows])


def _harmony(notes: SongNotes) -> dict[str, float]:
    """What sounds together, sixteenth by sixteenth: above the lowest note, among each other, and above the tonic of the key."""
    owner, cell = sounding_cells(notes, STEPS_PER_BEAT, notes.end)
    used, place = np.unique(cell, return_inverse=True)
    sounds = np.zeros((len(used), 12), np.bool_)
    sounds[place, notes.pitch[owner] % 12] = True
    lowest = np.full(len(used), HIGHER)
    np.minimum.at(lowest, place, notes.pitch[owner])
    above = np.zeros((len(used), 12), np.bool_)
    above[place, (notes.pitch[owner] - lowest[place]) % 12] = True
    count = above.sum(axis=1)
    chords = above[count >= 3]
    on_beats = sounds[used % STEPS_PER_BEAT == 0]
    tonic = keys(notes)
    return {
        **_named("above_bass", above[:, 1:].mean(axis=0) if len(above) else np.zeros(11)),
        **_named(
            "interval_class",
            [12 * _mean(sounds & np.roll(sounds, -interval, axis=1)) for interval in range(1, 7)],
        ),
        **_named("degree", _shares(np.bincount((notes.pitch - tonic) % 12, minlength=12))),
        "minor": _mean(tonic >= 12),
        "key_changes": _mean(np.diff(tonic) != 0),
        "classes_at_once": _mean(count),
        "chords": _mean(count >= 3),
        "triads": _mean(count == 3),
        "sevenths": _mean(chords[:, [10, 11]].any(axis=1)),
        "seconds": _mean(chords[:, [1, 2]].any(axis=1)),
        "new_classes": _mean(on_beats[1:] != on_beats[:-1]),
        "entropy": _entropy(_shares(np.bincount(notes.pitch % 12, minlength=12))),
    }


def _bass(notes: SongNotes) -> tuple[Integers, Integers]:
    """The lowest pitch of each beat in which anything sounds, and those beats."""
    owner, beat = sounding_cells(notes, 1, until_seen(notes))
    used, place = np.unique(beat, return_inverse=True)
    lowest = np.full(len(used), HIGHER)
    np.minimum.at(lowest, place, notes.pitch[owner])
    return lowest, used


def _density(notes: SongNotes, times: FloatArray, beats: Integers) -> dict[str, float]:
    """How much begins, and how long it sounds."""
    n_beats = max(1, len(beats))
    began, begun = np.unique(np.floor(times + ON_THE_BEAT), return_counts=True)
    return {
        "notes_a_beat": len(notes) / n_beats,
        "moments_a_beat": len(times) / n_beats,
        "held_at_once": float(np.minimum(notes.end - notes.start, LONGEST).sum()) / n_beats,
        "beats_without_onset": max(0.0, 1.0 - len(began) / n_beats),
        "busy_beats": _mean(begun >= 3),
        "even_gaps": _mean(np.abs(np.diff(times, n=2)) < ON_THE_BEAT),
        "detached": _mean(_gap_after(notes) > ON_THE_BEAT),
    }


def _gap_after(notes: SongNotes) -> FloatArray:
    """(top notes - 1,) beats of silence in the top line before its next note."""
    top = top_line(notes)
    return np.asarray(np.minimum(notes.start[top][1:] - notes.end[top][:-1], 4.0), np.float64)


def _repetition(notes: SongNotes, times: FloatArray) -> dict[str, float]:
    """How much comes again four beats later: rhythm, and pitches."""
    place, begins = (np.rint(each * STEPS_PER_BEAT).astype(np.int64) for each in (times, notes.start))
    cells, later = begins * HIGHER + notes.pitch, AGAIN * STEPS_PER_BEAT
    return {
        "rhythm_again": _mean(np.isin(place + later, place)),
        "notes_again": _mean(np.isin(cells + later * HIGHER, cells)),
    }


def _register(name: str, pitch: Integers) -> dict[str, float]:
    low, middle, high = np.percentile(pitch, (10, 50, 90)) if len(pitch) else (0.0, 0.0, 0.0)
    return {
        f"{name}_low": low,
        f"{name}_middle": middle,
        f"{name}_high": high,
        f"{name}_spread": float(np.std(pitch)) if len(pitch) else 0.0,
    }


def _places(times: FloatArray) -> FloatArray:
    """Shares of onsets at each of :data:`PLACES`; the next beat is a beat."""
    nearest = np.abs((times % 1.0)[:, None] - PLACES).argmin(axis=1) % (len(PLACES) - 1)
    return _shares(np.bincount(nearest, minlength=len(PLACES) - 1))


def _at_once(number: Integers) -> FloatArray:
    """Shares of moments at which one, two, … notes begin."""
    return _shares(
        np.bincount(np.minimum(np.bincount(number), _MOST_AT_ONCE), minlength=_MOST_AT_ONCE + 1)[1:]
    )


def _binned(values: NDArray[Any], edges: tuple[float, ...]) -> FloatArray:
    """Shares of values up to each edge, and of larger ones."""
    return _shares(np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1))


def _shares(counts: Integers) -> FloatArray:
    return np.asarray(counts / max(1, counts.sum()), np.float64)


def _named(name: str, values: Iterable[float]) -> dict[str, float]:
    return {f"{name}_{place:02}": float(value) for place, value in enumerate(values)}


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if values.size else 0.0


def _entropy(shares: FloatArray) -> float:
    """In bits."""
    some = shares[shares > 0]
    return abs(float(np.sum(some * np.log2(some))))
