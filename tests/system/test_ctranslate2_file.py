"""CTranslate2's files: all of what they hold, and nothing but an error from those that are damaged, or made to do harm."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_whisper import as_file, tiny_whisper

from audiocycle.errors import InputError
from audiocycle.system.ctranslate2_file import MOST_ARRAYS, read_arrays

ARRAYS = {"a/weight": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.array(7, np.int16), "none": np.zeros((0, 4), np.float32)}
HEAD = struct.pack("<IH", 6, 5) + b"Spec\0" + struct.pack("<I", 1)
ONE = HEAD + struct.pack("<IH", 1, 2) + b"a\0"


def test_arrays_are_read_as_they_were_written() -> None:
    for arrays in (ARRAYS, tiny_whisper()):
        found = read_arrays(as_file(arrays), "model.bin")
        assert found.keys() == arrays.keys()
        for name, values in arrays.items():
            assert found[name].dtype == values.dtype
            np.testing.assert_array_equal(found[name], values)


def test_a_file_that_ends_too_early_is_refused_wherever_it_ends() -> None:
    whole = as_file(ARRAYS)[:-4]
    read_arrays(whole, "model.bin")
    for end in range(len(whole)):
        with pytest.raises(InputError, match=r"model\.bin: damaged.*ends too early"):
            read_arrays(whole[:end], "model.bin")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (HEAD + struct.pack("<I", MOST_ARRAYS + 1), "claims 10001 arrays"),
        (ONE + struct.pack("<B", 9), "of 9 dimensions"),
        (ONE + struct.pack("<BIBI", 1, 1, 7, 4), "unknown type"),
        (ONE + struct.pack("<BIBI", 1, 2, 0, 4) + bytes(4), "another size"),
        (ONE + struct.pack("<B8IBI", 8, *[2**32 - 1] * 8, 0, 4) + bytes(4), "another size"),
        (ONE + struct.pack("<BIBI", 1, 2**29, 0, 2**31), "ends too early"),
        (struct.pack("<IH", 6, 2) + b"\xff\0", "no text"),
    ],
)
def test_what_cannot_be_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_arrays(content, "model.bin")


@given(st.binary(max_size=300), st.integers(0, 200))
def test_of_any_bytes_come_arrays_or_an_error(garbage: bytes, place: int) -> None:
    whole = as_file(ARRAYS)
    for content in (garbage, whole[:place] + garbage + whole[place + len(garbage) :]):
        try:
            found = read_arrays(content, "model.bin")
        except InputError:
            continue
        assert sum(values.nbytes for values in found.values()) <= len(content)
