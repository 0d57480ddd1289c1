"""Bars of a genre's own songs without their tunes, as statistics of it: examples of how it accompanies.

:mod:`audiocycle.music.texture` puts accompaniments together of them. Rolls are (C, P, T), see ``piano_roll``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.grid import BEATS
from audiocycle.music.piano_roll import N_PITCHES, SUSTAIN, drawn
from audiocycle.music.tune import CLASSES, Notes, detached, folded, keys_of, split
from audiocycle.spec import FloatArray
from audiocycle.system.limits import Table

BARS, NOTES = 4096, 20
"""That are kept of a genre; and notes in each of them, at most."""
MIDDLE = (10.0, 85.0)
"""Percentiles of notes in a bar, and of pitches at once, between which an accompaniment is an example of its genre's."""
USUAL = (45.0, 60.0)
"""Percentiles of songs between which richness is usual."""
FARTHEST = 90.0
"""Percentile of songs by the share of their tunes' notes that lie outside the key: further than it no tune should go."""
FILLED = 0.7
"""The share of a bar in which its accompaniment sounds, at least."""
RUN = 8
"""Bars that are kept together: how one follows another is a part of the manner."""
KEYS = range(-6, 6)
"""Semitones by which bars are moved."""
TABLES = {
    "texture": Table((BARS, NOTES, 3), 0.0, 127.0, required=False),
    "texture_follows": Table((BARS,), 0.0, 1.0, required=False),
    "texture_usual": Table((8,), 0.0, 12.0, required=False),
}
"""Statistics of a domain: notes (row, first step, steps) of each bar, 0 steps where it has no more; whether a bar follows the one before it in
its song; and what is usual: classes in a beat, from and to; how many of them lie outside the key, from and to; how often the bass moves
from beat to beat, from and to; the largest share of a tune's notes that lies outside the key, and the share of them that are detached."""


def textures(rolls: Iterable[NDArray[Any]], per_beat: int) -> dict[str, FloatArray]:
    """The statistics of :data:`TABLES` of a genre's songs, (C, 84, T) each, in bars of four beats; empty bars fill what it has not."""
    bar = BEATS * per_beat
    tables: list[NDArray[np.int64]] = []
    follows: list[NDArray[np.bool_]] = []
    outside, rich, walks, tunes, apart = [], [], [], [], []
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
            walks.append(float(moves(low[..., 0][:, whole]).mean()))
        tunes.append(float(other[tune[:, 1] // bar, tune[:, 0] % CLASSES].mean()) if len(tune) else 0.0)
        apart.append(detached(tune))
    chosen, linked = examples(tables, follows)
    found = np.zeros((BARS, NOTES, 3), np.float32)
    found[: len(chosen)] = chosen
    after = np.zeros(BARS, np.float32)
    after[: len(linked)] = linked
    ends = [np.percentile(x, USUAL) if x else np.zeros(2) for x in (rich, outside, walks)]
    of_tunes = [np.percentile(tunes, FARTHEST), np.mean(apart)] if tunes else [0.0, 0.0]
    usual = np.concatenate([*ends, of_tunes]).astype(np.float32)
    return {"texture": found, "texture_follows": after, "texture_usual": usual}


def moves(cells: NDArray[np.bool_]) -> FloatArray:
    """(N,) for the beats of a bar, (P, N, 4) which rows sound as they begin, at how many of three the lowest is another than before."""
    return np.asarray((np.diff(cells.argmax(axis=0), axis=-1) != 0).mean(axis=-1), np.float32)


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
class Examples:
    """Bars of a genre in all keys, key by key, to be compared with others.

    Attributes:
        notes: (N, NOTES, 3).
        follows: (N,).
        classes: (12 N, 2 * 4 * 12) which classes sound in each beat, and then which is lowest.
        ends: (N, 2) the bass note that a bar begins with, and the one it ends with.
        walks: (N,) how often its bass moves, see :func:`moves`.
    """

    notes: NDArray[np.int64]
    follows: NDArray[np.bool_]
    classes: FloatArray
    ends: NDArray[np.int64]
    walks: FloatArray


@lru_cache(maxsize=4)
def opened(texture: bytes, follows: bytes, per_beat: int) -> Examples | None:
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
    return Examples(
        notes,
        linked,
        np.concatenate([in_all_keys(held), in_all_keys(bass)], axis=1),
        np.stack([ends[:, 0], ends[:, -1]], axis=1),
        moves(cells[:, ::per_beat].reshape(len(cells), n, BEATS)),
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
