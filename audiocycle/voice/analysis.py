"""What voices are measured by: WORLD's analysis at one sample rate and frame period, whatever a model works with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiocycle.spec import FloatArray, Signal
from audiocycle.voice.low_cut import audible
from audiocycle.voice.sound_file import resample
from audiocycle.voice.world_adapter import WorldAdapter, pyworld

SAMPLE_RATE, FRAME_PERIOD = 16000, 5.0
"""Hz and ms. Measures at other rates are other measures: the band up to the Nyquist frequency weighs as much as the rest."""
CODED = 36
"""Coefficients of WORLD's own coding, c0 included."""


@dataclass(frozen=True)
class VoiceAnalysis:
    """A recording in frames of 5 ms, of 16 kHz.

    Attributes:
        envelope: (T, 513) power spectral envelope by CheapTrick.
        coded: (T, 36) the same as WORLD codes it: a mel-cepstrum of the natural logarithm of power, c0 first.
        f0: (T,) Hz by DIO and StoneMask, 0 where unvoiced.
    """

    envelope: FloatArray
    coded: FloatArray
    f0: FloatArray


def analyse(signal: Signal) -> VoiceAnalysis:
    """Analyse what is heard of a waveform of any rate and length."""
    adapter = WorldAdapter(SAMPLE_RATE, FRAME_PERIOD, CODED)
    samples = audible(at_measured_rate(signal), SAMPLE_RATE)
    x = np.pad(samples, (0, max(0, 4 * adapter.fft_size - len(samples)))).astype(np.float64)
    n_frames = adapter.frames(len(samples))
    f0, times = (track[:n_frames] for track in adapter.f0_track(x))
    envelope = adapter.power_envelope(x, f0, times)
    return VoiceAnalysis(envelope, pyworld.code_spectral_envelope(envelope, SAMPLE_RATE, CODED), f0)


def at_measured_rate(signal: Signal) -> FloatArray:
    """(N,) float32 at :data:`SAMPLE_RATE`."""
    return resample(np.asarray(signal.samples, dtype=np.float32), signal.sample_rate, SAMPLE_RATE)
