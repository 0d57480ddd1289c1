"""Several processes: one that dies costs one file, and none outlives its run."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import pytest
from toy_converter import toy_bundle, use_toys

from audiocycle.conversion.library import pool
from audiocycle.conversion.library.batch import convert_jobs
from audiocycle.conversion.library.ledger import REPORT
from audiocycle.conversion.library.plan import Job
from audiocycle.conversion.library.worker import Task

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork: forked workers know the toys without an import")


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    monkeypatch.setattr(pool, "get_context", lambda method: get_context("fork"))
    use_toys(monkeypatch)
    (tmp_path / "in").mkdir()
    return Task(toy_bundle(tmp_path / "model"), "ben")


def jobs(folder: Path, *names: str) -> list[Job]:
    for name in names:
        (folder / "in" / name).write_text(name)
    return [Job(folder / "in" / name, folder / "out" / name) for name in names]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_workers_share_the_cores_whatever_computes() -> None:
    code = """
import sys
from audiocycle.conversion.library import pool
from audiocycle.system import threads
pool._start_worker(2)
assert "torch" not in sys.modules
import torch
print(threads.available(), torch.get_num_threads())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "2"})
    assert done.stdout.split() == ["1", "1"]


def test_only_the_file_that_kills_its_worker_fails(task: Task, tmp_path: Path) -> None:
    todo = jobs(tmp_path, "a", "b", "deadly1", "c", "bad", "d", "deadly2", "e", "f", "g", "h")
    done = list(convert_jobs(task, todo, 2, folder=tmp_path / "out"))
    assert sorted(record.input for record in done) == sorted(str(job.input) for job in todo)
    failed = {Path(record.input).name: record.error for record in done if record.status == "failed"}
    assert sorted(failed) == ["bad", "deadly1", "deadly2"]
    assert failed["deadly1"].startswith(f"{tmp_path}/in/deadly1: its process died")
    assert names(tmp_path / "out") == ["a", "b", "c", "d", "e", "f", "g", "h", REPORT]
    assert len((tmp_path / "out" / REPORT).read_text().splitlines()) == len(todo)


def test_a_crash_is_not_told_as_a_lack_of_memory(task: Task, tmp_path: Path) -> None:
    todo = jobs(tmp_path, "a", "deadly", "deadly-crash")
    errors = {Path(record.input).name: record.error for record in convert_jobs(task, todo, 2, folder=tmp_path / "out")}
    assert "its process died, perhaps out of memory" in errors["deadly"]
    assert "its process crashed (SIGABRT), over this file or the model" in errors["deadly-crash"]
    assert "memory" not in errors["deadly-crash"]


def test_stopping_ends_the_workers_in_the_middle(task: Task, tmp_path: Path) -> None:
    going = convert_jobs(task, jobs(tmp_path, "a", "slow1", "slow2", "slow3", "slow4"), 2, folder=tmp_path / "out")
    with closing(going):  # type: ignore[type-var]  # as Ctrl-C does; would wait a minute for the sleepers
        assert next(going).status == "converted"
        while not list(tmp_path.rglob("*.part")):
            time.sleep(0.01)
    assert names(tmp_path / "out") == ["a", REPORT]


def test_few_jobs_are_out_at_once(task: Task, tmp_path: Path) -> None:
    todo = jobs(tmp_path, *(f"{number:02}" for number in range(30)))
    going = convert_jobs(task, todo, 2, folder=tmp_path / "out")
    with closing(going):  # type: ignore[type-var]
        next(going)
        assert len(list((tmp_path / "out").rglob("[0-9][0-9]"))) <= 4


def test_workers_of_a_killed_run_end_too(task: Task, tmp_path: Path) -> None:
    reader, writer = os.pipe()  # every process of the run holds the writing end
    todo = jobs(tmp_path, "slow1", "slow2")
    child = get_context("fork").Process(target=lambda: list(convert_jobs(task, todo, 2, folder=tmp_path / "out")))
    child.start()
    os.close(writer)
    while len(list(tmp_path.rglob("*.part"))) < 2:
        time.sleep(0.01)
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    ended, _, _ = select.select([reader], [], [], 30.0)  # the sleepers would take a minute
    os.close(reader)
    assert ended
