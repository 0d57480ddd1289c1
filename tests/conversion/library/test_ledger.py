"""The report of an output folder: what is done again, what is kept, and whose a file is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from toy_library import files, lines, run, statuses, toy_library

from audiocycle.conversion.library.batch import convert_jobs
from audiocycle.conversion.library.ledger import REPORT, Ledger, parse
from audiocycle.conversion.library.plan import UNFINISHED, Job, plan
from audiocycle.conversion.library.worker import Recipe, Task, content_hash
from audiocycle.conversion.record import Record
from audiocycle.errors import OutputError
from audiocycle.system import locks


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return toy_library(tmp_path, monkeypatch)


def test_a_line_says_what_was_made_from_what(folder: Path) -> None:
    run()
    assert files() == ["a.txt", REPORT, "sub/b.txt"]
    assert not list(Path("out").rglob(UNFINISHED))
    first, second = lines()
    assert (first["file"], first["input"], first["output"], first["status"]) == ("a.txt", "in/a.txt", "out/a.txt", "converted")
    assert second["file"] == "sub/b.txt"
    assert first["input_hash"] == content_hash(Path("in/a.txt")) != second["input_hash"]
    assert first["files"] == {"a.txt": content_hash(Path("out/a.txt"))}
    assert first["model_hash"] == content_hash(Path("model/config.json"), Path("model/model.safetensors"))
    assert all(len(first[name]) == 16 for name in ("input_hash", "model_hash", "options_hash"))
    assert Path("out/a.txt").read_text() == "one ben: first"


def test_what_was_unusual_stays_known(folder: Path) -> None:
    (folder / "in/odd.txt").write_text("odd")
    for status in ("converted", "kept", "kept"):
        record = run()["odd.txt"]
        assert (record.status, record.note, record.why_kept) == (status, "odd", "")
    (folder / "out/odd.txt").write_text("somebody else's")
    assert run()["odd.txt"].note == ""


def test_nothing_changed_nothing_is_done(folder: Path) -> None:
    run()
    written = {name: (folder / "out" / name).stat().st_mtime_ns for name in ("a.txt", "sub/b.txt")}
    second = run()
    assert {record.status for record in second.values()} == {"kept"}
    assert {record.why_kept for record in second.values()} == {""}
    assert second["a.txt"].audio_seconds == 1.0  # what is known of it stays known
    assert second["a.txt"].details == {"words": 2}
    assert statuses() == {"a.txt": "kept", "b.txt": "kept"}
    assert len(lines()) == 2
    assert written == {name: (folder / "out" / name).stat().st_mtime_ns for name in written}


def test_a_changed_input_is_done_again_and_no_other(folder: Path) -> None:
    run()
    Path("in/a.txt").write_text("other")
    assert statuses() == {"a.txt": "converted", "b.txt": "kept"}
    assert Path("out/a.txt").read_text() == "one ben: other"
    assert len(lines()) == 2
    assert statuses() == {"a.txt": "kept", "b.txt": "kept"}


@pytest.mark.parametrize("changes", [{"target": "cleo"}, {"source": "dora"}, {"options": {"loud": True}}, {"renderer": "other"}])
def test_other_options_do_everything_again(folder: Path, changes: dict[str, Any]) -> None:
    run()
    assert statuses(**changes) == {"a.txt": "converted", "b.txt": "converted"}
    assert statuses(**changes) == {"a.txt": "kept", "b.txt": "kept"}


def test_saying_a_default_changes_nothing(folder: Path) -> None:
    run()
    assert set(statuses(source="anna", options={"loud": False}, renderer="plain").values()) == {"kept"}


@pytest.mark.parametrize("part", ["config.json", "model.safetensors"])
def test_another_model_does_everything_again(folder: Path, part: str) -> None:
    run()
    Path("model", part).write_text("two")
    assert set(statuses().values()) == {"converted"}


def test_a_model_that_was_only_moved_is_the_same(folder: Path) -> None:
    run()
    Path("model").rename("elsewhere")
    assert set(statuses(bundle=Path("elsewhere")).values()) == {"kept"}


def test_weights_of_a_vocoder_count(folder: Path) -> None:
    Path("voc").mkdir()
    Path("voc/weights").write_text("1")
    run(vocoder="voc")
    assert set(statuses(vocoder="voc").values()) == {"kept"}
    Path("voc/weights").write_text("2")
    assert set(statuses(vocoder="voc").values()) == {"converted"}
    assert set(statuses(vocoder="owner/name").values()) == {"converted"}


def test_a_lost_output_is_made_again(folder: Path) -> None:
    run()
    Path("out/a.txt").unlink()
    assert statuses() == {"a.txt": "converted", "b.txt": "kept"}


def test_an_output_that_somebody_changed_is_kept(folder: Path) -> None:
    run()
    Path("out/a.txt").write_text("mine")
    Path("in/a.txt").write_text("newer")
    for _ in range(2):
        record = run()["a.txt"]
        assert record.status == "kept"
        assert record.why_kept == "out/a.txt: was changed after it was made; `overwrite` redoes it"
        assert Path("out/a.txt").read_text() == "mine"
    assert [line["why_kept"] for line in lines() if line["file"] == "a.txt"] == [record.why_kept]
    Path("out/a.txt").write_text("one ben: first")  # as it was: ours again, and out of date
    assert run()["a.txt"].status == "converted"


def test_an_output_that_was_there_before_is_kept(folder: Path) -> None:
    Path("out").mkdir()
    Path("out/a.txt").write_text("mine")
    for _ in range(2):
        record = run()["a.txt"]
        assert (record.status, Path("out/a.txt").read_text()) == ("kept", "mine")
        assert record.why_kept == "out/a.txt: was there before, and this report does not say from what it is; `overwrite` redoes it"


def test_overwrite_does_everything_again(folder: Path) -> None:
    Path("out").mkdir()
    Path("out/a.txt").write_text("mine")
    assert statuses(overwrite=True) == {"a.txt": "converted", "b.txt": "converted"}
    assert statuses(overwrite=True) == {"a.txt": "converted", "b.txt": "converted"}
    assert statuses() == {"a.txt": "kept", "b.txt": "kept"}
    assert Path("out/a.txt").read_text() == "one ben: first"


def test_what_failed_is_tried_again(folder: Path) -> None:
    Path("in/bad.txt").write_text("third")
    assert statuses() == {"a.txt": "converted", "b.txt": "converted", "bad.txt": "failed"}
    assert statuses() == {"a.txt": "kept", "b.txt": "kept", "bad.txt": "failed"}
    assert [line["error"] for line in lines() if line["file"] == "bad.txt"] == ["in/bad.txt: bad"]


def test_an_output_stays_ours_when_its_input_goes_bad_for_a_while(folder: Path) -> None:
    run()
    Path("in/a.txt").write_bytes(b"\xff")  # no text: the converter stumbles
    assert run()["a.txt"].status == "failed"
    assert run()["a.txt"].status == "failed"
    Path("in/a.txt").write_text("mended")
    assert run()["a.txt"].status == "converted"
    assert Path("out/a.txt").read_text() == "one ben: mended"


def test_a_picture_asked_for_later_is_made(folder: Path) -> None:
    run()
    assert set(statuses(plot=True).values()) == {"converted"}
    assert set(statuses(plot=True).values()) == {"kept"}
    assert set(statuses().values()) == {"kept"}  # nobody asks for the picture; it stays
    assert files() == ["a.png", "a.txt", REPORT, "sub/b.png", "sub/b.txt"]
    Path("in/a.txt").write_text("other")
    assert statuses(plot=True) == {"a.txt": "converted", "b.txt": "kept"}
    assert Path("out/a.png").read_text() == "picture of other"


def test_somebody_elses_picture_is_not_replaced(folder: Path) -> None:
    Path("out").mkdir()
    Path("out/a.png").write_text("mine")
    record = run(plot=True)["a.txt"]
    assert record.status == "failed"
    assert record.error == "out/a.png: exists already; add `overwrite` to replace it, or leave `plot`, `preview` or `score` out"
    assert run()["a.txt"].status == "converted"
    assert run(plot=True)["a.txt"].why_kept.startswith("out/a.png: was there before")
    assert Path("out/a.png").read_text() == "mine"
    run(plot=True, overwrite=True)
    assert Path("out/a.png").read_text() == "picture of first"


def test_the_folder_may_be_moved_and_named_in_another_way(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    (folder / "place").mkdir()
    Path("out").rename("place/out")
    monkeypatch.chdir(folder / "place")
    task, out = Task(folder / "model", "ben"), folder / "place/out"
    again = convert_jobs(task, plan([str(folder / "in")], out, ".txt", lambda path: path.suffix == ".txt"), folder=out)
    assert [record.status for record in again] == ["kept", "kept"]


def test_lines_of_other_inputs_stay(folder: Path) -> None:
    run()
    Path("in/a.txt").rename("in/c.txt")
    run()
    assert sorted(line["file"] for line in lines()) == ["a.txt", "c.txt", "sub/b.txt"]
    Path("in/c.txt").rename("in/a.txt")
    assert set(statuses().values()) == {"kept"}


def test_an_output_that_is_its_input_is_refused(folder: Path) -> None:
    Path("out").mkdir()
    os.link("in/a.txt", "out/a.txt")
    for overwrite in (False, True):
        assert run(overwrite=overwrite)["a.txt"].error == "out/a.txt: is the input itself; name another folder with `output`"
    assert Path("in/a.txt").read_text() == "first"


def test_a_folder_in_the_way_is_named(folder: Path) -> None:
    Path("out/a.txt").mkdir(parents=True)
    Path("out/sub").write_text("a file")
    record = run()
    assert record["a.txt"].error == "out/a.txt: Is a directory"
    assert record["b.txt"].error.startswith("out/sub")
    assert run(overwrite=True)["a.txt"].error.startswith("out/")
    assert files() == [REPORT, "sub"]
    Path("out/a.txt").rmdir()
    Path("out/a.png").mkdir()
    assert run(plot=True, overwrite=True)["a.txt"].error.startswith("out/a.png: cannot be written (Is a directory)")
    Path("out/a.png").rmdir()  # the output of that run is in its place, and ours
    assert run(plot=True)["a.txt"].status == "converted"


def test_a_name_that_the_system_refuses_is_one_failed_file(folder: Path) -> None:
    job, out = Job(Path("in/a.txt"), Path("out", "x" * 300)), Path("out")
    (record,) = convert_jobs(Task(Path("model"), "ben"), [job], folder=out)
    assert record.error == f"{job.output}: File name too long"


def test_half_a_line_and_foreign_lines_do_no_harm(folder: Path) -> None:
    run()
    path = Path("out", REPORT)
    whole = path.read_bytes()
    of_another_version = b'{"input": "x", "output": "", "status": "kept"}'
    for end in (b'{"file": "a.txt", "inp', b"\n\n[1]\n", b"\xff\xfe\n", b'{"file": 3}\n', of_another_version):
        path.write_bytes(whole + end)
        assert set(statuses().values()) == {"kept"}
        assert len(lines()) == 2
    path.write_bytes(whole[:-1])  # all there but the end of the line
    assert set(statuses().values()) == {"kept"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"files": []}, {"seconds": "1"}, {"input_hash": None}, {"details": 1}, {"file": None}, {"status": 2},
        {"details": {"a": [{"b": {"c": [{}]}}]}},
    ],
)
def test_a_line_that_cannot_be_ours_is_none(wrong: dict[str, Any]) -> None:
    line = {"file": "a"} | Record("a", "b", "kept").to_json()
    assert parse(json.dumps(line).encode()) == ("a", Record("a", "b", "kept"))
    assert parse(json.dumps(line | wrong).encode()) is None


def test_names_that_are_no_text(tmp_path: Path) -> None:
    record = Record("caf\udce9.wav", "ü.wav", "failed", error="no")
    job = Job(tmp_path / "caf\udce9.wav", tmp_path / "caf\udce9.wav")
    for _ in range(2):
        with Ledger(tmp_path, Recipe("", ""), lambda path: [path]) as report:
            assert report.look_at(job) is None
            report.commit(job, record)
    text = (tmp_path / REPORT).read_text(encoding="utf-8").splitlines()
    assert len(text) == 1
    assert json.loads(text[0])["file"] == "caf\udce9.wav"
    assert "ü" in text[0]


def test_each_line_is_there_at_once(folder: Path) -> None:
    jobs = plan(["in"], Path("out"), ".txt", lambda path: path.suffix == ".txt")
    with closing(convert_jobs(Task(Path("model"), "ben"), jobs, folder=Path("out"))) as going:  # type: ignore[type-var]
        next(going)
        assert [line["file"] for line in lines()] == ["a.txt"]


def test_a_report_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"report\.jsonl: cannot be written"):
        Ledger(tmp_path / "file/out", Recipe("", ""), lambda path: [path])


def test_a_full_disk_is_named(folder: Path, little_space: Callable[[int], Any]) -> None:
    with little_space(100), pytest.raises(OutputError, match=r"report\.jsonl: cannot be written"):
        run()
    assert set(statuses().values()) == {"converted"}
    assert len(lines()) == 2


@pytest.mark.skipif(not locks.AVAILABLE, reason="no file locks on this system")
def test_two_runs_at_once_are_refused(folder: Path) -> None:
    with Ledger(Path("out"), Recipe("", ""), lambda path: [path]), pytest.raises(OutputError, match="another run writes into"):
        run()
    run()


DEEP = b"[" * 100_000
NESTED = b'{"file": "b.txt", "input": "x", "output": "y", "status": "kept", "details": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}"
NUMBER = b'{"file": "b.txt", "seconds": ' + b"9" * 5000 + b"}"
LONG = b'{"file": "' + b"x" * 3_000_000 + b'"}'


@pytest.mark.parametrize("line", [DEEP, NESTED, NUMBER, LONG], ids=["deep", "nested", "a number of 5,000 digits", "long"])
@pytest.mark.parametrize("end", [b"\n", b""], ids=["whole", "cut off"])
def test_what_no_run_has_written_is_cleared_away(folder: Path, line: bytes, end: bytes) -> None:
    run()
    path = Path("out", REPORT)
    path.write_bytes(line + b"\n" + path.read_bytes() + line + end)
    assert statuses() == {"a.txt": "kept", "b.txt": "kept"}
    assert len(lines()) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_in_the_reports_place_is_not_waited_for(folder: Path) -> None:
    Path("out").mkdir()
    os.mkfifo(Path("out", REPORT))
    said = r"report\.jsonl: is no file, but a pipe or a device; move it away"
    with pytest.raises(OutputError, match=said):  # which could not even be opened
        run()
    reader = os.open(Path("out", REPORT), os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(OutputError, match=said):
            run()
    finally:
        os.close(reader)


@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing"])
def test_nothing_is_written_through_a_link(folder: Path, there: bool) -> None:
    Path("out").mkdir()
    if there:
        Path("precious").write_text("of another folder")
    Path("out", REPORT).symlink_to(Path("precious").absolute())
    with pytest.raises(OutputError, match=r"report\.jsonl: is a link to another place"):
        run()
    assert Path("precious").exists() == there
    assert not there or Path("precious").read_text() == "of another folder"


def test_a_report_of_gigabytes_is_not_read(folder: Path) -> None:
    Path("out").mkdir()
    Path("out", REPORT).touch()
    os.truncate(Path("out", REPORT), 3 << 30)  # takes no room on the disk
    with pytest.raises(OutputError, match=r"report\.jsonl: is larger than any report of ours \(3072 MB\); move it away"):
        run()
