"""The musician's list of a transfer: source, result and target song by song, and how many results lie where the target's own songs do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audiocycle.errors import AudioCycleError, DataError
from audiocycle.evaluation.music.classifier import midi_files
from audiocycle.evaluation.music.measures import CHANGED, FAULTS, MUSICIAN_MEASURES
from audiocycle.evaluation.music.whole_songs import WholeSong, read_whole
from audiocycle.metrics.music.musician import after_the_end, musicians_list, top_line_kept
from audiocycle.metrics.music.quality import middle
from audiocycle.spec import FloatArray

NEARLY = 1e-9
"""Rounding must not put a song that lies on an end outside."""
ENOUGH = 0.8
"""The share of songs that should lie in the target's middle."""
SLACK = {"overlaps": 0.01}
"""By which the middle is wider at its upper end: the target's own voices never overlap, and one note in a hundred is no fault."""
FEWEST = 3
"""Songs of the target that have a number; the middle of fewer is not known."""

Numbers = dict[str, FloatArray]
"""By measure, (songs,); NaN where a song has no such thing."""


@dataclass(frozen=True)
class Line:
    """One measure of the list.

    Attributes:
        source, converted, target: means over the songs that have the number; NaN without any.
        ends: between which the middle 80 % of the target's own songs lie; None where the target says nothing.
        below, above: shares of the converted songs that lie outside.
        songs: converted ones that have the number.
        worst: the converted song farthest from the target's middle, by the width of that; empty where none is outside.
    """

    source: float
    converted: float
    target: float
    ends: tuple[float, float] | None
    below: float
    above: float
    songs: int
    worst: str

    @property
    def within(self) -> float:
        """Share of the converted songs in the middle of the target's; NaN where that is not known."""
        return 1.0 - self.below - self.above


List = dict[str, Line]
"""By measure."""


def compared(
    names: Sequence[str],
    sources: Sequence[WholeSong],
    converted: Sequence[WholeSong],
    targets: Sequence[WholeSong],
) -> List:
    """The list.

    Args:
        names: of ``sources`` and ``converted``, which are the same songs before and after.
        targets: the target's own.
    """
    before, after, own = map(numbers, (sources, converted, targets))
    pairs = list(zip(sources, converted, strict=True))
    lines = {name: line(names, before[name], after[name], own[name], SLACK.get(name, 0.0)) for name in own}
    kept = np.array([top_line_kept(source.notes, result.notes) for source, result in pairs])
    behind = np.array([after_the_end(result.notes, source.last) for source, result in pairs])
    return lines | {"top_line_kept": alone(names, kept, -1.0), "after_the_end": alone(names, behind, 1.0)}


def numbers(songs: Sequence[WholeSong]) -> Numbers:
    """What each song is like by itself."""
    found = [musicians_list(song.notes) for song in songs]
    return {name: np.array([each[name] for each in found]) for name in found[0]}


def line(
    names: Sequence[str], before: FloatArray, after: FloatArray, own: FloatArray, slack: float = 0.0
) -> Line:
    """One measure: (songs,) before and after, and (target's songs,); ``slack`` is added to the upper end of their middle."""
    known, has = own[np.isfinite(own)], np.isfinite(after)
    if len(known) < FEWEST or not has.any():
        return Line(mean(before), mean(after), mean(own), None, np.nan, np.nan, int(has.sum()), "")
    low, high = middle(known)
    high += slack
    outside = np.maximum(low - after, after - high)
    worst = int(np.nanargmax(outside))
    name = names[worst] if outside[worst] > NEARLY else ""
    below, above = (float(flags[has].mean()) for flags in (after < low - NEARLY, after > high + NEARLY))
    return Line(mean(before), mean(after), mean(own), (low, high), below, above, int(has.sum()), name)


def alone(names: Sequence[str], values: FloatArray, worse: float) -> Line:
    """A measure of results against their sources, of which the target says nothing; ``worse``: 1 if more is worse, else -1."""
    has = np.isfinite(values)
    worst = names[int(np.nanargmax(worse * values))] if has.any() and np.ptp(values[has]) > 0 else ""
    return Line(np.nan, mean(values), np.nan, None, np.nan, np.nan, int(has.sum()), worst)


def mean(values: FloatArray) -> float:
    """Over what is finite; NaN of nothing."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def short_of_the_bar(found: List) -> list[str]:
    """Faults of which too few songs lie in the target's middle."""
    faults = [
        measure
        for measure in MUSICIAN_MEASURES
        if measure.family == FAULTS and found[measure.name].ends is not None
    ]
    return [measure.label for measure in faults if found[measure.name].within < ENOUGH - NEARLY]


def text(title: str, found: List) -> Iterator[str]:
    """A table of at most 110 columns, and a line with the songs that are worst."""
    yield f"{title:34}{'source':>9}{'converted':>11}{'target':>9}{'middle 80 %':>15}{'within':>9}{'below':>8}{'above':>8}{'songs':>7}"
    for measure in MUSICIAN_MEASURES:
        each = found[measure.name]
        cells = [
            f"{measure.text(value):>{width}}"
            for value, width in ((each.source, 9), (each.converted, 11), (each.target, 9))
        ]
        ends = "" if each.ends is None else "–".join(map(measure.text, each.ends))
        shares = (
            "–" if np.isnan(share) else f"{share:.0%}" for share in (each.within, each.below, each.above)
        )
        yield (
            f"  {measure.axis:32}"
            + "".join(cells)
            + f"{ends:>15}"
            + "".join(f"{share:>{w}}" for share, w in zip(shares, (9, 8, 8), strict=True))
            + f"{each.songs:7}"
        )
    missed = short_of_the_bar(found)
    if missed:
        yield f"  in the target's middle in fewer than {ENOUGH:.0%} of the songs: {', '.join(missed)}"
    for measure in MUSICIAN_MEASURES:
        if measure.family in (FAULTS, CHANGED) and found[measure.name].worst:
            yield f"  worst, {measure.label}: {found[measure.name].worst}"


def to_json(found: List) -> dict[str, dict[str, Any]]:
    """Everything, by measure; null where there is no number."""
    lines = {name: vars(each) | {"within": each.within} for name, each in found.items()}
    return {
        name: {key: None if isinstance(x, float) and np.isnan(x) else x for key, x in each.items()}
        for name, each in lines.items()
    }


def read_folder(folder: Path, kind: str) -> dict[str, WholeSong]:
    """Songs of a folder by their paths below it, without the ending; files that cannot be read are left out.

    Raises:
        DataError: no folder, no file, or none that can be read.
    """
    songs = {}
    reason = ""
    for path in midi_files(folder, kind):
        try:
            songs[path.relative_to(folder).with_suffix("").as_posix()] = read_whole(path)
        except AudioCycleError as error:
            reason = str(error)
    if not songs:
        raise DataError(f"{folder}: none of its files can be read; the last: {reason}")
    return songs


def pairs(sources: Mapping[str, WholeSong], converted: Mapping[str, WholeSong]) -> list[tuple[str, str]]:
    """Names before and after, of songs that are in both: ``song`` and ``song``, or ``song.jazz``.

    Raises:
        DataError: there is none.
    """
    found = [
        (name, after) for after in converted for name in (after, after.rpartition(".")[0]) if name in sources
    ]
    if not found:
        raise DataError(
            "no converted song has the name of a source; give the folder that `audiocycle convert SOURCE -o CONVERTED` wrote"
        )
    return found
