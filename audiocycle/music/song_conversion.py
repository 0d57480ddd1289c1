"""A song becomes its conversion: taken apart, its bars found, its feel moved, each run of bars translated, and all put together again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from audiocycle.errors import InputError
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.arrange import arrange, outside
from audiocycle.music.bars_found import Bars, bars_found
from audiocycle.music.endings import closing, within_song
from audiocycle.music.feel import STRAIGHT, played, song_feel
from audiocycle.music.genre_feel import as_genre, moved
from audiocycle.music.grid import BEATS, Span
from audiocycle.music.midi.edit import without_notes
from audiocycle.music.midi.limits import LIMITS, check_notes
from audiocycle.music.midi.pedals import with_pedals_lifted
from audiocycle.music.midi.retime import retimed
from audiocycle.music.midi.song import Song, finer
from audiocycle.music.midi.strokes import Parts, Strokes, find_strokes, parts_of
from audiocycle.music.notes import NEW, Notes, join
from audiocycle.music.options import MusicOptions
from audiocycle.music.phrases import phrase_borders, phrase_lines
from audiocycle.music.piano_roll import in_range
from audiocycle.music.players import legato_of, players_of
from audiocycle.music.remarks import remarks
from audiocycle.music.sides import ConvertedSpanSide
from audiocycle.music.voicing import voiced
from audiocycle.spec import Direction, Encoded, FloatArray, Outcome, Renderer, Translation

COARSE = 24
"""Scores with fewer ticks a quarter note get so many times more: else two steps of a grid could fall on one tick."""

Details = dict[str, Any]


@dataclass(frozen=True)
class Opened:
    """A song and its notes.

    Attributes:
        strokes: all of them, drums included.
        parts: who plays.
        notes: the melodic ones.
    """

    song: Song
    strokes: Strokes
    parts: Parts
    notes: Notes

    @classmethod
    def of(cls, song: Song) -> Opened:
        """Take a song apart."""
        strokes = find_strokes(song.chunks)
        return cls(song, strokes, *parts_of(strokes))


def convert_song(
    song: Song,
    name: str,
    adapter: PianoRollAdapter,
    renderer: Renderer,
    translation: Translation,
    options: MusicOptions,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[Song, Outcome]:
    """A song to its conversion, and counts for the report: phrases, as long as those that stay as they are because their bars cannot be converted,
    and notes, drums left out: kept as they were, resized (begun where the source has one of their pitch, another end), new, and new ones
    that no part could play. Where off-beats were moved: how many notes, drums included, and where in the beat they lay and lie.

    Everything that a roll does not show stays as it is, event for event: drums, bars that fit no grid, pitches outside 24 to 107,
    tempo map, signatures, words, controllers, system messages. Where the feel changes, all that is heard moves with it.

    Raises:
        InputError: it holds nothing that could be converted.
    """
    source = opened(song, name, options)
    bars = bars_found(source.song, name, source.notes, adapter, options)
    source, spans, of_feel = felt(source, bars.layout.spans, translation.direction, options)
    bars = replace(bars, layout=replace(bars.layout, spans=spans))
    stays = outside(source.notes, spans)
    rendered = [stays]
    programs: FloatArray | None = None
    for index, span in enumerate(spans):
        encoded = adapter.analyze(source.notes, span)
        if len(encoded.side.notes):
            translated: Encoded[ConvertedSpanSide] = translation(encoded)
            programs = translated.side.target["programs"]
            rendered.append(renderer.render(translated))
        progress((index + 1) / len(spans))
    made, n_unplayed = given_to_parts(join(rendered), stays, source, spans, adapter.spec.window, options)
    result, converted = arrange(source.song, source.strokes, source.parts, source.notes, made, options, programs)
    counts = counted(source, converted) | {"notes_unplayed": n_unplayed}
    if not counts["notes_kept"] == len(source.notes) == len(converted):
        result = with_pedals_lifted(result, source.strokes)
    seconds = float(source.song.seconds(np.array([source.song.last]))[0])
    note = remarks(source.notes, bars, source.song.signatures, source.song.per_quarter, adapter.grid, options.first_bar)
    return result, Outcome(seconds, phrases_of(bars, adapter, source.song.per_quarter) | counts | of_feel, note)


def opened(song: Song, name: str, options: MusicOptions) -> Opened:
    """A song taken apart, fine enough for a grid, without what the options drop.

    Raises:
        InputError: it has too many notes, or none that could be converted.
    """
    source = Opened.of(song if song.per_quarter >= COARSE else finer(song, COARSE))
    check_notes(len(source.strokes), name, LIMITS)
    if options.drums == "drop" and source.strokes.is_drum.any():
        source = Opened.of(without_notes(source.song, source.strokes, np.flatnonzero(source.strokes.is_drum).tolist()))
    if not len(source.notes):
        raise InputError(f"{name}: holds only drums, or no notes; there is nothing to convert")
    if not in_range(source.notes).any():
        raise InputError(f"{name}: has no note between MIDI pitches 24 and 107; there is nothing to convert")
    return source


def felt(source: Opened, spans: list[Span], direction: Direction, options: MusicOptions) -> tuple[Opened, list[Span], Details]:
    """A song with its off-beats where the options want them, spans that know so, and what the report says of it, if anything moved."""
    feel = song_feel(source.notes.start, spans, source.strokes.start[source.strokes.is_drum])
    aim = as_genre(feel, spans, direction, options)
    if aim is feel:
        return source, played(spans, feel.spans), {}
    there = partial(moved, spans=spans, before=feel.spans, after=aim.spans)
    starts, counts = np.unique(source.strokes.start, return_counts=True)
    n_moved = int(counts[there(starts) != starts].sum())
    before, after = (round(float(each.swing[0]) or STRAIGHT, 2) for each in (feel, aim))
    said = {"notes_moved": n_moved, "swing_before": before, "swing_after": after} if n_moved else {}
    return Opened.of(retimed(source.song, there)), played(spans, aim.spans), said


def given_to_parts(
    made: Notes, stays: Notes, source: Opened, spans: list[Span], window: int, options: MusicOptions
) -> tuple[Notes, int]:
    """Notes of a whole song, played by parts that can play them, and how many new ones none could.

    Args:
        made: of all spans, and what stays; a new note's part is not known yet.
        stays: what the network has no say in.
        window: steps that the network sees at a time.
    """
    together = legato_of(source.song.per_quarter)
    made = within_song(made, source.notes, together)
    n_new = int((made.origin == NEW).sum())
    if options.tracks == "keep" or not np.ptp(source.notes.track):
        firm = np.concatenate([stays.origin, closing(source.notes, together).origin])
        players = players_of(source.notes, source.strokes.program[source.notes.origin], source.parts.heir, firm, source.song.per_quarter)
        made = voiced(made, source.notes, source.parts.heir, players, phrase_lines(spans, window))
    return made, n_new - int((made.origin == NEW).sum())


def counted(source: Opened, converted: Notes) -> Details:
    """What became of the notes."""
    kept = converted.origin != NEW
    n_whole = int((source.strokes.end[converted.origin[kept]] == converted.end[kept]).sum())
    return {
        "notes_in": len(source.notes),
        "notes_out": len(converted),
        "notes_kept": n_whole,
        "notes_resized": int(kept.sum()) - n_whole,
        "notes_new": len(converted) - int(kept.sum()),
    }


def phrases_of(bars: Bars, adapter: PianoRollAdapter, per_quarter: int) -> Details:
    """How many phrases there are, and how many stayed as they are."""
    return {
        "phrases": sum(len(phrase_borders(span.bars, adapter.spec.window)) - 1 for span in bars.layout.spans),
        "phrases_unchanged": bars.layout.phrases_passed(adapter.bars * BEATS * per_quarter),
    }
