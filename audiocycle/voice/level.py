"""The last touches on converted speech: the source's loudness, its digital silences, no clipping.

All work on frames of :data:`FRAME_SECONDS`, so that a recording of any length needs only a few numbers a frame.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import FloatArray

FRAME_SECONDS = 0.01
GATE_DB = 40.0
"""Frames this far below the source's loudest are pauses, and do not count for the loudness."""
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
    active = (source > 0) & (source >= source.max(initial=0.0) * 10 ** (-GATE_DB / 10))
    wanted, given = source[active].sum(), converted[active].sum()
    if not wanted > 0 or not given > 0:
        return 1.0
    return float(min(np.sqrt(wanted / given), MAX_GAIN))


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
