"""Quality: does a piano roll look like music at all, whatever its genre? Compare with real songs' numbers.

Conventions: rolls are ``(C, 84, T)``, see ``notes``. No number is good in itself: a transfer is fine where it
lies near the held-out songs of its target genre.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError
from audiocycle.metrics.music.notes import (
    BEATS_PER_BAR,
    Notes,
    Roll,
    beat_sums,
    check_grid,
    notes_of,
    sounding,
)
from audiocycle.spec import FloatArray

QUALIFIED_STEPS = 2
"""Notes shorter than this many steps do not qualify."""

DEFINITION = (
    "Quality: pitch-class entropy (bits) and scale consistency (best of the 24 major and natural minor scales) by "
    "count of notes; polyphony over steps with sound; empty beats: nothing sounds; qualified notes: 2 steps or more; "
    "fragmentation: notes that start 0 or 1 steps after the same pitch ended."
)
"""What ``roll_quality`` measures. Print it beside results."""

SHAPE = ("notes_per_bar", "polyphony", "median_note_steps")
"""The measures of :func:`roll_quality` by which a phrase is told to be too dense, too thick or too choppy for its genre."""
MIDDLE = 0.8
"""How much of a genre is its middle."""

MIDDLE_DEFINITION = (
    "In the middle 80 %: share of phrases that have neither less than the 10th nor more than the 90th percentile of the target's held-out "
    "phrases (linear interpolation; ends count as inside) of notes per bar, of polyphony, of median note length; of all three at once."
)
"""What :func:`middle` is for. Print it beside results."""

_MAJOR = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1], np.int64)
_SCALES = np.stack([np.roll(_MAJOR, tonic) for tonic in range(12)])
"""The 12 major scales; the 12 natural minor ones are the same sets of pitches."""


def roll_quality(roll: Roll, steps_per_beat: int = 4) -> dict[str, float]:
    """All measures of one roll, by name. A silent roll has ``empty_beat_rate`` 1 and 0 everywhere else.

    - ``pitch_class_entropy``: entropy of the notes' pitch classes in bits, 0 (one) to 3.58 (all twelve alike).
    - ``scale_consistency``: largest share of the notes that lie in one of the 24 major and natural minor scales.
    - ``polyphony``: mean number of pitches that sound at once, over the steps in which anything does.
    - ``notes_per_bar``: notes for every 4 beats.
    - ``median_note_steps``: median duration in steps.
    - ``empty_beat_rate``: share of the beats in which nothing sounds.
    - ``qualified_note_rate``: share of the notes that last ``QUALIFIED_STEPS`` or longer.
    - ``fragmentation``: share of the notes that start 0 or 1 steps after the same pitch ended. Music repeats notes
      (0.2 to 0.4 in jazz, classical and pop songs); a tone that flickers in a network's output has more.

    Parameters:
        roll: ``(C, 84, T)``.
        steps_per_beat: steps of the grid to a beat.

    Raises:
        ConfigError: the array is no roll, or the grid is impossible.

    Source: Dong et al. 2020, "MusPy", for the first three and the empty beats; Dong et al. 2018, "MuseGAN", for
    qualified notes (there 3 steps of a finer grid). Fragmentation is this project's own.
    """
    check_grid(steps_per_beat)
    sounds, notes = sounding(roll), notes_of(roll)
    at_once = sounds.sum(axis=0, dtype=np.int64)
    classes = np.bincount(notes[:, 0] % 12, minlength=12)
    n_notes, n_bars = len(notes), roll.shape[2] / (BEATS_PER_BAR * steps_per_beat)
    return {
        "pitch_class_entropy": _entropy_bits(classes),
        "scale_consistency": int((_SCALES @ classes).max()) / max(n_notes, 1),
        "polyphony": int(at_once.sum()) / max(int(np.count_nonzero(at_once)), 1),
        "notes_per_bar": n_notes / n_bars,
        "median_note_steps": float(np.median(notes[:, 2])) if n_notes else 0.0,
        "empty_beat_rate": float(np.mean(beat_sums(at_once[None], steps_per_beat) == 0)),
        "qualified_note_rate": int(np.count_nonzero(notes[:, 2] >= QUALIFIED_STEPS)) / max(n_notes, 1),
        "fragmentation": _resumed(notes) / max(n_notes, 1),
    }


def middle(values: FloatArray, share: float = MIDDLE) -> tuple[float, float]:
    """Between which values the middle ``share`` of ``(N,)`` lies: for 0.8 the 10th and the 90th percentile, interpolated linearly.

    Raises:
        ConfigError: no values, or an impossible share.
    """
    if not len(values) or not 0.0 < share <= 1.0:
        raise ConfigError(f"the middle {share:g} of {len(values)} values: give one value or more, and a share between 0 and 1")
    low = round(50.0 * (1.0 - share), 9)  # 10, and not a little less: note lengths are few whole numbers, which lie on the ends
    ends = np.percentile(np.asarray(values, np.float64), (low, 100.0 - low))
    return float(ends[0]), float(ends[1])


def _entropy_bits(counts: NDArray[np.int64]) -> float:
    used = counts[counts > 0]
    shares = used / max(int(used.sum()), 1)
    return abs(float(np.sum(shares * np.log2(shares))))  # the sum is 0 or less; abs() also spares a "-0.0"


def _resumed(notes: Notes) -> int:
    """How many notes start at most one step after the note before them in the same row ended."""
    before, after = notes[:-1], notes[1:]
    gap = after[:, 1] - (before[:, 1] + before[:, 2])
    return int(np.count_nonzero((before[:, 0] == after[:, 0]) & (gap <= 1)))
