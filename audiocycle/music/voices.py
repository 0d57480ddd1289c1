"""When a part has a voice free: for a line of its own, or among the notes that it can play at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.notes import NEVER, NEW, IntArray, Notes, latest_end
from audiocycle.music.players import Players, at_once, released
from audiocycle.spec import FloatArray

Flags = NDArray[np.bool_]


def in_line(new: Notes, fixed: Notes, liking: FloatArray, players: Players) -> Flags:
    """Which new notes parts of one voice have time for: nothing begins with them, and nothing sounds that would have to go on behind them.

    Args:
        new: in order of part, time, and liking, the most first.
        fixed: what the parts play already.
    """
    fixed = fixed.where(np.lexsort((fixed.start, fixed.track)))
    begins, wanted = (each.track * NEVER + each.start for each in (fixed, new))
    last = np.searchsorted(begins, wanted, side="right") - 1
    plays = np.ones(len(new), bool)
    if len(fixed):
        behind, ahead = np.maximum(last, 0), np.minimum(last + 1, len(fixed) - 1)
        before, after = (
            (last >= 0) & (fixed.track[behind] == new.track),
            (last + 1 < len(fixed)) & (fixed.track[ahead] == new.track),
        )
        plays &= ~(before & (new.start - fixed.start[behind] <= players.legato))
        plays &= ~(after & (fixed.start[ahead] - new.start <= players.legato))
        held = latest_end(fixed.end, fixed.track)[behind]
        length, sounded = fixed.end[behind] - fixed.start[behind], new.start - fixed.start[behind]
        gives_way = (
            (held == fixed.end[behind])
            & ~players.firm[fixed.origin[behind]]
            & (np.minimum(new.end, np.where(after, fixed.start[ahead], NEVER)) >= held - players.legato)
            & (sounded >= np.minimum(length / 2, players.beat))
        )
        plays &= ~(before & (held - players.legato > new.start) & ~gives_way)
    who = np.flatnonzero(plays)
    plays[who] = _one_after_another(new.where(who), liking[who], players)
    return plays


def _one_after_another(new: Notes, liking: FloatArray, players: Players) -> Flags:
    """Which of new notes one voice can play: of those that begin together one, and none within another that is liked more."""
    plays = np.ones(len(new), bool)
    together = (np.diff(new.track, prepend=-1) == 0) & (np.diff(new.start, prepend=-NEVER) <= players.legato)
    first = np.maximum.accumulate(np.where(together, 0, np.arange(len(new))))
    best = np.lexsort((-liking, first))
    best = best[np.append(True, first[best][1:] != first[best][:-1])[: len(best)]]
    plays[:] = False
    plays[best] = True
    who = np.sort(best)
    end, part = new.end[who], new.track[who]
    latest = latest_end(end, part)
    longest = np.maximum.accumulate(np.where(end == latest, np.arange(len(who)), 0))
    holder = np.append(0, longest)[: len(who)]
    inside = (part[holder] == part) & (holder < np.arange(len(who))) & (end < end[holder] - players.legato)
    plays[who[inside & (liking[who] < liking[who[holder]])]] = False
    return plays


def in_chords(new: Notes, fixed: Notes, liking: FloatArray, players: Players) -> Flags:
    """Which new notes parts of several voices have one free for; see :func:`in_line`."""
    moment = new.track * NEVER + new.start
    sounding = np.zeros(len(new), np.int64)
    for notes in (fixed, new):
        begun = np.sort(notes.track * NEVER + notes.start)
        ended = np.sort(notes.track * NEVER + released(notes, players.legato))
        late = players.legato if notes is fixed else 0
        sounding += np.searchsorted(begun, moment + late, side="right" if notes is fixed else "left")
        sounding -= np.searchsorted(ended, moment, side="right")
    rank = np.arange(len(new)) - np.searchsorted(moment, moment)
    return np.asarray(sounding + rank < players.voices[new.track])


def let_go(notes: Notes, source: Notes, players: Players) -> Notes:
    """Notes that end where their part needs the voice for another one.

    New notes, and what a note of the source was lengthened by, do so wherever there is none left, other notes of the source where a line goes on.
    """
    ends = np.full(int(source.origin.max(initial=0)) + 1, NEVER)
    ends[source.origin] = source.end
    new = notes.origin == NEW
    least = np.where(new, notes.start, np.minimum(ends[np.maximum(notes.origin, 0)], notes.end))
    begins = notes.track * NEVER + notes.start
    crowded = np.sort(begins[at_once(notes, players.legato) > players.voices[notes.track]])
    behind = begins + np.where(new, players.legato, 0)
    end = np.maximum(least, np.minimum(notes.end, _next(crowded, behind)))
    joins = np.sort(begins[new & (players.voices[notes.track] == 1)])
    stays = new | players.firm[notes.origin]
    end = np.where(stays, end, np.minimum(end, _next(joins, begins + players.legato)))
    return replace(notes, end=end)


def _next(keys: IntArray, after: IntArray) -> IntArray:
    """(N,) the tick of the next key of the same part behind each; keys are part * NEVER + tick."""
    keys = np.append(keys, np.iinfo(np.int64).max)
    found = keys[np.searchsorted(keys, after, side="right")]
    return np.where(found // NEVER == after // NEVER, found % NEVER, NEVER)
