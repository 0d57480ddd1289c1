"""Pictures of scores for people who read notes: the source above its transfer, bar below bar, engraved by verovio."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError, InputError
from audiocycle.music.kern import Staff, kern
from audiocycle.music.notation import (
    Key,
    Lines,
    WrittenBar,
    bars_of_staff,
    key_of,
    metres_of,
    tidied,
    written,
)
from audiocycle.music.picture import TrackNotes, bar_starts, is_new, parts_before
from audiocycle.system.atomic import whole_file

if TYPE_CHECKING:
    from audiocycle.music.picture import Key as PartKey
    from audiocycle.music.picture import Row

MOST_PARTS = 8
"""Of each score; those with most notes are drawn."""
MOST_QUARTERS = 256
"""However long its bars are."""
NEW_COLOUR = "#d55e00"
_SPLIT = 60  # where hands part
_LOW, _HIGH = 55, 67  # a part has two where some of it lies below, some above
_SOME = 0.12
_KEYBOARDS = range(24)  # programs: pianos, mallets, organs
_GUITARS, _BASSES = range(24, 32), (*range(32, 40), 43)  # are written an octave above what they sound
_TREBLE_CLEF, _BASS_CLEF = (64, 77), (43, 57)  # the pitches of their lowest and highest lines
_PAGE = {
    "adjustPageHeight": True, "breaks": "auto", "footer": "none", "header": "none", "pageHeight": 60000, "pageWidth": 2600,
    "pageMarginLeft": 150, "scale": 40, "removeIds": True, "svgFormatRaw": True, "svgRemoveXlink": True,
}  # fmt: skip
_LINE_PIXELS = 22


def score_picture(path: str | os.PathLike[str], rows: Sequence[Row], n_bars: int = 32) -> None:
    """Write an SVG with one score per row, all in the same bars. Notes of later rows that the first row does not have are coloured.

    Rhythms are drawn on the nearest sixteenths, or triplets; drums are left out.

    Parameters:
        path: the file to write; it appears complete or not at all.
        rows: ``(title, score)``, the score in ticks; bars are counted by the time signatures of the first.
        n_bars: draw so many bars from the beginning; the picture says when there are more.

    Raises:
        InputError: there are no rows, or bars of no end. ConfigError: see :func:`check_engraver`. OutputError: the file cannot be written.
    """
    check_engraver()
    if not rows:
        raise InputError(f"nothing to draw in {os.fspath(path)}: give at least one score")
    last = max(score.end() / score.ticks_per_quarter for _, score in rows)
    first = rows[0][1]
    begins, n_all = bar_starts(first, last, n_bars)
    if begins[1] > MOST_QUARTERS:
        raise InputError(
            f"{os.fspath(path)}: the bars of {rows[0][0]} are too long to be drawn; leave `score` out"
        )
    begins = begins[: max(2, int(np.searchsorted(begins, MOST_QUARTERS + 1e-6, side="right")))]
    parts = [[part for part in parts_before(score, begins[-1]) if not part.is_drum] for _, score in rows]
    metres = metres_of(
        begins,
        sorted(
            (sign.time / first.ticks_per_quarter, sign.numerator, sign.denominator)
            for sign in first.time_signatures
        ),
    )
    text = kern(
        _staves(parts, begins, metres),
        metres,
        _key(first, [part for row in parts for part in row]),
        NEW_COLOUR,
    )
    titles = [title for title, _ in rows]
    shown = f"bars 1 to {len(metres)} of {n_all:,}" if len(metres) < n_all else ""
    with whole_file(Path(path)) as temporary:
        temporary.write_text(_page(_engraved(text), _heading(titles, shown)), encoding="utf-8")


def check_engraver() -> None:
    """Asked before the work, since it may be missing.

    Raises:
        ConfigError: verovio is not installed.
    """
    if importlib.util.find_spec("verovio") is None:
        raise ConfigError("`score`: pictures of scores need verovio: pip install 'audiocycle[score]'")


def _key(score: Any, parts: Sequence[TrackNotes]) -> Key:
    """The key that the file names; that of its notes where it names none, or C major, which programs write that do not know."""
    told = [Key(sign.key, bool(sign.tonality)) for sign in score.key_signatures if abs(sign.key) <= 7][:1]
    if told and told[0] != Key(0):
        return told[0]
    pitch = np.concatenate([np.zeros(0), *(part.pitch for part in parts)]).astype(np.int64)
    return key_of(
        pitch, np.concatenate([np.zeros(0), *(np.minimum(part.end - part.start, 4.0) for part in parts)])
    )


def _staves(parts: Sequence[Sequence[TrackNotes]], begins: Any, metres: Sequence[WrittenBar]) -> list[Staff]:
    """The staves of all rows; a part has the same ones in each."""
    pitches: dict[PartKey, Any] = {}
    for part in (part for row in parts for part in row):
        pitches[part.key] = np.append(pitches.get(part.key, []), part.pitch)
    largest = sorted(pitches, key=lambda key: -len(pitches[key]))[:MOST_PARTS]
    staves = []
    for row, each in enumerate(parts):
        drawn = sorted(
            (part for part in each if part.key in largest), key=lambda part: list(pitches).index(part.key)
        )
        if not drawn:  # they all begin later
            staves.append(Staff("", "G2", [[[]] for _ in metres], row))
            continue
        lines, clefs = _lines(
            drawn,
            pitches,
            begins,
            metres,
            [is_new(part, parts[0]) if row else np.zeros(len(part.start), bool) for part in drawn],
        )
        for staff, (number, clef) in enumerate(clefs):
            label = "" if staff and clefs[staff - 1][0] == number else _label(drawn[number].key)
            staves.append(Staff(label, clef, bars_of_staff(lines, staff, metres), row))
    return staves


def _lines(
    parts: Sequence[TrackNotes],
    pitches: Mapping[PartKey, Any],
    begins: Any,
    metres: Sequence[WrittenBar],
    new: Sequence[Any],
) -> tuple[Lines, list[tuple[int, str]]]:
    """The written notes of a row, and of each of its staves which part it is of, and its clef."""
    clefs: list[tuple[int, str]] = []
    staff = []
    for number, part in enumerate(parts):
        every = pitches[part.key]
        has_hands = (
            part.program in _KEYBOARDS and (every < _LOW).mean() > _SOME and (every > _HIGH).mean() > _SOME
        )
        staff.append(len(clefs) + (has_hands & (part.pitch < _SPLIT)).astype(np.int64))
        usual = "F4" if _outside(every, *_BASS_CLEF) < _outside(every, *_TREBLE_CLEF) else "G2"
        clef = "Gv2" if part.program in _GUITARS else "Fv4" if part.program in _BASSES else usual
        clefs += [(number, "G2"), (number, "F4")] if has_hands else [(number, clef)]
    begin, stop = (np.concatenate([getattr(part, name) for part in parts]) for name in ("start", "end"))
    start, end = written(begin, stop, begins, metres)
    pitch = np.concatenate([part.pitch for part in parts]).astype(np.int64)
    lines = Lines(start, end, pitch, np.concatenate(staff), np.concatenate(new))
    return tidied(lines, sum(metre.length for metre in metres)), clefs


def _outside(pitch: NDArray[Any], lowest: int, highest: int) -> float:
    """How far beyond a staff's lines pitches lie, in semitones, in the mean."""
    return float(np.maximum(0, np.maximum(lowest - pitch, pitch - highest)).mean())


