"""Strength: how far a transfer leaves its source genre, as a genre classifier sees it.

Conventions: probabilities are ``(N,)``, one per phrase in the same order: the classifier's probability of the
*source* genre A for the phrase x_A itself, its transfer to B, and the cycle back to A. Strength runs from 0 (nothing
happens) to 1, and below 0 when transfers look more like A than A does.

Strength can be gamed, as a random phrase of the target genre has it all: report content (``content``) beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError
from audiocycle.spec import FloatArray

DEFINITION = (
    "Strength: S(A->B) = mean over phrases of ((P_A(x_A) - P_A(transfer)) + (P_A(cycle) - P_A(transfer))) / 2, P_A "
    "the classifier's probability of the source genre; by accuracy: 1 where P_A is above 0.5, else 0. Total: mean of "
    "the directions."
)
"""Exactly what this module measures. Print it beside results, with the classifier's test accuracy."""


def strength(source: FloatArray, transfer: FloatArray, cycle: FloatArray) -> float:
    """S(A→B) from probabilities of the source genre A: ½(P_A(x_A) − P_A(x̂_B) + P_A(x̃_A) − P_A(x̂_B)), averaged.

    Parameters:
        source: ``(N,)`` P_A of the source phrases x_A, 0 to 1.
        transfer: ``(N,)`` P_A of their transfers x̂_B.
        cycle: ``(N,)`` P_A of the transfers brought back, x̃_A.

    Returns:
        -1 to 1.

    Raises:
        ConfigError: no phrases, unequal numbers of them, or values that are no probabilities.

    Source: Brunner et al. 2018, "Symbolic Music Genre Transfer with CycleGAN" (arXiv 1809.07575).
    """
    p_source, p_transfer, p_cycle = _probabilities(source, transfer, cycle)
    return float(np.mean((p_source - p_transfer + p_cycle - p_transfer) / 2.0))


def accuracy_strength(source: FloatArray, transfer: FloatArray, cycle: FloatArray) -> float:
    """``strength`` of decisions: the share of phrases classified as A (P_A above ½) stands for the probability.

    It does not depend on how sure the classifier is of itself, which differs between seeds.
    """
    decisions = [np.asarray(p > 0.5, np.float64) for p in _probabilities(source, transfer, cycle)]
    return strength(*decisions)


def _probabilities(*given: FloatArray) -> list[NDArray[np.float64]]:
    arrays = [np.asarray(values, np.float64) for values in given]
    shapes = [values.shape for values in arrays]
    if len(set(shapes)) != 1 or len(shapes[0]) != 1 or shapes[0][0] == 0:
        raise ConfigError(f"source, transfer and cycle need one probability per phrase, got shapes {shapes}")
    for name, values in zip(("source", "transfer", "cycle"), arrays, strict=True):
        if not np.all((values >= 0.0) & (values <= 1.0)):  # NaN fails both
            raise ConfigError(f"{name} probabilities must lie between 0 and 1: apply the softmax first")
    return arrays
