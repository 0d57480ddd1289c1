"""Pictures of scores, for people: the source above its transfer, as piano rolls on one time axis.

Like :mod:`audiocycle.system.figure`, matplotlib is imported inside the functions, without pyplot.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError, InputError
from audiocycle.system.figure import drawable, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from symusic.core import ScoreTick, TrackTick

    Row = tuple[str, ScoreTick]
    """One row of a picture: its title, and the score in ticks."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Key = tuple[str, int]
"""What makes two tracks of two rows the same: label, and which of the tracks with that label."""

SAME_ONSET, SAME_END = 0.125, 0.2
"""A note is not new when the first row has its pitch, begun and ended within so many quarter notes."""

FAMILIES = (
    "piano", "chromatic percussion", "organ", "guitar", "bass", "strings", "ensemble", "brass",
    "reed", "pipe", "synth lead", "synth pad", "synth effects", "ethnic", "percussive", "sound effects",
)  # fmt: skip
"""What General MIDI calls programs 0-7, 8-15, and so on."""

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito: for any eye
_OTHER_COLOUR, _DRUM_COLOUR, _BOUNDARY_COLOUR = "#8a8a8a", "#3a3a3a", "#6a6a6a"
_BLACK_KEYS = (1, 3, 6, 8, 10)
_KEPT = 0.5  # notes that the first row has as well step back, so that the new ones stand out
_MOST_BAR_LABELS = 16
_LEAST_SPAN = 24  # semitones: a single note then still lies on a keyboard
_DRUM_BAND = 4.0  # semitones below the lowest pitch
_LONGEST_NAME = 24
_DPI = 100
_INCHES_PER_SEMITONE = 0.06  # 6 pixels: 5 of a note, 1 of air
_LEGEND_LETTERS = 150  # as many fit in a line


@dataclass(frozen=True)
class TrackNotes:
    """The notes of one track, those that begin within the picture; times in quarter notes."""

    key: Key
    is_drum: bool
    program: int
    start: Floats
    end: Floats
    pitch: Floats
    velocity: Floats


