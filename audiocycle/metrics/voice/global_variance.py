"""Global variance: does a converted voice move as much as a natural one, or has averaging flattened it?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import FloatArray

DEFINITION = (
    "GV ratio: mean over c_1..c_34 of the variance over time in a sound, over the frames that count for MCD, divided by the mean "
    "of that variance over the target's own recordings; 1 is natural, below 1 over-smoothed."
)


def global_variance(mel_cepstrum: FloatArray) -> NDArray[np.float64]:
    """Variance over time of each coefficient of one utterance but c0: ``(T, order + 1)`` to ``(order,)``.

    Source: Toda, Black & Tokuda 2007, "Voice conversion based on maximum-likelihood estimation of spectral
    parameter trajectory", section IV.
    """
    if len(mel_cepstrum) == 0:
        raise InputError("global variance of no frames: is the recording empty or silent?")
    return np.asarray(np.var(np.asarray(mel_cepstrum, np.float64)[:, 1:], axis=0))


def variance_ratio(natural: FloatArray, converted: FloatArray) -> float:
    """Mean over coefficients of converted / natural variance: 1 is natural, below 1 over-smoothed.

    Parameters:
        natural: ``(order,)`` global variance of the target's own voice.
        converted: ``(order,)`` that of a sound.

    Returns:
        Ratio without unit; NaN where the natural voice has a coefficient that does not vary at all.
    """
    if natural.shape != converted.shape:
        raise ConfigError(f"global variance of different orders: {natural.shape} and {converted.shape}")
    return float(np.mean(converted / natural)) if np.all(natural > 0.0) else float("nan")
