"""WORLD features to sound: a vocoder, and a filter that needs none."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiocycle.spec import Encoded, FloatArray, Signal
from audiocycle.voice.world_adapter import WorldAdapter, pyworld

MAX_GAIN_DB = 30.0
"""Limit of the differential filter, so that a spectral valley of the source is not amplified into noise."""


class WorldRenderer:
    """WORLD synthesis (Morise et al. 2016) from F0, spectral envelope and aperiodicity."""

    def __init__(self, adapter: WorldAdapter) -> None:
        self.adapter = adapter

    def render(self, encoded: Encoded) -> Signal:
        """(n_mcep, T) with side ``f0``, ``ap``, ``n_samples`` to a waveform of exactly ``n_samples``."""
        adapter, side = self.adapter, encoded.side
        envelope = adapter.envelope(encoded.features)
        f0 = np.ascontiguousarray(side["f0"], dtype=np.float64)
        samples = pyworld.synthesize(f0, envelope, side["ap"], adapter.sample_rate, adapter.frame_period)
        return Signal(fit_length(samples, int(side["n_samples"])), adapter.sample_rate)


class DifferentialRenderer:
    """The source's own waveform, filtered by the ratio of the converted to the source's spectral envelope.

    No vocoder touches the excitation, so it sounds most natural, and pitch stays the source's: for voices of the same
    register (Kobayashi & Toda 2018, differential spectrum modification; zero-phase short-time filtering here).
    """

    shifts_pitch: ClassVar[bool] = False

    def __init__(self, adapter: WorldAdapter) -> None:
        self.adapter = adapter

    def render(self, encoded: Encoded) -> Signal:
        """(n_mcep, T) with side ``samples`` (N,) and ``source_features`` (n_mcep, T) to N filtered samples."""
        adapter, side = self.adapter, encoded.side
        source = np.asarray(side["samples"], dtype=np.float32)
        log_ratio = np.log(adapter.envelope(encoded.features)) - np.log(adapter.envelope(side["source_features"]))
        limit = MAX_GAIN_DB * np.log(10.0) / 10.0
        gain = np.exp(0.5 * np.clip(log_ratio, -limit, limit)).astype(np.float32)
        period = adapter.sample_rate * adapter.frame_period / 1000.0
        return Signal(filter_by_frames(source, gain, period), adapter.sample_rate)


def filter_by_frames(samples: FloatArray, gain: FloatArray, period: float) -> FloatArray:
    """Weighted overlap-add: multiply the short-time spectrum around sample ``t * period`` by ``gain[t]``.

    Args:
        samples: (N,).
        gain: (T, bins), magnitudes; the FFT has ``2 * (bins - 1)`` points.
        period: samples between frames, perhaps not a whole number.

    Returns:
        (N,); unit gain gives the input back.
    """
    fft_size, hop = 2 * (gain.shape[1] - 1), round(period)
    window = np.hanning(fft_size + 1)[:-1].astype(np.float32)
    n_frames = len(samples) // hop + 1
    nearest = np.round(np.arange(n_frames) * (hop / period)).astype(int)
    gain = gain[np.minimum(nearest, len(gain) - 1)]
    padded = np.pad(samples, (fft_size // 2, fft_size // 2 + hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, fft_size)[::hop][:n_frames]
    filtered = np.fft.irfft(np.fft.rfft(frames * window, axis=1) * gain, axis=1) * window
    total = np.zeros(len(padded))
    weight = np.zeros(len(padded))
    for index, frame in enumerate(filtered):
        total[index * hop : index * hop + fft_size] += frame
        weight[index * hop : index * hop + fft_size] += window**2
    total /= np.maximum(weight, 1e-3)
    return total[fft_size // 2 :][: len(samples)].astype(np.float32)


def fit_length(samples: FloatArray, length: int) -> FloatArray:
    """(N,) cut, or padded with zeros, to (length,) float32."""
    return np.pad(samples[:length], (0, max(0, length - len(samples)))).astype(np.float32)
