"""A few phrases of some songs as scores, to be looked at and listened to: the source, what became of it, and what it should sound like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from audiocycle.conversion.converter import Converter
from audiocycle.evaluation.music.measures import SOURCE, TRANSFER
from audiocycle.evaluation.music.results import MusicExample
from audiocycle.evaluation.music.songs import HeldOutSong, rolls_of
from audiocycle.music.grid import BEATS
from audiocycle.music.midi.file import read_score

COUNTERPART, ANOTHER_SONG = "true counterpart", "target, another song"
"""Rows beside source and transfer: what it should sound like, or, where nobody knows, what the target sounds like."""
EXAMPLES = 3
"""Songs of a direction that are shown."""
PHRASES = 2
"""Phrases of each."""


def examples_of(
    songs: Sequence[HeldOutSong],
    others: Sequence[HeldOutSong],
    converter: Converter,
    source: str,
    target: str,
    parallel: bool,
) -> list[MusicExample]:
    """Of songs from all over, phrases from their middle.

    Args:
        others: the target's songs.
        parallel: songs of one name are counterparts.
    """
    chosen = sorted({round(place) for place in np.linspace(0, len(songs) - 1, EXAMPLES)})
    counterparts = {song.name: song for song in others}
    random = np.random.default_rng(0)
    examples = []
    for song in (songs[place] for place in chosen):
        length = BEATS * rolls_of(converter).bars
        begin, end = in_the_middle(song, length)
        score = read_score(song.path)
        scores = {SOURCE: cut(score, begin, end), TRANSFER: cut(converter(score, target, source), begin, end)}
        if parallel:
            scores[COUNTERPART] = cut(read_score(counterparts[song.name].path), begin, end)
        else:
            other = others[int(random.integers(len(others)))]
            scores[ANOTHER_SONG] = cut(read_score(other.path), *in_the_middle(other, length))
        examples.append(MusicExample(song.name, round(begin) // BEATS + 1, round(end) // BEATS, scores))
    return examples


def in_the_middle(song: HeldOutSong, length: int) -> tuple[float, float]:
    """Quarter notes from which to which a song is shown: its middle phrases, fewer where others lie between.

    Args:
        length: quarter notes in a phrase.
    """
    places = song.places.tolist()
    first = places[max(0, (len(places) - PHRASES) // 2)]
    end = first + length
    while end in places and end < first + PHRASES * length:
        end += length
    return first, end


def cut(score: Any, begin: float, end: float) -> Any:
    """What begins in a part of a score, in quarter notes, from tick 0 on."""
    start, stop = (round(place * score.ticks_per_quarter) for place in (begin, end))
    return score.clip(start, stop).shift_time(-start)
