"""Many files: which output is whose, going on past bad ones, workers that die."""

from __future__ import annotations

import json
import os
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import soundfile
from tiny_bundle import tiny_bundle, vowel

from audiocycle import batch
from audiocycle.batch import Job, Task, convert_jobs, convert_one, find_inputs, plan, write_report
from audiocycle.convert import Record
from audiocycle.errors import AudioCycleError, BundleError, ConfigError, DomainError, InputError, OutputError
from audiocycle.voice.sound_file import is_recording


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of files that nobody opens."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.wav", "b.flac", "sub/c.mp3", "sub/deep/a.WAV", "notes.txt", ".hidden.wav"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def outputs(*inputs: str, folder: str = "out") -> dict[str, str]:
    return {str(job.input): job.output.relative_to(folder).as_posix() for job in plan(inputs, Path(folder), ".wav", is_recording)}


def test_a_folder_keeps_its_tree(tree: Path) -> None:
    assert outputs("in") == {
        "in/a.wav": "a.wav",
        "in/b.flac": "b.wav",
        "in/sub/c.mp3": "sub/c.wav",
        "in/sub/deep/a.WAV": "sub/deep/a.wav",
    }


def test_globs_and_files_go_flat(tree: Path) -> None:
    assert outputs("in/*.wav", "in/sub/c.mp3", "missing.wav") == {
        "in/a.wav": "a.wav",
        "in/sub/c.mp3": "c.wav",
        "missing.wav": "missing.wav",
    }
    assert outputs("in/**/*.mp3") == {"in/sub/c.mp3": "c.wav"}


def test_the_same_file_twice_is_one_job(tree: Path) -> None:
    assert outputs("in/a.wav", "./in/a.wav", "in/*.wav") == {"in/a.wav": "a.wav"}


def test_equal_stems_keep_their_old_ending(tree: Path) -> None:
    (tree / "in/a.flac").touch()
    made = outputs("in")
    assert made["in/a.wav"] == "a_wav.wav"
    assert made["in/a.flac"] == "a_flac.wav"


def test_equal_names_from_different_folders_are_told_apart(tree: Path) -> None:
    made = outputs("in/a.wav", "in/sub/deep/a.WAV", "in/b.flac")
    assert sorted(made.values()) == ["a_WAV.wav", "a_wav.wav", "b.wav"]
    (tree / "other").mkdir()
    (tree / "other/a.wav").touch()
    assert sorted(outputs("in/a.wav", "other/a.wav").values()) == ["a_wav.wav", "a_wav_2.wav"]


def test_a_name_that_looks_like_a_pattern_is_a_name_first(tree: Path) -> None:
    (tree / "in/x[1].wav").touch()
    assert outputs("in/x[1].wav") == {"in/x[1].wav": "x[1].wav"}


@pytest.mark.parametrize("name", ["-dash.wav", "ü ñ 日本.wav", "two  spaces.wav", "dots.in.name.wav"])
def test_odd_names_stay(tree: Path, name: str) -> None:
    (tree / "in" / name).touch()
    assert outputs(f"in/{name}") == {f"in/{name}": name}


def test_stdin_among_files_has_a_name(tree: Path) -> None:
    assert outputs("-", "in/a.wav") == {"-": "stdin.wav", "in/a.wav": "a.wav"}


@pytest.mark.parametrize(
    ("name", "said"),
    [("empty", "no usable file in this folder"), ("*.mp3", "matches no file"), ("em*", "matches no file"), ("", "name of an input is empty")],
)
def test_inputs_that_are_nothing(tree: Path, name: str, said: str) -> None:
    (tree / "empty").mkdir()
    with pytest.raises(InputError, match=said):
        find_inputs([name], is_recording)


