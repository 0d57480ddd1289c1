"""Who plays the notes that a network added, so that every part plays what it can: lines stay with one part, and voices do not run into each other.

A line of new notes (:mod:`~audiocycle.music.voice_leading`) goes to a part that plays in that phrase and in that register, within its compass, and
where it has a voice free. Where a voice goes on to its next note it lets go of the one before. What no part can play is left out: silence is
better than a wrong note.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from audiocycle.music.notes import NEW, IntArray, Notes, join
from audiocycle.music.players import Places, Players, places_of
from audiocycle.music.voice_leading import lines_of
from audiocycle.music.voices import Flags, in_chords, in_line, let_go
from audiocycle.spec import FloatArray

CHOICES = 3
"""Parts that a line is offered to."""
LOYAL = 24.0
"""Semitones that a line is nearer to the part that plays all other notes of it."""
OFF_CENTRE = 0.1
"""Of the semitones from the middle of where a part lies, within which it does lie."""
MOSTLY = 0.67
"""Share of a line's notes that a part has to have a voice for."""
NOBODY = -1


def voiced(notes: Notes, source: Notes, heir: IntArray, players: Players, phrases: IntArray) -> Notes:
    """The notes of a conversion, with each new one in a part that can play it; those that no part can play are left out.

    Args:
        notes: what became of ``source``, in order of time.
        source: the song's melodic notes.
        heir: of each part, the part to which its new notes go.
        players: what the heirs can play.
        phrases: ticks at which phrases begin, in order.
    """
    own = np.zeros(int(source.origin.max(initial=0)) + 1, np.int64)
    own[source.origin] = source.track
    source, notes = (replace(each, track=heir[each.track]) for each in (source, notes))
    added = notes.origin == NEW
    if added.any():
        notes = _given(notes, source, players, phrases)
    made = let_go(notes, source, players)
    return replace(made, track=np.where(made.origin == NEW, made.track, own[made.origin]))


def _given(notes: Notes, source: Notes, players: Players, phrases: IntArray) -> Notes:
    """The notes, each new one with its part."""

    def phrase(ticks: IntArray) -> IntArray:  # what is a little before a bar line anticipates it
        return np.searchsorted(phrases, ticks + players.legato, side="right").astype(np.int64)

    added = notes.origin == NEW
    line = lines_of(notes, phrase(notes.start), players.beat, players.legato, ~added)
    kept, new = notes.where(~added), notes.where(added)
    lines, group = np.unique(line[added], return_inverse=True)
    theirs = np.minimum(np.searchsorted(lines, line[~added]), len(lines) - 1)
    joins = lines[theirs] == line[~added]  # kept notes in a line with new ones
    friends = theirs[joins] * len(players) + kept.track[joins]

    here = phrase(new.start)
    everywhere = np.zeros(len(source), np.int64)
    places = (
        places_of(source, phrase(source.start), phrase(source.end - 1)),
        places_of(source, everywhere, everywhere),
    )
    part = np.full(len(new), NOBODY)
    offers, liking = _offers(new, group, here, places, players, friends)
    first, size = offers[0][group], np.bincount(group)
    for offer, liked in zip(offers[:, group], liking[:, group], strict=True):
        served = np.bincount(group, weights=part != NOBODY)[group] > 0
        plays = _plays(kept, new, part, ~served & (offer != NOBODY), offer, liked, players)
        enough = np.bincount(group, weights=plays) >= MOSTLY * size
        part = np.where(plays & enough[group], offer, part)
    # What is left is offered note by note: to chords, and to the part that was nearest to the line; it is not handed to another line.
    for offer, liked in zip(
        *_offers(new, np.arange(len(new)), here, places, players, friends[:0]), strict=True
    ):
        asked = (part == NOBODY) & (offer != NOBODY) & ((players.voices[offer] > 1) | (offer == first))
        part = np.where(_plays(kept, new, part, asked, offer, liked, players), offer, part)
    return join([kept, replace(new, track=part).where(part != NOBODY)])


