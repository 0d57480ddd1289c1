"""Reading and writing recordings: any rate, channel count and format that libsndfile or FFmpeg knows."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import soundfile
import soxr

from audiocycle.errors import InputError, OutputError
from audiocycle.spec import FloatArray
from audiocycle.system.atomic import whole_file
from audiocycle.voice.low_cut import audible_blocks
from audiocycle.voice.opening import AnySound, OpenRecording, native_name, truncated
from audiocycle.voice.opening import open_sound as open_sound
from audiocycle.voice.survey import Survey, survey

SUFFIXES = frozenset({
    ".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".voc", ".sph", ".nist",
    ".mp3", ".mp2", ".mpga", ".ogg", ".oga", ".ogx", ".opus", ".spx", ".m4a", ".m4b", ".aac", ".wma", ".asf", ".amr", ".awb", ".3gp", ".3g2", ".ac3",
    ".mka", ".weba", ".wv", ".tta", ".ape", ".mpc", ".mp4", ".m4v", ".mov", ".webm", ".mkv", ".ogv", ".avi", ".mpg", ".mpeg",
})  # fmt: skip
"""File name endings that are taken for recordings when a folder is read."""
WRITTEN = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64", ".rf64"})
"""Endings that an output may have."""
FORMATS = {".aif": "AIFF", ".aifc": "AIFF", ".oga": "OGG", ".opus": "OGG"}
"""Format names of the endings that are not named like their format."""
SPOOL_BYTES = 64 << 20
"""Audio above this waits in a temporary file rather than in memory."""
BLOCK_FRAMES = 1 << 16
"""At most so many frames are handed to an encoder at once: Vorbis keeps them on its stack, and overflows it."""
SURVEY_FRAMES = 1 << 18


def is_recording(path: Path) -> bool:
    """True when a folder scan should take this file."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


@contextmanager
def open_input(path: Path) -> Iterator[tuple[AnySound, str]]:
    """A recording and its name in messages; also ``-`` for stdin, or a named pipe (``<(command)`` in a shell).

    Raises:
        InputError: see :func:`open_sound`.
        OutputError: the folder for temporary files is full.
    """
    with ExitStack() as stack:
        source: Path | IO[bytes] = path
        name = "stdin" if str(path) == "-" else str(path)
        if name == "stdin":
            source = stack.enter_context(spooled(sys.stdin.buffer, name))
        elif path.is_fifo():
            source = stack.enter_context(spooled(stack.enter_context(path.open("rb")), name))
        sound = open_sound(source, name)
        stack.callback(sound.close)
        yield sound, name


@contextmanager
def spooled(stream: IO[bytes], name: str) -> Iterator[IO[bytes]]:
    """All bytes of a stream that cannot seek in a temporary file that can."""
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as whole:
        try:
            shutil.copyfileobj(stream, whole)
        except OSError as error:
            raise no_room(error) from error
        if whole.tell() == 0:
            raise InputError(f"{name}: is empty (0 bytes); see why the command before the pipe wrote nothing")
        whole.seek(0)
        yield whole


def no_room(error: OSError) -> OutputError:
    """The error for a folder of temporary files that is full."""
    folder = tempfile.gettempdir()
    return OutputError(f"{folder}: no room for temporary files ({error.strerror or error}); set TMPDIR to another folder")


def mono_blocks(sound: OpenRecording, name: str, size: int, found: Survey | None = None) -> Iterator[FloatArray]:
    """The recording to its end in blocks (size,) float32, channels mixed; the last block may be shorter.

    Args:
        found: what :func:`survey_of` said, where it has been asked already.

    Raises:
        InputError: the decoder fails in the middle, the file ends before its header says, or samples are not numbers.
    """
    mix = (found or survey_of(sound, name)).mix
    for block in raw_blocks(sound, name, size):
        yield mix.of(block)


