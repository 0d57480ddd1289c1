"""Notes as a person reads them: bars, staves, voices, chords; lengths that can be written, and names of pitches that fit the key.

All times are whole numbers of :data:`QUARTER` to a quarter note, on which sixteenths and triplets both fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audiocycle.metrics.music.keys import PROFILES
from audiocycle.music.metres import COMPOUND

QUARTER, EIGHTH, SIXTEENTH, TRIPLET = 12, 6, 3, 4
LENGTHS = (3, 6, 9, 12, 18, 24, 36, 48, 72)
"""What one note can last: a sixteenth, an eighth, dotted or not, up to a dotted whole note."""
IN_TRIPLETS = (2, 4, 8)
"""What a note of a triplet's beat can last besides."""
_TRIPLETS_FIT = (
    0.5  # a beat is one of triplets where its onsets lie so much nearer to thirds than to sixteenths
)
_UNEVEN = 0.6  # units from a sixteenth, in the mean of a beat's notes; less is playing, not rhythm
_MOST_VOICES = 2

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Head(NamedTuple):
    """A note's part within one bar.

    Attributes:
        note: which note it is a part of.
        tied_before, tied_after: whether the note has others before and behind it.
        is_new: to be marked.
    """

    note: int
    pitch: int
    tied_before: bool
    tied_after: bool
    is_new: bool


class Chord(NamedTuple):
    """Heads that begin and end together; from the beginning of their bar."""

    start: int
    end: int
    heads: tuple[Head, ...]


Voice = list[Chord]


@dataclass(frozen=True)
class WrittenBar:
    """A bar: its metre, and how long it is, which may be less where the next signature cuts it short."""

    numerator: int
    denominator: int
    length: int

    @property
    def beat(self) -> int:
        is_compound = self.denominator in COMPOUND and self.numerator % 3 == 0
        return 3 * 4 * QUARTER // self.denominator if is_compound else QUARTER

    @property
    def middle(self) -> int:
        """What no note hides in bars of four quarters; elsewhere the end of the bar."""
        has_halves = self.beat == QUARTER and self.length % (2 * QUARTER) == 0 and self.length > 2 * QUARTER
        return self.length // 2 if has_halves else self.length


@dataclass(frozen=True)
class Key:
    """A key, as its place on the line of fifths: C major 0, G major and E minor 1, F major -1."""

    fifths: int
    is_minor: bool = False

    def name(self, pitch: int) -> tuple[str, int, int]:
        """Letter, sharps (flats below 0) and octave (4 from middle C on) of a pitch: as near to the key as there is one, F sharp rather than G flat in C."""
        lowest = self.fifths - 5 + 3 * self.is_minor
        place = lowest + (7 * pitch - lowest) % 12
        sharps = (place + 1) // 7
        return "FCGDAEB"[(place + 1) % 7], sharps, (pitch - sharps) // 12 - 1


@dataclass(frozen=True)
class Lines:
    """The notes of a row's parts, written: all (N,).

    Attributes:
        start, end: units from the beginning of the first bar.
        staff: which one.
    """

    start: Ints
    end: Ints
    pitch: Ints
    staff: Ints
    is_new: NDArray[np.bool_]


def metres_of(begins: Floats, signatures: Sequence[tuple[float, int, int]]) -> list[WrittenBar]:
    """The metre of each bar, as long as it is: the next signature may cut it short, by sixteenths.

    Args:
        begins: (n + 1,) where bars begin and the last ends, quarter notes.
        signatures: begin in quarter notes, numerator, denominator; in order.
    """
    metres = []
    for begin, length in zip(begins[:-1].tolist(), np.diff(begins).tolist(), strict=True):
        current = [(4, 4), *((top, bottom) for at, top, bottom in signatures if at <= begin + 1e-6)][-1]
        metres.append(WrittenBar(*current, max(1, round(length * QUARTER / SIXTEENTH)) * SIXTEENTH))
    return metres


def key_of(pitch: Ints, weight: Floats) -> Key:
    """The key that notes are in, by the correlation of how much each pitch class sounds with the two profiles."""
    is_minor, tonic = divmod(int((PROFILES @ np.bincount(pitch % 12, weight, 12)).argmax()), 12)
    return Key((7 * (tonic + 3 * is_minor) + 5) % 12 - 5, bool(is_minor))


