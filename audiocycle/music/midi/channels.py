"""Which of MIDI's 16 channels each track of a score is played on. A channel has one program at a time, and some have to share."""

from __future__ import annotations

from collections.abc import Sequence

from audiocycle.music.midi.state import DRUMS

CHANNELS = tuple(channel for channel in range(16) if channel != DRUMS)
"""The channels that play pitches."""


def channels_for(programs: Sequence[int]) -> list[int]:
    """A channel for each track, given their programs: its own while there are enough, else one with its own program.

    Only where there are more programs than channels do different ones meet on one.
    """
    free, places, n_waiting = list(CHANNELS), dict[int, list[int]](), len(set(programs))
    channels: list[int] = []
    for program in programs:
        mine = places.setdefault(program, [])
        n_waiting -= not mine
        if free and (not mine or len(free) > n_waiting):
            mine.append(free.pop(0))
        elif not mine:
            mine.append(CHANNELS[n_waiting % len(CHANNELS)])
        else:
            mine.append(mine.pop(0))  # in turn
        channels.append(mine[-1])
    return channels
