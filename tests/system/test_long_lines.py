"""Lines in bounded memory: all short ones, at their places, and none that is too long."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.system import long_lines
from audiocycle.system.long_lines import short_lines


@given(st.lists(st.sampled_from([b"", b"a", b"abc", b"abcd", b"abcde", b"12345678", b"123456789", b"x" * 40])), st.booleans())
def test_lines_come_at_their_places_unless_they_are_too_long(lines: list[bytes], cut: bool) -> None:
    content = b"".join(line + b"\n" for line in lines)[: -1 if cut else None]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_lines, "LONGEST", 5)
        found = list(short_lines(io.BytesIO(content)))
    wanted, place = [], 0
    for line in content.splitlines(keepends=True):
        if len(line) < 5 or (len(line) == 5 and line.endswith(b"\n")):
            wanted.append((place, line))
        place += len(line)
    assert found == wanted


def test_a_long_line_is_never_in_memory() -> None:
    class Asked(io.BytesIO):
        most = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            self.most = max(self.most, len(line := super().readline(size)))
            return line

    file = Asked(b"x" * 10_000_000 + b"\nend\n")
    assert list(short_lines(file)) == [(10_000_001, b"end\n")]
    assert file.most <= long_lines.LONGEST