def written(start: Floats, end: Floats, begins: Floats, metres: Sequence[WrittenBar]) -> tuple[Ints, Ints]:
    """Times of all notes of a row on the nearest grid: sixteenths, or triplets in beats whose onsets fit them much better.

    Args:
        start, end: (N,) quarter notes; starts lie within the bars.
        begins: (n + 1,) of the bars.

    Returns:
        (N,) twice, units from the beginning of the first bar; each note has some length.
    """
    lengths = np.array([metre.length for metre in metres])
    firsts = np.concatenate([[0], np.cumsum(lengths)])
    beats = np.array([metre.beat for metre in metres])

    def places(at: Floats) -> tuple[Ints, Ints, Floats]:
        """Bar, number of the beat, and units into the beat."""
        bar = np.clip(np.searchsorted(begins, at + 1e-6, side="right") - 1, 0, len(metres) - 1)
        inside = np.clip((at - begins[bar]) * QUARTER, 0.0, None)
        beat = np.floor(inside / beats[bar] + 1e-6).astype(np.int64)
        return bar, beat, inside - beat * beats[bar]

    bar, beat, inside = places(start)
    most = int(beat.max(initial=0)) + 1
    number = bar * most + beat
    off = inside > SIXTEENTH / 2
    n_off = np.bincount(number, off, len(metres) * most)
    uneven = np.bincount(number, np.abs(inside - _nearest(inside, SIXTEENTH)), len(n_off))
    in_triplets = np.bincount(number, np.abs(inside - _nearest(inside, TRIPLET)), len(n_off))
    is_whole = (beats == QUARTER)[:, None] & (
        (np.arange(most) + 1) * QUARTER <= lengths[:, None]
    )  # (n, beats of a bar)
    is_triplet = (in_triplets < _TRIPLETS_FIT * uneven) & (uneven > _UNEVEN * n_off) & is_whole.ravel()

    def nearest(at: Floats) -> tuple[Ints, Ints]:
        """Units from the first bar, and the unit of the grid there."""
        bar, beat, inside = places(at)
        number = np.minimum(bar * most + beat, len(n_off) - 1)
        unit = np.where((beat < most) & is_triplet[number], TRIPLET, SIXTEENTH)
        return firsts[bar] + beat * beats[bar] + _nearest(inside, unit).astype(np.int64), unit

    first, unit = nearest(start)
    last, _ = nearest(end)
    return first, np.maximum(last, first + unit)


def _nearest(inside: Floats, unit: Ints | int) -> Floats:
    return np.asarray(np.floor(inside / unit + 0.5) * unit)


def tidied(lines: Lines, total: int) -> Lines:
    """The notes that begin before ``total``, as a staff shows them.

    One where several have one start and pitch, none longer than the next of its pitch allows, and no rests of a sixteenth between notes.
    """
    shown = np.flatnonzero(lines.start < total)
    start, end = lines.start[shown], np.minimum(lines.end[shown], total)
    pitch, staff, marked = lines.pitch[shown], lines.staff[shown], lines.is_new[shown]
    order = np.lexsort((-end, start, pitch, staff))
    lane = staff * 128 + pitch
    is_first = np.append(True, (np.diff(start[order]) != 0) | (np.diff(lane[order]) != 0))[: len(order)]
    chosen = order[is_first]
    same = np.diff(lane[chosen]) == 0
    until = np.append(np.where(same, start[chosen][1:], total), total)[: len(chosen)]
    end = np.minimum(end[chosen], until)
    kept = Lines(start[chosen], end, pitch[chosen], staff[chosen], marked[chosen])
    for number in np.unique(kept.staff):
        mine = np.flatnonzero(kept.staff == number)
        onsets = np.append(np.unique(kept.start[mine]), total)
        following = onsets[np.searchsorted(onsets, end[mine])]  # the first onset from its end on
        gap = following - end[mine]
        closes = (gap <= TRIPLET) & (end[mine] - kept.start[mine] >= 2 * gap) & (following < total)
        end[mine[closes]] = following[closes]
    return replace(kept, end=end)


