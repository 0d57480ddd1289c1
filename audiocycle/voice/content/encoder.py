"""What is said at each moment of a recording: states of the first blocks of a speech recogniser's encoder.

English: Whisper tiny.en (Radford et al. 2022, arXiv 2212.04356; MIT), its first three blocks of four, made a graph by ``recipes/content_encoder/make.py``;
it comes with the package. Multilingual: Whisper base, from packages (:mod:`audiocycle.voice.content.multilingual`). Neither torch nor a recogniser
is needed. Whisper pads every recording to 30 s; here a second of silence is added, which costs less and gives nearly the same states
(``tests/voice/content/test_encoder.py`` says how nearly).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import onnxruntime

from audiocycle.spec import FloatArray
from audiocycle.system import threads
from audiocycle.voice.content import multilingual

GRAPH = Path(__file__).parent / "encoder.onnx"
SAMPLE_RATE = 16000
FRAME_RATE = 50.0
"""States per second."""
WINDOW, HOP = 400, 160
"""Samples of a spectrum, and from one to the next; two spectra make a state."""
SILENCE = 100
"""Spectra of silence behind the end."""
LONGEST, CONTEXT = 1400, 25
"""States that are computed at a time, of 1500 that the encoder has places for; and those of the neighbouring pieces that are heard with them."""


@dataclass(frozen=True)
class Encoder:
    """One of those that there are.

    Attributes:
        states: D, how many numbers a state has.
        graph: its file, or what would be in it.
        remark: what people should know of models that are made with it.
    """

    states: int
    graph: Callable[[], Path | bytes]
    remark: str


ENGLISH = "english"
ENCODERS = {
    ENGLISH: Encoder(384, lambda: GRAPH, "Made for English: more words are lost of other languages."),
    "multilingual": Encoder(multilingual.STATES, multilingual.graph, f"Made for many languages. Needs {multilingual.REMEDY}."),
}


def states(samples: FloatArray, warp: float = 1.0, encoder: str = ENGLISH) -> FloatArray:
    """(N,) samples at :data:`SAMPLE_RATE` to states (T, D), T being their length times :data:`FRAME_RATE`, rounded up, and at least 1.

    Args:
        warp: formants and harmonics are heard this many times as high, as if somebody else said the same.
        encoder: one of :data:`ENCODERS`.

    Raises:
        ConfigError: it is not installed. InputError: its packages are damaged. OutputError: see :func:`audiocycle.system.kept.kept`.
    """
    n_states = max(1, -(-len(samples) // (2 * HOP)))
    power = warped(power_spectra(samples, 2 * n_states), warp)
    n_pieces = -(-n_states // LONGEST)
    bounds = np.linspace(0, n_states, n_pieces + 1).astype(int)
    parts = []
    for begin, end in pairwise(bounds.tolist()):
        first, last = max(0, begin - CONTEXT), min(n_states, end + CONTEXT)
        heard = np.pad(power[:, 2 * first : 2 * last], ((0, 0), (0, SILENCE)))
        made = session(threads.available(), encoder).run(None, {"power": heard[None]})[0][0]
        parts.append(made[begin - first : end - first])
    return np.concatenate(parts)


def power_spectra(samples: FloatArray, count: int) -> FloatArray:
    """(N,) samples to the power of Hann windows of them, (201, ``count``), float32; spectrum t is centred at sample t * HOP."""
    mirrored = np.pad(np.asarray(samples, np.float32), (WINDOW // 2, 0), mode="reflect" if len(samples) > WINDOW // 2 else "constant")
    padded = np.pad(mirrored, (0, max(0, (count - 1) * HOP + WINDOW - len(mirrored))))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:count]
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
    power: FloatArray = np.square(np.abs(np.fft.rfft(windows * hann, axis=1))).T.astype(np.float32)
    return power


def warped(power: FloatArray, warp: float) -> FloatArray:
    """(201, T) spectra with their frequencies times ``warp``, by linear interpolation; what would come from above the highest is the highest."""
    places = np.minimum(np.arange(len(power)) / warp, len(power) - 1)
    left = np.minimum(places.astype(int), len(power) - 2)
    share = (places - left)[:, None].astype(np.float32)
    return power if warp == 1.0 else power[left] * (1 - share) + power[left + 1] * share


def session(n_threads: int, encoder: str = ENGLISH) -> Any:
    """An encoder, ready to run; any number of threads may ask it, and the first makes it."""
    with _one_at_a_time:
        return _session(n_threads, encoder)


_one_at_a_time = Lock()


@cache
def _session(n_threads: int, encoder: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # threads that wait busily take the cores from the network that comes next
    return onnxruntime.InferenceSession(ENCODERS[encoder].graph(), options, providers=["CPUExecutionProvider"])