def roll_picture(
    path: str | os.PathLike[str], rows: Sequence[Row], boundaries: Iterable[float] = (), n_bars: int = 32
) -> None:
    """Write a PNG with one piano roll per row, all on one time axis in bars and one pitch axis.

    A track has one colour in every row, and loud notes are stronger than soft ones. Notes of later rows that the
    first row does not have (:data:`SAME_ONSET`) are strong, the others pale. Drum hits are ticks at the bottom.

    Parameters:
        path: the file to write; it appears complete or not at all.
        rows: ``(title, score)``, the score in ticks; bars are counted by the time signatures of the first.
        boundaries: where phrases meet, in quarter notes from the beginning.
        n_bars: draw so many bars from the beginning; the picture says when there are more.

    Raises:
        InputError: there are no rows. ConfigError: ``n_bars`` is not positive. OutputError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    if not rows:
        raise InputError(f"nothing to draw in {os.fspath(path)}: give at least one score")
    if n_bars < 1:
        raise ConfigError(f"cannot draw {n_bars} bars in {os.fspath(path)}: give 1 or more")
    last = max(_last_quarter(score) for _, score in rows)
    bars, n_all_bars = bar_starts(rows[0][1], last, n_bars)
    parts = [parts_before(score, bars[-1]) for _, score in rows]
    colours = _colours([part.key for row in parts for part in row if not part.is_drum])
    meetings = [place for place in boundaries if 0.0 < place < bars[-1]]
    lowest, highest = _pitch_range([part for row in parts for part in row])
    has_drums = any(part.is_drum for row in parts for part in row)

    height = min(4.2, max(2.4, _INCHES_PER_SEMITONE * (highest - lowest)))
    figure = Figure(figsize=(11.0, 0.8 + height * len(rows)), dpi=_DPI, layout="constrained")
    grid = figure.subplots(len(rows), 1, squeeze=False, sharex=True, sharey=True)[:, 0]
    for index, (axes, (title, _), row) in enumerate(zip(grid, rows, parts, strict=True)):
        _draw_keyboard(axes, lowest, highest, has_drums)
        _draw_bars(axes, bars, meetings)
        new = None if index == 0 else [is_new(part, parts[0]) for part in row]
        _draw_notes(axes, row, new, colours, lowest)
        axes.set_title(drawable(title), loc="left", fontsize=11, fontweight="bold", parse_math=False)
        summary = _summary(row, new)
        if index == 0 and len(bars) - 1 < n_all_bars:
            summary = f"bars 1 to {len(bars) - 1} of {n_all_bars:,}, {summary}"
        axes.set_title(summary, loc="right", fontsize=9, color="#444444")
    grid[-1].set_xlabel("bar")
    _draw_legend(figure, colours)
    write_figure(figure, Path(path))


def bar_starts(score: ScoreTick, last: float, most: int) -> tuple[Floats, int]:
    """Where the first bars begin, and how many bars there are up to ``last``; times in quarter notes.

    Returns:
        ``(n + 1,)`` times, of ``n`` bars and the end of the last, ``1 <= n <= most``; and the number of all bars.
    """
    last = max(last, 1e-3)  # an empty score has one empty bar
    changes = {0.0: 4.0}  # as the MIDI standard has it where a file says nothing
    for sign in sorted(score.time_signatures, key=lambda sign: sign.time):
        if sign.numerator > 0 and sign.denominator > 0:
            changes[_quarters(score, sign.time)] = 4.0 * sign.numerator / sign.denominator
    begins = [begin for begin in changes if begin < last]
    starts, n_all = [np.zeros(0)], 0
    for begin, stop in zip(begins, [*begins[1:], last], strict=True):
        n = max(1, math.ceil((stop - begin) / changes[begin] - 1e-6))
        starts.append(np.asarray(begin + changes[begin] * np.arange(min(n, most + 1)), np.float64))
        n_all += n
        end = begin + changes[begin] * n
    return np.append(np.concatenate(starts), end)[: most + 1], n_all


def parts_before(score: ScoreTick, stop: float) -> list[TrackNotes]:
    """The tracks that have notes before ``stop``."""
    parts, seen = [], Counter[str]()
    for track in score.tracks:
        notes = track.notes.numpy()
        start = _quarters(score, notes["time"])
        heard = start < stop
        label = _label(track)
        seen[label] += 1
        if heard.any():
            end = _quarters(score, _ends(track))
            pitch, velocity = notes["pitch"].astype(np.float64), notes["velocity"].astype(np.float64)
            key = (label, seen[label])
            parts.append(TrackNotes(key, track.is_drum, track.program, start[heard], end[heard], pitch[heard], velocity[heard]))
    return parts


def _label(track: TrackTick) -> str:
    """``name (instrument)``, or the instrument alone where it says as much."""
    instrument = "drums" if track.is_drum else FAMILIES[track.program // 8 % 16]
    name = drawable(track.name).strip(" _")[:_LONGEST_NAME]  # older matplotlibs hide names that begin with _
    if not name:
        return instrument
    return name if instrument in name.lower() else f"{name} ({instrument})"


def _colours(keys: Iterable[Key]) -> dict[Key, str]:
    """A colour for each track in order of appearance; tracks beyond the palette share a grey."""
    distinct = list(dict.fromkeys(keys))
    return {key: _COLOURS[i] if i < len(_COLOURS) else _OTHER_COLOUR for i, key in enumerate(distinct)}


def _pitch_range(parts: Iterable[TrackNotes]) -> tuple[int, int]:
    """Lowest and highest pitch to show: all that sounds with some room, and never less than two octaves."""
    pitches = np.concatenate([part.pitch for part in parts if not part.is_drum] or [np.array([60.0])])
    lowest, highest = pitches.min() - 2.0, pitches.max() + 2.0
    room = max(0.0, _LEAST_SPAN - (highest - lowest)) / 2.0
    return math.floor(lowest - room), math.ceil(highest + room)


def is_new(part: TrackNotes, first: Sequence[TrackNotes]) -> Mask:
    """(n_notes,) True where no note of the first row has the same pitch at about the same time and for about as long."""
    apart = 1e7  # quarter notes: places of different pitches never come near each other
    old = [each for each in first if not each.is_drum]
    places = np.concatenate([np.zeros(0), *(each.pitch * apart + each.start for each in old)])
    order = np.argsort(places, kind="stable")
    ends = np.concatenate([np.zeros(0), *(each.end for each in old)])[order]
    place = part.pitch * apart + part.start
    begin, stop = np.searchsorted(places[order], [place - SAME_ONSET - 1e-6, place + SAME_ONSET + 1e-6])
    same = [bool((np.abs(ends[a:b] - end) <= SAME_END).any()) for a, b, end in zip(begin, stop, part.end, strict=True)]
    return ~np.array(same, dtype=bool)


def _draw_keyboard(axes: Axes, lowest: int, highest: int, has_drums: bool) -> None:
    """Shaded black keys, a line and a label at each C, and the drums' band below."""
    bottom = lowest - (_DRUM_BAND if has_drums else 0.0)
    for pitch in range(lowest, highest + 1):
        if pitch % 12 in _BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="#f3f3f3", linewidth=0, zorder=0)
        elif pitch % 12 == 0:
            axes.axhline(pitch - 0.5, color="#c4c4c4", linewidth=0.8, zorder=0.5)
    octaves = [pitch for pitch in range(lowest, highest + 1) if pitch % 12 == 0]
    ticks, labels = [float(pitch) for pitch in octaves], [f"C{pitch // 12 - 1}" for pitch in octaves]
    if has_drums:
        axes.axhline(lowest - 0.5, color="#888888", linewidth=0.8, zorder=0.5)
        ticks, labels = [bottom + _DRUM_BAND / 2 - 0.5, *ticks], ["drums", *labels]
    axes.set_yticks(ticks, labels)
    axes.set_ylim(bottom - 0.5, highest + 0.5)
    axes.tick_params(axis="y", length=0)
    for spine in axes.spines.values():
        spine.set_color("#b0b0b0")


