"""What people should know of how a conversion came about, where a song is not what the network was made for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audiocycle.music.adapter import MIN_ON_GRID
from audiocycle.music.bar_lines import suspicion
from audiocycle.music.grid import STEPS_PER_BEAT, Signature, Span, metres_taken, on_grid_share
from audiocycle.music.notes import Notes
from audiocycle.music.piano_roll import begins_in, in_range

MUCH = 0.1
"""Share of the notes from which it is said that they are in other metres."""


def remarks(
    notes: Notes,
    spans: Sequence[Span],
    signatures: Sequence[Signature],
    per_quarter: int,
    grid: str,
    first_bar: float,
    pairs: bool = False,
) -> str:
    """In one line; empty where all is as it should be.

    Args:
        notes: the melodic ones.
        spans: the bars that were converted.
        signatures: tick, numerator and denominator of each, in any order.
        grid: its name.
        first_bar: what the user said of it, quarter notes.
        pairs: bars in 2/4 and 2/2 are converted, too.
    """
    notes = notes.where(in_range(notes))
    shown, positions = np.zeros(len(notes), dtype=bool), [np.zeros(0)]
    for span in spans:
        inside = begins_in(notes, span)
        shown |= inside
        positions.append(span.positions(notes.start[inside]))
    metres = [f"{top}/{bottom}" for _, top, bottom in sorted(signatures)]
    taken = [f"{top}/{bottom}" for top, bottom in metres_taken(pairs)]
    others = ", ".join(dict.fromkeys(metre for metre in metres if metre not in taken))
    only = f"only bars in {', '.join(taken[:-1])} or {taken[-1]}" if pairs else "only bars in 4/4"
    if not shown.any():
        what = f"its metre is {others}" if others else "no note lies in a whole bar"
        return f"nothing was converted, the result is a copy: {what}, and {only} are converted"
    said = []
    if others and (~shown).mean() > MUCH:
        said.append(
            f"{(~shown).mean():.0%} of its notes stayed as they are: {only} are converted, not those in {others}"
        )
    share = on_grid_share(np.concatenate(positions))
    if share < MIN_ON_GRID:
        finer = {
            name: on_grid_share(np.concatenate(positions) / STEPS_PER_BEAT[grid] * n)
            for name, n in STEPS_PER_BEAT.items()
        }
        best = max(finer, key=lambda name: finer[name])
        advice = "a free performance? quantise it, or align it to its beats"
        if finer[best] >= MIN_ON_GRID:
            advice = f"{finer[best]:.0%} lie on the {best} grid: choose a model of that, or quantise it"
        said.append(
            f"only {share:.0%} of its onsets lie on the {grid} grid (below {MIN_ON_GRID:.0%} the result may make little sense): {advice}"
        )
    elif set(metres) <= {"4/4"} and not first_bar:
        said += _of_bars(notes, per_quarter, bool(metres))
    return "; ".join(said)


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
