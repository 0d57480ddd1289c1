"""How a genre accompanies: bars of its own songs without their tunes, from which an accompaniment for any tune is put together.

A network knows which notes are likely, each by itself, and hardly which go together: the mean of many walking basses does not walk. So the
target's own bars are kept as statistics of it, and those are chosen, in any of twelve keys, that hold the harmony of the source, are likely
to the network, and follow each other well: unit selection, as for speech (Hunt & Black 1996), by dynamic programming. They are chosen to be
as rich, and as far outside the key, as the genre's own accompaniments are.

Rolls are (C, P, T), see ``piano_roll``; a bar's beats are the target's beats one for one, however long they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.example_bars import KEYS, TABLES, Examples, lowest, opened, present, unit
from audiocycle.music.grid import BEATS
from audiocycle.music.piano_roll import N_PITCHES, ONSET, SUSTAIN, VELOCITY, drawn
from audiocycle.music.tune import (
    CLASSES,
    Notes,
    above_the_rest,
    articulated,
    folded,
    going_on,
    keys_of,
    plainer,
    split,
)
from audiocycle.spec import FloatArray

FEW, MANY = 48, 512
"""Candidates for each bar, while they are joined and while it is found out how rich they have to be."""
TASTE = 0.1
"""With which classes outside the key count when the many are drawn: some of all kinds have to be among them."""
AT_ONCE = 128
"""Examples of the source that are compared with all others at a time."""
BASS, NETWORK, CONTEXT = 2.0, 0.2, 0.5
"""Weights: of the source's bass, as a bar begins, beside its harmony, of the network's opinion, and of a bar's harmony in each of its beats."""
REPEATED, STEP, LEAP, LEAP_COST, RESTRUCK, JOIN = 0.05, 0.004, 7, 0.12, 0.03, 0.03
"""What it costs to play a bar again at once, a semitone from one bar's last bass note to the next one's first, more than so many of them, none
of them, and to join bars that do not follow each other in their song."""
STEEPEST, HALVINGS = 0.4, 7
"""The largest weight of richness and of what lies outside the key, and how often it is halved."""
Lines = tuple[NDArray[np.int64], NDArray[np.int64]]
COMPOUND = {(4, 6): np.array([0, 2, 4, 5, 6])}
"""Where sixteenths lie in a beat of six steps: an even eighth becomes the last third, as a triplet swings."""

ARRANGEMENT = 3
"""Raised whenever the same songs give another :func:`arrangement` than before."""


def in_its_manner(
    stats: Mapping[str, FloatArray],
    roll: NDArray[Any],
    probability: FloatArray,
    lines: Lines,
    per_beat: int,
    level: float,
    hold: float,
) -> FloatArray:
    """Probabilities (C, 84, T): the source's tune, as far as the network keeps it, over an accompaniment in the target's manner.

    What is chosen is above ``level``, the surer the network is of it; everything else is below ``hold``. Of a target that has no texture they
    are the network's.

    Args:
        level, hold: probabilities from which a note begins, and goes on.
        Others: see :func:`accompanied`.
    """
    if not stats.keys() >= TABLES.keys():
        return probability
    tune, _ = split(roll)
    kept = articulated(going_on(tune, probability[ONSET, tune[:, 0], tune[:, 1]] >= hold), float(stats["texture_usual"][7]))
    rest = accompanied(stats, roll, kept, probability, lines, per_beat)
    if rest is None:
        return probability
    chosen = above_the_rest(kept, rest, roll.shape[-1])
    made, notes = probability.copy(), np.clip(probability[:VELOCITY], 0.0, 1.0)
    made[:VELOCITY] = np.where(chosen, level + (1.0 - level) * notes, 0.99 * hold * notes)
    return made


def arrangement(stats: Mapping[str, FloatArray], roll: NDArray[Any], per_beat: int) -> FloatArray:
    """What a source (C, 84, T) in bars of four beats becomes without a network, (2, 84, T) of 0 and 1, for a network to learn.

    Its tune, as plain as the target's tunes are, over an accompaniment in the target's manner.
    """
    steps = np.arange(0, roll.shape[-1] + 1, per_beat)
    if not stats.keys() >= TABLES.keys():
        return np.asarray(roll[:VELOCITY] > 0, np.float32)
    tune, _ = split(roll)
    kept = going_on(tune, plainer(tune, roll, steps[:-1:BEATS], float(stats["texture_usual"][6])))
    rest = accompanied(stats, roll, kept, np.zeros(roll.shape, np.float32), (steps[::BEATS], steps), per_beat)
    return (
        np.asarray(roll[:VELOCITY] > 0, np.float32)
        if rest is None
        else above_the_rest(kept, rest, roll.shape[-1]).astype(np.float32)
    )


