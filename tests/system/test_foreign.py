"""JSON that strangers wrote: bounded, finite, text; and no pipe or device in a file's place."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.errors import BundleError
from audiocycle.system import foreign
from audiocycle.system.foreign import MAX_DEPTH, read_json, regular_file

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15) | st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(value=st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=4), PLAIN, max_size=4))
def test_settings_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("json") / "config.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    assert read_json(path) == value


@pytest.mark.parametrize(
    "text",
    [
        "", "[1]", "null", '{"a": NaN}', '{"a": -Infinity}', '{"a": 1e999}', '{"a": 1e16}', '{"a": ' + "9" * 400 + "}", '{"a": ' + "9" * 5000 + "}",
        '{"a": "\\ud800"}', '{"\\udfff": 1}', '{"a": ' * 3000 + "1" + "}" * 3000, "[" * 100_000, '{"a": ' + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1) + "}",
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_json_that_is_no_settings_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BundleError) as caught:
        read_json(path)
    assert str(caught.value).startswith(f"{path}: damaged, ")
    assert str(caught.value).endswith("; copy the bundle again")
    assert len(str(caught.value)) < len(str(path)) + 100


def test_settings_without_end_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.touch()
    os.truncate(path, 3 * 2**30)  # without taking that room on the disk
    with pytest.raises(BundleError, match="has 3221 MB, and settings have less than 4"):
        read_json(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    for read in (read_json, regular_file):
        with pytest.raises(BundleError, match="no regular file"):
            read(tmp_path / "config.json")


@pytest.mark.parametrize("target", ["/dev/zero", ".", "nowhere", "config.json"])
def test_links_to_what_is_no_file_are_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "config.json").symlink_to(target)
    with pytest.raises(BundleError, match=r"config\.json: (is no regular file|cannot be read)"):
        read_json(tmp_path / "config.json")


def test_a_link_to_a_file_is_followed_as_the_model_hub_has_them(tmp_path: Path) -> None:
    (tmp_path / "blob").write_text('{"a": 1}')
    (tmp_path / "config.json").symlink_to("blob")
    assert read_json(tmp_path / "config.json") == {"a": 1}


def test_what_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text("{}")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(foreign.Path, "open", refuse)
    with pytest.raises(BundleError, match=r"cannot be read \(Permission denied\)"):
        read_json(tmp_path / "config.json")
