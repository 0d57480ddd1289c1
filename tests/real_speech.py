"""People who speak, for what cannot be told of computed voices: sounds that the repository holds."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from audiocycle.spec import FloatArray

SAMPLES = Path(__file__).resolve().parent.parent / "audiocycle" / "pretrained"
RATE = 16000


@cache
def spoken(name: str) -> FloatArray:
    """(N,) at :data:`RATE`, some sentences of heart, michael, emma or george."""
    paths = sorted(SAMPLES.glob(f"*/samples/{name}-*.flac"))
    assert paths, name
    return np.concatenate([soundfile.read(path, dtype="float32")[0] for path in paths])


def at_once(first: FloatArray, second: FloatArray) -> FloatArray:
    """Both together, equally loud, as long as the shorter."""
    n = min(len(first), len(second))
    return np.asarray(0.5 * (first[:n] + second[:n] * (first.std() / second.std())), np.float32)
