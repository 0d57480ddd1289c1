"""Fundamental frequency: statistics on voiced frames and the log-Gaussian transform.

``f0`` is in Hz, (T,), with 0 for unvoiced frames.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from audiocycle.data.moments import Moments
from audiocycle.spec import FloatArray


def log_f0_stats(tracks: Iterable[FloatArray]) -> tuple[float, float] | None:
    """Mean and standard deviation of log F0 over voiced frames; None when no frame is voiced."""
    log_f0 = Moments()
    for f0 in tracks:
        values = np.asarray(f0, np.float64)
        log_f0.add(np.log(values[values > 0]))
    return (float(log_f0.mean[0]), float(log_f0.std[0])) if log_f0.count else None


def convert_f0(
    f0: FloatArray, source: tuple[float, float], target: tuple[float, float], semitones: float = 0.0
) -> FloatArray:
    """Log-Gaussian normalised transform (Liu et al. 2007): match mean and deviation of log F0.

    Unvoiced frames stay 0. ``semitones`` shifts the result.
    """
    voiced = f0 > 0
    converted = np.zeros_like(f0)
    (mean_s, std_s), (mean_t, std_t) = source, target
    ratio = std_t / std_s if std_s > 1e-6 else 1.0
    shift = semitones * np.log(2.0) / 12.0
    converted[voiced] = np.exp((np.log(f0[voiced]) - mean_s) * ratio + mean_t + shift)
    return converted
