"""How a genre accompanies: bars of its own songs without their tunes, from which an accompaniment for any tune is put together.

A network knows which notes are likely, each by itself, and hardly which go together: the mean of many walking basses does not walk. So the
target's own bars are kept as statistics of it, and those are chosen, in any of twelve keys, that hold the harmony of the source, are likely
to the network, and follow each other well: unit selection, as for speech (Hunt & Black 1996), by dynamic programming. They are chosen to be
as rich, and as far outside the key, as the genre's own accompaniments are.

Rolls are (C, P, T), see ``piano_roll``; a bar's beats are the target's beats one for one, however long they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.grid import BEATS
from audiocycle.music.piano_roll import N_PITCHES, ONSET, SUSTAIN, VELOCITY
from audiocycle.music.tune import (
    CLASSES,
    Notes,
    above_the_rest,
    articulated,
    detached,
    drawn,
    folded,
    going_on,
    keys_of,
    plainer,
    split,
)
from audiocycle.spec import FloatArray
from audiocycle.system.limits import Table

BARS, NOTES = 4096, 20
"""That are kept of a genre; and notes in each of them, at most."""
MIDDLE = (10.0, 85.0)
"""Percentiles of notes in a bar, and of pitches at once, between which an accompaniment is an example of its genre's."""
USUAL = (50.0, 90.0)
"""Percentiles of songs between which richness is usual: as rich as half of them, and not richer than most."""
FARTHEST = 90.0
"""Percentile of songs by the share of their tunes' notes that lie outside the key: further than it no tune should go."""
FILLED = 0.7
"""The share of a bar in which its accompaniment sounds, at least."""
RUN = 8
"""Bars that are kept together: how one follows another is a part of the manner."""
KEYS = range(-6, 6)
"""Semitones by which bars are moved."""
FEW, MANY = 48, 512
"""Candidates for each bar, while they are joined and while it is found out how rich they have to be."""
TASTE = 0.1
"""With which classes outside the key count when the many are drawn: some of all kinds have to be among them."""
AT_ONCE = 128
"""Bars of the source that are compared with all others at a time."""
BASS, NETWORK, CONTEXT = 0.1, 0.2, 0.5
"""Weights: of the source's bass beside its harmony, of the network's opinion, and of a bar's harmony in each of its beats."""
REPEATED, STEP, LEAP, LEAP_COST, RESTRUCK, JOIN = 0.05, 0.004, 7, 0.12, 0.03, 0.03
"""What it costs to play a bar again at once, a semitone from one bar's last bass note to the next one's first, more than so many of them, none
of them, and to join bars that do not follow each other in their song."""
STEEPEST, HALVINGS = 0.4, 7
"""The largest weight of richness and of what lies outside the key, and how often it is halved."""
Lines = tuple[NDArray[np.int64], NDArray[np.int64]]
COMPOUND = {(4, 6): np.array([0, 2, 4, 5, 6])}
"""Where sixteenths lie in a beat of six steps: an even eighth becomes the last third, as a triplet swings."""

ARRANGEMENT = 1
"""Raised whenever the same songs give another :func:`arrangement` than before."""
TABLES = {
    "texture": Table((BARS, NOTES, 3), 0.0, 127.0, required=False),
    "texture_follows": Table((BARS,), 0.0, 1.0, required=False),
    "texture_usual": Table((6,), 0.0, 12.0, required=False),
}
"""Statistics of a domain: notes (row, first step, steps) of each bar, 0 steps where it has no more; whether a bar follows the one before it in
its song; and what is usual: classes in a beat, from and to; how many of them lie outside the key, from and to; the largest
share of a tune's notes that does, and the share of them that are detached."""


