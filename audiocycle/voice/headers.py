"""Headers that say less than there is: of recorders that lost power, of cards that were pulled out.

A program writes the length into the header when it is done, and a few do so now and then before. What lies behind the announced end
is sound then, unless it is more chunks (titles, markers), a tag, text or filling.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from audiocycle.voice.containers import size_of

LEAST_SECONDS = 0.02
"""Less behind the announced end is filling."""
CHUNKS = frozenset(
    (
        b"LIST|bext|iXML|cue |smpl|inst|id3 |ID3 |fact|PEAK|JUNK|junk|PAD |DISP|afsp|axml|chna|levl|umid|acid|strc|_PMX|minf|elm1|regn|cart|SAUR|FLLR|"
        b"fmt |data|COMT|MARK|NAME|AUTH|ANNO|(c) |APPL|INST|COMM|CHAN|SSND|AFAn|r64m|plst|labl|note|ltxt|mext"
    ).split(b"|")
)
"""Names of chunks that are not sound even when they are cut off."""
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"PK\x03\x04", b"<?xml", b"<x:xmpmeta")
MOST_CHUNKS = 10_000
"""A header with more is none."""
EXTENSIBLE = 0xFFFE
OPEN_ENDED = 0x7FFF_0000
"""Lengths from here on are what programs write into a pipe, because they do not know the length yet."""
HEADER_BYTES = 64
"""Some programs count their header in."""
PLAIN_WAVE = (1, 3, 6, 7, 0xFFFE)
"""Codings of WAV (PCM, float, A-law, µ-law, extensible) whose bytes follow from their samples."""
PLAIN_AIFF = (b"NONE", b"twos", b"sowt", b"raw ", b"fl32", b"FL32", b"fl64", b"FL64", b"in24", b"in32")
"""Codings of AIFF-C whose samples have a size of their own."""


@dataclass(frozen=True)
class SoundLayout:
    """Where a header says that the sound is.

    Attributes:
        begin: its first byte.
        announced: bytes of it.
        frame: bytes of one sample of all channels, or of a block that cannot be divided.
        speed: bytes a second.
        chunks: whether chunks may follow.
        sizes: (where, as struct, what is counted beside the sound, bytes of one unit) of each number in the header to be mended.
    """

    begin: int
    announced: int
    frame: int
    speed: float
    chunks: bool
    sizes: tuple[tuple[int, str, int, int], ...]


class Overlay(io.RawIOBase):
    """A file of which some bytes read differently.

    Args:
        patches: place to bytes.
    """

    def __init__(self, file: IO[bytes], patches: Mapping[int, bytes]) -> None:
        self._file, self._patches = file, patches

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        begin = self._file.tell()
        data = bytearray(self._file.read(len(buffer)))
        for place, patch in self._patches.items():
            low, high = max(place, begin), min(place + len(patch), begin + len(data))
            if low < high:
                data[low - begin : high - begin] = patch[low - place : high - place]
        buffer[: len(data)] = data
        return len(data)


def mended(file: IO[bytes]) -> tuple[IO[bytes], str] | None:
    """The file with a header that counts all that is there, and a note on it; None where the header is right, or not understood.

    Headers that announce more than there is are none of this function's business: those files are cut off.
    """
    file.seek(0)
    try:
        layout = _layout(file)
    except EOFError:
        return None
    end = size_of(file)
    if layout is None or layout.frame < 1 or not 0 < layout.speed < 1e9:
        return None
    rest = end - layout.begin - layout.announced
    if rest < max(LEAST_SECONDS * layout.speed, layout.frame) or _is_else(file, layout, end):
        return None
    length = (end - layout.begin) // layout.frame * layout.frame
    patches = {}
    for place, kind, beside, unit in layout.sizes:
        most = 256 ** struct.calcsize(kind) - 1
        patches[place] = struct.pack(kind, min((length + beside) // unit, most))
    seconds = [n / layout.speed for n in (layout.announced, length)]
    note = f"the header says {seconds[0]:.1f} s, as after a loss of power, and {seconds[1]:.1f} s are there: all of it is read"
    file.seek(0)
    return Overlay(file, patches), note  # type: ignore[return-value]


def wave_coding(file: IO[bytes]) -> int:
    """The number of a WAV's coding (1 is PCM, 0x55 is MP3); 0 for what is no WAV. The file is at its beginning afterwards."""
    file.seek(0)
    head, coding = file.read(12), 0
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        order = ">" if head[:4] == b"RIFX" else "<"
        for name, place, size in _chunks(file, order):
            if name == b"fmt ":
                (coding,) = struct.unpack(order + "H", _read(file, place, 2, short=True).ljust(2, b"\0"))
                if coding == EXTENSIBLE and size >= 26:
                    (coding,) = struct.unpack(order + "H", _read(file, place + 24, 2, short=True).ljust(2, b"\0"))
                break
            if name == b"data":
                break
    file.seek(0)
    return coding


def lacks_bytes(file: IO[bytes]) -> bool:
    """True for a WAV whose header announces more than follows."""
    file.seek(0)
    try:
        layout = _layout(file)
    except EOFError:
        layout = None
    end = size_of(file)
    file.seek(0)
    return layout is not None and layout.announced < OPEN_ENDED and layout.announced - (end - layout.begin) > HEADER_BYTES


