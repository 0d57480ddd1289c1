"""A song at other times: whatever is heard moves together, notes, drums, controllers and words alike; tempo and signatures stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter

import numpy as np

from audiocycle.music.midi.edit import closed
from audiocycle.music.midi.events import KEY_SIGNATURE, META, TEMPO, TIME_SIGNATURE, Event
from audiocycle.music.midi.song import Chunk, Song
from audiocycle.music.notes import IntArray

STAY = (TEMPO, TIME_SIGNATURE, KEY_SIGNATURE)
"""Kinds of meta events that say where beats are, or what holds from there on."""


def retimed(song: Song, moved: Callable[[IntArray], IntArray]) -> Song:
    """The song with each event at its new tick. What was there in order stays in order.

    Args:
        moved: increasing ticks, (N,), to those that they become, which do not decrease.
    """
    ticks = np.unique([event.tick for chunk in song.chunks for event in chunk])
    there = dict(zip(ticks.tolist(), moved(ticks).tolist(), strict=True))
    return replace(song, chunks=[_retimed(chunk, there) for chunk in song.chunks])


def _retimed(chunk: Chunk, there: dict[int, int]) -> Chunk:
    events = [event if _stays(event) else event._replace(tick=there[event.tick]) for event in chunk[:-1]]
    return closed(sorted(events, key=attrgetter("tick")), chunk[-1])


def _stays(event: Event) -> bool:
    return event.status == META and event.kind in STAY