def bars_of_staff(lines: Lines, staff: int, metres: Sequence[WrittenBar]) -> list[list[Voice]]:
    """The voices of a staff, one or two, bar by bar; what a third would have to play is shortened."""
    mine = np.flatnonzero(lines.staff == staff)
    firsts = np.concatenate([[0], np.cumsum([metre.length for metre in metres])])
    heads: list[list[tuple[int, int, Head]]] = [[] for _ in metres]
    for note, start, end, pitch, is_new in zip(
        mine.tolist(),
        *(column[mine].tolist() for column in (lines.start, lines.end, lines.pitch, lines.is_new)),
        strict=True,
    ):
        first = int(np.searchsorted(firsts, start, side="right")) - 1
        for bar in range(first, len(metres)):
            if firsts[bar] >= end:
                break
            begin, stop = max(start, int(firsts[bar])), min(end, int(firsts[bar + 1]))
            head = Head(note, pitch, begin > start, stop < end, is_new)
            heads[bar].append((begin - int(firsts[bar]), stop - int(firsts[bar]), head))
    ended: set[int] = set()
    found = []
    for metre, each in zip(metres, heads, strict=True):
        found.append(_voices([part for part in each if part[2].note not in ended], metre.length, ended))
    return found


def _voices(parts: Sequence[tuple[int, int, Head]], length: int, ended: set[int]) -> list[Voice]:
    """Chords of a bar, as few voices as they need; the numbers of notes that had to be cut go into ``ended``."""
    together: dict[tuple[int, int], list[Head]] = {}
    for start, end, head in parts:
        together.setdefault((start, end), []).append(head)
    chords = [
        Chord(start, end, tuple(sorted(heads, key=lambda head: head.pitch)))
        for (start, end), heads in together.items()
    ]
    chords.sort(key=lambda chord: (chord.start, -np.mean([head.pitch for head in chord.heads])))
    voices: list[Voice] = []
    for chord in chords:
        free = [voice for voice in voices if voice[-1].end <= chord.start]
        if free:
            free[0].append(chord)
        elif len(voices) < _MOST_VOICES:
            voices.append([chord])
        else:
            oldest = min(voices, key=lambda voice: voice[-1].start)
            last = oldest[-1]
            if last.start < chord.start:
                oldest[-1] = _cut(last, chord.start, ended)
                oldest.append(chord)
            else:  # three lengths at one time: it takes the nearest other
                nearest = min(voices, key=lambda voice: abs(voice[-1].end - chord.end))
                joined = _cut(chord, nearest[-1].end, ended) if nearest[-1].end < chord.end else chord
                heads = {head.pitch: head for head in (*joined.heads, *nearest[-1].heads)}
                nearest[-1] = nearest[-1]._replace(heads=tuple(heads[pitch] for pitch in sorted(heads)))
    if len(voices) > 1 and _height(voices[0]) < _height(voices[1]):
        voices.reverse()
    return voices or [[]]


def _cut(chord: Chord, end: int, ended: set[int]) -> Chord:
    ended.update(head.note for head in chord.heads if head.tied_after)
    return Chord(chord.start, end, tuple(head._replace(tied_after=False) for head in chord.heads))


def _height(voice: Voice) -> float:
    return float(np.mean([head.pitch for chord in voice for head in chord.heads]))


def lengths(start: int, end: int, metre: WrittenBar, is_rest: bool = False) -> list[tuple[int, int]]:
    """A time of a bar in lengths that can be written, and that show where its beats are."""
    if _is_plain(start, end, metre, is_rest):
        return [(start, end)]
    for unit in (metre.middle, metre.beat, EIGHTH, SIXTEENTH, 1):
        line = (end - 1) // unit * unit if start % unit == 0 else -(-start // unit) * unit
        if start < line < end:
            return [*lengths(start, line, metre, is_rest), *lengths(line, end, metre, is_rest)]
    return [(start, end)]


def _is_plain(start: int, end: int, metre: WrittenBar, is_rest: bool) -> bool:
    """Whether one note, or one rest, can stand for it."""
    length, beat = end - start, metre.beat
    if start // beat == (end - 1) // beat:
        if start % SIXTEENTH or end % SIXTEENTH:
            return length in IN_TRIPLETS
        return length in LENGTHS and not (is_rest and beat == QUARTER and length == EIGHTH + SIXTEENTH)
    if length not in LENGTHS:
        return False
    is_whole, crosses = end - start == metre.length, start < metre.middle < end
    if start % beat == 0 and (is_rest or beat != QUARTER):
        return is_whole or (end % beat == 0 and not crosses and length != 3 * QUARTER)
    if start % beat == 0:
        return not crosses or start == 0 or end == metre.length or length == 2 * QUARTER
    return not is_rest and beat == QUARTER and not crosses and start % EIGHTH == 0 and length == QUARTER
