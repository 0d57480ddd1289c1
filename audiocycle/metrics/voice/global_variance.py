"""Global variance: does a converted voice move as much as a natural one, or has averaging flattened it?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import FloatArray

DEFINITION = (
    "GV ratio: mean over c_1..c_34 of the variance over time in the converted sentence divided by that in "
    "the target speaker's own, both over the frames that count for MCD; 1 is natural, below 1 over-smoothed."
)


def global_variance(mel_cepstrum: FloatArray) -> NDArray[np.float64]:
    """Variance over time of each coefficient of one utterance but c0: ``(T, order + 1)`` to ``(order,)``.

    Source: Toda, Black & Tokuda 2007, "Voice conversion based on maximum-likelihood estimation of spectral
    parameter trajectory", section IV.
    """
    if len(mel_cepstrum) == 0:
        raise InputError("global variance of no frames: is the recording empty or silent?")
    return np.asarray(np.var(np.asarray(mel_cepstrum, np.float64)[:, 1:], axis=0))


def variance_ratio(reference: FloatArray, converted: FloatArray) -> float:
    """Mean over coefficients 1..order of converted / reference variance: 1 is natural, below 1 over-smoothed.

    Parameters:
        reference: ``(T1, order + 1)`` mel-cepstrum of one utterance, only the frames that count.
        converted: ``(T2, order + 1)``.

    Returns:
        Ratio without unit; NaN when the reference does not vary at all.
    """
    if reference.shape[1] != converted.shape[1]:
        raise ConfigError(f"mel-cepstra of different orders: {reference.shape} and {converted.shape}")
    natural = global_variance(reference)
    if not np.all(natural > 0.0):
        return float("nan")
    return float(np.mean(global_variance(converted) / natural))
