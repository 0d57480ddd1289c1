"""The last touches on converted speech: the source's loudness, its digital silences, no clipping.

All work on frames of :data:`FRAME_SECONDS`, so that a recording of any length needs only a few numbers a frame.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import FloatArray

FRAME_SECONDS = 0.01
GATE_DB = 40.0
"""Frames this far below the level of speech are pauses, and do not count for the loudness."""
LOUD_SHARE, LOUD_SECONDS = 0.05, 5.0
"""The level of speech is what this share of the frames reaches, or as many seconds of them, if those are fewer: the loudest frame
may be a bump on the table. (The gates of BS.1770 lie below the mean, and a bump that is 40 dB louder lifts that above the speech.)"""
BUMP_DB, BUMP_SECONDS = 15.0, 0.1
"""Frames so much above the level of speech are none of it, nor are those within as many seconds, in which it rings."""
MAX_GAIN = 31.6
"""30 dB: a conversion that came out as near-silence stays near-silence instead of becoming roaring noise."""
KNEE = 0.9
"""Samples beyond it are bent towards 1, which they never reach."""


def frame_energies(samples: FloatArray, frame: int) -> FloatArray:
    """Mean square of each frame of ``frame`` samples, (ceil(N / frame),); exactly 0 only for digital silence."""
    padded = np.pad(np.asarray(samples, dtype=np.float64), (0, -len(samples) % frame))
    energies: FloatArray = np.square(padded).reshape(-1, frame).mean(axis=1)
    return energies


def loudness_gain(source: FloatArray, converted: FloatArray) -> float:
    """The factor that gives converted frames the source's mean square, over the frames with speech; 1 for silence.

    Args:
        source, converted: energies (T,) of the same frames.
    """
    active = speech_mask(source)
    wanted, given = source[active].sum(), converted[active].sum()
    if not wanted > 0 or not given > 0:
        return 1.0
    return float(min(np.sqrt(wanted / given), MAX_GAIN))


def speech_level(energies: FloatArray, frame_seconds: float = FRAME_SECONDS) -> float:
    """The energy that :data:`LOUD_SHARE` of the frames (T,) with sound reach, or :data:`LOUD_SECONDS` of them; 0 without sound."""
    sounding = energies[energies > 0]
    if not len(sounding):
        return 0.0
    rank = max(1, min(round(LOUD_SHARE * len(sounding)), round(LOUD_SECONDS / frame_seconds)))
    return float(np.partition(sounding, -rank)[-rank])


def speech_mask(energies: FloatArray, frame_seconds: float = FRAME_SECONDS, gate_db: float = GATE_DB) -> NDArray[np.bool_]:
    """Which of the frames (T,) are as loud as speech is: neither pauses, so far below its level, nor bumps."""
    level = speech_level(energies, frame_seconds)
    active = (energies > 0) & (energies >= level * 10.0 ** (-gate_db / 10.0))
    bumps = near(energies > level * 10.0 ** (BUMP_DB / 10.0), round(BUMP_SECONDS / frame_seconds))
    return np.asarray(active & ~bumps if (active & ~bumps).any() else active)


class RunningLevel:
    """:func:`speech_level` of a stream, from what has been heard so far, the older the less.

    Args:
        block_seconds: how much is added at a time.
    """

    MEMORY_SECONDS = 60.0
    FLOOR_DB, N_BINS = -200, 300
    """Energies are counted in steps of 1 dB from here on."""

    def __init__(self, block_seconds: float) -> None:
        self.keep = float(np.exp(-block_seconds / self.MEMORY_SECONDS))
        self.counts = np.zeros(self.N_BINS)

    @property
    def bins_of_speech(self) -> slice:
        """The bins that lie neither with the pauses nor with the bumps."""
        above = np.cumsum(self.counts[::-1])[::-1]
        reached = np.flatnonzero(above >= max(LOUD_SHARE * above[0], 1e-9))
        level = int(reached[-1]) if len(reached) else 0
        return slice(max(0, level - round(GATE_DB)), level + round(BUMP_DB) + 1)

    def add(self, energies: FloatArray) -> NDArray[np.intp]:
        """Take in frames (T,); their bins come back. Digital silence is none: it counts for nothing, and has a bin below all others."""
        with np.errstate(divide="ignore"):
            places = np.where(energies > 0, 10.0 * np.log10(energies) - self.FLOOR_DB, -1.0)
        bins = np.clip(places, -1, self.N_BINS - 1).astype(np.intp)
        self.counts = self.keep * self.counts + np.bincount(bins[bins >= 0], minlength=self.N_BINS)
        return bins


def near(frames: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Frames (T,) and those at most ``reach`` before or behind them."""
    if not frames.any():
        return frames
    counts = np.concatenate([[0], np.cumsum(np.pad(frames, reach))])
    return np.asarray(counts[2 * reach + 1 :] > counts[: -2 * reach - 1])


def silence_envelope(silent: NDArray[np.bool_], frame: int, begin: int, end: int) -> FloatArray:
    """Gain (end - begin,) that is 0 in silent frames and fades over the neighbouring frame beside them.

    Args:
        silent: (T,) of the whole recording; frame t covers samples [t * frame, (t + 1) * frame).
        begin, end: the samples wanted.
    """
    index = np.arange(begin, end) // frame
    before = np.concatenate([silent[:1], silent[:-1]])[index]
    after = np.concatenate([silent[1:], silent[-1:]])[index]
    place = (np.arange(begin, end) % frame + 0.5) / frame
    gain = np.where(before, place, 1.0) * np.where(after, 1.0 - place, 1.0)
    return np.where(silent[index], 0.0, gain).astype(np.float32)


def soft_clip(samples: FloatArray) -> FloatArray:
    """Identity up to :data:`KNEE`, then bent smoothly towards 1: never clips, changes nothing that fits."""
    over = np.abs(samples) - KNEE
    bent = KNEE + (1.0 - KNEE) * np.tanh(over / (1.0 - KNEE))
    limited = np.where(over > 0, np.sign(samples) * np.minimum(bent, 0.999), samples)
    return limited.astype(np.float32)
