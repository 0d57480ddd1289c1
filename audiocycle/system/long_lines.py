"""Lines of a file that anybody may have written, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

LONGEST = 1 << 20
"""Bytes; what this program writes into a line takes some hundreds."""


def short_lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """(place, line) of every line with at most :data:`LONGEST` bytes, from where the file stands to its end; longer ones are left out."""
    place = file.tell()
    while line := file.readline(LONGEST):
        begin, place = place, place + len(line)
        if len(line) < LONGEST or line.endswith(b"\n"):
            yield begin, line
        while len(line) == LONGEST and not line.endswith(b"\n"):
            line = file.readline(LONGEST)
            place += len(line)