def accompanied(
    stats: Mapping[str, FloatArray],
    roll: NDArray[Any],
    tune: Notes,
    probability: FloatArray,
    lines: Lines,
    per_beat: int,
) -> Notes | None:
    """An accompaniment in the target's manner: notes (N, 3) row, first step, steps; None where the target has no bars.

    Args:
        stats: the target's, with those of :data:`~audiocycle.music.example_bars.TABLES`.
        roll: (C, 84, T) the source's.
        tune: what will sound above.
        probability: (C, 84, T) what the network says.
        lines: (n + 1,) the step at which each bar begins, and the last ends; and (B + 1,) the same of beats.
        per_beat: steps in a beat of the target's bars.
    """
    book = opened(
        *(np.rint(stats[name]).astype(np.int8).tobytes() for name in ("texture", "texture_follows")), per_beat
    )
    if book is None:
        return None
    bars, steps = lines
    groups = beat_groups(np.searchsorted(steps, bars))
    sounds = roll[SUSTAIN] > 0
    beats = np.logical_or.reduceat(sounds.any(axis=0), steps[:-1])
    groups = groups[[bool(beats[a:b].any()) for a, b in groups]]
    if not len(groups):
        return np.zeros((0, 3), np.int64)
    _, outside = keys_of(sounds, steps[groups[:, 0]])
    beatwise = (
        harmony_of(sounds, steps),
        lowest(sounds, steps),
        present(drawn(tune, roll.shape[-1])[SUSTAIN], steps),
    )
    number, score = candidates(book, groups, *beatwise, outside, stats["texture_usual"])
    score = score + NETWORK * likely(book, number, groups, probability, steps, per_beat)
    chosen = joined(book, groups, number, score)
    made = [
        placed(book, bar, key, group, steps, per_beat)
        for (bar, key), group in zip(chosen, groups, strict=True)
    ]
    notes = np.concatenate([np.zeros((0, 3), np.int64), *made])
    owner = np.searchsorted(steps, notes[:, 1], side="right") - 1
    return notes[beats[owner]]


