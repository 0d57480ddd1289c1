"""What a network's means lose, put back: the power of each frame, and the variance of coefficients over time.

Features are those of :class:`~audiocycle.voice.world_adapter.WorldAdapter`: (n_mcep, T), the DCT of the log power envelope on a
mel axis, so that row 0 is the mean of the log power along that axis.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from audiocycle.spec import Direction, FloatArray

LOWEST_HZ = 40.0
"""Where the mel axis of WORLD's coding begins; it ends at the Nyquist frequency."""
MEL_POINTS = 64
"""At which the envelope is read. Power is that of WORLD's full envelope to 0.05 dB (deviation over 4 s of speech)."""
LEAST_DEVIATION = 0.25
"""Of a network's output, in units of the target's: less is not amplified further than this is."""


def log_power(features: FloatArray, sample_rate: int) -> FloatArray:
    """Natural log of each frame's power, (T,), up to a constant that depends on the sample rate alone."""
    cosines, bandwidths = mel_axis(features.shape[0], sample_rate)
    log_points = cosines @ features.astype(np.float64)
    made: FloatArray = np.log(bandwidths @ np.exp(log_points))
    return made


@lru_cache(maxsize=8)
def mel_axis(n_mcep: int, sample_rate: int) -> tuple[FloatArray, FloatArray]:
    """The inverse of WORLD's DCT, (MEL_POINTS, n_mcep), and the Hz that each of its points stands for, (MEL_POINTS,)."""
    cosines, hz = mel_points(n_mcep, sample_rate, MEL_POINTS)
    bandwidths = np.gradient(hz)
    bandwidths[0] += LOWEST_HZ  # WORLD's envelope is level below
    return cosines, bandwidths


def mel_points(n_mcep: int, sample_rate: int, points: int) -> tuple[FloatArray, FloatArray]:
    """The inverse of WORLD's DCT at so many points of the mel axis, (points, n_mcep), and where they lie in Hz, (points,)."""
    places = (np.arange(points) + 0.5) / points
    cosines = np.sqrt(2.0) * np.cos(np.pi * np.outer(places, np.arange(n_mcep)))
    cosines[:, 0] = 1.0
    low, high = (1127.01048 * np.log1p(hz / 700.0) for hz in (LOWEST_HZ, sample_rate / 2.0))
    return cosines, 700.0 * np.expm1(np.linspace(low, high, points) / 1127.01048)


def with_power_of(source: FloatArray, features: FloatArray, sample_rate: int) -> FloatArray:
    """``features`` with each frame's power that of ``source``'s; the shape of the envelope stays.

    The mean of the log power, row 0, is no such thing: where a voice has a steeper spectrum than another, an equal row 0 makes its
    vowels louder beside its consonants than they are.
    """
    levelled = features.copy()
    levelled[0] += (log_power(source, sample_rate) - log_power(features, sample_rate)).astype(features.dtype)
    return levelled


def with_variance(features: FloatArray, direction: Direction, share: float) -> FloatArray:
    """``features`` stretched about the target's means, each coefficient by one factor: the global variance postfilter of Silén et al.
    2012 ("Ways to implement global variance in statistical speech synthesis"), with the variance of training material in place
    of the utterance's, so that it works on a stream too.

    Args:
        direction: with statistics of its target; where it does not know the deviation of its output, features stay as they are.
        share: 0 leaves the deviation as it is, 1 makes it the target's own; between, in proportion on a log scale.
    """
    if direction.output_deviation is None or not share:
        return features
    target = direction.target.stats
    factor = np.clip(direction.output_deviation, LEAST_DEVIATION, 1.0) ** -share  # what is livelier than the target stays so
    stretched: FloatArray = (target["mean"] + (features - target["mean"]) * factor).astype(np.float32)
    return stretched
