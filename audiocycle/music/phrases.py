"""Where the phrases of a run of bars begin, in any metre: networks see windows of one length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audiocycle.music.grid import Ints, Span


def phrase_borders(bars: Ints, window: int) -> Ints:
    """(n + 1,) the steps at which phrases begin, and at which the last one ends: as many whole bars each as a window holds.

    Of a bar that is longer than a window, each window is a phrase.

    Args:
        bars: (B + 1,) the steps at which bars begin; the last: where they end.
        window: steps.
    """
    borders = [0]
    while borders[-1] < bars[-1]:
        furthest = borders[-1] + window
        line = int(bars[np.searchsorted(bars, furthest, side="right") - 1])
        borders.append(line if line > borders[-1] else furthest)
    return np.array(borders, dtype=np.int64)


def phrase_lines(spans: Sequence[Span], window: int) -> Ints:
    """The ticks at which the phrases of a song's spans begin, and at which spans end."""
    return np.unique(np.concatenate([np.zeros(0, np.int64), *(span.ticks(phrase_borders(span.bars, window)) for span in spans)]))
