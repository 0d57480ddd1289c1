"""Means with what is uncertain about them: which songs or recordings were drawn, and which seed a judge was trained with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2000

DEFINITION = "95 % intervals: bootstrap over songs (percentiles). ±: standard deviation over seeds. Means are over phrases."
"""Print it beside results."""

Numbers = NDArray[np.float64]
NOTHING: Numbers = np.zeros(0)


@dataclass(frozen=True)
class Estimate:
    """A mean over songs (or recordings: what is said of songs holds for all files), for each seed.

    Attributes:
        by_seed: (seeds,) means; one number where there are no seeds.
        resampled: (R,) means over seeds of resampled songs; empty where songs cannot be resampled.
    """

    by_seed: Numbers
    resampled: Numbers = field(default_factory=lambda: NOTHING)

    @property
    def mean(self) -> float:
        """Over seeds and songs."""
        return float(self.by_seed.mean())

    @property
    def spread(self) -> float | None:
        """Standard deviation over seeds; None with fewer than two."""
        return float(self.by_seed.std(ddof=1)) if len(self.by_seed) > 1 else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of 95 % over songs; None with fewer than two songs."""
        if not len(self.resampled):
            return None
        low, high = np.percentile(self.resampled, (2.5, 97.5))
        return float(low), float(high)

    def to_json(self) -> dict[str, float | None]:
        """``mean``, ``low``, ``high``, ``spread``; null where there is none."""
        low, high = self.interval or (None, None)
        return {"mean": self.mean, "low": low, "high": high, "spread": self.spread}


def estimate(values: ArrayLike, weights: ArrayLike) -> Estimate:
    """From each song's mean, or each recording's value.

    Parameters:
        values: ``(songs, seeds)``, finite: leave out files without a value. One column where there are no seeds.
        weights: ``(songs,)`` phrases in each. For recordings 1; for an error rate the length of each reference, which
            makes the mean all errors by all words.

    Source: Efron 1979, percentile bootstrap; for error rates Bisani & Ney 2004.
    """
    table, phrases = np.asarray(values, np.float64), np.asarray(weights, np.float64)
    by_seed = phrases @ table / phrases.sum()
    if len(table) < 2:
        return Estimate(by_seed)
    drawn = draws(len(table)) * phrases
    return Estimate(by_seed, drawn @ table.mean(axis=1) / drawn.sum(axis=1))


def draws(songs: int) -> NDArray[np.int64]:
    """How often each song is in each resample, ``(RESAMPLES, songs)``; the same for equally many songs."""
    return np.random.default_rng(0).multinomial(songs, np.full(songs, 1.0 / songs), RESAMPLES)


def joined(parts: Sequence[Estimate], same_files: bool = False) -> Estimate:
    """The mean of estimates of the same seeds.

    Parameters:
        same_files: their files are the same ones, and are drawn together; otherwise each estimate's are drawn by themselves.
    """
    by_seed = np.mean([part.by_seed for part in parts], axis=0)
    if not all(len(part.resampled) for part in parts):
        return Estimate(by_seed)
    drawn = [part.resampled for part in parts]  # all by the same random numbers, so that equally many files are drawn together
    if not same_files:
        random = np.random.default_rng(0)
        drawn = [random.permutation(one) for one in drawn]
    return Estimate(by_seed, np.mean(drawn, axis=0))


def difference(a: Estimate, b: Estimate) -> Estimate:
    """``a - b`` of estimates over the same songs, which are drawn together."""
    drawn = len(a.resampled) == len(b.resampled)
    return Estimate(a.by_seed - b.by_seed, a.resampled - b.resampled if drawn else NOTHING)
