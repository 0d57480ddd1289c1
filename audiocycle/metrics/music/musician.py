"""A musician's list: what a listener objects to in a song, whatever its genre. Notes in, one number out.

Conventions: see :mod:`audiocycle.metrics.music.song_notes`. A number that cannot be given, as of no notes, is NaN: leave the song out.
No number is good in itself: a transfer is fine where it lies within the middle of its target's own songs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from audiocycle.metrics.music.keys import PROFILES, SCALES
from audiocycle.metrics.music.song_notes import Integers, SongNotes, moments, sounding_cells, top_line
from audiocycle.spec import FloatArray

KEY_BEATS = 16
"""Beats around a note by which its key is told."""
ON_THE_BEAT = 1 / 8
"""Beats; an onset this near to a beat line is on the beat."""
UPBEAT = (0.4, 0.72)
"""The part of a beat in which its second half begins: straight eighths at 0.5, triplets at 0.67; dotted ones, at 0.75, do not swing."""
LEAST_BEATS = 8
"""Beats that are divided in two, and notes of parts for one voice; fewer say nothing."""
OCTAVE = 12
IN_A_ROW = 0.7
"""Beats; the most from one strike to the next of a pitch that is repeated: eighths, also swung ones."""
SIXTEENTH = 0.3
"""Beats; a note that is no longer is a sixteenth."""
ALONE = 1.0
"""Beats before and after a lone note in which nothing else begins near it."""
NEAR = 7
"""Semitones."""
NEARLY = 1e-6
"""Beats; rounding must not move a note."""
LEGATO = 1 / 8
"""Beats for which one note of a voice may hold on into the next."""
STEPS_PER_BEAT = 4
AT_ITS_PLACE = 0.24
"""Beats; a note that moved no further is at its place. Swing moves less; a step is more."""
ONE_VOICE = np.zeros(128, np.bool_)
"""By General MIDI program: basses, solo strings, solo brass, reeds, pipes."""
for _first, _stop in ((32, 40), (40, 44), (56, 61), (64, 72), (72, 80)):
    ONE_VOICE[_first:_stop] = True

DEFINITION = (
    "Musician's list. Out of key: notes outside the scale (major, or harmonic minor) of the key that fits the 16 beats around them best "
    "(Krumhansl–Schmuckler). Off-beat: moments at which notes begin, more than 1/8 beat from a beat line. Swing: median ratio of the first to the "
    "second part of beats that are divided in two. Bass leaps: beats whose lowest note is more than an octave from that of the beat before. "
    "Third strikes: notes whose pitch began twice before, 0.7 beat apart at most. Lone sixteenths: notes of 0.3 beat or less with no other onset "
    "within a beat and a fifth. Pedal: pitch classes that ring at once, pedal included. Overlaps: notes of parts for one voice (by General "
    "MIDI program) that begin more than 1/8 beat before an earlier one of the part ends. Polyphony: pitches that sound at once, where any does. "
    "Range: semitones from the lowest to the highest note. Top line kept: notes of the source above which nothing sounds that are there, 0.24 "
    "beat away at most, with nothing above them. After the end: notes that begin after the source's last bar."
)
"""Exactly what this module measures. Print it beside results."""

_KEY_LONGEST = 4.0  # beats; a longer note says no more of a key


def keys(notes: SongNotes) -> Integers:
    """(N,) the key around each note: 0 to 11 C to B major, 12 to 23 C to B minor.

    The profile that correlates best with how long each pitch class sounds in :data:`KEY_BEATS` around the note's beat.

    Source: see :data:`~audiocycle.metrics.music.keys.PROFILES`.
    """
    if not len(notes):
        return np.zeros(0, np.int64)
    beat = np.floor(notes.start).astype(np.int64)
    beat -= beat.min()
    weight = np.clip(notes.end - notes.start, 0.0, _KEY_LONGEST)
    sums = np.zeros((beat.max() + 1, 12))
    np.add.at(sums, (beat, notes.pitch % 12), weight)
    total = np.concatenate([np.zeros((1, 12)), np.cumsum(sums, axis=0)])
    used = np.unique(beat)
    begin, stop = (np.clip(used + side, 0, len(sums)) for side in (-KEY_BEATS // 2, KEY_BEATS // 2))
    best = ((total[stop] - total[begin]) @ PROFILES.T).argmax(
        axis=1
    )  # profiles are standardised: the product ranks as the correlation
    return np.asarray(best[np.searchsorted(used, beat)], np.int64)


def out_of_key(notes: SongNotes) -> float:
    """Share of the notes outside the scale of their key."""
    return _share(~SCALES[keys(notes), notes.pitch % 12])


def off_beat(notes: SongNotes) -> float:
    """Share of the moments at which notes begin that do not lie on a beat."""
    _, times = moments(notes)
    return _share(np.abs(times - np.rint(times)) > ON_THE_BEAT)


def swing_ratio(notes: SongNotes) -> float:
    """Median ratio, over beats that are divided in two, of the first part to the second: 1 is straight, 2 triplets.

    A beat counts where one moment lies on it, one in :data:`UPBEAT`, and no other.

    Source: Benadon 2006, "Slicing the Beat: Jazz Eighth-Notes as Expressive Microrhythm", beat-upbeat ratio.
    """
    _, times = moments(notes)
    beat = np.floor(times + ON_THE_BEAT).astype(np.int64)
    phase = times - beat
    inside = (phase >= UPBEAT[0]) & (phase <= UPBEAT[1])
    used, number = np.unique(beat, return_inverse=True)
    count, ons, ins = (
        np.bincount(number, weights=w, minlength=len(used))
        for w in (np.ones(len(beat)), phase <= ON_THE_BEAT, inside)
    )
    divided = (count == 2) & (ons == 1) & (ins == 1)
    chosen = phase[inside & divided[number]]
    return float(np.median(chosen / (1.0 - chosen))) if len(chosen) >= LEAST_BEATS else float("nan")


def bass_leaps(notes: SongNotes) -> float:
    """Share of the beats whose lowest note lies more than an octave from the lowest of the beat before; silent beats do not count."""
    owner, beat = sounding_cells(
        notes, 1, np.maximum(notes.end, np.floor(notes.start) + 0.75)
    )  # short ones belong to their beat, too
    if not len(beat):
        return float("nan")
    first = beat.min()
    lowest = np.full(beat.max() - first + 1, 128)
    np.minimum.at(lowest, beat - first, notes.pitch[owner])
    both = (lowest[1:] < 128) & (lowest[:-1] < 128)
    return _share(np.abs(np.diff(lowest))[both] > OCTAVE)


def until_seen(notes: SongNotes) -> FloatArray:
    """(N,) ends, of short notes late enough to be seen in the middle of their beat."""
    return np.maximum(notes.end, np.floor(notes.start) + 0.75)


def third_strikes(notes: SongNotes) -> float:
    """Share of the notes that are the third or a further strike of their pitch in a row, 0.7 beat from one to the next at most."""
    number, _ = moments(notes)
    key = notes.pitch * (int(number.max(initial=0)) + 1) + number  # of two parts in unison one counts
    _, first = np.unique(key, return_index=True)
    order = first[np.lexsort((notes.start[first], notes.pitch[first]))]
    again = (np.diff(notes.pitch[order]) == 0) & (np.diff(notes.start[order]) <= IN_A_ROW)
    return float(np.count_nonzero(again[1:] & again[:-1]) / len(order)) if len(order) else float("nan")


def lone_sixteenths(notes: SongNotes) -> float:
    """Share of the notes that are sixteenths with no other onset within a beat and a fifth of them."""
    short = np.flatnonzero(notes.end - notes.start <= SIXTEENTH)
    begin = np.searchsorted(notes.start, notes.start[short] - ALONE + NEARLY)
    stop = np.searchsorted(notes.start, notes.start[short] + ALONE - NEARLY)
    counts = np.zeros(len(short), np.int64)
    for interval in range(-NEAR, NEAR + 1):
        counts += _of_pitch(notes, notes.pitch[short] + interval, begin, stop)
    return float(np.count_nonzero(counts == 1) / len(notes)) if len(notes) else float("nan")  # one: itself


def ringing_classes(notes: SongNotes) -> float:
    """Mean number of different pitch classes that ring at once, with what the pedal holds, over sixteenths in which anything does."""
    owner, cell = sounding_cells(notes, STEPS_PER_BEAT, notes.ring)
    return _at_once(cell, notes.pitch[owner] % 12)


def polyphony(notes: SongNotes) -> float:
    """Mean number of pitches that sound at once, over sixteenths in which anything does."""
    owner, cell = sounding_cells(notes, STEPS_PER_BEAT, notes.end)
    return _at_once(cell, notes.pitch[owner])


def overlaps(notes: SongNotes) -> float:
    """Share of the notes of parts for one voice that begin before all earlier ones of their part have ended; NaN without such parts."""
    voices = np.flatnonzero(ONE_VOICE[notes.program])
    if len(voices) < LEAST_BEATS:
        return float("nan")
    order = voices[np.lexsort((notes.start[voices], notes.part[voices]))]
    start, end, part = notes.start[order], notes.end[order], notes.part[order]
    apart = float(end.max() - start.min()) + 1.0
    latest = np.maximum.accumulate(part * apart + end)[:-1] - part[:-1] * apart
    return float(np.count_nonzero((part[1:] == part[:-1]) & (start[1:] < latest - LEGATO)) / len(order))


def pitch_range(notes: SongNotes) -> float:
    """Semitones from the lowest to the highest note."""
    return float(np.ptp(notes.pitch)) if len(notes) else float("nan")


def top_line_kept(source: SongNotes, converted: SongNotes) -> float:
    """Share of the source's top line that is in the converted song's top line, of the same pitch and at its place."""
    wanted, found = (top_line(notes) for notes in (source, converted))
    if not wanted.any() or not found.any():
        return 0.0 if wanted.any() else float("nan")
    apart = (
        max(source.start.max(), converted.start.max()) - min(source.start.min(), converted.start.min()) + 2.0
    )  # pitches do not meet
    here, there = (
        notes.pitch[top] * apart + notes.start[top] for notes, top in ((source, wanted), (converted, found))
    )
    there = np.concatenate([[-np.inf], np.sort(there), [np.inf]])
    place = np.searchsorted(there, here)
    return _share(np.minimum(here - there[place - 1], there[place] - here) <= AT_ITS_PLACE)


def after_the_end(converted: SongNotes, last: float) -> float:
    """Share of the notes that begin at ``last`` or later: the beat at which the source's last bar ends."""
    return _share(converted.start >= last - NEARLY)


