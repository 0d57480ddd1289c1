"""What each part of a song can play, and does: its compass, its voices, and where it lies in each phrase."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.instruments import HIGHEST, LOWEST, N_PROGRAMS, TWO_HANDS, VOICES
from audiocycle.music.notes import NEVER, IntArray, Notes

USUALLY = 0.95
"""Share of its notes at which a part has no more than its own number of voices."""
OFTEN = 0.75
"""The same of instruments for one voice: some double stops are no second voice."""
BEYOND = 12
"""Semitones by which a line, or one of several parts, may leave what it plays in the song; two hands reach everywhere."""
MOST_PARTS = 24
"""Of a phrase, those with most notes: among so many parts players are looked for."""


@dataclass(frozen=True)
class Players:
    """What parts can play.

    Attributes:
        low, high: (P,) pitches.
        voices: (P,) notes at once.
        firm: by origin, and false behind the last: notes of the source that are not shortened for others.
        legato: ticks for which one note of a voice may hold on into the next; notes that are no further apart begin together.
        beat: ticks of a quarter note.
    """

    low: IntArray
    high: IntArray
    voices: IntArray
    firm: NDArray[np.bool_]
    legato: int
    beat: int

    def __len__(self) -> int:
        return len(self.voices)


@dataclass(frozen=True)
class Places:
    """Where parts lie in the phrases in which they play; (Q,) each, in order of phrase.

    Attributes:
        phrase, part: which.
        low, high: the pitches between which it plays there.
    """

    phrase: IntArray
    part: IntArray
    low: IntArray
    high: IntArray


def legato_of(per_quarter: int) -> int:
    """Ticks for which one note of a voice may hold on into the next: a thirty-second note."""
    return max(1, per_quarter // 8)


def at_once(notes: Notes, legato: int) -> IntArray:
    """(N,) how many notes of its part sound where each begins, itself included; one that goes on for no more than ``legato`` has ended."""
    moment = notes.track * NEVER + notes.start
    ends = notes.track * NEVER + released(notes, legato)
    begun, ended = np.sort(moment), np.sort(ends)
    return np.searchsorted(begun, moment, side="right") - np.searchsorted(ended, moment, side="right")


def released(notes: Notes, legato: int) -> IntArray:
    """(N,) ticks at which notes make way for others of their voice."""
    return np.maximum(notes.end - legato, notes.start + 1)


def players_of(source: Notes, program: IntArray, heir: IntArray, firm: IntArray, per_quarter: int) -> Players:
    """What parts can play, by their instruments and by what they play themselves.

    An instrument for one voice has one, unless the part plays more. Others have as many as their instrument. But a line stays a line
    beside parts that play chords, and where it is the whole song.

    Args:
        source: the song's melodic notes.
        program: (N,) General MIDI programs of them.
        heir: (P,) the part to which new notes of each part go; it can play what they all play.
        firm: origins of notes that are not shortened for others.
        per_quarter: ticks a quarter note.
    """
    n_parts, source, legato = len(heir), replace(source, track=heir[source.track]), legato_of(per_quarter)
    lasting = np.zeros(int(source.origin.max(initial=-1)) + 2, np.bool_)
    lasting[firm] = True
    counts = np.zeros((n_parts, N_PROGRAMS), np.int64)
    np.add.at(counts, (source.track, program), 1)
    mostly = counts.argmax(axis=1)
    size = counts.sum(axis=1)
    there = np.flatnonzero(size)
    own = np.ones(n_parts, np.int64)
    chords = at_once(source, legato)
    chords = chords[np.lexsort((chords, source.track))]
    share = np.where(VOICES[mostly] == 1, OFTEN, USUALLY)
    own[there] = chords[(np.cumsum(size) - size + np.floor(share * (size - 1)).astype(np.int64))[there]]
    stays_a_line = (own == 1) & (size > 0) & ((len(there) == 1) | bool((own > 1).any()))
    voices = np.where(stays_a_line, 1, np.maximum(own, VOICES[mostly]))

    lowest, highest = np.full(n_parts, N_PROGRAMS), np.full(n_parts, -1)
    np.minimum.at(lowest, source.track, source.pitch)
    np.maximum.at(highest, source.track, source.pitch)
    low, high = LOWEST[mostly], HIGHEST[mostly]
    bound = (voices == 1) | ((len(there) > 1) & (VOICES[mostly] < TWO_HANDS))
    low = np.where(bound, np.maximum(low, lowest - BEYOND), low)
    high = np.where(bound, np.minimum(high, highest + BEYOND), high)
    return Players(np.minimum(low, lowest), np.maximum(high, highest), voices, lasting, legato, per_quarter)


def places_of(source: Notes, begins: IntArray, ends: IntArray, most: int = MOST_PARTS) -> Places:
    """Where parts lie in the phrases in which they play.

    Args:
        begins, ends: (N,) the phrases in which each note of ``source`` begins and ends.
        most: parts of a phrase that are told, those with most notes.
    """
    phrase, part = np.concatenate([begins, ends]), np.tile(source.track, 2)
    pitch = np.tile(source.pitch, 2)
    order = np.lexsort((part, phrase))
    phrase, part, pitch = phrase[order], part[order], pitch[order]
    firsts = np.flatnonzero(
        np.append(True, (phrase[1:] != phrase[:-1]) | (part[1:] != part[:-1]))[: len(phrase)]
    )
    if not len(firsts):
        return Places(*(np.zeros(0, np.int64) for _ in range(4)))
    size = np.diff(np.append(firsts, len(phrase)))
    found = (
        phrase[firsts],
        part[firsts],
        np.minimum.reduceat(pitch, firsts),
        np.maximum.reduceat(pitch, firsts),
    )
    busiest = np.lexsort((-size, found[0]))
    place = np.arange(len(busiest)) - np.searchsorted(
        found[0], found[0][busiest]
    )  # among those of its phrase
    chosen = np.sort(busiest[place < most])
    return Places(*(column[chosen] for column in found))
