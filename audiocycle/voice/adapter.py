"""What a voice adapter offers beyond the general one: it works on samples."""

from __future__ import annotations

from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import Adapter, Encoded, FloatArray, Signal, Stats


class VoiceAdapter(Adapter, Protocol):
    """An adapter of waveforms at one sample rate."""

    @property
    def sample_rate(self) -> int:
        """Hz; recordings are resampled to it."""

    def analyze(self, samples: FloatArray, side: bool = True) -> Encoded:
        """(N,) samples to features (D, T); ``side`` False leaves out what only rendering needs."""

    def for_voice(self, stats: Stats) -> Self:
        """The adapter for recordings of a speaker with these statistics."""

    def silent(self, features: FloatArray, stats: Stats) -> NDArray[np.bool_]:
        """Mask (T,) of the frames that are no speech, and no louder than the least that a network is shown of a speaker with these statistics."""


class VoiceRenderer(Protocol):
    """Turns converted features back into sound."""

    def render(self, encoded: Encoded) -> Signal:
        """A waveform of exactly ``encoded.side["n_samples"]`` samples."""
