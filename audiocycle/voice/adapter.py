"""What a voice adapter offers beyond the general one: it works on samples."""

from __future__ import annotations

from typing import Protocol

from audiocycle.spec import Adapter, Encoded, FloatArray, Signal


class VoiceAdapter(Adapter, Protocol):
    """An adapter of waveforms at one sample rate."""

    @property
    def sample_rate(self) -> int:
        """Hz; recordings are resampled to it."""

    def analyze(self, samples: FloatArray, side: bool = True) -> Encoded:
        """(N,) samples to features (D, T); ``side`` False leaves out what only rendering needs."""


class VoiceRenderer(Protocol):
    """Turns converted features back into sound."""

    def render(self, encoded: Encoded) -> Signal:
        """A waveform of exactly ``encoded.side["n_samples"]`` samples."""
