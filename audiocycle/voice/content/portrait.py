"""A speaker in some numbers: how the statistics of a voice differ from those of other voices.

What a network is told of a target, so that one serves many, one that it never saw included, and blends of several.
"""

from __future__ import annotations

import numpy as np

from audiocycle.spec import FloatArray

FURTHEST = 3.0
"""Deviations. A voice further off is told as this far."""
# Of 250 speakers: 246 readers of LibriSpeech, its readers 19, 26, 27, 40, 78, and two rendered voices; 16 kHz, 36 coefficients.
MEANS, MEAN_DEVIATIONS = (
    -10.5, 2.67, 0.284, 0.67, -0.0168, -0.078, -0.137, -0.0906, 0.00735, 0.031, -0.00514, 0.00851,
    -0.00886, 0.0326, -0.0383, -0.00849, -0.0102, 0.00574, -0.00665, 0.00604, -0.01, 0.0131, -0.00543, 0.00305,
    0.000996, -0.000214, -0.00558, 0.0088, -0.00671, 0.000781, -0.00157, 0.0034, -0.00456, 0.00324, -0.00367, 0.00467,
), (
    0.961, 0.608, 0.367, 0.266, 0.226, 0.173, 0.161, 0.142, 0.121, 0.116, 0.0969, 0.0992,
    0.092, 0.0777, 0.0772, 0.0715, 0.0639, 0.0552, 0.0515, 0.0454, 0.0461, 0.0434, 0.0384, 0.0346,
    0.03, 0.031, 0.0291, 0.0265, 0.0261, 0.0238, 0.025, 0.0226, 0.0208, 0.0212, 0.0195, 0.0163,
)
SPREADS, SPREAD_DEVIATIONS = (
    0.786, 0.449, -0.286, -0.463, -0.752, -0.868, -0.991, -1.12, -1.19, -1.3, -1.38, -1.44,
    -1.51, -1.56, -1.6, -1.66, -1.73, -1.78, -1.83, -1.88, -1.93, -1.97, -2.02, -2.07,
    -2.12, -2.17, -2.21, -2.25, -2.29, -2.33, -2.37, -2.41, -2.44, -2.48, -2.51, -2.55,
), (
    0.0984, 0.166, 0.154, 0.138, 0.15, 0.13, 0.128, 0.13, 0.13, 0.131, 0.142, 0.127,
    0.128, 0.125, 0.128, 0.119, 0.123, 0.121, 0.125, 0.124, 0.128, 0.128, 0.13, 0.129,
    0.126, 0.131, 0.131, 0.132, 0.139, 0.145, 0.138, 0.135, 0.143, 0.144, 0.146, 0.147,
)
"""Natural logs of the deviations of coefficients."""
PITCH, PITCH_DEVIATIONS = (4.99, -1.61), (0.3, 0.263)
"""Mean of log F0, and log of its deviation."""


def portrait(mean: FloatArray, deviation: FloatArray, log_f0: tuple[float, float]) -> FloatArray:
    """Statistics of a voice, in deviations from that of the speakers above, (2 n + 2,) float32.

    Args:
        mean, deviation: (n, 1) of mel-cepstral coefficients; beyond the 36 that are known here, and at other rates, they tell voices apart all the same.
        log_f0: mean and deviation.
    """
    parts = [
        deviations(mean[:, 0], MEANS, MEAN_DEVIATIONS),
        deviations(np.log(deviation[:, 0]), SPREADS, SPREAD_DEVIATIONS),
        deviations(np.array([log_f0[0], np.log(max(log_f0[1], 1e-2))]), PITCH, PITCH_DEVIATIONS),
    ]
    told: FloatArray = np.clip(np.concatenate(parts), -FURTHEST, FURTHEST).astype(np.float32)
    return told


def deviations(values: FloatArray, means: tuple[float, ...], spread: tuple[float, ...]) -> FloatArray:
    """How far values are from what is usual; where that is not known, from the last that is."""
    n = len(values)
    usual, unit = (np.pad(np.array(known), (0, max(0, n - len(known))), mode="edge")[:n] for known in (means, spread))
    found: FloatArray = (values - usual) / unit
    return found