def _layout(file: IO[bytes]) -> SoundLayout | None:
    head = file.read(12)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _wave(file, head[:4])
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _aiff(file)
    if head[:4] in (b".snd", b"dns."):
        return _au(file, ">" if head[:1] == b"." else "<")
    return None


def _wave(file: IO[bytes], kind: bytes) -> SoundLayout | None:
    order = ">" if kind == b"RIFX" else "<"
    frame, speed, long_sizes = 0, 0, 0
    for name, place, size in _chunks(file, order):
        if name == b"ds64":
            long_sizes = place
        elif name == b"fmt ":
            coding, rate, speed, frame = struct.unpack(order + "HxxIIH", _read(file, place, 14))
            speed = rate * frame if coding in PLAIN_WAVE else speed
        elif name == b"data":
            sizes = [(4, order + "I", place - 8, 1), (place - 4, order + "I", 0, 1)]
            if kind in (b"RF64", b"BW64"):
                if not long_sizes:
                    return None
                size = int.from_bytes(_read(file, long_sizes + 8, 8), "little")  # noqa: PLW2901
                sizes = [(long_sizes, "<Q", place - 8, 1), (long_sizes + 8, "<Q", 0, 1), (long_sizes + 16, "<Q", 0, max(1, frame))]
            return SoundLayout(place, size, frame, speed, True, tuple(sizes))
    return None


def _aiff(file: IO[bytes]) -> SoundLayout | None:
    frame, rate, count = 0, 0.0, 0
    for name, place, size in _chunks(file, ">"):
        if name == b"COMM":
            channels, _, bits, exponent, mantissa = struct.unpack(">HIHHQ", _read(file, place, 18))
            if size >= 22 and _read(file, place + 18, 4) not in PLAIN_AIFF:
                return None
            frame, rate, count = channels * ((bits + 7) // 8), mantissa * 2.0 ** (min(exponent, 16500) - 16383 - 63), place + 2
        elif name == b"SSND" and count:
            begin = place + 8 + int.from_bytes(_read(file, place, 4), "big")
            sizes = ((4, ">I", begin - 8, 1), (place - 4, ">I", begin - place, 1), (count, ">I", 0, max(1, frame)))
            return SoundLayout(begin, max(0, size - (begin - place)), frame, frame * rate, True, sizes)
    return None


def _au(file: IO[bytes], order: str) -> SoundLayout | None:
    begin, size, coding, rate, channels = struct.unpack(order + "5I", _read(file, 4, 20))
    width = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}.get(coding, 0)
    return SoundLayout(begin, size, width * channels, width * channels * rate, False, ((8, order + "I", 0, 1),))


def _chunks(file: IO[bytes], order: str) -> Iterator[tuple[bytes, int, int]]:
    """(name, first byte, size) of a form's chunks."""
    place, end = 12, size_of(file)
    for _ in range(MOST_CHUNKS):
        if place + 8 > end:
            return
        name, size = struct.unpack(order + "4sI", _read(file, place, 8))
        yield name, place + 8, size
        place += 8 + size + size % 2


def _is_else(file: IO[bytes], layout: SoundLayout, end: int) -> bool:
    """True for what is not sound behind the announced end."""
    place = layout.begin + layout.announced
    behind = _after_filling(file, place)
    return behind >= end or any(_is_no_sound(file, start, end, layout.chunks) for start in {place, behind})


def _after_filling(file: IO[bytes], place: int) -> int:
    """The first place from here on with another byte than here: zeros to the end are filling, and others a digital pause."""
    first = _read(file, place, 1, short=True)
    for block in iter(lambda: file.read(1 << 16), b""):
        if others := block.lstrip(first):
            return file.tell() - len(others)
    return file.tell()


def _is_no_sound(file: IO[bytes], place: int, end: int, chunks: bool) -> bool:
    """Whether a tag, text or chunks begin here."""
    sample = _read(file, place, 4096, short=True)
    if sample.startswith(TAGS) or all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in sample):
        return True
    starts = (place, place + 1) if place % 2 else (place,)
    return chunks and any(_are_chunks(file, start, end) for start in starts)


def _are_chunks(file: IO[bytes], place: int, end: int) -> bool:
    """Whether chunks follow one another from here to the end, or the first has a name that is known."""
    if _read(file, place, 4, short=True) in CHUNKS:
        return True
    for order in "<>":
        here = place
        for _ in range(MOST_CHUNKS):
            if here + 8 > end:
                break
            name, size = struct.unpack(order + "4sI", _read(file, here, 8))
            if not all(32 <= byte < 127 for byte in name):
                break
            here += 8 + size + size % 2
        if end - 8 < here <= end + 1:
            return True
    return False


def _read(file: IO[bytes], place: int, n_bytes: int, short: bool = False) -> bytes:
    """Bytes at a place.

    Raises:
        EOFError: the file ends before, and it is not to be ``short``.
    """
    file.seek(place)
    data = file.read(n_bytes)
    if len(data) < n_bytes and not short:
        raise EOFError
    return data
