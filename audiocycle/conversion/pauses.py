"""What a network is not shown of long silences.

Instance norms take their statistics over all frames of a chunk. Digital silence tells them nothing of the voice, and much of it shifts them
as no pause in training does: seconds of frames, all at the limit of the statistics. So no more of it is shown than a short pause.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LONGEST, GRID = 40, 4
"""Frames of a silence that are shown, at least; as many are left out as networks, which halve frames twice, take steps by."""


def shown_frames(silent: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mask (T,) of the frames that a network is shown, from that of the silent ones: all but the middles of long silences.

    The first is always shown. To put the others back: ``made[..., np.cumsum(shown) - 1]`` gives each what the last one shown before it got.
    """
    shown = np.ones(len(silent), dtype=bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], silent, [False]]).astype(np.int8)))
    for begin, end in edges.reshape(-1, 2).tolist():
        surplus = (end - begin - LONGEST) // GRID * GRID
        if surplus > 0:
            shown[begin + LONGEST // 2 : begin + LONGEST // 2 + surplus] = False
    return shown