def test_outputs_of_an_earlier_run_are_no_inputs(tree: Path) -> None:
    (tree / "in/converted").mkdir()
    (tree / "in/converted/old.wav").touch()
    assert "in/converted/old.wav" not in outputs("in", folder="in/converted")
    assert "in/converted/old.wav" in outputs("in", folder="out")
    (tree / "in/only").mkdir()
    with pytest.raises(InputError, match="no usable file"):
        plan(["in/only"], Path("in/only/converted"), ".wav", is_recording)


def test_an_output_never_replaces_an_input(tree: Path) -> None:
    for inputs, folder in ((["in"], "in"), (["in/a.wav"], "in/sub/.."), (["in/b.flac", "in/a.wav"], "in")):
        with pytest.raises(OutputError, match=r"a\.wav: is an input itself; name another folder"):
            plan(inputs, Path(folder), ".wav", is_recording)
    assert [job.output for job in plan(["in/sub/c.mp3"], Path("in/sub"), ".wav", is_recording)] == [Path("in/sub/c.wav")]


def test_the_output_folder_is_a_file(tree: Path) -> None:
    with pytest.raises(OutputError, match="is a file; several inputs need a folder"):
        plan(["in"], Path("in/notes.txt"), ".wav", is_recording)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"target": "zoe"}, DomainError),
        ({"source": "ben"}, DomainError),
        ({"renderer": "nope"}, ConfigError),
        ({"pitch_shift": 99.0}, ConfigError),
        ({"bundle": Path("none")}, BundleError),
    ],
)
@pytest.mark.parametrize("processes", [1, 2])
def test_an_impossible_task_is_said_once_and_before_any_work(
    bundle: Path, changes: dict[str, Any], kind: type[AudioCycleError], processes: int
) -> None:
    task = Task(**{"bundle": bundle, "target": "ben"} | changes)
    with pytest.raises(kind):
        convert_jobs(task, [Job(Path("a"), Path("b")), Job(Path("c"), Path("d"))], processes)


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    """Two good files around a bad and a missing one."""
    names = ("first.wav", "bad.wav", "missing.wav", "last.wav")
    for name in ("first.wav", "last.wav"):
        soundfile.write(tmp_path / name, vowel(0.2), 16000)
    (tmp_path / "bad.wav").write_text("words")
    return [Job(tmp_path / name, tmp_path / "out" / name) for name in names]


