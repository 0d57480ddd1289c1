"""Mutated recordings of each format: reading one ends in samples, as many as there are, or in an error of one line.

    python tests/fuzz_recordings.py 1500     (numbers 0 to 1499; FROM and TO for others)
"""

from __future__ import annotations

import random
import struct
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from fuzzing import Case, main
from tiny_bundle import vowel

from audiocycle.voice.sound_file import mono_blocks, open_input, read_mono

RATE, SECONDS = 16000, 0.4
KINDS: dict[str, tuple[str, dict[str, str], int]] = {
    "wav": (".wav", {"subtype": "PCM_16"}, 1), "stereo wav": (".wav", {"subtype": "PCM_16"}, 2), "wav of 8 bits": (".wav", {"subtype": "PCM_U8"}, 1),
    "wav of 24 bits": (".wav", {"subtype": "PCM_24"}, 2), "wav of floats": (".wav", {"subtype": "FLOAT"}, 1), "wav µ-law": (".wav", {"subtype": "ULAW"}, 1),
    "wav adpcm": (".wav", {"subtype": "IMA_ADPCM"}, 1), "wavex": (".wav", {"subtype": "PCM_16", "format": "WAVEX"}, 2), "flac": (".flac", {}, 1),
    "stereo flac": (".flac", {}, 2), "ogg": (".ogg", {}, 1), "opus": (".ogg", {"subtype": "OPUS"}, 1), "mp3": (".mp3", {}, 1), "stereo mp3": (".mp3", {}, 2),
    "aiff": (".aiff", {}, 1), "au": (".au", {}, 1), "caf": (".caf", {}, 2), "caf alac": (".caf", {"subtype": "ALAC_16"}, 1), "w64": (".w64", {}, 1),
}  # fmt: skip
"""Name: ending, soundfile's options, channels."""
PLAIN = ("wav", "stereo wav", "wavex", "aiff", "au", "caf", "w64")
"""Of 16 bits, with all samples at the end of the file: what happens to a sample changes no length."""
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 44100, 3)
MOST_PER_BYTE = 64
"""Samples of a byte in formats without silence for nothing; coders of speech reach a quarter."""
FREE = ("flac", "stereo flac", "ogg", "opus", "mp3", "stereo mp3", "caf alac")


@cache
def folder() -> Path:
    """One for this process."""
    return Path(tempfile.mkdtemp(prefix="fuzz-recordings-"))


@cache
def whole(kind: str) -> bytes:
    """An intact recording."""
    suffix, options, channels = KINDS[kind]
    path = folder() / f"whole{suffix}"
    voice = vowel(SECONDS)
    samples = voice if channels == 1 else np.stack([voice, 0.5 * voice], axis=1)
    soundfile.write(path, samples, RATE, **options)
    return path.read_bytes()


def mutated(kind: str, chance: random.Random) -> tuple[bytes, str, bool]:
    """Content, what was done to it, and whether only samples of a plain format were changed."""
    content, done = bytearray(whole(kind)), []
    if kind in PLAIN and chance.random() < 0.2:
        samples = 2 * KINDS[kind][2] * round(SECONDS * RATE)
        for _ in range(chance.randint(1, 50)):
            content[len(content) - 1 - chance.randrange(samples)] = chance.randrange(256)
        return bytes(content), "other samples", True
    for _ in range(chance.choice((1, 1, 2, 4))):
        change = chance.choice(CHANGES)
        change(content, chance)
        done.append(change.__name__)
    return bytes(content), " ".join(done), False


def place(content: bytearray, chance: random.Random) -> int:
    """Somewhere, in the header twice as often as not."""
    return chance.randrange(min(len(content), 120) if chance.random() < 0.7 else len(content)) if content else 0


def flip(content: bytearray, chance: random.Random) -> None:
    """Other bits in one byte."""
    if content:
        content[place(content, chance)] ^= chance.randrange(1, 256)


def number(content: bytearray, chance: random.Random) -> None:
    """A number of two, four or eight bytes that is at an end of its range."""
    at, size, order = place(content, chance), chance.choice("HIQ"), chance.choice("<>")
    packed = struct.pack(order + size, chance.choice(NUMBERS) & (2 ** (8 * struct.calcsize(size)) - 1))
    content[at : at + len(packed)] = packed


def cut(content: bytearray, chance: random.Random) -> None:
    """The end is missing."""
    del content[place(content, chance) :]


def grow(content: bytearray, chance: random.Random) -> None:
    """Something follows."""
    content += chance.choice([bytes(5000), chance.randbytes(300), whole("wav"), whole("mp3")])


def drop(content: bytearray, chance: random.Random) -> None:
    """A piece is missing."""
    at = place(content, chance)
    del content[at : at + chance.choice((1, 2, 4, 100))]


def repeat(content: bytearray, chance: random.Random) -> None:
    """A piece comes twice."""
    at = place(content, chance)
    content[at:at] = content[at : at + chance.choice((1, 4, 100, 2000))]


def blank(content: bytearray, chance: random.Random) -> None:
    """A piece is zero, as a bad disk leaves it."""
    at = place(content, chance)
    length = min(chance.choice((4, 16, 512)), len(content) - at)
    content[at : at + length] = bytes(length)


def other_head(content: bytearray, chance: random.Random) -> None:
    """Begins like another format."""
    length = chance.choice((4, 12, 48, 200))
    content[:length] = whole(chance.choice(list(KINDS)))[:length]


CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (flip, flip, number, number, number, cut, grow, drop, repeat, blank, other_head)


def make() -> Case:
    """Cases for :func:`fuzzing.fuzzed`."""

    def case(seed: int) -> tuple[str, Callable[[], str]]:
        chance = random.Random(seed)
        kind = chance.choice(list(KINDS))
        content, done, samples_only = mutated(kind, chance)
        path = folder() / f"{seed}{KINDS[kind][0]}"

        def attempt() -> str:
            path.write_bytes(content)
            try:
                return wrong_with(path, kind, samples_only)
            finally:
                path.unlink()

        return f"{kind}: {done}", attempt

    return case


def wrong_with(path: Path, kind: str, samples_only: bool) -> str:
    """What is wrong with how a recording is read; nothing, as it should be.

    Raises:
        AudioCycleError: it was refused.
    """
    samples = read_mono(path, RATE)
    if samples.ndim != 1 or samples.dtype != np.float32 or not samples.size or not np.isfinite(samples).all():
        return f"no samples: {samples.dtype} {samples.shape}"
    with open_input(path) as (sound, name):
        rate, channels = sound.samplerate, sound.channels
        frames = sum(map(len, mono_blocks(sound, name, 1000)))  # another block size than any of ours
    if abs(len(samples) - frames * RATE / rate) > 1:
        return f"{len(samples)} samples at {RATE} Hz of {frames} at {rate} Hz"
    if samples_only and frames != round(SECONDS * RATE):
        return f"{frames} frames where there are {round(SECONDS * RATE)}"
    if kind not in FREE and frames * channels > MOST_PER_BYTE * path.stat().st_size:
        return f"{frames} frames of {channels} channels in {path.stat().st_size} bytes"
    return ""


if __name__ == "__main__":
    main(make)
