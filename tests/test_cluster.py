"""A Dask cluster of real processes: workers that are killed, files that kill, and what is said when nobody works."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import soundfile
from tiny_bundle import run_cli, tiny_bundle, vowel
from toy_cluster import free_port, toy_cluster
from toy_converter import toy_bundle, use_toys

from audiocycle import cluster
from audiocycle.batch import convert_jobs
from audiocycle.errors import ConfigError
from audiocycle.ledger import REPORT
from audiocycle.plan import Job
from audiocycle.worker import Task, recipe_of

Capture = pytest.CaptureFixture[Any]
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and four worker processes, of which the tests kill three."""
    with toy_cluster(4, tmp_path_factory.mktemp("dask")) as where:
        with distributed.Client(where, timeout=300.0, set_as_default=False) as client:
            client.wait_for_workers(4, timeout=300.0)
        yield where


@pytest.fixture
def nearby() -> Iterator[Any]:
    """A scheduler and a worker in threads of this process: no start to wait for, and nothing to kill."""
    options = {"processes": False, "threads_per_worker": 1, "protocol": "tcp://", "dashboard_address": ":0"}
    with distributed.LocalCluster(n_workers=1, silence_logs=logging.CRITICAL, **options) as local:
        yield local


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    use_toys(monkeypatch)
    toy_bundle(tmp_path / "model")
    (tmp_path / "in").mkdir()
    return tmp_path


def jobs(*names: str) -> list[Job]:
    for name in names:
        Path("in", name).write_text(ascii(name))
    return [Job(Path("in", name), Path("out", name)) for name in names]


def check(names: list[str], bad: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """Each file has one line, and the good ones have one output, with the right text."""
    lines = [json.loads(line) for line in Path("out", REPORT).read_text(encoding="utf-8").splitlines()]
    assert sorted(line["file"] for line in lines) == sorted(names)
    assert {line["file"] for line in lines if line["status"] == "failed"} == bad
    assert sorted(os.listdir("out")) == sorted([REPORT, *set(names) - bad])
    for name in set(names) - bad:
        assert Path("out", name).read_text() == f"one ben: {name!a}"


def worker_ids(address: str) -> list[int]:
    with distributed.Client(address, set_as_default=False) as client:
        return list(client.run(os.getpid).values())


def test_a_killed_worker_costs_nothing(address: str, folder: Path) -> None:
    names = [f"short{number:03}" for number in range(100)]
    going = convert_jobs(Task(Path("model"), "ben"), jobs(*names), scheduler=address, folder=Path("out"))
    seen = Counter(next(going).input for _ in range(10))
    os.kill(worker_ids(address)[0], signal.SIGKILL)
    for record in going:
        assert record.status == "converted"
        seen[record.input] += 1
    assert seen == Counter(f"in/{name}" for name in names)  # as they were named here, each once
    check(names)
    again = convert_jobs(Task(Path("model"), "ben"), jobs(*names), scheduler=address, folder=Path("out"))
    assert {record.status for record in again} == {"kept"}


def test_a_file_that_kills_workers_fails_and_no_other(address: str, folder: Path) -> None:
    with distributed.Client(address, set_as_default=False) as client:  # else a file takes down eight
        client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 0))
    names = ["a", "b", "deadly", "c", "bad", "d", "e", "caf\udce9", "ü ñ 日本"]
    try:
        todo = jobs(*names)
    except OSError:
        names.remove("caf\udce9")  # this file system takes valid text only
        todo = jobs(*names)
    done = {record.input: record for record in convert_jobs(Task(Path("model"), "ben"), todo, scheduler=address, folder=Path("out"))}
    assert done["in/deadly"].error.startswith("in/deadly: every worker that took it died")
    assert done["in/bad"].error == "in/bad: bad"
    assert done["in/a"].details == {"words": 2}
    check(names, {"deadly", "bad"})


