"""What a scan of a folder finds, and what it passes over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audiocycle.system.scan import MOST_KINDS, scan
from audiocycle.voice.sound_file import is_recording

PHONES = ("a.m4a", "a.webm", "a.wma", "a.mp4", "a.3gp", "a.amr", "a.aac", "a.opus", "a.mov", "a.mka", "a.wave", "a.voc", "A.MP3")


def test_what_telephones_give_is_taken(tmp_path: Path) -> None:
    for name in PHONES:
        (tmp_path / name).touch()
    found = scan(tmp_path, is_recording)
    assert [path.name for path in found.files] == sorted(PHONES)
    assert found.passed_over == ""


def test_many_kinds_are_counted_together(tmp_path: Path) -> None:
    for index in range(MOST_KINDS + 5):
        (tmp_path / f"a.x{index:02}").touch()
    (tmp_path / "b.x03").touch()
    told = scan(tmp_path, is_recording).passed_over
    assert told.startswith("2 .x03, 1 .x00, ")
    assert told.endswith(", 5 others")


def test_odd_names_are_told_as_a_terminal_can_show_them(tmp_path: Path) -> None:
    (tmp_path / "a.\x1b[31m").touch()
    (tmp_path / "a.\n").touch()
    assert scan(tmp_path, is_recording).passed_over == "2 odd ending"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    assert scan(tmp_path, is_recording).passed_over == "1 unreadable folder"
    (tmp_path / "closed").chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    assert scan(tmp_path, is_recording).passed_over == "1 special file"
