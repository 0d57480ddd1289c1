"""Reading and writing recordings: any rate, channel count and format that libsndfile knows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import numpy as np
import soundfile
import soxr

from audiocycle.errors import InputError
from audiocycle.spec import FloatArray

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64", ".rf64"})  # fmt: skip
"""File name endings that are taken for recordings when a folder is read."""


def is_recording(path: Path) -> bool:
    """True when a folder scan should take this file."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def open_sound(path: Path | IO[bytes], name: str | None = None) -> soundfile.SoundFile:
    """Open a recording for reading in blocks.

    Raises:
        InputError: it does not exist, is empty, is not audio, or holds no samples.
    """
    label = name or str(path)
    if isinstance(path, Path):
        if not path.exists():
            raise InputError(f"{label}: no such file")
        if path.is_dir():
            raise InputError(f"{label}: is a folder, not a recording")
        if not os.access(path, os.R_OK):
            raise InputError(f"{label}: no permission to read it")
        if path.stat().st_size == 0:
            raise InputError(f"{label}: the file is empty (0 bytes); record or copy it again")
    try:
        sound = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        reason = str(error).rsplit(": ", 1)[-1].rstrip(".")
        raise InputError(
            f"{label}: not a readable recording ({reason}); convert it to WAV or FLAC first"
        ) from error
    if sound.frames == 0:
        sound.close()
        raise InputError(f"{label}: holds no samples (zero length); record or copy it again")
    return sound


def to_mono(block: FloatArray, name: str) -> FloatArray:
    """(N, channels) or (N,) to (N,) float32, the mean of the channels.

    Raises:
        InputError: a sample is NaN or infinite.
    """
    mono = block.mean(axis=1) if block.ndim == 2 else block
    if not np.isfinite(mono).all():
        raise InputError(f"{name}: has NaN or infinite samples; export it again from its source")
    return mono.astype(np.float32, copy=False)


def read_mono(path: Path, sample_rate: int) -> FloatArray:
    """A whole recording as (N,) float32 at ``sample_rate`` Hz, channels averaged.

    Raises:
        InputError: see :func:`open_sound` and :func:`to_mono`; also a file that ends before its header says.
    """
    with open_sound(path) as sound:
        try:
            block = sound.read(dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise InputError(f"{path}: cannot be decoded; it seems damaged, copy it again") from error
        rate = sound.samplerate
    if len(block) == 0:
        raise InputError(f"{path}: is truncated, no sample can be decoded; copy it again")
    return resample(to_mono(block, str(path)), rate, sample_rate)


def resample(samples: FloatArray, source_rate: int, target_rate: int) -> FloatArray:
    """High-quality resampling (soxr); the input itself when the rates agree."""
    if source_rate == target_rate:
        return samples
    resampled: FloatArray = soxr.resample(samples, source_rate, target_rate, quality="HQ")
    return resampled
