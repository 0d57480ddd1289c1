"""What is said at each moment of a recording, whoever says it: states of a speech recogniser's encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import Encoded, FloatArray, NoSide, Signal
from audiocycle.system import threads
from audiocycle.system.whisper import load_whisper
from audiocycle.voice.sound_file import resample

SAMPLE_RATE = 16000
FRAME_RATE = 50.0
"""States per second: Whisper's spectra come every 10 ms, and its encoder halves them."""
WINDOW_SECONDS = 30
"""What Whisper sees at a time; shorter recordings are filled up with silence."""


class PhoneticEncoder:
    """Whisper's encoder (Radford et al. 2022, arXiv 2212.04356), of which only the states are used, never the words.

    Args:
        model: folder with a faster-whisper model, a size, or ``hf:owner/name``; None: see :func:`~audiocycle.system.whisper.load_whisper`.

    Raises:
        ConfigError: faster-whisper is not installed, or there is no such model.
    """

    def __init__(self, model: str | Path | None = None) -> None:
        self.model, self._whisper = load_whisper(model, threads.available())

    @property
    def key(self) -> str:
        """Names the weights: equal keys, equal states. Folders are known by their content, since many have one name."""
        weights = Path(self.model) / "model.bin"
        if not weights.is_file():
            return self.model  # a name on the hub
        with weights.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").hexdigest()[:32]

    def encode(self, signal: Signal) -> Encoded[NoSide]:
        """States (size of the model, T) of a recording, T being its length times :data:`FRAME_RATE`, rounded up."""
        samples = resample(np.asarray(signal.samples, np.float32), signal.sample_rate, SAMPLE_RATE)
        window = WINDOW_SECONDS * SAMPLE_RATE
        parts = [self._states(samples[begin : begin + window]) for begin in range(0, max(1, len(samples)), window)]
        return Encoded(np.concatenate(parts).T.astype(np.float32), NoSide())

    def _states(self, samples: FloatArray) -> FloatArray:
        spectra = self._whisper.feature_extractor(samples)[:, : WINDOW_SECONDS * 100]
        filled = np.pad(spectra, ((0, 0), (0, WINDOW_SECONDS * 100 - spectra.shape[1])), constant_values=spectra.min())
        states: Any = np.asarray(self._whisper.encode(filled))[0]
        made: FloatArray = states[: int(np.ceil(len(samples) / SAMPLE_RATE * FRAME_RATE))]
        return made


def at_frames(states: FloatArray, n_frames: int, frame_rate: float, begin: float = 0.0) -> FloatArray:
    """States (D, T) between which is interpolated, at ``n_frames`` moments of another rate: (n_frames, D).

    Args:
        begin: seconds at which the first frame lies.
    """
    moments = (begin + np.arange(n_frames) / frame_rate) * FRAME_RATE - 0.5  # a state stands for the middle of its 20 ms
    moments = np.clip(moments, 0, states.shape[1] - 1)
    left = np.minimum(moments.astype(int), max(0, states.shape[1] - 2))
    right = np.minimum(left + 1, states.shape[1] - 1)
    share = (moments - left).astype(np.float32)[:, None]
    made: FloatArray = states.T[left] * (1 - share) + states.T[right] * share
    return made


def moments(states: Sequence[FloatArray], speech: Sequence[NDArray[np.bool_]]) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation (D,) of a speaker's states where there is speech: what is left of the speaker in them goes with these."""
    frames = sum(int(mask.sum()) for mask in speech)
    mean = sum(x[mask].sum(axis=0, dtype=np.float64) for x, mask in zip(states, speech, strict=True)) / frames
    squares = sum(np.square(x[mask] - mean).sum(axis=0) for x, mask in zip(states, speech, strict=True)) / frames
    return mean.astype(np.float32), (np.sqrt(squares) + 1e-6).astype(np.float32)


def standardised(states: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """States of unit length."""
    x = (states - mean) / deviation
    made: FloatArray = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-6)).astype(np.float32)
    return made