def raw_blocks(sound: OpenRecording, name: str, size: int) -> Iterator[FloatArray]:
    """The recording to its end in blocks (size, channels) float32; the last block may be shorter.

    Raises:
        InputError: see :func:`mono_blocks`.
    """
    n_frames = 0
    while True:
        try:
            block = sound.read(size, dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:
            raise InputError(f"{name}: cannot be decoded to its end; it seems damaged, copy it again") from error
        if len(block) == 0:
            break
        n_frames += len(block)
        yield finite(block, name)
    if n_frames < sound.announced:
        raise truncated(name)


def survey_of(sound: OpenRecording, name: str) -> Survey:
    """What a recording is like as a whole; afterwards it is at its beginning again.

    Raises:
        InputError: see :func:`mono_blocks`.
    """
    found = survey(raw_blocks(sound, name, SURVEY_FRAMES), sound.samplerate, sound.channels)
    sound.seek(0)
    return found


def finite(samples: FloatArray, name: str) -> FloatArray:
    """The samples themselves.

    Raises:
        InputError: one is NaN or infinite.
    """
    if not np.isfinite(samples).all():
        raise InputError(f"{name}: has NaN or infinite samples; export it again from its source")
    return samples


def read_mono(path: Path, sample_rate: int) -> FloatArray:
    """A whole recording as (N,) float32 at ``sample_rate`` Hz, channels mixed.

    Raises:
        InputError: see :func:`open_sound` and :func:`mono_blocks`.
    """
    return read_speech(path, sample_rate, below_hearing=True)[0]


def read_speech(path: Path, sample_rate: int, below_hearing: bool = False) -> tuple[FloatArray, Survey, dict[str, str]]:
    """As :func:`read_mono`, what the recording is like, and the notes on its file.

    Args:
        below_hearing: keep what lies there, too: recordings that are judged stay as they are.

    Raises:
        InputError: see :func:`open_sound` and :func:`mono_blocks`.
    """
    with open_sound(path) as sound:
        found = survey_of(sound, str(path))
        blocks = mono_blocks(sound, str(path), 1 << 20, found)
        samples = np.concatenate(list(blocks if below_hearing else audible_blocks(blocks, sound.samplerate)))
        return resample(samples, sound.samplerate, sample_rate), found, sound.notes


def resample(samples: FloatArray, source_rate: int, target_rate: int) -> FloatArray:
    """High-quality resampling (soxr); the input itself when the rates agree."""
    if source_rate == target_rate:
        return samples
    resampled: FloatArray = soxr.resample(samples, source_rate, target_rate, quality="HQ")
    return resampled


def check_output(path: Path) -> None:
    """Find out before the work, not after it, that a recording cannot be written to ``path``.

    Raises:
        OutputError: unknown ending, a folder, or below something that takes no files.
    """
    if path.suffix.lower() not in WRITTEN:
        reason = f"'{path.suffix}' is read, but not written" if is_recording(Path(f"a{path.suffix}")) else f"no audio format ends in '{path.suffix}'"
        raise OutputError(f"{path}: {reason}; use .wav or .flac")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file")
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    if not parent.is_dir():
        raise OutputError(f"{path}: {parent} is a file, not a folder; name another `output`")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: no permission to write into {parent}; name another `output`")


def write_sound(path: Path, blocks: Iterable[FloatArray], sample_rate: int) -> None:
    """Write a mono recording whole, or not at all; the ending picks the format, 16 bit.

    Raises:
        OutputError: see :func:`check_output`; also a rate that the format does not take, or no space.
    """
    check_output(path)
    suffix = path.suffix.lower()
    kind, coding = FORMATS.get(suffix, suffix[1:].upper()), "OPUS" if suffix == ".opus" else None
    with whole_file(path) as temporary:
        try:
            with soundfile.SoundFile(native_name(temporary), "w", sample_rate, 1, coding, format=kind) as sound:
                write_pieces(sound, blocks)
        except (RuntimeError, TypeError, ValueError) as error:
            reason = str(error).rsplit(": ", 1)[-1].rstrip(".")
            raise OutputError(f"{path}: cannot be written ({reason}); free some space, or use another format or folder") from error


def write_wav_stream(stream: IO[bytes], blocks: Iterable[FloatArray], sample_rate: int, subtype: str = "PCM_16") -> None:
    """Write a WAV to a stream that cannot seek, such as a pipe.

    Raises:
        OutputError: no space.
        BrokenPipeError: the reader has gone.
    """
    try:
        with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as whole:
            with soundfile.SoundFile(whole, "w", sample_rate, 1, subtype=subtype, format="WAV") as sound:
                write_pieces(sound, blocks)
            whole.seek(0)
            shutil.copyfileobj(whole, stream, 1 << 20)
            stream.flush()
    except BrokenPipeError:
        raise
    except (RuntimeError, OSError) as error:
        raise OutputError(f"stdout: cannot be written ({getattr(error, 'strerror', None) or error}); free some space") from error


def write_pieces(sound: soundfile.SoundFile, blocks: Iterable[FloatArray]) -> None:
    """Write all blocks, a little at a time.

    Raises:
        RuntimeError: the file took fewer samples than it was given.
    """
    for block in blocks:
        for begin in range(0, len(block), BLOCK_FRAMES):
            piece = block[begin : begin + BLOCK_FRAMES]
            try:
                sound.write(piece)
            except AssertionError as error:  # soundfile's way to say so
                raise RuntimeError("out of space") from error
