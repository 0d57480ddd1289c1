"""Nothing is lost: not when a run is killed at any moment, and not whatever people do between runs."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_converter import toy_bundle, use_toys
from toy_library import files, lines, run, statuses, toy_library

from audiocycle.conversion.library import ledger
from audiocycle.conversion.library.ledger import REPORT, Ledger
from audiocycle.conversion.library.plan import UNFINISHED
from audiocycle.conversion.record import Record

NEEDS_FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return toy_library(tmp_path, monkeypatch)


def killed(when: str) -> None:
    """A run of ``in`` to ``out``, with pictures, in a child that is killed when such a moment comes for the second time."""
    seen = 0

    def die(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    def child() -> None:
        move, write = os.replace, Ledger._write

        def half(self: Ledger, output: Path, record: Record) -> Record:
            if seen == 1:
                self._file.write(b'{"file": "' + output.name.encode())
            die()
            return write(self, output, record)

        def before(self: Ledger, output: Path, record: Record) -> Record:
            die()
            return write(self, output, record)

        def moved(source: Path, target: Path) -> None:
            if UNFINISHED in str(target):  # not yet the place
                return move(source, target)
            if when == "before the move":
                die()
            move(source, target)
            if when == "after the move":
                die()

        ledger.os.replace = moved  # type: ignore[attr-defined]
        if when in ("before the line", "in the line"):
            Ledger._write = before if when == "before the line" else half  # type: ignore[method-assign]
        run(plot=True)

    process = get_context("fork").Process(target=child)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


@NEEDS_FORK
@pytest.mark.parametrize("again", [False, True], ids=["first run", "later run"])
@pytest.mark.parametrize("when", ["before the line", "in the line", "before the move", "after the move"])
def test_a_run_killed_at_any_moment_goes_on(folder: Path, when: str, again: bool) -> None:
    if again:
        run(plot=True)
        for path in (folder / "in").rglob("*.txt"):
            path.write_text(f"new {path.name}")
    killed(when)
    done = run(plot=True)
    assert not [record.why_kept for record in done.values() if record.why_kept]
    assert {record.status for record in done.values()} <= {"converted", "kept"}
    for name, path in (("a.txt", "in/a.txt"), ("sub/b.txt", "in/sub/b.txt")):
        assert Path("out", name).read_text() == f"one ben: {Path(path).read_text()}"
        assert Path("out", name).with_suffix(".png").read_text() == f"picture of {Path(path).read_text()}"
    assert sorted(line["file"] for line in lines()) == ["a.txt", "sub/b.txt"]
    assert files() == ["a.png", "a.txt", REPORT, "sub/b.png", "sub/b.txt"]
    assert not list(Path("out").rglob(UNFINISHED))
    assert set(statuses(plot=True).values()) == {"kept"}


@NEEDS_FORK
def test_an_output_stays_ours_though_its_last_line_is_of_a_file_that_never_came(folder: Path) -> None:
    run(plot=True)
    for path in (folder / "in").rglob("*.txt"):
        path.write_text(f"new {path.name}")
    killed("before the move")  # of the first picture, whose output is new already
    Path("in/a.txt").write_bytes(b"\xff")
    assert run(plot=True)["a.txt"].status == "failed"
    Path("in/a.txt").write_text("mended")
    assert run(plot=True)["a.txt"].status == "converted"
    assert Path("out/a.txt").read_text() == "one ben: mended"


@pytest.mark.parametrize("there", [True, False], ids=["to a folder", "to nothing"])
def test_what_is_in_the_making_is_made_nowhere_else(folder: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    """Somebody has put a link in the place of the folder where outputs are made."""
    elsewhere = folder / "elsewhere"
    if there:
        elsewhere.mkdir()
        (elsewhere / "precious").write_text("theirs")
    Path("out").mkdir()
    Path("out", UNFINISHED).symlink_to(elsewhere)
    places: list[Path] = []
    real = ledger.os.replace  # type: ignore[attr-defined]
    monkeypatch.setattr(os, "replace", lambda source, target: places.append(Path(source).resolve()) or real(source, target))
    assert statuses()["a.txt"] == "converted"
    assert places
    assert not [place for place in places if elsewhere in place.parents]
    assert not Path("out", UNFINISHED).is_symlink()
    assert [path.name for path in elsewhere.glob("*")] == ["precious"] * there


ACTIONS = ("input", "edit", "delete", "bad", "model", "loud", "plain", "run", "plot", "picture")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(ACTIONS), max_size=12))
def test_nothing_of_others_is_lost_and_nothing_of_ours_is_out_of_date(actions: list[str]) -> None:
    before, here = os.getcwd(), tempfile.mkdtemp()
    try:
        os.chdir(here)
        with pytest.MonkeyPatch.context() as patch:
            use_toys(patch)
            play(actions)
    finally:
        os.chdir(before)
        shutil.rmtree(here)


def play(actions: list[str]) -> None:
    """Do things to ``in/a.txt`` and what comes of it, and check what is there after each run."""
    source, output, picture = Path("in/a.txt"), Path("out/a.txt"), Path("out/a.png")
    source.parent.mkdir()
    source.write_text("0")
    toy_bundle(Path("model"))
    loud, theirs = False, dict[Path, str]()
    for number, action in enumerate([*actions, "run"]):
        if action == "input":
            source.write_text(f"input {number}")
        elif action == "bad":
            source.write_bytes(b"\xff")
        elif action == "model":
            toy_bundle(Path("model"), f"model{number}")
        elif action in ("edit", "picture"):
            path = output if action == "edit" else picture
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"theirs {number}")
            theirs[path] = f"theirs {number}"
        elif action == "delete":
            output.unlink(missing_ok=True)
            theirs.pop(output, None)
        elif action in ("loud", "plain"):
            loud = action == "loud"
        else:
            made = run(options={"loud": loud}, plot=action == "plot")["a.txt"]
            for path, text in theirs.items():
                assert path.read_text() == text
            if output not in theirs and made.status != "failed" and not made.why_kept:
                said = f"{Path('model/model.safetensors').read_text()} ben: {source.read_text()}"
                assert output.read_text() == (said.upper() if loud else said)
            assert made.status != "converted" or output not in theirs
            assert len(lines()) == 1