def _offers(
    new: Notes,
    group: IntArray,
    phrase: IntArray,
    places: tuple[Places, Places],
    players: Players,
    friends: IntArray,
) -> tuple[IntArray, FloatArray]:
    """The parts that groups of notes are offered to, the nearest first, and how much each likes it: (CHOICES, G) twice; ``NOBODY`` where there is none.

    Args:
        group: (N,) number of each note's group, all below G used; ``phrase``: of the notes.
        places: where parts lie in the phrases in which they play; and in the song, phrase 0, for what none of them has in its compass.
        friends: group * P + part of each kept note that is in a line with a group.
    """
    size = np.bincount(group)
    at = np.zeros(len(size), np.int64)
    at[group[::-1]] = phrase[::-1]  # of the first
    lowest, highest = np.full(len(size), 128), np.full(len(size), -1)
    np.minimum.at(lowest, group, new.pitch)
    np.maximum.at(highest, group, new.pitch)
    middle = np.bincount(group, weights=new.pitch) / size
    known, votes = np.unique(friends, return_counts=True)
    votes_of_all = np.bincount(friends // len(players), minlength=len(size))

    offers, liking = np.full((CHOICES, len(size)), NOBODY), np.zeros((CHOICES, len(size)))
    waiting = np.arange(len(size))
    for where, in_phrase in ((places[0], at), (places[1], np.zeros_like(at))):
        mine, place = _pairs(waiting, in_phrase[waiting], where)
        part = where.part[place]
        fits = (players.low[part] <= lowest[mine]) & (highest[mine] <= players.high[part])
        mine, place, part = mine[fits], place[fits], part[fits]
        low, high, pitch = where.low[place], where.high[place], middle[mine]
        cost = np.maximum(np.maximum(low - pitch, pitch - high), 0) + OFF_CENTRE * np.abs(
            pitch - (low + high) / 2
        )
        key = mine * len(players) + part
        found = np.minimum(np.searchsorted(known, key), max(0, len(known) - 1))
        if len(known):
            cost -= np.where(
                known[found] == key, LOYAL * votes[found] / np.maximum(1, votes_of_all[mine]), 0.0
            )
        order = np.lexsort((cost, mine))
        mine, part, cost = mine[order], part[order], cost[order]
        rank = np.arange(len(mine)) - np.searchsorted(mine, mine)
        chosen = rank < CHOICES
        offers[rank[chosen], mine[chosen]] = part[chosen]
        liking[rank[chosen], mine[chosen]] = (size[mine] - cost)[chosen]
        waiting = np.flatnonzero(offers[0] == NOBODY)
    return offers, liking


def _pairs(group: IntArray, phrase: IntArray, places: Places) -> tuple[IntArray, IntArray]:
    """Each group with each part that plays in its phrase: (M,) the groups, and the numbers of the places."""
    begin, stop = (np.searchsorted(places.phrase, phrase, side=side) for side in ("left", "right"))
    count = stop - begin
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(group, count), np.repeat(begin, count) + offset


def _plays(
    kept: Notes,
    new: Notes,
    part: IntArray,
    asked: Flags,
    offer: IntArray,
    liking: FloatArray,
    players: Players,
) -> Flags:
    """(N,) which of the new notes that are ``asked`` the part of their ``offer`` has a voice for."""
    settled = part != NOBODY
    fixed = join([kept, replace(new, track=part).where(settled)])
    plays = np.zeros(len(new), bool)
    for check, mine in ((in_line, players.voices == 1), (in_chords, players.voices > 1)):
        who = np.flatnonzero(asked & mine[offer])
        if len(who):
            who = who[np.lexsort((-liking[who], new.start[who], offer[who]))]
            theirs = replace(new, track=offer).where(who)
            plays[who] = check(theirs, fixed.where(mine[fixed.track]), liking[who], players)
    return plays