def textures(rolls: Iterable[NDArray[Any]], per_beat: int) -> dict[str, FloatArray]:
    """The statistics of :data:`TABLES` of a genre's songs, (C, 84, T) each, in bars of four beats; empty bars fill what it has not."""
    bar = BEATS * per_beat
    tables: list[NDArray[np.int64]] = []
    follows: list[NDArray[np.bool_]] = []
    outside, rich, tunes, apart = [], [], [], []
    for roll in rolls:
        n = roll.shape[-1] // bar
        if not n:
            continue
        tune, rest = split(roll[..., : n * bar])
        low = drawn(rest, n * bar)[SUSTAIN].reshape(N_PITCHES, n, BEATS, per_beat)
        whole = low[..., 0].any(axis=0).all(axis=1) & (low.any(axis=0).mean(axis=(1, 2)) > FILLED)
        tables.append(table := bars_of(rest, n, bar))
        follows.append(whole & (table[..., 2] > 0).any(axis=1))
        _, other = keys_of(roll[SUSTAIN, :, : n * bar], np.arange(0, n * bar, bar))
        held = present(roll[SUSTAIN, :, : n * bar] > 0, np.arange(0, n * bar + 1, per_beat)).reshape(
            n, BEATS, CLASSES
        )[whole]
        if whole.any():
            rich.append(float(held.sum(axis=-1).mean()))
            outside.append(float((held * other[whole][:, None]).sum(axis=-1).mean()))
        tunes.append(float(other[tune[:, 1] // bar, tune[:, 0] % CLASSES].mean()) if len(tune) else 0.0)
        apart.append(detached(tune))
    chosen, linked = examples(tables, follows)
    found = np.zeros((BARS, NOTES, 3), np.float32)
    found[: len(chosen)] = chosen
    after = np.zeros(BARS, np.float32)
    after[: len(linked)] = linked
    ends = [np.percentile(x, USUAL) if x else np.zeros(2) for x in (rich, outside)]
    of_tunes = [np.percentile(tunes, FARTHEST), np.mean(apart)] if tunes else [0.0, 0.0]
    usual = np.concatenate([*ends, of_tunes]).astype(np.float32)
    return {"texture": found, "texture_follows": after, "texture_usual": usual}


def bars_of(notes: Notes, n: int, bar: int) -> NDArray[np.int64]:
    """Notes (N, 3) as bars (n, NOTES, 3), cut at their ends; what a bar has too many of is left out, the shortest first."""
    where = notes[:, 1] // bar
    inside = notes[:, 1] - where * bar
    length = np.minimum(notes[:, 2], bar - inside)
    order = np.lexsort((-length, where))
    where, kept = where[order], np.stack([notes[:, 0], inside, length], axis=1)[order]
    place = np.arange(len(where)) - np.searchsorted(where, where)
    fits = place < NOTES
    table = np.zeros((n, NOTES, 3), np.int64)
    table[where[fits], place[fits]] = kept[fits]
    return table


def examples(
    tables: list[NDArray[np.int64]], good: list[NDArray[np.bool_]]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The usual ones among the good bars of all songs, in runs, and which follow the one before; drawn at random if there are too many."""
    if not tables:
        return np.zeros((0, NOTES, 3), np.int64), np.zeros(0, np.bool_)
    bars, fine = np.concatenate(tables), np.concatenate(good)
    first = np.concatenate([np.arange(len(table)) == 0 for table in tables])
    if fine.any():
        for amount in ((bars[..., 2] > 0).sum(axis=1), bars[..., 2].sum(axis=1)):
            low, high = np.percentile(amount[fine], MIDDLE)
            fine &= (amount >= low) & (amount <= high)
    runs = np.arange(len(bars)) // RUN
    order = np.random.default_rng(0).permutation(runs[-1] + 1)
    place = np.flatnonzero(fine)
    place = place[np.argsort(order[runs[place]], kind="stable")][:BARS]
    linked = np.zeros(len(place), np.bool_)
    linked[1:] = (place[1:] == place[:-1] + 1) & ~first[place[1:]]
    return bars[place], linked


def present(sounds: NDArray[np.bool_], steps: NDArray[np.int64]) -> FloatArray:
    """(B, 12) which pitch classes sound for a quarter of each beat, at least, from (P, T)."""
    share = np.add.reduceat(folded(sounds) > 0, steps[:-1], axis=1, dtype=np.float32) / np.diff(steps)
    return np.asarray((share.T >= 0.25), np.float32)


@dataclass(frozen=True)
class Bars:
    """Bars of a genre in all keys, key by key, to be compared with others.

    Attributes:
        notes: (N, NOTES, 3).
        follows: (N,).
        classes: (12 N, 2 * 4 * 12) which classes sound in each beat, and then which is lowest.
        ends: (N, 2) the bass note that a bar begins with, and the one it ends with.
    """

    notes: NDArray[np.int64]
    follows: NDArray[np.bool_]
    classes: FloatArray
    ends: NDArray[np.int64]


@lru_cache(maxsize=4)
def opened(texture: bytes, follows: bytes, per_beat: int) -> Bars | None:
    """From the statistics as int8; None of a genre without any."""
    notes = np.frombuffer(texture, np.int8).reshape(-1, NOTES, 3).astype(np.int64)
    sounding = notes[..., 2] > 0
    some = (
        sounding.any(axis=1)
        & (notes[..., 0].max(axis=1) < N_PITCHES)
        & ((notes[..., 1] + notes[..., 2]).max(axis=1) <= BEATS * per_beat)
    )
    if not some.any():
        return None
    notes, sounding = notes[some], sounding[some]
    n, bar = len(notes), BEATS * per_beat
    flat = notes[sounding]
    flat[:, 1] += np.nonzero(sounding)[0] * bar
    cells = drawn(flat, n * bar)[SUSTAIN]
    lines = np.arange(0, n * bar + 1, per_beat)
    held, bass = present(cells, lines), lowest(cells, lines)
    ends = np.where(cells.any(axis=0), cells.argmax(axis=0), -1).reshape(n, bar)
    linked = np.frombuffer(follows, np.int8)[some] > 0
    return Bars(
        notes,
        linked,
        np.concatenate([in_all_keys(held), in_all_keys(bass)], axis=1),
        np.stack([ends[:, 0], ends[:, -1]], axis=1),
    )


def in_all_keys(classes: FloatArray) -> FloatArray:
    """(4 N, 12) of N bars to (12 N, 4 * 12), key by key."""
    return np.concatenate([np.roll(classes, key, axis=-1).reshape(-1, BEATS * CLASSES) for key in KEYS])


def lowest(sounds: NDArray[np.bool_], steps: NDArray[np.int64]) -> FloatArray:
    """(B, 12) the pitch classes that are lowest in each beat, of unit length, from (P, T)."""
    silent = ~sounds.any(axis=0)
    low = np.eye(CLASSES, dtype=np.float32)[sounds.argmax(axis=0) % CLASSES]
    low[silent] = 0.0
    return unit(np.add.reduceat(low, steps[:-1], axis=0))


def unit(x: FloatArray) -> FloatArray:
    """Rows of unit length; silent ones stay 0."""
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-6), np.float32)


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
    tune, _ = split(roll)
    kept = going_on(tune, probability[ONSET, tune[:, 0], tune[:, 1]] >= hold)
    if stats.keys() >= TABLES.keys():
        kept = articulated(kept, float(stats["texture_usual"][5]))
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
    kept = going_on(tune, plainer(tune, roll, steps[:-1:BEATS], float(stats["texture_usual"][4])))
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
    """An accompaniment in the target's manner: notes (N, 3) row, first step, steps; None where the target has no texture.

    Args:
        stats: the target's.
        roll: (C, 84, T) the source's.
        tune: what will sound above.
        probability: (C, 84, T) what the network says.
        lines: (n + 1,) the step at which each bar begins, and the last ends; and (B + 1,) the same of beats.
        per_beat: steps in a beat of the target's bars.
    """
    if not stats.keys() >= TABLES.keys():
        return None
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
    book: Bars,
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
        asked[1, there, beat], asked[2, there, beat], asked[3, there, beat] = (
            bass[at],
            1.0 - tune[at],
            outside[there] * (1.0 - tune[at]),
        )
        in_tune[:, there] += tune[at].sum(axis=1), (tune[at] * outside[there]).sum(axis=1)
    wanted, of_tune = (asked.reshape(4, g, -1) / size).astype(np.float32), (in_tune / size[:, 0]).mean(axis=1)
    number, values = np.zeros((g, many), np.int64), np.zeros((3, g, many), np.float32)
    queries = np.concatenate([wanted[0] + TASTE * wanted[3], BASS * wanted[1]], axis=1)
    for begin in range(0, g, AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        suits = queries[part] @ book.classes.T
        number[part] = np.argpartition(-suits, many - 1, axis=1)[:, :many]
        held = book.classes[number[part], : BEATS * CLASSES]
        values[1:, part] = np.einsum("agc,gkc->agk", wanted[2:, part], held)
        values[0, part] = np.take_along_axis(suits, number[part], axis=1) - TASTE * values[2, part]
    score = values[0].copy()
    for _ in range(2):
        for what in (1, 2):
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
    book: Bars,
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
    book: Bars, groups: NDArray[np.int64], number: NDArray[np.int64], score: FloatArray
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
    book: Bars, bar: int, key: int, group: NDArray[np.int64], steps: NDArray[np.int64], per_beat: int
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
