"""WORLD features to sound: a vocoder, and a filter that needs none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np

from audiocycle.spec import Encoded, FloatArray, Signal
from audiocycle.system.threads import spread
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.world_adapter import WorldAdapter, f0_of, pyworld

MAX_GAIN_DB = 30.0
"""Limit of the differential filter, so that a spectral valley of the source is not amplified into noise."""
PIECE_SECONDS = 1.0
"""WORLD's synthesis is cut in the unvoiced stretches that come next after this long, and threads share the pieces. There it
is all noise, and where pulses of the next voiced stretch begin means nothing, so that no cut is heard."""
FADE_FRAMES = 4
"""Frames of noise that two pieces have in common, and that are cross-faded: 20 ms."""


class WorldRenderer:
    """WORLD synthesis (Morise et al. 2016) from F0, spectral envelope and aperiodicity."""

    def __init__(self, adapter: WorldAdapter) -> None:
        self.adapter = adapter

    def render(self, encoded: Encoded[VoiceSide]) -> Signal:
        """(n_mcep, T) with F0 and aperiodicity to a waveform of exactly ``n_samples``."""
        adapter, ap, n_samples = self.adapter, encoded.side.ap, encoded.side.n_samples
        assert ap is not None
        assert n_samples is not None
        f0 = np.ascontiguousarray(f0_of(encoded.side), dtype=np.float64)
        cuts = [0, *noise_cuts(f0, round(1000.0 * PIECE_SECONDS / adapter.frame_period)), len(f0)]

        def synthesize(piece: tuple[int, int]) -> FloatArray:
            span = slice(max(0, piece[0] - FADE_FRAMES // 2), piece[1] + FADE_FRAMES // 2)
            envelope = adapter.envelope(encoded.features[:, span])
            made: FloatArray = pyworld.synthesize(f0[span], envelope, ap[span], adapter.sample_rate, adapter.frame_period)
            return made

        hop = adapter.sample_rate * adapter.frame_period / 1000.0
        begins = [round(max(0, cut - FADE_FRAMES // 2) * hop) for cut in cuts[:-1]]
        samples = joined(spread(synthesize, pairwise(cuts)), begins)
        return Signal(fit_length(samples, n_samples), adapter.sample_rate)


def noise_cuts(f0: FloatArray, distance: int) -> list[int]:
    """Frames in the middle of unvoiced stretches, at least ``distance`` after each other and before the end.

    Args:
        f0: (T,), 0 where unvoiced.
    """
    edges = np.flatnonzero(np.diff(f0 > 0, prepend=True, append=True))  # begin and end of each unvoiced stretch, in turn
    cuts, last = list[int](), 0
    for begin, end in edges.reshape(-1, 2):
        middle = (begin + end) // 2
        if end - begin >= 2 * FADE_FRAMES and last + distance <= middle <= len(f0) - distance:
            cuts.append(last := int(middle))
    return cuts


def joined(pieces: Sequence[FloatArray], begins: Sequence[int]) -> FloatArray:
    """Pieces of one signal that begin at these samples; where two overlap they are faded with constant power, as noise wants."""
    whole = np.zeros(begins[-1] + len(pieces[-1]))
    end = 0
    for begin, piece in zip(begins, pieces, strict=True):
        overlap = end - begin
        angle = 0.5 * np.pi * (np.arange(overlap) + 0.5) / max(1, overlap)
        whole[begin:end] *= np.cos(angle)
        whole[begin:end] += np.sin(angle) * piece[:overlap]
        whole[end : begin + len(piece)] = piece[overlap:]
        end = begin + len(piece)
    return whole


class DifferentialRenderer:
    """The source's own waveform, filtered by the ratio of the converted to the source's spectral envelope.

    No vocoder touches the excitation, so it sounds most natural, and pitch stays the source's: for voices of the same
    register (Kobayashi & Toda 2018, differential spectrum modification; zero-phase short-time filtering here).
    """

    shifts_pitch: ClassVar[bool] = False

    def __init__(self, adapter: WorldAdapter) -> None:
        self.adapter = adapter

    def render(self, encoded: Encoded[VoiceSide]) -> Signal:
        """(n_mcep, T) with the source's samples (N,) and features (n_mcep, T) to N filtered samples."""
        adapter, samples, source_features = self.adapter, encoded.side.samples, encoded.side.source_features
        assert samples is not None
        assert source_features is not None
        source = np.asarray(samples, dtype=np.float32)
        log_ratio = np.log(adapter.envelope(encoded.features)) - np.log(adapter.envelope(source_features))
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
