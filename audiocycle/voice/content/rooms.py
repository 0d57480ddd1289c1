"""Rooms and noise that recordings are heard through in training, so that a network can do with states that are not clear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.signal

from audiocycle.spec import FloatArray

SPEECH_TO_NOISE = (8.0, 25.0)
"""dB; the noise is between white and red."""
REVERBERATION = (0.15, 0.5)
"""Seconds in which the sound of a room falls by 60 dB."""
DIRECT_TO_ROOM = (0.0, 12.0)
"""dB."""


def heard_in_a_room(samples: FloatArray, sample_rate: int, seed: Sequence[int]) -> FloatArray:
    """(N,) samples as a distant microphone in a noisy room would have them, (N,) float32; the direct sound is where it was.

    The room is noise that decays exponentially (Moorer 1979), the noise has a spectrum that falls by 0 to 6 dB an octave.
    """
    random = np.random.default_rng(seed)
    speech = np.asarray(samples, np.float64)
    fall = random.uniform(*REVERBERATION)
    decay = np.exp(-np.log(1000.0) / (fall * sample_rate) * np.arange(round(fall * sample_rate)))
    room = random.normal(size=len(decay)) * decay
    room *= 10.0 ** (-random.uniform(*DIRECT_TO_ROOM) / 20.0) / np.linalg.norm(room)
    room[0] += 1.0
    heard = scipy.signal.fftconvolve(speech, room)[: len(speech)]
    spectrum = np.fft.rfft(random.normal(size=len(speech)))
    frequencies = np.maximum(np.fft.rfftfreq(len(speech), 1.0 / sample_rate), 50.0)
    noise = np.fft.irfft(spectrum / frequencies ** random.uniform(0.0, 1.0), len(speech))
    power, wanted = np.mean(np.square(noise)), np.mean(np.square(heard)) * 10.0 ** (-random.uniform(*SPEECH_TO_NOISE) / 10.0)
    made: FloatArray = (heard + noise * np.sqrt(wanted / max(power, 1e-30))).astype(np.float32)
    return made
