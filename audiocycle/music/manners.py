"""Manners of new notes: what a musician calls damage is mended, or left out, as notes are made of probabilities.

The source's own notes are never touched, but where a bass note is missed: then it is back. Notes here are (N, 3): row, first step, steps.
What is usual comes from the target's own songs (:func:`habits`); for models that do not say it there are numbers of their genres' mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.metrics.music.keys import SCALES
from audiocycle.music.grid import Span
from audiocycle.music.notes import IntArray
from audiocycle.music.piano_roll import LOWEST, N_PITCHES, decode
from audiocycle.spec import FloatArray

KEY_BEATS = 8
"""Before and behind a beat, by which its scale is told."""
OCTAVE = 12
FILLED = 0.7
"""Of a beat: the most from one strike to the next in a row of them."""
NEAR = 7
"""Semitones."""
MISSED = 7
"""Semitones by which a beat's lowest note is above the source's, where its bass is missed."""
ROUNDS = 3
"""Of mending the bass: from both sides of a stretch that is too deep so many beats come to the line."""
Mask = NDArray[np.bool_]


def out_of_key(notes: IntArray, span_steps: int, per_beat: int) -> Mask:
    """(N,) which notes lie outside the scale, major or harmonic minor, that holds most of what sounds around their beat."""
    row, first, steps = notes.T
    beat = first // per_beat
    sums = np.zeros((span_steps // per_beat + 1, 12))
    np.add.at(sums, (beat, (row + LOWEST) % 12), np.minimum(steps, 4 * per_beat))
    total = np.concatenate([np.zeros((1, 12)), sums.cumsum(axis=0)])
    places = np.arange(len(sums))
    around = total[np.minimum(places + KEY_BEATS, len(sums))] - total[np.maximum(places - KEY_BEATS, 0)]
    scale = (around @ SCALES.T).argmax(axis=1)
    return np.asarray(~SCALES[scale[beat], (row + LOWEST) % 12])


def third_strikes(notes: IntArray, per_beat: int) -> tuple[Mask, IntArray]:
    """(N,) which notes are the third or a further strike of their pitch in a row, and the number of the row that each is in.

    Notes are in order of row and first step.
    """
    follows = (np.diff(notes[:, 0]) == 0) & (np.diff(notes[:, 1]) <= FILLED * per_beat)
    again = np.concatenate([np.zeros(min(1, len(notes)), bool), follows])
    before = np.concatenate([np.zeros(min(1, len(notes)), bool), again[:-1]])
    return again & before, np.cumsum(~again)


def bass_leaps(notes: IntArray, span_steps: int, per_beat: int) -> Mask:
    """(B,) for each beat with sound, whether its lowest note is more than an octave from that of the beat before."""
    lines = np.arange(0, span_steps + 1, per_beat)
    line = lowest(notes, Span(lines.astype(np.float64), lines, lines))
    return np.asarray(leaps(line)[line < N_PITCHES, 0])


MEASURES: dict[str, tuple[tuple[float, float], Callable[[IntArray, int, int], Mask]]] = {
    "out_of_key": ((0.2, 0.25), out_of_key),
    "third_strikes": ((0.06, 0.1), lambda notes, _, per_beat: third_strikes(notes, per_beat)[0]),
    "bass_leaps": ((0.07, 0.12), bass_leaps),
}
"""By the name that a domain's statistics have for it: what :func:`habits` makes where they say nothing, and which notes, or beats, they are."""


def habits(rolls: Iterable[NDArray[Any]], per_beat: int) -> dict[str, FloatArray]:
    """By the names of :data:`MEASURES`, (2,) float32: the mean share over a genre's songs, and what three of four of them have at most."""
    shares: dict[str, list[float]] = {name: [] for name in MEASURES}
    for roll in rolls:
        notes = decode(roll, on=1, hold=1)
        for name, (_, measure) in MEASURES.items():
            if len(notes):
                shares[name].append(float(measure(notes, roll.shape[-1], per_beat).mean()))
    ends = {
        name: (np.mean(found), np.percentile(found, 75)) if found else MEASURES[name][0]
        for name, found in shares.items()
    }
    return {name: np.array(each, np.float32) for name, each in ends.items()}


