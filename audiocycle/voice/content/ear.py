"""What is shown of a stream to a network that converts everybody: what is said, heard again with each block, and the source by what was heard of it.

The content encoder hears the last seconds together. It is not causal: what it makes of the newest moments becomes surer with the blocks behind them, and
the network's context is what it makes of that by now. What is taken over a recording offline is taken over the last minute here, and over what is usual
of voices, which counts as much as some frames: so the first second is fine already.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import Encoded, FloatArray, Stats
from audiocycle.voice.content import encoder
from audiocycle.voice.content.adapter import (
    FURTHEST,
    QUIETEST,
    SCALE,
    USUAL,
    ContentAdapter,
    drawn_through,
    register,
)
from audiocycle.voice.content.portrait import MEANS, SPREADS
from audiocycle.voice.ear import WINDOW_FRAMES, Ear, mirrored_before
from audiocycle.voice.phonetics import at_frames, standardised
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.sound_file import resample

USUAL_STATES = Path(__file__).parent / "usual_states.npy"
"""(2, D) mean and deviation of states where somebody speaks, made by ``recipes/content_encoder/usual.py``."""
USUAL_LEVEL = (MEANS[0], float(np.exp(SPREADS[0])))
"""Mean and deviation of row 0 where somebody speaks."""
FEW_FRAMES, MORE_FRAMES = 40, 200
"""The usual mean counts as much as so many frames, the usual deviation as the second number: a fifth of a second tells where a voice lies, but
not how it moves."""
KNOWN_STATES, MEMORY_STATES = 100, 1000
"""The usual moments of states count as much as so many; and states of speech after which older ones count 1 / e of new ones."""
EVERY = 4
"""One of so many frames is looked at for the statistics of the cepstrum: neighbours are alike."""


class ContentEar(Ear):
    """Adds to a window what stands behind the mel-cepstrum (see :mod:`audiocycle.voice.content.adapter`), and knows the source.

    How far it looks ahead, and how much it hears, is measured: docs/measurements/live.md.

    Args:
        adapter: of the stream.
    """

    ahead_seconds = 0.18
    sound_seconds = 3.0
    memory_seconds = 60.0

    def __init__(self, adapter: ContentAdapter) -> None:
        self.adapter, self.rate = adapter, adapter.spec.frame_rate
        self.memory = max(WINDOW_FRAMES, round(self.memory_seconds * self.rate))
        self.clear()

    def clear(self) -> None:
        self.moments = RunningMoments(usual_states(), KNOWN_STATES, MEMORY_STATES)
        self.stats: Stats | None = None

    def window(self, heard: Encoded[VoiceSide], sound: FloatArray, behind: float, settled: slice) -> Encoded[VoiceSide]:
        mcep, f0 = heard.features, heard.side.f0
        assert f0 is not None
        speech, last = self.adapter.speech(mcep), slice(-min(WINDOW_FRAMES, len(f0)), None)
        mean, deviation = self.register(f0)
        some = Encoded(mcep[:, ::EVERY], VoiceSide(f0=f0[::EVERY]))
        self.stats = {**self.adapter.fit([some]), "log_f0": np.array([mean, deviation], np.float32)}
        pitch = np.clip((drawn_through(f0) - mean) / (deviation + 1e-2), -FURTHEST, FURTHEST) if (f0 > 0).any() else np.zeros(len(f0))
        level = np.maximum(usual_deviations(mcep[0], mcep[0, speech]), QUIETEST)
        states = encoder.states(resample(sound, self.adapter.sample_rate, encoder.SAMPLE_RATE))
        end = len(sound) / self.adapter.sample_rate - behind  # of the last frame, in seconds of the sound
        self.learn(states, speech, end, settled)
        begin = end - (len(f0[last]) - 1) / self.rate
        content = SCALE * at_frames(standardised(states, *self.moments.found).T, len(f0[last]), self.rate, begin).T
        told = [track[None, last] for track in (speech, f0 > 0, pitch, level)]
        rows = np.concatenate([mcep[:, last], *told, content], dtype=np.float32)
        return Encoded(mirrored_before(rows, WINDOW_FRAMES), VoiceSide(f0=mirrored_before(f0, WINDOW_FRAMES)))

    def register(self, f0: FloatArray) -> tuple[float, float]:
        """Mean and deviation of the log F0 of a voice of which (T,) was heard."""
        log_f0 = np.log(f0[f0 > 0])
        mean, deviation = register(log_f0)
        return (len(log_f0) * mean + FEW_FRAMES * USUAL[0]) / (len(log_f0) + FEW_FRAMES), deviation

    def learn(self, states: FloatArray, speech: NDArray[np.bool_], end: float, settled: slice) -> None:
        """Take in the states of settled frames with speech.

        Args:
            speech: mask (T,) of frames, the last of which lies ``end`` seconds behind the beginning of the states.
        """
        frames = np.floor(len(speech) - 1 + ((np.arange(len(states)) + 0.5) / encoder.FRAME_RATE - end) * self.rate).astype(int)
        wanted = np.flatnonzero((frames >= settled.start) & (frames < settled.stop))
        self.moments.add(states[wanted[speech[frames[wanted]]]])


class RunningMoments:
    """Mean and deviation of (T, D) rows that come in parts, the older the less, beginning with what is usual.

    Args:
        usual: (2, D) mean and deviation, which count as much as ``known`` rows.
        memory: rows after which older ones count 1 / e of new ones.
    """

    def __init__(self, usual: FloatArray, known: float, memory: float) -> None:
        mean, deviation = usual.astype(np.float64)
        self.memory, self.count = memory, known
        self.sums = known * np.stack([mean, mean**2 + deviation**2])

    def add(self, rows: FloatArray) -> None:
        """Take in rows, or none."""
        keep = float(np.exp(-len(rows) / self.memory))
        x = rows.astype(np.float64)
        self.count = keep * self.count + len(rows)
        self.sums = keep * self.sums + np.stack([x.sum(axis=0), np.square(x).sum(axis=0)])

    @property
    def found(self) -> tuple[FloatArray, FloatArray]:
        """Mean and deviation (D,), float32."""
        mean, square = self.sums / self.count
        return mean.astype(np.float32), np.sqrt(np.maximum(square - mean**2, 1e-12)).astype(np.float32)


def usual_deviations(values: FloatArray, judged: FloatArray) -> FloatArray:
    """Levels (T,) in deviations of the judged ones, (N,), and of what is usual."""
    (usual_mean, usual_deviation), n = USUAL_LEVEL, len(judged)
    mean = (judged.sum() + FEW_FRAMES * usual_mean) / (n + FEW_FRAMES)
    variance = (n * (judged.var() if n else 0.0) + MORE_FRAMES * usual_deviation**2) / (n + MORE_FRAMES)
    made: FloatArray = (values - mean) / np.sqrt(variance)
    return made


@cache
def usual_states() -> FloatArray:
    """See :data:`USUAL_STATES`."""
    found: FloatArray = np.load(USUAL_STATES, allow_pickle=False)
    return found
