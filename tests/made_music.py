"""Sounds of music that are computed, (N,) at 16 kHz."""

from __future__ import annotations

import numpy as np

from audiocycle.spec import FloatArray

RATE = 16000
CHORDS = ((60, 64, 67), (57, 60, 64), (53, 57, 60), (55, 59, 62))
"""MIDI pitches."""


def hertz(pitch: float) -> float:
    return float(440.0 * 2 ** ((pitch - 69) / 12))


def chords(seconds: float = 2.0) -> FloatArray:
    """Sines."""
    time = np.arange(round(seconds * RATE)) / RATE
    parts = [0.1 * sum(np.sin(2 * np.pi * hertz(pitch) * time) for pitch in chord) for chord in CHORDS]
    return np.concatenate(parts).astype(np.float32)


def plucked(seconds: float = 1.0) -> FloatArray:
    """Strings (Karplus & Strong 1983)."""
    random, n = np.random.RandomState(0), round(seconds * RATE)

    def string(pitch: float) -> FloatArray:
        period = round(RATE / hertz(pitch))
        turns = [random.uniform(-1.0, 1.0, period)]
        while len(turns) * period < n:
            turns.append(0.498 * (turns[-1] + np.roll(turns[-1], 1)))
        return np.concatenate(turns)[:n]

    return np.concatenate([0.2 * sum(string(pitch - 12) for pitch in chord) for chord in CHORDS * 2]).astype(np.float32)


def drums(beats: int = 32) -> FloatArray:
    """A bass drum on each fourth, hisses on all."""
    random, beat = np.random.RandomState(0), RATE // 4
    time = np.arange(beat) / RATE
    thump = 0.6 * np.sin(2 * np.pi * (50 * time + 10 * (1 - np.exp(-30 * time)))) * np.exp(-12 * time)
    parts = [(0.3 if number % 2 else 0.1) * random.standard_normal(beat) * np.exp(-time * 40) + thump * (number % 4 == 0) for number in range(beats)]
    return np.concatenate(parts).astype(np.float32)
