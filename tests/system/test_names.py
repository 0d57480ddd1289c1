"""Names of speakers in any script, and of files that fit the file system."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.errors import ConfigError
from audiocycle.system.names import (
    LONGEST_DOMAIN,
    LONGEST_FILE,
    as_domain_name,
    check_domain_name,
    expanded,
    file_name,
    shortened,
)

PEOPLE = ["anna", "SF1", "226", "José", "さくら", "नेहा", "Дарья", "علی‌رضا", "ზურა", "Anne-Marie", "two words", "_old", "x²", "1_0", "true", "ශ්‍රී"]


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_people_have_names_in_any_script(name: str, form: str) -> None:
    assert check_domain_name(unicodedata.normalize(form, name)) == unicodedata.normalize("NFC", name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    ["", " ", "-x", " x", "x ", ".x", "..", "a/b", "a\\b", "a->b", "*", "a\x1b[31m", "a\nb", "a\u202eb", "a\u200b", "\u200da", "\u0301a", "a\ud800", "x" * 121, "a:b", "a,b", "a\x00"],
)  # fmt: skip
def test_what_is_no_name_is_refused_in_one_printable_line(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_domain_name(name)
    assert str(caught.value).isprintable()


@given(st.text(max_size=200))
def test_whatever_a_folder_is_called_a_name_comes_of_it(text: str) -> None:
    name = as_domain_name(text, "voice")
    assert check_domain_name(name) == unicodedata.normalize("NFC", name)
    assert len(name.encode()) <= LONGEST_DOMAIN


@given(st.text(alphabet=st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=300), st.sampled_from([".wav", ".anna.wav", ""]))  # fmt: skip
def test_a_file_name_fits_and_is_changed_only_where_it_must_be(stem: str, ending: str) -> None:
    name = file_name(stem, ending)
    whole = stem + ending
    assert len(os.fsencode(name)) <= LONGEST_FILE
    assert name.endswith(ending)
    assert (name == whole) is (len(os.fsencode(whole)) <= LONGEST_FILE)


def test_a_home_that_is_not_known_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/a") == tmp_path / "a"
    assert expanded(Path("a~b")) == Path("a~b")
    with pytest.raises(ConfigError, match=r"^~nobodyx/anna: the home folder that ~ stands for is not known; write the whole path"):
        expanded("~nobodyx/anna")


def test_names_that_were_cut_stay_apart(tmp_path: Path) -> None:
    names = {file_name("録" * 84 + str(number), ".wav") for number in range(50)}
    assert len(names) == 50
    for name in names:
        (tmp_path / name).touch()


def test_a_cut_leaves_no_mark_without_its_letter() -> None:
    decomposed = unicodedata.normalize("NFD", "é" * 10)
    assert shortened(decomposed, 7) == unicodedata.normalize("NFD", "éé")
    assert shortened("abc", 0) == ""
