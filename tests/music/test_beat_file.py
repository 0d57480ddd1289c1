"""Files of beats, as other programs write them, and in one line what is wrong with others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.errors import InputError
from audiocycle.music.beat_file import read_beats

TIMES = [0.5, 1.0, 1.6, 2.1, 2.7]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("0.5\n1.0\n1.6\n2.1\n2.7\n", None),
        ("0.5\t4\n1.0\t1\n1.6\t2\n2.1\t3\n2.7\t1\n", [1, 4]),  # madmom
        ("0.5,1.4\n1.0,2.1\n1.6,2.2\n2.1,2.3\n2.7,3.1\n", [1, 4]),  # Sonic Visualiser: bar and beat
        ("0.5\t0.5\tb\n1.0\t1.0\tdb,4/4\n1.6\t1.6\tb\n2.1\t2.1\tb\n2.7\t2.7\tdb\n", [1, 4]),  # Audacity
        ("time;beat\n\n# by hand\n0.5;1\n1.0;2\n1.6;3\n2.1;1\n2.7;2\n", [0, 3]),
        ("\ufeff0.5 1\r\n1.0 1\r\n1.6 1\r\n2.1 1\r\n2.7 1\r\n", None),  # a mark on each says nothing
        ("[0.5, 1, 1.6, 2.1, 2.7]", None),
        ('{"beats": [0.5, 1, 1.6, 2.1, 2.7], "downbeats": [1, 2.7]}', [1, 4]),
    ],
)
def test_what_other_programs_write(tmp_path: Path, text: str, first: list[int] | None) -> None:
    path = tmp_path / "beats.txt"
    path.write_text(text, encoding="utf-8")
    found = read_beats(path)
    np.testing.assert_allclose(found.time, TIMES)
    assert (None if found.first is None else np.flatnonzero(found.first).tolist()) == first


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds 0 beats, at least 4 are needed"),
        (b"0.5\n1.0\n", "holds 2 beats"),
        (b"0.5\n1.0\n0.9\n2.0\n", r"beat 3 \(0.9 s\) is not later than the one before"),
        (b"0.5\n1.0\nnan\n2.0\n", "not later|no number"),
        (b"0.5\n1.0\none\n2.0\n", "line 3 begins with no time"),
        (b"\xff\xfe\x00", "is no text"),
        (b"[0.5, [1]]", "is no list of times"),
        (b'{"bars": [1, 2, 3, 4]}', "is no list of times"),
        (b"[0.5, 1, 2", "is no list of times"),
        (b"[" * 100_000, "is no list of times"),
        (b"1\n" * 2_100_000, "is larger than"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "beats.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as raised:
        read_beats(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read .*beats=file, estimate"):
        read_beats(tmp_path / "estimat")
    with pytest.raises(InputError, match="cannot be read"):
        read_beats(tmp_path)


@given(
    st.binary(max_size=200) | st.text(alphabet='0123456789.,\t\n [{]}:b"eats1', max_size=80).map(str.encode)
)
def test_anything_else_is_refused_or_read(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "anything"
    path.write_bytes(content)
    try:
        found = read_beats(path)
    except InputError:
        return
    assert (np.diff(found.time) > 0).all()
