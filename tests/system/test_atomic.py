"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import importlib
import os
from pathlib import Path

import pytest

from audiocycle.errors import OutputError
from audiocycle.system import atomic
from audiocycle.system.atomic import temporary_name, whole_file, write_text, writing_below


def test_a_file_appears_when_the_block_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    with whole_file(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half"
    assert list(path.parent.iterdir()) == [path]


def test_the_old_file_is_replaced_and_never_written_into(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    before = path.stat().st_ino
    write_text(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_ino != before


def test_the_suffix_is_kept_for_writers_that_look_at_it(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.wav") as temporary:
        temporary.touch()
        assert temporary.suffix == ".wav"


@pytest.mark.skipif(os.name != "posix", reason="needs permissions of POSIX")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600), (0o002, 0o664)])
def test_files_have_the_permissions_that_new_ones_have_now(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        with whole_file(tmp_path / "a.txt") as temporary:
            os.close(os.open(temporary, os.O_CREAT | os.O_WRONLY, 0o600))  # as some writers do
        assert os.umask(mask) == mask, "the mask itself was left alone"
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == mode


def test_the_mask_is_never_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_mask: int) -> int:
        raise AssertionError("another thread's file would get other permissions")

    monkeypatch.setattr(os, "umask", forbidden)
    write_text(tmp_path / "a.txt", "whole")
    importlib.reload(atomic)


def test_a_writer_that_writes_nothing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.txt: cannot be written"), whole_file(tmp_path / "a.txt"):
        pass
    assert list(tmp_path.iterdir()) == []


def half_write(path: Path, error: BaseException) -> None:
    with whole_file(path) as temporary:
        temporary.write_text("ne")
        raise error


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt()], ids=["bug", "interrupt"])
def test_a_failing_writer_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(type(error)):
        half_write(path, error)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), PermissionError(errno.EACCES, "Permission denied")])
def test_what_cannot_be_written_below_a_folder_names_its_setting(tmp_path: Path, error: OSError) -> None:
    with pytest.raises(OutputError, match=rf"{tmp_path}: cannot be written \({error.strerror}\); set data\.cache to another"):
        with writing_below(tmp_path, "data.cache"):
            half_write(tmp_path / "a.txt", error)
    with pytest.raises(OutputError, match=rf"{tmp_path}: cannot be written \({error.strerror}\); set run_dir to another"):
        with writing_below(tmp_path, "run_dir"):
            raise error


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(OutputError, match=r"a\.txt: cannot be written \(No space left on device\)"):
        half_write(path, OSError(errno.ENOSPC, "No space left on device"))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder; name a file"):
        write_text(tmp_path, "x")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / "file" / "a.txt", "x")


def test_text_is_utf8(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "größer → 1")
    assert (tmp_path / "a.txt").read_bytes() == "größer → 1".encode()


@pytest.mark.parametrize("name", ["録" * 80 + ".flac", "x" * 255, "x" * 251 + ".wav", "a." + "y" * 250, ".hidden", "é" * 127, os.fsdecode(b"\xe9" * 240 + b".wav")])
def test_a_temporary_name_is_no_longer_than_the_final_one(tmp_path: Path, name: str) -> None:
    assert len(os.fsencode(temporary_name(tmp_path / name))) <= max(len(os.fsencode(name)), 64)
    write_text(tmp_path / name, "whole")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_temporary_name_shows_whose_it_is(tmp_path: Path) -> None:
    name = temporary_name(tmp_path / "step-00000001.pt")
    assert name.startswith(".step-00000001.")
    assert name.endswith(".part.pt")
