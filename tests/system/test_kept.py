"""The cache folder: what is kept is made once, and again where it is damaged."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from audiocycle.errors import OutputError
from audiocycle.system.kept import cache_folder, kept


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUDIOCYCLE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def never() -> bytes:
    raise AssertionError("it is there already")


def test_what_is_there_is_not_made_again(folder: Path) -> None:
    assert kept("a.graph", lambda: b"one") == b"one"
    assert kept("a.graph", never) == b"one"
    assert kept("b.graph", lambda: b"two") == b"two"
    assert sorted(path.name for path in folder.iterdir()) == ["a.graph", "b.graph"]


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: content + b"x", lambda content: b"", lambda content: content[:40] + b"?" + content[41:]])
def test_what_is_damaged_is_made_again(folder: Path, damage: object) -> None:
    assert callable(damage)
    kept("a.graph", lambda: b"the content of it")
    path = folder / "a.graph"
    path.write_bytes(damage(path.read_bytes()))
    assert kept("a.graph", lambda: b"made again") == b"made again"
    assert kept("a.graph", never) == b"made again"


def test_several_at_once_get_the_same(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: kept("a.graph", lambda: b"same" * 1000), range(32)))
    assert set(found) == {b"same" * 1000}
    assert [path.name for path in folder.iterdir()] == ["a.graph"]


def test_a_failure_leaves_nothing(folder: Path) -> None:
    with pytest.raises(AssertionError):
        kept("a.graph", never)
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_told_with_its_setting(folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(OutputError, match="set the environment variable AUDIOCYCLE_CACHE to another folder"):
        kept("a.graph", lambda: b"one")


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AUDIOCYCLE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    assert cache_folder() == Path.home() / ".cache" / "audiocycle"
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path))
    assert cache_folder() == tmp_path / "audiocycle"
