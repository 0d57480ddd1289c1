"""Sounds as browsers play them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from audiocycle.spec import FloatArray
from audiocycle.voice.sound_file import write_sound


def flac(samples: FloatArray, sample_rate: int) -> bytes:
    """A recording as FLAC: every browser plays it, and nothing is lost that is to be judged; clipped at full scale."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sound.flac"
        write_sound(path, [np.clip(np.nan_to_num(samples), -1.0, 1.0).astype(np.float32)], sample_rate)
        return path.read_bytes()