def beat_groups(firsts: NDArray[np.int64]) -> NDArray[np.int64]:
    """(G, 2) bars, given by their first beats and the end, as groups of four beats at most: first beat and the one behind the last."""
    counts = np.diff(firsts)
    parts = -(-counts // BEATS)
    owner = np.repeat(np.arange(len(counts)), parts)
    place = np.arange(len(owner)) - np.searchsorted(owner, owner)
    begins, ends = (firsts[owner] + -(-(place + late) * counts[owner] // parts[owner]) for late in (0, 1))
    return np.stack([begins, ends], axis=1)


def harmony_of(sounds: NDArray[np.bool_], steps: NDArray[np.int64]) -> FloatArray:
    """(B, 12) how much each class sounds in a beat, of unit length."""
    return unit(np.add.reduceat(folded(sounds), steps[:-1], axis=1, dtype=np.float32).T)


def candidates(
    book: Examples,
    groups: NDArray[np.int64],
    harmony: FloatArray,
    bass: FloatArray,
    tune: FloatArray,
    outside: NDArray[np.bool_],
    usual: FloatArray,
) -> tuple[NDArray[np.int64], FloatArray]:
    """(G, FEW) the bars that suit each group best, numbered through all keys, and how well."""
    g, many = len(groups), min(MANY, len(book.classes))
    asked = np.zeros((4, g, BEATS, CLASSES), np.float32)  # harmony, bass, all classes, those outside the key
    in_tune = np.zeros((2, g), np.float32)  # classes that the tune has already, and those outside the key
    size = np.diff(groups, axis=1)
    total = np.concatenate([np.zeros((1, CLASSES), np.float32), np.cumsum(harmony, axis=0)])
    mean = ((total[groups[:, 1]] - total[groups[:, 0]]) / size).astype(np.float32)
    for beat in range(BEATS):
        there = np.flatnonzero(beat < size[:, 0])
        at = groups[there, 0] + beat
        asked[0, there, beat] = unit(harmony[at] + CONTEXT * mean[there])
        if beat == 0:  # a bass walks from there as the genre's does
            asked[1, there, beat] = bass[at]
        asked[2, there, beat] = 1.0 - tune[at]
        asked[3, there, beat] = outside[there] * (1.0 - tune[at])
        in_tune[:, there] += tune[at].sum(axis=1), (tune[at] * outside[there]).sum(axis=1)
    wanted, of_tune = (asked.reshape(4, g, -1) / size).astype(np.float32), (in_tune / size[:, 0]).mean(axis=1)
    number, values = np.zeros((g, many), np.int64), np.zeros((4, g, many), np.float32)
    queries = np.concatenate([wanted[0] + TASTE * wanted[3], BASS * wanted[1]], axis=1)
    for begin in range(0, g, AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        suits = queries[part] @ book.classes.T
        number[part] = np.argpartition(-suits, many - 1, axis=1)[:, :many]
        held = book.classes[number[part], : BEATS * CLASSES]
        values[1:3, part] = np.einsum("agc,gkc->agk", wanted[2:, part], held)
        values[3, part] = book.walks[number[part] % len(book.notes)]
        values[0, part] = np.take_along_axis(suits, number[part], axis=1) - TASTE * values[2, part]
    score, of_tune = values[0].copy(), np.append(of_tune, 0.0)
    for _ in range(2):
        for what in (1, 2, 3):
            low, high = usual[2 * what - 2 : 2 * what] - of_tune[what - 1]
            score += weight(score, values[what], float(low), float(high)) * values[what]
    few = min(FEW, many)
    best = np.argpartition(-score, few - 1, axis=1)[:, :few]
    number, score = np.take_along_axis(number, best, axis=1), np.take_along_axis(score, best, axis=1)
    return number, score


def weight(score: FloatArray, values: FloatArray, least: float, most: float) -> float:
    """With which ``values`` have to count beside ``score``, (G, K) both, for the best of each row to have between ``least`` and ``most`` on average."""
    rows = np.arange(len(score))

    def reached(by: float) -> float:
        return float(values[rows, (score + by * values).argmax(axis=1)].mean())

    now = reached(0.0)
    wanted = min(max(now, least), most)
    if wanted == now:
        return 0.0
    low, high = -STEEPEST, STEEPEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if reached(middle) < wanted else (low, middle)
    return (low + high) / 2


def likely(
    book: Examples,
    number: NDArray[np.int64],
    groups: NDArray[np.int64],
    probability: FloatArray,
    steps: NDArray[np.int64],
    per_beat: int,
) -> FloatArray:
    """(G, K) the mean probability that the network has for the notes of each candidate to begin where they would."""
    key, bar = np.divmod(number, len(book.notes))
    row, first, length = np.moveaxis(book.notes[bar], -1, 0)
    row = row + (key + KEYS.start)[..., None]
    beat = groups[:, 0, None, None] + first // per_beat
    there = (length > 0) & (beat < groups[:, 1, None, None]) & (row >= 0) & (row < N_PITCHES)
    beat = np.minimum(beat, len(steps) - 2)
    step = steps[beat] + first % per_beat * np.diff(steps)[beat] // per_beat
    chance = probability[ONSET, np.clip(row, 0, N_PITCHES - 1), step] * there
    return np.asarray(chance.sum(axis=-1) / np.maximum(1, there.sum(axis=-1)), np.float32)


def joined(
    book: Examples, groups: NDArray[np.int64], number: NDArray[np.int64], score: FloatArray
) -> list[tuple[int, int]]:
    """A bar and the semitones by which it is moved for each group: the best way through the candidates (Viterbi 1967)."""
    key, bar = np.divmod(number, len(book.notes))
    key = key + KEYS.start
    first, last = book.ends[bar, 0] + key, book.ends[bar, 1] + key
    cost, back = -score[0], []
    for now in range(1, len(groups)):
        apart = np.abs(first[now] - last[now - 1][:, None])
        goes_on = (
            (bar[now] == bar[now - 1][:, None] + 1)
            & (key[now] == key[now - 1][:, None])
            & book.follows[bar[now]]
        )
        step = JOIN + STEP * apart + LEAP_COST * (apart > LEAP) + RESTRUCK * (apart == 0)
        total = cost[:, None] + np.where(goes_on, 0.0, step) + REPEATED * (bar[now] == bar[now - 1][:, None])
        back.append(total.argmin(axis=0))
        cost = total.min(axis=0) - score[now]
    way = [int(cost.argmin())]
    for before in reversed(back):
        way.append(int(before[way[-1]]))
    return [(int(bar[now, place]), int(key[now, place])) for now, place in enumerate(reversed(way))]


def placed(
    book: Examples, bar: int, key: int, group: NDArray[np.int64], steps: NDArray[np.int64], per_beat: int
) -> Notes:
    """The notes of a bar in the beats of a group: what lies behind those is cut, what leaves the roll is lost."""
    begin, end = group
    notes = book.notes[bar]
    row, first, length = notes[notes[:, 2] > 0].T
    row = row + key
    lines = steps[begin : end + 1]

    def moved(place: NDArray[np.int64]) -> NDArray[np.int64]:
        beat = np.minimum(place // per_beat, len(lines) - 2)
        inside, size = place - beat * per_beat, np.diff(lines)[beat]
        even = inside * size // per_beat
        for (own, theirs), places in COMPOUND.items():
            if own == per_beat:
                even = np.where(size == theirs, places[np.minimum(inside, own)], even)
        return np.asarray(lines[beat] + np.minimum(even, size))

    inside = (first // per_beat < len(lines) - 1) & (row >= 0) & (row < N_PITCHES)
    start = moved(first[inside])
    stop = np.maximum(moved(np.minimum(first + length, per_beat * (len(lines) - 1))[inside]), start + 1)
    return np.stack([row[inside], start, stop - start], axis=1)
