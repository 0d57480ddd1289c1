"""Many files: going on past bad ones, with real conversions."""

from __future__ import annotations

import io
import sys
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import soundfile
from tiny_bundle import tiny_bundle, vowel
from toy_converter import toy_bundle, use_toys

from audiocycle.conversion.library.batch import convert_jobs
from audiocycle.conversion.library.plan import Job
from audiocycle.conversion.library.worker import Task
from audiocycle.errors import AudioCycleError, BundleError, ConfigError, DomainError


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("models") / "tiny")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"target": "zoe"}, DomainError),
        ({"source": "ben"}, DomainError),
        ({"renderer": "nope"}, ConfigError),
        ({"options": {"pitch_shift": 99.0}}, ConfigError),
        ({"preview": True}, ConfigError),
        ({"bundle": Path("none")}, BundleError),
    ],
)
@pytest.mark.parametrize("processes", [1, 2])
def test_an_impossible_task_is_said_once_and_before_any_work(
    bundle: Path, changes: dict[str, Any], kind: type[AudioCycleError], processes: int, tmp_path: Path
) -> None:
    task = Task(**{"bundle": bundle, "target": "ben"} | changes)
    with pytest.raises(kind):
        convert_jobs(task, [Job(Path("a"), Path("b")), Job(Path("c"), Path("d"))], processes, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    """Two good files around a bad and a missing one."""
    names = ("first.wav", "bad.wav", "missing.wav", "last.wav")
    for name in ("first.wav", "last.wav"):
        soundfile.write(tmp_path / name, vowel(0.2), 16000)
    (tmp_path / "bad.wav").write_text("words")
    return [Job(tmp_path / name, tmp_path / "out" / name) for name in names]


def test_a_bad_file_stops_nothing(bundle: Path, jobs: list[Job], tmp_path: Path) -> None:
    records = list(convert_jobs(Task(bundle, "ben"), jobs, folder=tmp_path / "out"))
    assert [record.status for record in records] == ["converted", "failed", "failed", "converted"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["first.wav", "last.wav", "report.jsonl"]
    for record, job in zip(records, jobs, strict=True):
        assert record.input == str(job.input)
        if record.status == "failed":
            assert str(job.input) in record.error
            assert record.output == ""


def test_what_is_there_is_kept(bundle: Path, jobs: list[Job], tmp_path: Path) -> None:
    def statuses(**changes: Any) -> list[str]:
        task = Task(bundle, "ben", **changes)
        return [record.status for record in convert_jobs(task, jobs[:1], folder=tmp_path / "out")]

    assert statuses() == ["converted"]
    before = jobs[0].output.read_bytes()
    assert statuses() == statuses(options={"pitch_shift": 0.0}) == ["kept"]
    jobs[0].output.write_bytes(b"other")
    assert statuses() == ["kept"]
    assert statuses(overwrite=True) == ["converted"]
    assert jobs[0].output.read_bytes() == before


def test_one_file_alone_has_no_report_and_replaces_nothing(bundle: Path, jobs: list[Job], tmp_path: Path) -> None:
    assert [record.status for record in convert_jobs(Task(bundle, "ben"), jobs[:1])] == ["converted"]
    (again,) = convert_jobs(Task(bundle, "ben"), jobs[:1])
    assert "exists already; add `overwrite`" in again.error
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["first.wav"]


def test_a_cluster_is_for_many_files(bundle: Path, jobs: list[Job]) -> None:
    with pytest.raises(ConfigError, match="`scheduler`: a cluster is for many files; add `output=DIR`"):
        convert_jobs(Task(bundle, "ben"), jobs, scheduler="tcp://localhost:1")


def test_no_job_is_no_record(bundle: Path, tmp_path: Path) -> None:
    assert list(convert_jobs(Task(bundle, "ben"), [], 2, folder=tmp_path)) == []


def test_stdin_among_files_is_always_done(bundle: Path, jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows what will come from there before it came."""
    todo = [Job(Path("-"), tmp_path / "out/stdin.wav"), *jobs[:1]]
    for expected in (["converted", "converted"], ["converted", "kept"]):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(jobs[0].input.read_bytes())))
        assert [record.status for record in convert_jobs(Task(bundle, "ben"), todo, folder=tmp_path / "out")] == expected


def test_no_record_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library of any size fits, in the process itself and in the processes that it starts."""
    use_toys(monkeypatch)
    todo = [Job(tmp_path / "in.txt", tmp_path / f"out/{number}.txt") for number in range(100)]
    (tmp_path / "in.txt").write_text("words")
    bundle = toy_bundle(tmp_path / "model")
    for task in (Task(bundle, "ben"), Task(bundle, "ben", overwrite=True), Task(bundle, "ben")):
        seen = [weakref.ref(record) for record in convert_jobs(task, todo, folder=tmp_path / "out")]
        assert len(seen) == len(todo)
        assert sum(reference() is not None for reference in seen) <= 1
