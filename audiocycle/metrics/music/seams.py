"""Seams: notes of a converted song that break where the source's go on, which is what a careless joining of phrases does.

Conventions: rolls are ``(C, 84, T)``, see ``notes``, of whole songs: phrases have no borders inside. Count by step here, then compare
steps at borders with the same steps of a conversion whose borders are elsewhere: a few notes break everywhere, because the network
wants it so, and tunes end their notes in regular places, as borders are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError
from audiocycle.metrics.music.notes import Roll, notes_of, onsets, sounding

DEFINITION = (
    "Seams: cut notes stop where the source holds their pitch; doubled ones begin again 0 or 1 steps after their pitch ended, where the "
    "source begins none. Both for each bar, of two conversions whose windows meet at different places: each step at which only one of them fades "
    "from a window to the next, in that one (borders) and in the other one (inside)."
)
"""What is made of this module's counts. Print it beside results."""


def broken_notes(source: Roll, converted: Roll) -> NDArray[np.int64]:
    """How many notes of a conversion break at each step, ``(2, T)``: cut ones, and doubled ones.

    A note breaks at the first step at which it no longer sounds. It is *doubled* if its pitch begins again at this step or the next, while the
    source begins no note of this pitch at either; else *cut* if the source holds a note of this pitch over this step. A roll without onsets
    can have no doubled notes without a gap.

    Raises:
        ConfigError: no rolls of equal T.
    """
    if source.shape[1:] != converted.shape[1:]:
        raise ConfigError(f"piano rolls of different lengths cannot be compared: {source.shape} and {converted.shape}")
    steps = converted.shape[2]
    begins, held = onsets(source), sounding(source)
    held[:, 1:] &= sounding(source)[:, :-1] & ~begins[:, 1:]
    notes = notes_of(converted)
    row, stop = notes[:, 0], notes[:, 1] + notes[:, 2]
    again = np.zeros(len(notes), np.bool_)  # the next note of the row begins at once, or a step later
    again[:-1] = (row[:-1] == row[1:]) & (notes[1:, 1] - stop[:-1] <= 1)
    inside = stop < steps
    row, stop, again = row[inside], stop[inside], again[inside]
    struck = begins[row, stop] | begins[row, np.minimum(stop + 1, steps - 1)]
    cut = ~again & held[row, stop]
    return np.stack([np.bincount(stop[which], minlength=steps) for which in (cut, again & ~struck)])