def mannered(
    new: IntArray,
    kept: IntArray,
    origin: IntArray,
    source: IntArray,
    begins: FloatArray,
    free: Mask,
    span: Span,
    stats: Mapping[str, FloatArray],
) -> tuple[IntArray, Mask]:
    """New notes with manners, (M, 3); and which of the source's notes have to be there as they were, (S,).

    Args:
        new: the network's own notes.
        kept, source: notes of the source that it left, perhaps cut, and all (S, 3) of them; in ``source`` they have the numbers ``origin``.
        begins, free: (P, T) the probability that a note begins; where new notes may sound.
        stats: the target's.
    """
    per_beat = int(np.median(span.sizes))
    sure, likely = (begins[notes[:, 0], notes[:, 1]] for notes in (new, source))
    (foreign, _), (strikes, _), (_, leap) = (
        stats.get(name, np.array(default)) for name, (default, _) in MEASURES.items()
    )
    new, sure = fewer(
        new, sure, kept, lambda notes: out_of_key(notes, span.n_steps, per_beat), float(foreign)
    )
    new = held_on(new, sure, kept, per_beat, float(strikes))
    new, back = mended_bass(new, kept, source, likely, free, span, float(leap))
    others = np.concatenate([kept, source[back]])
    new = without_specks(new, others, free, per_beat)
    cut = origin[alone(kept, np.concatenate([new, others]), free.shape[1], per_beat)]
    back[cut[~overlapping(source[cut], new, span.n_steps)]] = True
    return new, back


def fewer(
    new: IntArray, sure: FloatArray, kept: IntArray, faults: Callable[[IntArray], Mask], share: float
) -> tuple[IntArray, FloatArray]:
    """Without those faulty new notes that are least sure, so that a share of all notes are faulty, or none of the new ones is left to leave out."""
    both = np.concatenate([new, kept])
    wrong = faults(both)
    excess = int(np.ceil((wrong.sum() - share * len(both)) / max(1.0 - share, 0.01)))
    mine = np.flatnonzero(wrong[: len(new)])
    gone = mine[np.argsort(sure[mine], kind="stable")][: max(0, excess)]
    stays = np.ones(len(new), dtype=bool)
    stays[gone] = False
    return new[stays], sure[stays]


def held_on(new: IntArray, sure: FloatArray, kept: IntArray, per_beat: int, share: float) -> IntArray:
    """Rows of strikes are held instead from the second on, the least sure rows first, until a share of all notes are third strikes."""
    both, is_new = np.concatenate([new, kept]), np.arange(len(new) + len(kept)) < len(new)
    order = np.lexsort((both[:, 1], both[:, 0]))
    both, is_new, certainty = both[order], is_new[order], np.concatenate([sure, np.ones(len(kept))])[order]
    third, row = third_strikes(both, per_beat)
    excess = int(third.sum() - share * len(both))
    gone = third & is_new
    if excess <= 0 or not gone.any():
        return new
    mean = np.bincount(row, weights=certainty)[row] / np.bincount(row)[row]
    candidates = np.flatnonzero(gone)
    gone[candidates[np.lexsort((-candidates, row[candidates], mean[candidates]))][excess:]] = False
    holder = np.maximum.accumulate(np.where(gone, 0, np.arange(len(both))))  # the note before that stays
    end = both[:, 1] + both[:, 2]
    reach = end.copy()
    np.maximum.at(reach, holder[gone], end[gone])
    both[:, 2] = np.where(is_new, reach, end) - both[:, 1]
    return both[is_new & ~gone]


def lowest(notes: IntArray, span: Span) -> IntArray:
    """(B,) the lowest row that sounds in each beat; N_PITCHES where nothing does."""
    begin = np.searchsorted(span.steps, notes[:, 1], side="right") - 1
    last = (
        np.searchsorted(span.steps, np.minimum(notes[:, 1] + notes[:, 2], span.n_steps) - 1, side="right") - 1
    )
    sizes = last - begin + 1
    owner = np.repeat(np.arange(len(notes)), sizes)
    beat = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + begin[owner]
    found = np.full(len(span.steps) - 1, N_PITCHES, dtype=np.int64)
    np.minimum.at(found, beat, notes[owner, 0])
    return found


def leaps(line: IntArray) -> Mask:
    """(B, 2) whether the bass of each beat is more than an octave from that of the beat before, and from that of the beat behind it."""
    sounds = line < N_PITCHES
    leap = (np.abs(np.diff(line)) > OCTAVE) & sounds[1:] & sounds[:-1]
    edge = np.zeros(1, dtype=bool)
    return np.stack([np.concatenate([edge, leap]), np.concatenate([leap, edge])], axis=1)


