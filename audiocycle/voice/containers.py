"""How compressed recordings lie in their files: joined parts, and proof that something is missing."""

from __future__ import annotations

import io
import os
import struct
from typing import IO, Any

OGG_PAGE, OGG_BEGIN = b"OggS", 2
EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
FLAC_STREAM = b"fLaC\x00\x00\x00\x22"
XING_FRAMES, XING_BYTES = 1, 2
SLACK = 2
"""Frames by which a Xing header may err: some writers count itself, and a tag at the end."""
LARGEST_FRAME = 1441


def size_of(file: IO[bytes]) -> int:
    """Bytes; the position stays."""
    here = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(here)
    return size


def after_tag(file: IO[bytes]) -> int:
    """Where the sound begins: behind ID3v2 tags, of which there may be several."""
    place = 0
    while True:
        file.seek(place)
        head = file.read(10)
        if len(head) < 10 or head[:3] != b"ID3":
            return place
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte & 0x7F
        place += 10 + size + (10 if head[5] & 0x10 else 0)


def beginning(file: IO[bytes], n_bytes: int = 16) -> bytes:
    """The first bytes behind tags; the file is at its beginning afterwards."""
    file.seek(after_tag(file))
    head = file.read(n_bytes)
    file.seek(0)
    return head


def missing_bytes(file: IO[bytes]) -> str:
    """Why a file cannot be whole, in words; empty where nothing proves it.

    Proof is a box of an MP4 or the segment of a Matroska (WebM) that ends behind the file, or the count of bytes that an encoder wrote
    into an MP3 (Xing) when it was done.
    """
    head = beginning(file)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return cut_box(file)
    if head[:1] == b"\xff" and head[1:2] >= b"\xe0":
        return cut_frames(file)
    if head[:4] == EBML:
        return cut_segment(file)
    return ""


def cut_box(file: IO[bytes]) -> str:
    """Of an MP4: the box, if any, that is longer than the rest of the file."""
    place, end = 0, size_of(file)
    while place + 8 <= end:
        file.seek(place)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1 and len(head) == 16:
            size = int.from_bytes(head[8:16], "big")
        if size == 0:  # up to the end
            break
        if size < 8 or not head[4:8].isalnum():  # stray bytes
            break
        if place + size > end:
            file.seek(0)
            return "it ends before its header says"
        place += size
    file.seek(0)
    return ""


def cut_segment(file: IO[bytes]) -> str:
    """Of a Matroska: whether its segment is longer than the rest of the file; a recorder that never came to its end leaves that open (RFC 8794)."""
    head = element(file, after_tag(file), EBML)
    segment = element(file, sum(head), SEGMENT) if head else None
    file.seek(0)
    return "it ends before its header says" if segment and sum(segment) > size_of(file) else ""


def element(file: IO[bytes], place: int, name: bytes) -> tuple[int, int] | None:
    """The first byte of an EBML element's content and its size; None where it has another name, or its size is left open."""
    file.seek(place)
    head = file.read(12)
    width = 9 - head[4].bit_length() if len(head) == 12 and head[:4] == name else 9
    open_size = (1 << 7 * width) - 1
    size = int.from_bytes(head[4 : 4 + width], "big") & open_size
    return None if width > 8 or size == open_size else (place + 4 + width, size)


def cut_frames(file: IO[bytes]) -> str:
    """Of an MP3: whether the bytes that its Xing header counts are there."""
    begin = after_tag(file)
    file.seek(begin)
    head = file.read(64)
    there = size_of(file) - begin
    file.seek(0)
    place = max(head.find(b"Xing"), head.find(b"Info"))
    if place < 0 or len(head) < place + 16:
        return ""
    flags, frames, n_bytes = struct.unpack(">III", head[place + 4 : place + 16])
    if flags & 3 != XING_FRAMES | XING_BYTES or not frames:
        return ""
    return "it ends before its header says" if n_bytes > there + SLACK * min(n_bytes // frames, LARGEST_FRAME) else ""


class Section(io.RawIOBase):
    """Bytes ``begin`` to ``end`` of a file, as a file."""

    def __init__(self, file: IO[bytes], begin: int, end: int) -> None:
        self._file, self._begin, self._size, self._place = file, begin, end - begin, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        if start + offset < 0:  # a damaged header may say so; FFmpeg takes -1 for an error
            return -1
        self._place = start + offset
        return self._place

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._place)
        if wanted <= 0:
            return 0
        self._file.seek(self._begin + self._place)
        data = self._file.read(wanted)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


def sections(file: IO[bytes]) -> list[IO[bytes]]:
    """The parts that are decoded one after the other: the links of a chained Ogg, joined FLACs, else the whole file."""
    head = beginning(file, 4)
    starts = ogg_links(file) if head == OGG_PAGE else flac_streams(file) if head == FLAC_STREAM[:4] else []
    file.seek(0)
    starts = starts if len(starts) > 1 else [0]
    ends = [*starts[1:], size_of(file)]
    return [Section(file, begin, end) for begin, end in zip(starts, ends, strict=True)]  # type: ignore[misc]


def flac_streams(file: IO[bytes]) -> list[int]:
    """Where FLACs begin that were joined to one file."""
    starts, place, before = list[int](), 0, b""
    file.seek(0)
    while block := file.read(1 << 20):
        block = before + block
        begin, at = place - len(before), -1
        while (at := block.find(FLAC_STREAM, at + 1)) >= 0:
            starts.append(begin + at)
        place, before = begin + len(block), block[1 - len(FLAC_STREAM) :]
    return starts


def ogg_links(file: IO[bytes]) -> list[int]:
    """Where the links of a chained Ogg begin: at the first page that begins a stream after one that does not (RFC 3533)."""
    starts, place, opening = list[int](), after_tag(file), False
    while True:
        file.seek(place)
        head = file.read(27)
        if len(head) < 27 or head[:4] != OGG_PAGE:
            place = next_page(file, place)
            if place < 0:
                return starts
            continue
        begins = bool(head[5] & OGG_BEGIN)
        if begins and not opening:
            starts.append(place)
        opening = begins
        place += 27 + head[26] + sum(file.read(head[26]))


def next_page(file: IO[bytes], place: int) -> int:
    """The next place after ``place`` where a page begins, or -1: tags and stray bytes lie between."""
    place += 1
    while True:
        file.seek(place)
        block = file.read(1 << 16)
        found = block.find(OGG_PAGE)
        if found >= 0:
            return place + found
        if len(block) < 4:
            return -1
        place += len(block) - 3
