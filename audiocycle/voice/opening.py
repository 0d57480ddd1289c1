"""Opening a recording of any kind: with libsndfile what is not compressed, or without loss; with FFmpeg all else."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Protocol, Self

import numpy as np
import soundfile

from audiocycle.errors import InputError
from audiocycle.spec import FloatArray
from audiocycle.voice.containers import beginning, flac_streams
from audiocycle.voice.decode import DecodedSound
from audiocycle.voice.headers import HEADER_BYTES, OPEN_ENDED, lacks_bytes, mended, wave_coding

HEADER, SCALE = "header_mended", "scaled"
"""Kinds of notes on a file."""
LIBSNDFILES = (b"RIFF", b"RIFX", b"RF64", b"FORM", b".snd", b"dns.", b"caff", b"riff", b"fLaC")
"""Beginnings of formats of which libsndfile knows all kinds but few."""
RATES, MOST_CHANNELS = (1000, 1_000_000), 64
COMPRESSED = "compressed"
MPEG_IN_WAVE = (0x50, 0x55)
MOST = 1.0 + 2.0**-15
"""Of a float that counts as full scale."""

_SHORT = re.compile(r"(?:data|SSND|Data Size|riff|Riff size) *: (\d+) \(should be (\d+)\)")


class OpenRecording(Protocol):
    """An open recording.

    Attributes:
        frames: how many there are, as far as anybody knows, for a progress bar.
        announced: frames that must come, or the file is cut off; 0 where nobody knows.
        notes: what a user should be told, by kind: :data:`HEADER`, :data:`SCALE`.
    """

    samplerate: int
    channels: int
    frames: int
    announced: int
    notes: dict[str, str]

    def read(self, frames: int = -1, dtype: str = "float32", always_2d: bool = False) -> FloatArray:
        """The next samples of all channels, (N, channels), fewer than ``frames`` at the end only."""

    def seek(self, frames: int) -> int:
        """Go to a sample."""


class PlainSound:
    """A recording that libsndfile reads.

    Attributes:
        gain: of all samples, so that they lie within [-1, 1].
    """

    def __init__(self, sound: soundfile.SoundFile, notes: Mapping[str, str] | None = None, stack: ExitStack | None = None) -> None:
        self._sound, self.notes, self._stack = sound, dict(notes or {}), stack or ExitStack()
        self.samplerate, self.channels, self.frames = int(sound.samplerate), int(sound.channels), int(sound.frames)
        self.announced = self.frames
        self.gain, note = fitting_gain(sound) if sound.subtype in ("FLOAT", "DOUBLE") else (1.0, "")
        self.notes |= {SCALE: note} if note else {}

    def read(self, frames: int = -1, dtype: str = "float32", always_2d: bool = False) -> FloatArray:
        """See :class:`OpenRecording`."""
        block: FloatArray = self._sound.read(frames, dtype=dtype, always_2d=always_2d)
        if self.gain != 1.0:
            with np.errstate(invalid="ignore", over="ignore"):  # what is no number is refused by who reads
                block *= np.asarray(self.gain, block.dtype)
        return block

    def seek(self, frames: int) -> int:
        """See :class:`OpenRecording`."""
        return int(self._sound.seek(frames))

    def close(self) -> None:
        """Let the file go."""
        self._sound.close()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def fitting_gain(sound: soundfile.SoundFile) -> tuple[float, str]:
    """The gain that brings a recording of floats into [-1, 1], and a note on it; 1 and none where they are there already.

    Whole numbers throughout are integers that somebody wrote as floats, and are divided by the full scale of the narrowest integers
    that hold them. All others are divided by their peak.
    """
    peak, whole = 0.0, True
    try:
        for block in sound.blocks(1 << 16, dtype="float64"):
            values = block[np.isfinite(block)]
            peak = max(peak, float(np.abs(values).max(initial=0.0)))
            whole = whole and bool((values == np.round(values)).all())
        sound.seek(0)
    except soundfile.SoundFileError:  # told where the samples are read
        return 1.0, ""
    if peak <= MOST:
        return 1.0, ""
    bits = next((n for n in (16, 24, 32) if peak <= 2.0 ** (n - 1)), 0) if whole and peak > 2.0 else 0
    if bits:
        return 2.0 ** (1 - bits), f"its samples are whole numbers up to {peak:.0f}: taken for integers of {bits} bits, and scaled to that"
    return 1.0 / peak, f"its samples go up to {peak:.3g}, and full scale is 1: scaled by {-20 * np.log10(peak):.1f} dB"


AnySound = PlainSound | DecodedSound


def open_sound(path: Path | IO[bytes], name: str | None = None) -> AnySound:
    """Open a recording for reading in blocks.

    Raises:
        InputError: it does not exist, is empty, is not audio, holds no samples, or fewer than its header says.
    """
    label = name or str(path)
    with ExitStack() as stack:
        if isinstance(path, Path):
            check_input(path, label)
            try:
                file: IO[bytes] = stack.enter_context(path.open("rb"))
            except OSError as error:
                raise InputError(f"{label}: cannot be read ({error.strerror or error})") from error
        else:
            file = path
        head = beginning(file, 26)
        reason = "not a recording"
        lossy = is_lossy(file, head)
        if lossy and lacks_bytes(file):
            raise truncated(label)
        if not lossy and not is_long_flac(file, head):
            try:
                return _plain(path, file, label, stack)
            except (soundfile.SoundFileError, TypeError, MemoryError, OverflowError, ValueError) as error:
                reason = str(error).rsplit(": ", 1)[-1].rstrip(".")
        file.seek(0)
        try:
            sound = DecodedSound(file, label)
        except InputError as error:
            known = head[:4] in LIBSNDFILES and reason != COMPRESSED  # it knows better then what is wrong
            if known and ("not a readable recording" in str(error) or "no samples" in str(error)):
                raise InputError(f"{label}: not a readable recording ({reason}); convert it to WAV or FLAC first") from error
            raise
        check_plausible(label, sound.samplerate, sound.channels)
        sound.keep(stack.pop_all())
        return sound


def _plain(path: Path | IO[bytes], file: IO[bytes], label: str, stack: ExitStack) -> PlainSound:
    """What libsndfile opens, and is at home with.

    Raises:
        soundfile.SoundFileError, TypeError: it is not, as with MP3 inside WAV, or with what it takes for samples without a header.
        InputError: it is cut off, or holds no samples.
    """
    found = mended(file)
    file.seek(0)
    whole, notes = (file, {}) if found is None else (found[0], {HEADER: found[1]})
    begins = file.read(4)
    file.seek(0)
    named = path if isinstance(path, Path) and found is None and begins in LIBSNDFILES else None  # else it would go by the ending
    sound = soundfile.SoundFile(whole if named is None else native_name(named))
    with ExitStack() as closing:
        closing.callback(sound.close)
        if sound.format == "RAW":
            raise TypeError("Format not recognised")
        if is_truncated(sound):
            raise truncated(label)
        if sound.format in ("MP3", "OGG", "MPEG") or sound.subtype.startswith("MPEG"):
            raise TypeError(COMPRESSED)
        check_plausible(label, sound.samplerate, sound.channels)
        if sound.frames == 0:
            raise InputError(f"{label}: holds no samples (zero length); record or copy it again")
        closing.pop_all()
        return PlainSound(sound, notes, stack.pop_all())


def check_plausible(label: str, sample_rate: int, channels: int) -> None:
    """Refuse what only a damaged header says, and what would take no end of memory.

    Raises:
        InputError: a rate or a number of channels that no recording has.
    """
    low, high = RATES
    if not low <= sample_rate <= high or not 1 <= channels <= MOST_CHANNELS:
        limits = f"{low} to {high} Hz and up to {MOST_CHANNELS} channels are read"
        raise InputError(f"{label}: its header says {sample_rate} Hz and {channels} channels, and {limits}; is it damaged?")


def check_input(path: Path, label: str) -> None:
    """What can be told before a file is opened.

    Raises:
        InputError: see :func:`open_sound`.
    """
    if not path.exists():
        raise InputError(f"{label}: no such file")
    if path.is_dir():
        raise InputError(f"{label}: is a folder, not a recording")
    if not os.access(path, os.R_OK):
        raise InputError(f"{label}: no permission to read it")
    if path.stat().st_size == 0:
        raise InputError(f"{label}: the file is empty (0 bytes); record or copy it again")


def is_lossy(file: IO[bytes], head: bytes) -> bool:
    """True for Ogg and MPEG, also behind a tag or in a WAV: libsndfile reads them to their first part, or to where it thinks that they
    end, and prints what it does not like."""
    if head[:4] == b"OggS" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0") or wave_coding(file) in MPEG_IN_WAVE:
        return True
    tagged = file.read(3) == b"ID3"
    file.seek(0)
    return tagged and head[:4] not in LIBSNDFILES


def is_long_flac(file: IO[bytes], head: bytes) -> bool:
    """True for a FLAC that holds more than its header says: of a pipe, whose length is 0, and several in one file."""
    if head[:4] != b"fLaC":
        return False
    if len(head) >= 26 and head[4] & 0x7F == 0 and int.from_bytes(head[18:26], "big") & (2**36 - 1) == 0:
        return True
    return len(flac_streams(file)) > 1


def is_truncated(sound: soundfile.SoundFile) -> bool:
    """True when libsndfile noticed that the header announces more bytes than follow; it would go on without a word."""
    found = _SHORT.search(sound.extra_info)
    if found is None:
        return False
    announced, there = map(int, found.groups())
    return announced < OPEN_ENDED and announced - there > HEADER_BYTES


def native_name(path: Path) -> str | bytes:
    """A path as bytes where names are bytes, so that one that is no valid UTF-8 works as well."""
    return str(path) if os.name == "nt" else os.fsencode(path)


def truncated(label: str) -> InputError:
    """The error for a recording that was cut off."""
    return InputError(f"{label}: is truncated, it ends before its header says; copy it again, or convert it to WAV first")
