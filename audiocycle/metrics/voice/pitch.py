"""F0 measures along an alignment path.

Conventions: ``f0`` is in Hz, one value per frame, 0 (or NaN) where unvoiced. A path is ``(L, 2)`` frame
indices (reference, converted), as ``mel_cepstral_distortion`` returns it. Nothing to measure gives NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import InputError
from audiocycle.metrics.voice.alignment import Path
from audiocycle.spec import FloatArray

CENTS_PER_LOG_HZ = 1200.0 / np.log(2.0)

DEFINITION = (
    "log-F0: root mean square difference and Pearson correlation of ln F0 over the pairs of the MCD "
    "alignment path that are voiced in both. V/UV error: share of the path's pairs that are voiced in one "
    "recording only."
)


@dataclass(frozen=True)
class PitchComparison:
    """How two F0 tracks differ along a path.

    Attributes:
        rmse_log_hz: root mean square difference of ln F0, over pairs voiced in both.
        rmse_cents: the same in cents (1200 to the octave).
        correlation: Pearson correlation of ln F0 over those pairs, -1 to 1.
        vuv_error: share of all pairs that are voiced in one track only, 0 to 1.
        voiced_pairs: how many pairs are voiced in both.
    """

    rmse_log_hz: float
    rmse_cents: float
    correlation: float
    vuv_error: float
    voiced_pairs: int


def compare_pitch(reference: FloatArray, converted: FloatArray, path: Path) -> PitchComparison:
    """log-F0 RMSE, log-F0 correlation and voicing error of two F0 tracks (Hz) along a path.

    Pairs repeat where the path stands still, so longer sounds weigh as they do in the MCD.

    Raises:
        InputError: the path is empty or points outside a track (analysed with another frame period?).
    """
    first, second = _along(reference, converted, path)
    both = voiced(first) & voiced(second)
    log_first, log_second = np.log(first[both]), np.log(second[both])
    rmse = float(np.sqrt(np.mean(np.square(log_first - log_second)))) if both.any() else float("nan")
    return PitchComparison(
        rmse_log_hz=rmse,
        rmse_cents=rmse * CENTS_PER_LOG_HZ,
        correlation=_correlation(log_first, log_second),
        vuv_error=float(np.mean(voiced(first) != voiced(second))),
        voiced_pairs=int(both.sum()),
    )


def voiced(f0: FloatArray) -> NDArray[np.bool_]:
    """Which frames have a pitch: F0 above 0 and finite."""
    flags: NDArray[np.bool_] = np.isfinite(f0) & (f0 > 0.0)
    return flags


def _along(
    reference: FloatArray, converted: FloatArray, path: Path
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(path) == 0:
        raise InputError("cannot compare F0 along an empty path: is a recording silent?")
    if path.min() < 0 or path[:, 0].max() >= len(reference) or path[:, 1].max() >= len(converted):
        raise InputError(
            f"the path reaches frame {tuple(path.max(axis=0))}, the F0 tracks have {len(reference)} and "
            f"{len(converted)} frames: analyse F0 and spectrum with one frame period"
        )
    return np.asarray(reference, np.float64)[path[:, 0]], np.asarray(converted, np.float64)[path[:, 1]]


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Pearson correlation; NaN for fewer than two pairs or a constant track."""
    if len(first) < 2:
        return float("nan")
    first, second = first - first.mean(), second - second.mean()
    scale = np.sqrt(np.square(first).sum() * np.square(second).sum())
    if scale < 1e-12:
        return float("nan")
    return float(np.clip(np.dot(first, second) / scale, -1.0, 1.0))
