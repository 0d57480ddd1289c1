"""Recordings of two voices, and ears that hear nothing but arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from tiny_bundle import vowel

from audiocycle.evaluation.voice.listeners import Listeners
from audiocycle.spec import FloatArray

DOMAINS = ("anna", "ben")
NAMES = ["a/one", "three", "two"]


class Ear:
    """Speaker encoder, recogniser and judge of naturalness that know nothing but arithmetic."""

    model = "models/of/ears"

    def embed(self, samples: FloatArray) -> FloatArray:
        """By pitch: an angle from 0 (low) to 90 degrees (high)."""
        spectrum = np.square(np.abs(np.fft.rfft(samples, 65536)))
        lag = 60 + int(np.argmax(np.fft.irfft(spectrum)[60:200]))
        angle = np.pi / 2 * (16000 / lag - 80) / 187
        return np.array([np.cos(angle), np.sin(angle)])

    def transcribe(self, samples: FloatArray) -> str:
        """A word for every 0.1 s; a sound that was rendered has lost its last one."""
        lost = bool(np.abs(samples[:160]).max() > 0) and not is_own(samples)
        return " ".join(f"Word{i}," for i in range(len(samples) // 1600 - lost))

    def score(self, samples: FloatArray) -> dict[str, float]:
        """By length, and less for a sound that was rendered."""
        value = 3.0 + len(samples) / 16000 - 0.5 * (not is_own(samples))
        return {"p808": value, "ovrl": value - 1, "sig": 1.0, "bak": 1.0}


def is_own(samples: FloatArray) -> bool:
    """Recordings of 16 bits are multiples of 1 / 32768."""
    return bool(np.all(np.asarray(samples, np.float64) * 32768 % 1 == 0))


EARS = Listeners(Ear(), Ear(), Ear())


def write_voices(root: Path) -> dict[str, Path]:
    """Three recordings of each domain, of one name and another length."""
    for domain, f0, length in (("anna", 210.0, 1.0), ("ben", 120.0, 1.2)):
        for i, name in enumerate(NAMES):
            path = root / domain / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, vowel(length * (0.4 + 0.1 * i), f0=f0 * (1 + 0.04 * i)), 16000)
    return {domain: root / domain for domain in DOMAINS}
