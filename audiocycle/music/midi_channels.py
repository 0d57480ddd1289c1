"""Which of MIDI's 16 channels each track is played on. A channel has one program at a time, and some have to share.

symusic deals the channels out in turn and sets each program once, so that track 16 would change track 1's instrument.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audiocycle.music.midi_events import META, NOTE_ON, PROGRAM, Event
from audiocycle.music.midi_state import DRUMS

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


def share_channels(tracks: Sequence[Sequence[Event]]) -> list[list[Event]]:
    """Tracks of one channel and one program each, moved to the channels of :func:`channels_for`; drums stay.

    Where programs meet on a channel, each note is preceded by its own program.
    """
    parts = [_part(track) for track in tracks]
    melodic = iter(channels_for([program for channel, program in parts if channel != DRUMS]))
    parts = [(channel if channel == DRUMS else next(melodic), program) for channel, program in parts]
    met = [{program for channel, program in parts if channel == each} for each in range(16)]
    return [
        list(_moved(track, channel, program, is_shared=len(met[channel]) > 1))
        for track, (channel, program) in zip(tracks, parts, strict=True)
    ]


def _part(track: Sequence[Event]) -> tuple[int, int]:
    """A track's channel and program. One that plays nothing counts as drums: it needs no channel."""
    played = [event for event in track if event.status != META]
    channel = played[0].status & 0xF if played else DRUMS
    return channel, next((event.body[0] for event in played if event.status >> 4 == PROGRAM), 0)


def _moved(track: Sequence[Event], channel: int, program: int, is_shared: bool) -> Iterator[Event]:
    """The events on another channel."""
    for event in track:
        if is_shared and event.status >> 4 == NOTE_ON and event.body[1] > 0:
            yield Event(event.tick, PROGRAM << 4 | channel, 0, bytes([program]))
        yield event if event.status == META else event._replace(status=event.status & 0xF0 | channel)
