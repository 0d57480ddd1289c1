"""Where a song's bars are: where its file says, a few beats later, or at beats that were estimated or marked by somebody."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import InputError
from audiocycle.music.adapter import MIN_ON_GRID, PianoRollAdapter, end_of
from audiocycle.music.bar_lines import accents, suspicion
from audiocycle.music.beat_file import read_beats
from audiocycle.music.beats import estimate, onsets_of
from audiocycle.music.downbeats import walk
from audiocycle.music.grid import STEPS_PER_BEAT, Span, on_grid_share
from audiocycle.music.metres import UPBEAT, Layout, Passed
from audiocycle.music.midi.song import Song
from audiocycle.music.notes import Notes
from audiocycle.music.options import MusicOptions
from audiocycle.music.piano_roll import begins_in, in_range

LEAST_ONSETS = 32
"""Fewer notes than that say nothing of their beats."""
TRUSTED = 0.75
"""The share of onsets on the grid of estimated beats from which they are trusted; notes anywhere reach 0.60 to 0.75, the fewer the more."""
BETTER = 0.15
"""By how much that share has to be above the one on the file's grid, for beats to be estimated unasked. It is 0.4 of notes anywhere."""
MOST_SECONDS = 3 * 3600
"""Memory grows by 12 kB a second."""
COMPOUND_STEPS = 6
"""Sixteenths in a dotted quarter."""
FINE = 480
"""Parts of a beat that accents are told in."""


@dataclass(frozen=True)
class Bars:
    """The bars of a song.

    Attributes:
        layout: which are converted, and which are not.
        said: how they were found, in words; empty where they are the file's.
        by_file: they are the file's, or these moved.
    """

    layout: Layout
    said: str = ""
    by_file: bool = True


def bars_found(song: Song, name: str, notes: Notes, adapter: PianoRollAdapter, options: MusicOptions) -> Bars:
    """A song's bars, as the options ask for them.

    Args:
        name: of the song, in messages.
        notes: the melodic ones, not empty.

    Raises:
        InputError: a file of beats cannot be read, or beats are asked for of what lasts too long.
    """
    if options.beats not in ("auto", "file", "estimate"):
        return _of_file(song, notes, adapter, options)
    if options.beats == "estimate":
        return _estimated(song, name, notes, adapter, options)[0]
    by_file = _by_file(song, notes, adapter, options)
    if options.beats == "file" or not by_file.layout.spans or len(notes) < LEAST_ONSETS:
        return by_file
    share = max(
        _on_grid(notes, by_file.layout.spans, steps / STEPS_PER_BEAT[adapter.grid])
        for steps in STEPS_PER_BEAT.values()
    )
    if share >= MIN_ON_GRID:
        return by_file
    if not _is_bearable(song, notes):
        return by_file
    bars, found = _estimated(song, name, notes, adapter, options)
    if found < share + BETTER:
        return by_file
    return replace(
        bars,
        said=f"only {share:.0%} of its onsets lie on the grid of the file's bars, so {bars.said}; `beats=file` keeps the file's",
    )


def _is_bearable(song: Song, notes: Notes) -> bool:
    """Whether it is no longer than what beats are estimated of."""
    begin, end = song.seconds(notes.start[[0, -1]])
    return bool(end - begin <= MOST_SECONDS)


def _by_file(song: Song, notes: Notes, adapter: PianoRollAdapter, options: MusicOptions) -> Bars:
    """The file's bars, moved by an upbeat that is asked for, or that is certain."""
    places = song.signatures, end_of(notes), song.per_quarter
    first, said = options.first_bar, ""
    if first is None:
        first = 0.0
        inside = notes.where(in_range(notes))
        if {signature[1:] for signature in song.signatures} <= {(4, 4)}:
            found = suspicion(inside, song.per_quarter, bool(song.signatures))
            if found and found.certain:
                first = float(found.first[0])
                quarters = "a quarter note" if first == 1 else f"{first:g} quarter notes"
                said = f"its bars were taken to begin {quarters} later than the file says, as harmony and bass do; `first_bar=0` keeps the file's"
    return Bars(adapter.layout(places, first), said)


def _estimated(
    song: Song, name: str, notes: Notes, adapter: PianoRollAdapter, options: MusicOptions
) -> tuple[Bars, float]:
    """Bars at estimated beats, and the share of onsets on their grid."""
    if not _is_bearable(song, notes):
        raise InputError(
            f"{name}: beats are estimated of up to {MOST_SECONDS // 3600} hours; split it, or take the file's (`beats=file`)"
        )
    start, end = (song.seconds(ticks) for ticks in (notes.start, notes.end))
    beats = estimate(onsets_of(start, np.maximum(end, start), notes.pitch, notes.velocity))
    lines = song.ticks(beats.time)
    triple = beats.triple and _in_thirds(notes, lines)
    span, upbeat, metre = _span_of(lines, triple, None, notes, adapter, options)
    share = _on_grid(notes, [span])
    said = f"its beats were estimated from what is played ({_in_words(len(beats.time), metre, triple, upbeat)}; {share:.0%} of its onsets lie on their grid)"
    if share < TRUSTED:
        said += f", which is unsure (below {TRUSTED:.0%}): mark its beats, and name that file as `beats=FILE`"
    return Bars(_layout(span, end_of(notes)), said, by_file=False), share


