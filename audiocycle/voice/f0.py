"""Fundamental frequency: statistics on voiced frames and the log-Gaussian transform.

``f0`` is in Hz, (T,), with 0 for unvoiced frames.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from audiocycle.spec import FloatArray


def log_f0_stats(tracks: Iterable[FloatArray]) -> tuple[float, float] | None:
    """Mean and standard deviation of log F0 over voiced frames; None when no frame is voiced."""
    voiced = np.concatenate([np.asarray(f0)[np.asarray(f0) > 0] for f0 in tracks] or [np.zeros(0)])
    if voiced.size == 0:
        return None
    log_f0 = np.log(voiced)
    return float(log_f0.mean()), float(log_f0.std())


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
