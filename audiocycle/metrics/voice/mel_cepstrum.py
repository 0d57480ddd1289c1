"""SPTK-style mel-cepstrum of a smooth spectral envelope.

Conventions: envelopes are *power* spectra as WORLD returns them, time first: ``(T, n_fft // 2 + 1)``.
Mel-cepstra are ``(T, order + 1)``; column 0 is the gain term c0, so that the log *amplitude* spectrum is
``sum_m c[m] * cos(m * warped_frequency)``.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError
from audiocycle.spec import FloatArray

ORDER = 34
"""Highest coefficient of the mel-cepstra that this package measures with."""

ALPHA = 0.41
"""All-pass constant that bends the frequency axis towards the mel scale at 16 kHz (0.455 at 22.05 kHz)."""

_FLOOR = 1e-20  # keeps log() finite on digital silence; WORLD's own envelopes stay above 1e-16


def spectrum_to_mel_cepstrum(sp: FloatArray, order: int = ORDER, alpha: float = ALPHA) -> NDArray[np.float64]:
    """Mel-cepstrum of a power spectral envelope, all frames at once.

    log spectrum -> real cepstrum (inverse FFT) -> frequency warping by the all-pass
    ``(z^-1 + alpha) / (1 + alpha z^-1)``. After the logarithm every step is linear, so frames are multiplied
    by one matrix, which is computed once per (n_fft, order, alpha). Equals ``pysptk.sp2mc``.

    Parameters:
        sp: power spectral envelope, ``(T, n_fft // 2 + 1)``, zero or positive.
        order: highest coefficient kept.
        alpha: all-pass constant, in (-1, 1); 0 means no warping.

    Returns:
        ``(T, order + 1)`` float64; dimensionless (natural logarithm of amplitude).

    Raises:
        ConfigError: order or alpha is impossible, or ``sp`` is not two-dimensional.

    Source: Tokuda et al. 1994, "Mel-generalized cepstral analysis"; Oppenheim & Johnson 1972 for the warping.
    """
    sp = np.asarray(sp)
    if sp.ndim != 2 or sp.shape[1] < 2:
        raise ConfigError(f"spectral envelope must be (T, n_fft // 2 + 1), got shape {sp.shape}")
    if order < 0:
        raise ConfigError(f"mel-cepstrum order must be 0 or more, got {order}")
    if not -1.0 < alpha < 1.0:
        raise ConfigError(f"alpha must lie between -1 and 1, got {alpha}")
    log_power = np.log(np.maximum(sp.astype(np.float64), _FLOOR))
    cepstra: NDArray[np.float64] = log_power @ _log_power_to_mel_cepstrum(sp.shape[1], order, alpha)
    return cepstra


def warping_matrix(n_cepstrum: int, order: int, alpha: float) -> NDArray[np.float64]:
    """SPTK's ``freqt`` as a matrix W of ``(n_cepstrum, order + 1)``: ``cepstrum @ W`` is the warped cepstrum.

    Row m holds the power series of the all-pass to the m-th power; multiplying by the all-pass once more is a
    convolution with its impulse response (alpha, 1 - alpha^2, -alpha (1 - alpha^2), ...).
    """
    impulse = np.empty(order + 1)
    impulse[0] = alpha
    impulse[1:] = (1.0 - alpha**2) * (-alpha) ** np.arange(order)
    lag = np.arange(order + 1)[None, :] - np.arange(order + 1)[:, None]
    convolve = np.where(lag >= 0, impulse[np.maximum(lag, 0)], 0.0)
    rows = np.zeros((n_cepstrum, order + 1))
    rows[0, 0] = 1.0
    for m in range(1, n_cepstrum):
        rows[m] = rows[m - 1] @ convolve
    return rows


@lru_cache(maxsize=8)
def _log_power_to_mel_cepstrum(n_bins: int, order: int, alpha: float) -> NDArray[np.float64]:
    """``(n_bins, order + 1)``: row k is the mel-cepstrum of a log power spectrum of 1 in bin k, else 0."""
    cepstrum = np.fft.irfft(np.eye(n_bins), n=2 * (n_bins - 1), axis=1)
    cepstrum[:, 0] /= 2.0  # log power to log amplitude; the other terms fold the negative quefrencies in
    matrix: NDArray[np.float64] = cepstrum @ warping_matrix(cepstrum.shape[1], order, alpha)
    matrix.setflags(write=False)  # shared by every caller
    return matrix