def mended_bass(
    new: IntArray, kept: IntArray, source: IntArray, likely: FloatArray, free: Mask, span: Span, share: float
) -> tuple[IntArray, Mask]:
    """New bass notes moved by octaves to where the line is; and which of the source's notes, (S,), are missed below it.

    Of those come back the likeliest, until a share of the beats leap.

    Args:
        likely: (S,) how likely the network has it that each note of the source begins.
    """
    for _ in range(ROUNDS):
        line = lowest(np.concatenate([new, kept]), span)
        around = np.stack([np.append(N_PITCHES, line[:-1]), np.append(line[1:], N_PITCHES)], axis=1)
        higher = np.where(leaps(line), around, -1).max(axis=1)  # of the beats beside it that it leaps from
        beat = np.searchsorted(span.steps, new[:, 1], side="right") - 1
        deep = (higher > line + OCTAVE)[beat] & (new[:, 0] == line[beat])
        moved = new.copy()
        moved[deep, 0] += -(-(higher[beat] - OCTAVE - new[:, 0]) // OCTAVE)[deep] * OCTAVE
        lost = (
            overlapping(moved, np.concatenate([new[~deep], kept]), span.n_steps)
            | ~free[moved[:, 0], moved[:, 1]]
        )
        new = np.unique(moved[~(deep & lost)], axis=0)
    theirs, back = lowest(source, span), np.zeros(len(source), dtype=bool)
    for _ in range(ROUNDS):
        line = lowest(np.concatenate([new, kept, source[back]]), span)
        leap = leaps(line)
        excess = leap[:, 0].sum() - share * np.count_nonzero(line < N_PITCHES)
        missed = np.flatnonzero(
            sounding_in(source, leap.any(axis=1) & (theirs < line - MISSED), theirs, span) & ~back
        )
        if excess < 1 or not len(missed):
            break
        back[missed[np.argsort(-likely[missed], kind="stable")][: int(np.ceil(excess / 2))]] = (
            True  # each is a way there and back
        )
    return new[~overlapping(new, source[back], span.n_steps)], back


def sounding_in(notes: IntArray, beats: Mask, rows: IntArray, span: Span) -> Mask:
    """(N,) which notes sound in one of the beats, in its row."""
    beat = np.repeat(np.arange(len(beats)), span.sizes)
    steps = np.flatnonzero(beats[beat])
    wanted = np.zeros((N_PITCHES + 1, span.n_steps + 1), dtype=np.int32)
    wanted[rows[beat[steps]], steps + 1] = 1
    count = wanted.cumsum(axis=1)
    end = np.minimum(notes[:, 1] + notes[:, 2], span.n_steps)
    return np.asarray(count[notes[:, 0], end] > count[notes[:, 0], notes[:, 1]])


def overlapping(notes: IntArray, others: IntArray, n_steps: int) -> Mask:
    """(N,) which notes sound, or begin, where one of the others does, in the same row."""
    count = np.zeros((N_PITCHES, n_steps + 1), dtype=np.int32)
    np.add.at(count, (others[:, 0], others[:, 1]), 1)
    np.add.at(count, (others[:, 0], np.minimum(others[:, 1] + others[:, 2], n_steps)), -1)
    sounds = np.cumsum(np.cumsum(count, axis=1) > 0, axis=1)
    sounds = np.concatenate([np.zeros((N_PITCHES, 1), sounds.dtype), sounds], axis=1)
    return np.asarray(
        sounds[notes[:, 0], np.minimum(notes[:, 1] + notes[:, 2], n_steps)] > sounds[notes[:, 0], notes[:, 1]]
    )


def alone(notes: IntArray, others: IntArray, n_steps: int, per_beat: int) -> Mask:
    """(N,) which notes of one step have no more than one of the others near, which is themselves."""
    beside = per_beat - 1
    count = np.zeros((N_PITCHES + 2 * NEAR + 1, n_steps + 2 * beside + 1), dtype=np.int32)
    np.add.at(count, (others[:, 0] + NEAR + 1, others[:, 1] + beside + 1), 1)
    total = count.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)  # four cells tell a rectangle's sum
    (low, begin), (high, end) = notes[:, :2].T, (notes[:, :2] + [2 * NEAR + 1, 2 * beside + 1]).T
    return np.asarray(
        (notes[:, 2] == 1)
        & (total[high, end] - total[low, end] - total[high, begin] + total[low, begin] <= 1)
    )


def without_specks(new: IntArray, others: IntArray, free: Mask, per_beat: int) -> IntArray:
    """New notes of one step with nothing near are eighths, where there is room, or not there."""
    n_steps = free.shape[1]
    both = np.concatenate([new, others])
    lone = alone(new, both, n_steps, per_beat)
    longer = new.copy()
    longer[:, 2] = np.minimum(per_beat // 2, n_steps - new[:, 1])
    behind = longer + np.array([0, 1, -1])
    room = (
        ~overlapping(behind, both, n_steps)
        & free[behind[:, 0], np.minimum(behind[:, 1], n_steps - 1)]
        & (longer[:, 2] > 1)
    )
    return np.asarray(np.where((lone & room)[:, None], longer, new)[~lone | room])