def test_a_bad_file_stops_nothing(bundle: Path, jobs: list[Job], tmp_path: Path) -> None:
    records = list(convert_jobs(Task(bundle, "ben"), jobs))
    assert [record.status for record in records] == ["converted", "failed", "failed", "converted"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["first.wav", "last.wav"]
    for record, job in zip(records, jobs, strict=True):
        assert record.input == str(job.input)
        if record.status == "failed":
            assert str(job.input) in record.error
            assert record.output == ""


def test_what_is_there_is_kept(bundle: Path, jobs: list[Job]) -> None:
    list(convert_jobs(Task(bundle, "ben"), jobs[:1]))
    before = jobs[0].output.read_bytes()
    assert [record.status for record in convert_jobs(Task(bundle, "ben"), jobs[:1])] == ["kept"]
    jobs[0].output.write_bytes(b"other")
    assert [record.status for record in convert_jobs(Task(bundle, "ben", overwrite=True), jobs[:1])] == ["converted"]
    assert jobs[0].output.read_bytes() == before


def test_no_job_is_no_record(bundle: Path) -> None:
    assert list(convert_jobs(Task(bundle, "ben"), [], 2)) == []


class Broken:
    """A converter with a bug."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def convert_file(self, *args: Any, **options: Any) -> Record:
        raise self.error


def test_a_bug_of_ours_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    job, converter = Job(Path("in.wav"), Path("none/out.wav")), Broken(ValueError("two\nlines"))
    record = convert_one(converter, Task(Path(), "ben"), job)  # type: ignore[arg-type]
    assert record.error == "in.wav: unexpected ValueError: two lines; --debug shows where"
    assert capsys.readouterr().err == ""
    convert_one(converter, Task(Path(), "ben", debug=True), job)  # type: ignore[arg-type]
    assert "Traceback" in capsys.readouterr().err


def test_what_the_system_refuses_is_named() -> None:
    converter = Broken(PermissionError(13, "Permission denied", "locked/out.wav"))
    record = convert_one(converter, Task(Path(), "ben"), Job(Path("in.wav"), Path("locked/out.wav")))  # type: ignore[arg-type]
    assert record.error == "locked/out.wav: Permission denied"
    too_long = convert_one(converter, Task(Path(), "ben"), Job(Path("in.wav"), Path("x" * 300)))  # type: ignore[arg-type]
    assert too_long.error == f"{'x' * 300}: File name too long"


def test_a_closed_pipe_is_no_bad_file() -> None:
    with pytest.raises(BrokenPipeError):
        convert_one(Broken(BrokenPipeError()), Task(Path(), "ben"), Job(Path("-"), Path("-")))  # type: ignore[arg-type]


class Deadly:
    """Converts by touching the output; dies over files whose names say so."""

    def translation(self, *args: Any) -> None:
        pass

    def convert_file(self, path: Path, output: Path, *args: Any, **options: Any) -> Record:
        if path.name.startswith("deadly"):
            output.with_name(f".{output.stem}.0123abcd.part{output.suffix}").touch()
            os._exit(9)
        if path.name.startswith("slow"):
            output.with_name(f".{output.stem}.0123abcd.part{output.suffix}").touch()
            time.sleep(60.0)
        output.touch()
        return Record(str(path), str(output), "converted")


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> Task:
    """A task whose workers are forked, so that they know the class above without an import."""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    monkeypatch.setattr(batch, "get_context", lambda method: get_context("fork"))
    monkeypatch.setattr(Task, "converter", lambda task: Deadly())
    return Task(Path(), "ben")


def test_only_the_file_that_kills_its_worker_fails(deadly: Task, tmp_path: Path) -> None:
    names = ["a", "b", "deadly1", "c", "d", "deadly2", "e", "f", "g", "h"]
    records = {Path(r.input).name: r for r in convert_jobs(deadly, [Job(Path(n), tmp_path / n) for n in names], 2)}
    assert sorted(records) == sorted(names)
    bad = {name for name, record in records.items() if record.status == "failed"}
    assert bad == {"deadly1", "deadly2"}
    assert records["deadly1"].error.startswith("deadly1: its process died")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(set(names) - bad)


def test_stopping_ends_the_workers_in_the_middle(deadly: Task, tmp_path: Path) -> None:
    jobs = [Job(Path(n), tmp_path / n) for n in ("a", "slow1", "slow2", "slow3", "slow4")]
    records = convert_jobs(deadly, jobs, 2)
    assert next(records).status == "converted"
    while not (tmp_path / ".slow1.0123abcd.part").exists():
        time.sleep(0.01)
    records.close()  # type: ignore[attr-defined]  # as Ctrl-C does; would wait a minute for the sleepers
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_the_report_has_one_record_an_input(tmp_path: Path) -> None:
    records = [Record("caf\udce9.wav", "ü.wav", "converted", 1.0, 0.5), Record("b.wav", "", "failed", error="b.wav: no")]
    assert list(write_report(tmp_path / "new/out", iter(records))) == records
    lines = (tmp_path / "new/out/report.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["input"] for line in lines] == ["caf\udce9.wav", "b.wav"]
    assert json.loads(lines[0])["output"] == "ü.wav"
    assert json.loads(lines[0])["real_time_factor"] == 0.5
    assert json.loads(lines[1])["error"] == "b.wav: no"


def test_the_report_is_there_as_far_as_it_goes(tmp_path: Path) -> None:
    records = write_report(tmp_path, iter([Record("a", "b", "kept"), Record("c", "d", "kept")]))
    next(records)
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) == 1


def test_a_report_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"report\.jsonl: cannot be written"):
        list(write_report(tmp_path / "file" / "out", iter([])))