def _draw_bars(axes: Axes, bars: Floats, boundaries: Sequence[float]) -> None:
    shown = len(bars) - 1
    step = 1
    while shown > step * _MOST_BAR_LABELS:
        step *= 2
    axes.set_xlim(bars[0], bars[-1])
    axes.set_xticks(bars[:-1:step], [str(1 + bar) for bar in range(0, shown, step)])
    axes.tick_params(axis="x", length=0)
    axes.vlines(bars[:-1], 0, 1, transform=axes.get_xaxis_transform(), color="#dcdcdc", linewidth=0.7, zorder=0.6)
    axes.vlines(
        boundaries, 0, 1, transform=axes.get_xaxis_transform(), color=_BOUNDARY_COLOUR, linewidth=0.9, zorder=0.7
    )


def _draw_notes(
    axes: Axes, row: Sequence[TrackNotes], new: Sequence[Mask] | None, colours: Mapping[Key, str], lowest: int
) -> None:
    """Draw a row's notes; where ``new`` is given, those that are not step back and those that are get an edge."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba_array

    for index, part in enumerate(row):
        if part.is_drum:
            bottom, top = lowest - _DRUM_BAND + 0.4, lowest - 1.4
            axes.vlines(part.start, bottom, top, color=_DRUM_COLOUR, linewidth=0.8, alpha=0.6, zorder=2)
            continue
        faces = np.repeat(to_rgba_array(colours[part.key]), len(part.start), axis=0)
        faces[:, 3] = 0.55 + 0.45 * part.velocity / 127.0
        edges = np.zeros_like(faces)
        if new is not None:
            edges[new[index], :3] = 0.55 * faces[new[index], :3]
            edges[new[index], 3] = 1.0
            faces[~new[index], 3] *= _KEPT
        left, right = part.start, np.maximum(part.end, part.start + 0.05)
        low, high = part.pitch - 0.42, part.pitch + 0.42
        corners: Any = np.stack([left, low, left, high, right, high, right, low], axis=1).reshape(-1, 4, 2)
        boxes = PolyCollection(corners, facecolors=faces, edgecolors=edges, linewidths=0.6, zorder=2)
        axes.add_collection(boxes, autolim=False)


def _summary(row: Sequence[TrackNotes], new: Sequence[Mask] | None) -> str:
    """What a row holds, in words: ``"120 notes, 31 new or of another length (strong)"``."""
    melodic = [index for index, part in enumerate(row) if not part.is_drum]
    n_notes = sum(len(row[index].start) for index in melodic)
    n_hits = sum(len(part.start) for part in row if part.is_drum)
    words = [f"{n_notes:,} note{'s' * (n_notes != 1)}"]
    if new is not None and n_notes:
        words.append(f"{sum(int(new[index].sum()) for index in melodic):,} new or of another length (strong)")
    if n_hits:
        words.append(f"{n_hits:,} drum hit{'s' * (n_hits != 1)}")
    return ", ".join(words)


def _draw_legend(figure: Figure, colours: Mapping[Key, str]) -> None:
    from matplotlib.patches import Patch

    if len(colours) < 2:
        return
    twins = Counter(label for label, _ in colours)
    named = [
        (f"{label} {number}" if twins[label] > 1 else label, colour)
        for (label, number), colour in colours.items()
        if colour != _OTHER_COLOUR
    ]
    n_others = len(colours) - len(named)
    if n_others:
        named.append((f"{n_others} more", _OTHER_COLOUR))
    legend = figure.legend(
        [Patch(color=colour) for _, colour in named],
        [label for label, _ in named],
        loc="outside lower center",
        ncols=max(1, min(len(named), _LEGEND_LETTERS // (8 + max(len(label) for label, _ in named)))),
        fontsize=9,
        frameon=False,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _last_quarter(score: ScoreTick) -> float:
    """Where the last note ends, in quarter notes; 0 without notes."""
    return max((float(_quarters(score, _ends(track).max())) for track in score.tracks if track.notes), default=0.0)


def _ends(track: TrackTick) -> NDArray[np.int64]:
    notes = track.notes.numpy()
    ends: NDArray[np.int64] = notes["time"].astype(np.int64) + notes["duration"]
    return ends


def _quarters(score: ScoreTick, ticks: Any) -> Any:
    return ticks / max(1, score.tpq)
