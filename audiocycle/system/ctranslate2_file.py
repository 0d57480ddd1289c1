"""CTranslate2's model files (``model.bin``), read without CTranslate2: a list of named arrays, of which nothing is believed.

Little-endian: version and name of the format, its revision, the number of arrays; then for each its name, rank, dimensions, type, number of bytes, and
these. What follows (aliases) is not read. A text is its length in two bytes, with the zero at its end.
"""

from __future__ import annotations

import math
import struct

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import InputError

TYPES: dict[int, type[np.generic]] = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
"""Of arrays, by CTranslate2's numbers."""
MOST_ARRAYS, MOST_DIMENSIONS = 10_000, 8
"""Whisper's largest model has 1,261 arrays, of three dimensions at most."""

Arrays = dict[str, NDArray[np.generic]]


class Reader:
    """Goes through the bytes of a file, and never behind their end."""

    def __init__(self, content: bytes | memoryview, name: str) -> None:
        self.content, self.name, self.place = memoryview(content), name, 0

    def damaged(self, reason: str) -> InputError:
        """The error for content that is no model."""
        return InputError(f"{self.name}: damaged, or no model of CTranslate2's ({reason}); install its package again, or copy it again")

    def take(self, count: int) -> memoryview:
        """The next ``count`` bytes."""
        if count > len(self.content) - self.place:
            raise self.damaged("it ends too early")
        self.place += count
        return self.content[self.place - count : self.place]

    def number(self, kind: str) -> int:
        """The next whole number, ``B``, ``H`` or ``I`` as :mod:`struct` has them."""
        return int(struct.unpack(f"<{kind}", self.take(struct.calcsize(f"<{kind}")))[0])

    def text(self) -> str:
        """The next text."""
        try:
            return bytes(self.take(self.number("H"))).rstrip(b"\0").decode()
        except UnicodeDecodeError as error:
            raise self.damaged("a name in it is no text") from error


def read_arrays(content: bytes | memoryview, name: str) -> Arrays:
    """The arrays of a CTranslate2 model by name, as views of its bytes.

    Args:
        name: of the file, for errors.

    Raises:
        InputError: it is damaged, or something else.
    """
    reader, found = Reader(content, name), Arrays()
    reader.number("I")
    reader.text()
    reader.number("I")
    count = reader.number("I")
    if count > MOST_ARRAYS:
        raise reader.damaged(f"it claims {count} arrays")
    for _ in range(count):
        key = reader.text()
        rank = reader.number("B")
        if rank > MOST_DIMENSIONS:
            raise reader.damaged(f"an array of {rank} dimensions")
        shape = [reader.number("I") for _ in range(rank)]
        kind = TYPES.get(reader.number("B"))
        if kind is None:
            raise reader.damaged("an array of an unknown type")
        size = reader.number("I")
        if size != math.prod(shape) * np.dtype(kind).itemsize:
            raise reader.damaged("an array of another size than it says")
        found[key] = np.frombuffer(reader.take(size), kind).reshape(shape)
    return found