MUSICIANS_LIST: dict[str, Callable[[SongNotes], float]] = {
    "out_of_key": out_of_key,
    "off_beat": off_beat,
    "swing_ratio": swing_ratio,
    "bass_leaps": bass_leaps,
    "third_strikes": third_strikes,
    "lone_sixteenths": lone_sixteenths,
    "ringing_classes": ringing_classes,
    "overlaps": overlaps,
    "polyphony": polyphony,
    "pitch_range": pitch_range,
}
"""What is said of a song by itself."""


def musicians_list(notes: SongNotes) -> dict[str, float]:
    """Every measure of :data:`MUSICIANS_LIST`, by name; NaN where a song has no such thing."""
    return {name: measure(notes) for name, measure in MUSICIANS_LIST.items()}


def _share(flags: NDArray[np.bool_]) -> float:
    return float(flags.mean()) if len(flags) else float("nan")


def _at_once(cell: Integers, kind: Integers) -> float:
    """How many different kinds (below 128) there are in a cell, over the cells in which there is any."""
    if not len(cell):
        return float("nan")
    return len(np.unique(cell * 128 + kind)) / len(np.unique(cell))


def _of_pitch(notes: SongNotes, pitch: Integers, begin: Integers, stop: Integers) -> Integers:
    """(K,) how many of the notes from ``begin`` to before ``stop`` have each pitch."""
    size = len(notes) + 1
    order = np.sort(notes.pitch * size + np.arange(len(notes)))
    return np.searchsorted(order, pitch * size + stop) - np.searchsorted(order, pitch * size + begin)
