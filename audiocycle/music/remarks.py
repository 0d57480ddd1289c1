"""What people should know of how a conversion came about, where a song is not what the network was made for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from audiocycle.music.adapter import MIN_ON_GRID
from audiocycle.music.bar_lines import suspicion
from audiocycle.music.bars_found import Bars
from audiocycle.music.grid import STEPS_PER_BEAT, on_grid_share
from audiocycle.music.metres import Layout, Signature
from audiocycle.music.notes import Notes
from audiocycle.music.piano_roll import LOWEST, N_PITCHES, begins_in, in_range

BEYOND = f"outside MIDI {LOWEST} to {LOWEST + N_PITCHES - 1}"
END = "at the very end of the last bar"


def remarks(
    notes: Notes, bars: Bars, signatures: Sequence[Signature], per_quarter: int, grid: str, first_bar: float | None
) -> str:
    """In one line; empty where all is as it should be.

    Args:
        notes: the melodic ones.
        bars: which were converted, which were not, and how they were found.
        signatures: tick, numerator and denominator of each, in any order.
        grid: its name.
        first_bar: what the user said of it, quarter notes; None: nothing.
    """
    shown, positions = np.zeros(len(notes), dtype=bool), [np.zeros(0)]
    for span in bars.layout.spans:
        inside = begins_in(notes, span)
        shown |= inside
        positions.append(span.positions(notes.start[inside]))
    places = _places(notes.where(~shown), bars.layout, per_quarter)
    if not shown.any():
        return f"nothing was converted, the result is a copy: its notes lie {' and '.join(places)}"
    said = [bars.said] if bars.said else []
    if places:
        told = ", ".join(f"{count:,} {place}" for place, count in places.most_common())
        said.append(f"{places.total():,} of its {len(notes):,} notes stayed as they are: {told}")
    share = on_grid_share(np.concatenate(positions))
    if share < MIN_ON_GRID and bars.by_file:
        finer = {
            name: on_grid_share(np.concatenate(positions) / STEPS_PER_BEAT[grid] * n)
            for name, n in STEPS_PER_BEAT.items()
        }
        best = max(finer, key=lambda name: finer[name])
        advice = "a free performance? try `beats=estimate`, or mark its beats and name that file as `beats=FILE`"
        if finer[best] >= MIN_ON_GRID:
            advice = f"{finer[best]:.0%} lie on the {best} grid: choose a model of that, or quantise it"
        said.append(
            f"only {share:.0%} of its onsets lie on the {grid} grid (below {MIN_ON_GRID:.0%} the result may make little sense): {advice}"
        )
    elif bars.by_file and not bars.said and first_bar is None and all(each[1:] == (4, 4) for each in signatures):
        said += _of_bars(notes.where(in_range(notes)), per_quarter, bool(signatures))
    return "; ".join(said)


def _places(left: Notes, layout: Layout, per_quarter: int) -> Counter[str]:
    """How many of the notes that were not converted lie in which places, in words."""
    starts, ends = np.array([(part.start, part.end) for part in layout.passed] or [(0, 0)]).T
    at = left.start + per_quarter // 8  # half a sixteenth before a bar line is behind it
    part = np.clip(np.searchsorted(starts, at, side="right") - 1, 0, None)
    names = np.array([BEYOND, END, *(each.where for each in layout.passed)])
    return Counter(names[np.where(in_range(left), np.where(at < ends[part] + per_quarter // 4, part + 2, 1), 0)].tolist())


def _of_bars(notes: Notes, per_quarter: int, says_metre: bool) -> list[str]:
    """What seems to be wrong with the bar lines of a song in 4/4."""
    found = suspicion(notes, per_quarter, says_metre)
    if found is None:
        return []
    if found.beats != 4:
        return [
            "it has no time signature and seems to be in 3/4: on the grid of 4/4 the result may make little sense; give it its signature"
        ]
    first = " or ".join(map(str, found.first))
    return [
        f"its bars seem to begin {first} quarter notes later than the file says (an upbeat?): try `first_bar={first}`"
    ]