def _of_file(song: Song, notes: Notes, adapter: PianoRollAdapter, options: MusicOptions) -> Bars:
    """Bars at the beats that a file has."""
    path = Path(options.beats)
    marked = read_beats(path)
    ticks = song.ticks(marked.time)
    triple = _in_thirds(notes, ticks)
    span, upbeat, metre = _span_of(ticks, triple, marked.first, notes, adapter, options)
    said = f"its beats are those of {path.name} ({_in_words(len(ticks), metre, triple, upbeat)}; {_on_grid(notes, [span]):.0%} of its onsets lie on their grid)"
    return Bars(_layout(span, end_of(notes)), said, by_file=False)


def _span_of(
    lines: NDArray[np.float64],
    triple: bool,
    first: NDArray[np.bool_] | None,
    notes: Notes,
    adapter: PianoRollAdapter,
    options: MusicOptions,
) -> tuple[Span, int, int]:
    """From beats to a run of whole bars, the number of beats before it, and the usual number of beats in its bars.

    Args:
        lines: (B,) ticks at which beats begin.
        first: (B,) which begin bars, None: told from accents.
    """
    every = np.arange(len(lines), dtype=np.int64)
    if first is None:
        whole = Span(lines, FINE * every, FINE * every[[0, -1]])
        start, end = (
            np.maximum(np.rint(whole.positions(ticks)).astype(np.int64), 0)
            for ticks in (notes.start, notes.end)
        )
        strength = accents(replace(notes, start=start, end=np.maximum(end, start + 1)), FINE)
        place, metres = walk(np.pad(strength, (0, max(0, len(lines) - len(strength))))[: len(lines)])
        begins, metre = np.flatnonzero(place == 0), Counter(metres.tolist()).most_common(1)[0][0]
    else:
        begins = np.flatnonzero(first)
        metre = Counter(np.diff(begins).tolist()).most_common(1)[0][0] if len(begins) > 1 else 4
    if options.first_bar is not None:
        begins = np.arange(round(options.first_bar), len(lines), metre)
    begins = begins if len(begins) else every[:1]
    missing = max(0, int(begins[-1]) + metre - (len(lines) - 1))  # the last bar is whole
    lines = np.concatenate([lines, lines[-1] + np.diff(lines[-2:]) * np.arange(1, missing + 1)])[begins[0] :]
    per_beat = COMPOUND_STEPS if triple else STEPS_PER_BEAT[adapter.grid]
    bars = np.append(begins, len(lines) - 1 + begins[0]) - begins[0]
    return (
        Span(lines, per_beat * np.arange(len(lines), dtype=np.int64), per_beat * bars.astype(np.int64)),
        int(begins[0]),
        metre,
    )


def _layout(span: Span, end: int) -> Layout:
    """A song with one run of bars, whose last note ends at a tick."""
    parts = [Passed(0, span.start, UPBEAT), Passed(span.end, max(end, span.end), "behind the last bar")]
    return Layout([span], [part for part in parts if part.start < part.end])


def _in_thirds(notes: Notes, lines: NDArray[np.float64]) -> bool:
    """Whether beats are in thirds: more onsets lie a third of a beat behind one than halfway, and not only at two thirds, as where halves swing."""
    every = np.arange(len(lines), dtype=np.int64)
    phase = Span(lines, every, every[[0, -1]]).positions(notes.start) % 1
    third, half, two_thirds = ((np.abs(phase - place) < 1 / 12).sum() for place in (1 / 3, 1 / 2, 2 / 3))
    return bool(third > half and third > two_thirds / 3)


def _on_grid(notes: Notes, spans: list[Span], finer: float = 1.0) -> float:
    """The share of onsets of spans on their steps, or on those of a grid that is so many times finer."""
    inside = [span.positions(notes.start[begins_in(notes, span)]) * finer for span in spans]
    return on_grid_share(np.concatenate([np.zeros(0), *inside]))


def _in_words(n_beats: int, metre: int, triple: bool, upbeat: int) -> str:
    """How many beats, and which bars they are in."""
    words = f"{n_beats} beats, {metre} in a bar{', in thirds' if triple else ''}"
    return words + (f", the first bar after {upbeat}" if upbeat else "")
