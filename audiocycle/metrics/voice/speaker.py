"""Speaker similarity: whose voice is it? Cosine of two embeddings from a speaker encoder (extra ``eval``).

Embeddings are ``(256,)`` of length 1 and positive, so that even strangers have something in common: to the mean of
another VCC2016 speaker's recordings a recording has a cosine of 0.58 to 0.73, to the mean of its own speaker's others 0.89
to 0.90, after WORLD analysis and synthesis 0.86. Read a similarity beside these two of your own speakers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import FloatArray
from audiocycle.system.compat import import_resemblyzer

SAMPLE_RATE = 16000
LEVEL_DBFS = -30.0

DEFINITION = (
    "Speaker similarity: cosine between the embedding of a recording and the mean of a speaker's own recordings "
    "(Resemblyzer's GE2E encoder, 256 dimensions, 16 kHz), 0 to 1. Every recording is brought to -30 dBFS first, and "
    "pauses are cut to 0.2 s at most (WebRTC VAD). Nearer target: the target speaker's mean is more similar than the source's."
)
"""Print it beside results: another encoder gives other numbers."""


class SpeakerEncoder:
    """Resemblyzer's encoder, which carries its weights; on the CPU, so that every machine gives the same embedding.

    The encoder sees the level: the same file 12 dB quieter has a cosine of 0.87 to 0.93 to itself (VCC2016). A voice
    is no other voice when it is louder, so files are brought to one level, where Resemblyzer only raises quiet ones.

    Raises:
        ConfigError: Resemblyzer is not installed.

    Source: Wan et al. 2018, "Generalized End-to-End Loss for Speaker Verification"; Jemine 2019, Resemblyzer.
    """

    def __init__(self) -> None:
        try:
            library = import_resemblyzer()
        except ImportError as error:
            raise ConfigError(
                "speaker similarity: Resemblyzer is not installed; pip install 'audiocycle[eval]'"
            ) from error
        self._library = library
        self._encoder = library.VoiceEncoder("cpu", verbose=False)

    def embed(self, samples: FloatArray) -> NDArray[np.float64]:
        """The voice of a mono recording at 16 kHz: ``(N,)`` to ``(256,)`` of length 1.

        Where the voice detector finds no speech, all of the recording is taken: a conversion that came out as noise
        is unlike every speaker, and counts as that.

        Raises:
            InputError: the recording is empty or silent.
        """
        samples = np.asarray(samples, np.float64)
        if not samples.any():
            raise InputError("no voice in a recording that is empty or silent: check the file")
        level = self._library.normalize_volume(samples, LEVEL_DBFS)
        speech = self._library.trim_long_silences(np.clip(level, -1.0, 1.0))
        return _unit(self._encoder.embed_utterance(speech if len(speech) else level))


def similarity(first: FloatArray, second: FloatArray) -> float:
    """Cosine of two embeddings, -1 to 1."""
    return float(np.dot(_unit(first), _unit(second)))


def centroid(embeddings: Sequence[FloatArray]) -> NDArray[np.float64]:
    """A speaker's voice from several recordings: their mean, of length 1.

    Raises:
        InputError: there are none.
    """
    if len(embeddings) == 0:
        raise InputError("a speaker's voice needs at least one recording")
    return _unit(np.mean(np.asarray(embeddings, np.float64), axis=0))


def nearer(embedding: FloatArray, target_centroid: FloatArray, source_centroid: FloatArray) -> bool:
    """Whether a recording sounds more like the target speaker than like the source."""
    return similarity(embedding, target_centroid) > similarity(embedding, source_centroid)


def _unit(vector: FloatArray) -> NDArray[np.float64]:
    wide = np.asarray(vector, np.float64)
    unit: NDArray[np.float64] = wide / np.linalg.norm(wide)
    return unit