def test_the_command_line_takes_a_cluster(nearby: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    tiny_bundle(tmp_path / "models/tiny")
    (tmp_path / "in").mkdir()
    soundfile.write("in/a.wav", vowel(0.2), 16000)
    Path("in/bad.wav").write_text("words")
    arguments = ("convert", "in", "-t", "ben", "-m", "tiny", "-o", "out", "--scheduler", nearby.scheduler_address)
    done = run_cli(capsys, *arguments)
    assert done.code == 1
    assert done.err[0].startswith("out: 1 converted, 1 failed"), done
    assert done.err[1].startswith("error: in/bad.wav: not a readable recording")
    assert soundfile.info("out/a.wav").frames == 3200
    assert sorted(os.listdir("out")) == ["a.wav", REPORT]
    assert run_cli(capsys, *arguments).err[0].startswith("out: 0 converted, 1 kept as they were")


def test_few_jobs_are_at_the_cluster_at_once(nearby: Any, folder: Path) -> None:
    task = Task(Path("model"), "ben")
    there = cluster.Cluster(nearby.scheduler_address, task, recipe_of(task, task.converter()))
    with closing(there):
        submitted = 0
        for job in jobs(*(f"short{number}" for number in range(50))):
            if there.full:
                break
            there.submit(job)
            submitted += 1
        assert submitted == cluster.AHEAD


def test_a_model_that_workers_do_not_see_is_said_at_once(nearby: Any, folder: Path) -> None:
    task = Task(Path("model"), "ben")
    recipe = recipe_of(task, task.converter())
    toy_bundle(folder / "model", "another")
    with pytest.raises(ConfigError, match=r"not the model that this run began with.*; all need the same audiocycle, and the same files"):
        cluster.Cluster(nearby.scheduler_address, task, recipe)


def test_another_version_of_the_workers_is_said_at_once(nearby: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "begin", lambda task, recipe: "99.0")
    with pytest.raises(ConfigError, match=r"its workers have audiocycle 99\.0, and this is .*; install the same"):
        convert_jobs(Task(Path("model"), "ben"), jobs("a"), scheduler=nearby.scheduler_address, folder=Path("out"))
    assert not Path("out").exists()


def test_a_scheduler_that_goes_away_ends_the_run_and_the_next_goes_on(nearby: Any, folder: Path) -> None:
    names = [f"short{number:02}" for number in range(40)]
    going = convert_jobs(Task(Path("model"), "ben"), jobs(*names), scheduler=nearby.scheduler_address, folder=Path("out"))
    next(going)
    nearby.close()
    with pytest.raises(ConfigError, match=r"the scheduler does not answer any more.* it goes on where it stopped"):
        list(going)
    statuses = Counter(record.status for record in convert_jobs(Task(Path("model"), "ben"), jobs(*names), folder=Path("out")))
    assert statuses["kept"] >= 1
    assert statuses.total() == len(names) == statuses["kept"] + statuses["converted"]
    check(names)


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_cluster_without_workers_is_not_waited_for_without_end(
    nearby: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, when: str
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    monkeypatch.setattr(cluster, "LOOK_SECONDS", 0.1)
    names = [f"short{number:02}" for number in range(40)]
    task, todo = Task(Path("model"), "ben"), jobs(*names)
    if when == "during":
        monkeypatch.setattr(cluster, "PATIENCE", 10.0)
        going = convert_jobs(task, todo, scheduler=nearby.scheduler_address, folder=Path("out"))
        next(going)
        monkeypatch.setattr(cluster, "PATIENCE", 0.5)
        nearby.scale(0)
        with pytest.raises(ConfigError, match=r"has had no worker for 0 s; start one, and run the same command again"):
            list(going)
    else:
        nearby.scale(0)
        while nearby.scheduler.workers:
            time.sleep(0.01)
        with pytest.raises(ConfigError, match="has had no worker for 0 s; start one: dask worker tcp"):
            convert_jobs(task, todo, scheduler=nearby.scheduler_address, folder=Path("out"))
        assert f"waiting for a worker (dask worker {nearby.scheduler_address})" in capsys.readouterr().err


def test_no_scheduler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1.0)
    for where in (f"tcp://127.0.0.1:{free_port()}", "tcp://nobody.invalid:1"):
        with pytest.raises(ConfigError, match=rf"--scheduler {where}: cannot be reached within 1 s; is it running \(dask scheduler\)\?"):
            convert_jobs(Task(Path("model"), "ben"), jobs("a"), scheduler=where, folder=Path("out"))
    for where in ("odd://127.0.0.1:1", "nonsense", "tcp://127.0.0.1:port"):
        with pytest.raises(ConfigError, match=rf"--scheduler {where}: not an address; write it as tcp://host:8786"):
            convert_jobs(Task(Path("model"), "ben"), jobs("a"), scheduler=where, folder=Path("out"))
    assert not Path("out").exists()


def test_no_dask(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"Dask is not installed; run pip install 'audiocycle\[cluster\]'"):
        convert_jobs(Task(Path("model"), "ben"), jobs("a"), scheduler="tcp://127.0.0.1:1", folder=Path("out"))