def _label(key: PartKey) -> str:
    """A part's name, of letters that text can hold."""
    return "".join(letter for letter in key[0] if letter.isprintable()) + (f" {key[1]}" if key[1] > 1 else "")


def _heading(titles: Sequence[str], shown: str) -> list[str]:
    lines = (
        [f"{place}: {title}" for place, title in zip(("above", "below"), titles, strict=False)]
        if len(titles) > 1
        else list(titles)
    )
    if len(titles) > 1:
        lines.append("coloured: new, or of another length")
    return [*lines, shown] if shown else lines


def _engraved(text: str) -> list[str]:
    """The pages of a score as SVG."""
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions(_PAGE)
    assert toolkit.loadData(text), "verovio reads what kern writes"
    return [toolkit.renderToSVG(page) for page in range(1, toolkit.getPageCount() + 1)]


def _page(pages: Sequence[str], heading: Sequence[str]) -> str:
    """Pages below each other, behind lines of text."""
    sizes = [
        tuple(float(number) for number in re.findall(r'(?:width|height)="([\d.]+)px"', page)[:2])
        for page in pages
    ]
    top = _LINE_PIXELS * len(heading) + 10.0
    words = [
        f'<text x="20" y="{_LINE_PIXELS * number}" font-family="sans-serif" font-size="15">{escape(line)}</text>'
        for number, line in enumerate(heading, start=1)
    ]
    placed, y = [], top
    for page, (_, height) in zip(pages, sizes, strict=True):
        placed.append(page[page.index("<svg") :].replace("<svg", f'<svg y="{y:g}"', 1))
        y += height
    width = max(width for width, _ in sizes)
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{y:g}" viewBox="0 0 {width:g} {y:g}">'
    return "\n".join([frame, '<rect width="100%" height="100%" fill="white"/>', *words, *placed, "</svg>"])
