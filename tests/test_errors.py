"""How what others wrote is shown: nothing in it reaches a terminal as more than letters."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.errors import JOINERS, LONGEST_LINE, printable


@given(text=st.text(st.characters(), max_size=50))
def test_only_letters_reach_the_terminal(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert all(c.isprintable() or c in JOINERS or unicodedata.category(c) == "Zs" for c in shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\x1b]0;title\x07", "a\\x1b]0;title\\x07"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\u202eabc", "\\u202eabc"),
        ("a\x9bb", "a\\x9bb"),
        ("a\udcffb", "a\\udcffb"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_what_would_do_something_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["José", "さくら", "नेहा", "علی‌رضا", "ශ්‍රී", "10.30\u202fAM", "全角\u3000空白", "😀", "C:\\Users"])
def test_letters_of_any_script_stay(text: str) -> None:
    assert printable(text) == text


def test_lines_stay_where_they_are_meant() -> None:
    assert printable("one\ntwo\x1b", lines=True) == "one\ntwo\\x1b"


def test_a_name_without_end_is_cut() -> None:
    assert len(printable("x" * 10**6)) == LONGEST_LINE
