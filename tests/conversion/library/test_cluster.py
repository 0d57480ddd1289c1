"""A Dask cluster of real processes: workers that are killed, files that kill, and what is said when nobody works."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
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

from audiocycle.cli.convert import tls_files
from audiocycle.conversion.library import cluster
from audiocycle.conversion.library.batch import convert_jobs
from audiocycle.conversion.library.ledger import REPORT
from audiocycle.conversion.library.plan import Job
from audiocycle.conversion.library.worker import Task, recipe_of
from audiocycle.conversion.record import Record
from audiocycle.errors import ConfigError

Capture = pytest.CaptureFixture[Any]
distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.timeout(300)  # what is tested here is that nothing is waited for without end


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
        monkeypatch.setattr(cluster, "ANSWER_SECONDS", 1.0)  # a record may go with its worker
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


def done_at(where: str, there: cluster.Cluster, workers: int = 1) -> str:
    """Wait until a job is reported done and its record not fetched, and kill the worker that has it; its address."""
    while there._done.empty():
        time.sleep(0.01)
    ((future, _),) = there._running.values()
    with distributed.Client(where, set_as_default=False) as client:
        (address,) = client.who_has([future])[future.key]
        os.kill(client.run(os.getpid, workers=[address])[address], signal.SIGKILL)
        while len(client.nthreads()) >= workers:
            time.sleep(0.01)
    return str(address)


def begun(where: str) -> cluster.Cluster:
    task = Task(Path("model"), "ben")
    return cluster.Cluster(where, task, recipe_of(task, task.converter()))


def rest_of(there: cluster.Cluster) -> list[tuple[Job, Record]]:
    back: list[tuple[Job, Record]] = []
    while there.busy:
        back += there.finished(wait=True)
    return back


def test_the_last_worker_dies_between_its_job_and_the_record(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is there to compute it again: that is said, and not waited for without end."""
    with toy_cluster(1, tmp_path_factory.mktemp("dask")) as where, closing(begun(where)) as there:
        there.submit(jobs("a")[0])
        done_at(where, there)
        monkeypatch.setattr(cluster, "ANSWER_SECONDS", 0.5)
        monkeypatch.setattr(cluster, "LOOK_SECONDS", 0.1)
        monkeypatch.setattr(cluster, "PATIENCE", 1.0)
        with pytest.raises(ConfigError, match=r"has had no worker for 1 s; start one, and run the same command again"):
            rest_of(there)


@pytest.mark.parametrize("alone", [False, True])
def test_a_record_that_died_with_its_worker_is_made_by_another(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    """Also where it is a job's last try: that it is tried alone is not forgotten."""
    with toy_cluster(2, tmp_path_factory.mktemp("dask")) as where, closing(begun(where)) as there:
        with distributed.Client(where, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60.0)
        monkeypatch.setattr(cluster, "ANSWER_SECONDS", 0.5)
        monkeypatch.setattr(cluster, "LOOK_SECONDS", 0.1)
        job = jobs("short")[0]
        there._alone = alone
        there.submit(job)
        gone = done_at(where, there, 2)
        assert [(done, record.status) for done, record in rest_of(there)] == [(job, "converted")]
        assert not there._alone
        with distributed.Client(where, set_as_default=False) as client:
            assert gone not in client.nthreads()


def test_a_scheduler_that_hangs_is_not_waited_for(folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    with toy_cluster(1, tmp_path_factory.mktemp("dask")) as where, closing(begun(where)) as there:
        with distributed.Client(where, set_as_default=False) as client:
            scheduler = client.run_on_scheduler(os.getpid)
        os.kill(scheduler, signal.SIGSTOP)
        try:
            monkeypatch.setattr(cluster, "ANSWER_SECONDS", 0.5)
            monkeypatch.setattr(cluster, "LOOK_SECONDS", 0.1)
            there.submit(jobs("a")[0])
            with pytest.raises(ConfigError, match="the scheduler does not answer any more"):
                list(there.finished(wait=True))
            monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1.0)
            with pytest.raises(ConfigError, match="cannot be reached within 1 s"):
                begun(where)
            there.close()
        finally:
            os.kill(scheduler, signal.SIGCONT)


OPENSSL = shutil.which("openssl")


def certificates(folder: Path, name: str) -> dict[str, Path]:
    """An authority, and a certificate for all that it signed."""
    folder.mkdir()
    ca, ca_key, cert, key, request = (folder / f"{part}.pem" for part in ("ca", "ca-key", "cert", "key", "request"))
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for words in (
        ["req", "-x509", *new, "-keyout", ca_key, "-out", ca, "-subj", f"/CN={name}", "-days", "2"],
        ["req", *new, "-keyout", key, "-out", request, "-subj", "/CN=dask"],
        ["x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out", cert, "-days", "2"],
    ):
        subprocess.run([str(OPENSSL), *map(str, words)], check=True, capture_output=True)
    return {"ca": ca, "cert": cert, "key": key}


@pytest.mark.skipif(OPENSSL is None, reason="needs the openssl command to make certificates")
def test_a_cluster_behind_tls(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    own, other = (certificates(folder / name, name) for name in ("ours", "theirs"))
    all_roles = {f"tls_{role}_{part}": str(own[part]) for role in ("client", "scheduler", "worker") for part in ("cert", "key")}
    task = Task(Path("model"), "ben")
    with toy_cluster(1, tmp_path_factory.mktemp("dask"), {"tls_ca_file": str(own["ca"]), **all_roles}) as where:
        tls = cluster.Tls(*(str(own[part]) for part in ("ca", "cert", "key")))
        done = convert_jobs(task, jobs("a", "b"), scheduler=where, folder=Path("out"), tls=tls)
        assert [record.status for record in done] == ["converted", "converted"]
        check(["a", "b"])
        assert "warning" not in capsys.readouterr().err
        monkeypatch.setattr(cluster, "CONNECT_SECONDS", 2.0)
        stranger = cluster.Tls(*(str(other[part]) for part in ("ca", "cert", "key")))
        with pytest.raises(ConfigError, match="are its certificates of the same authority"):
            convert_jobs(task, jobs("a"), scheduler=where, folder=Path("out"), tls=stranger)
        with pytest.raises(ConfigError, match=r"cannot be reached within 2 s|not an address"):
            convert_jobs(task, jobs("a"), scheduler=where.replace("tls", "tcp"), folder=Path("out"))
        with pytest.raises(ConfigError, match=r"has no TLS; write it as tls://host:8786"):
            convert_jobs(task, jobs("a"), scheduler=where.replace("tls", "tcp"), folder=Path("out"), tls=tls)
        with pytest.raises(ConfigError, match="TLS needs certificates; add `tls_ca_file`, `tls_cert` and `tls_key`"):
            convert_jobs(task, jobs("a"), scheduler=where, folder=Path("out"))
        for bad in (cluster.Tls("none.pem", tls.cert, tls.key), cluster.Tls(tls.ca_file, tls.cert, str(other["key"])), cluster.Tls("model/config.json", tls.cert)):
            with pytest.raises(ConfigError, match=r"`tls_ca_file`, `tls_cert`, `tls_key`: cannot be used \(.*\); check ") as refused:
                convert_jobs(task, jobs("a"), scheduler=where, folder=Path("out"), tls=bad)
            assert "unexpected" not in str(refused.value)


def test_files_for_tls_go_together() -> None:
    with pytest.raises(ConfigError, match="add --scheduler tls://host:8786"):
        tls_files(None, None, "c.pem", None)
    with pytest.raises(ConfigError, match="TLS needs both --tls-ca-file and --tls-cert"):
        tls_files("tls://127.0.0.1:1", None, "c.pem", None)
    assert tls_files("tcp://127.0.0.1:1", None, None, None) is None


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("tcp://127.0.0.1:8786", True), ("127.0.0.1:8786", True), ("tcp://localhost:8786", True), ("tcp://[::1]:8786", True),
        ("tls://10.0.0.1:8786", True), ("wss://10.0.0.1:8786", True), ("inproc://1/2/3", True),
        ("tcp://10.0.0.1:8786", False), ("10.0.0.1:8786", False), ("ws://10.0.0.1:8786", False), ("tcp://0.0.0.0:1", False),
    ],
)  # fmt: skip
def test_what_others_can_reach_is_known(address: str, private: bool) -> None:
    assert cluster.is_private(address) == private


def test_a_scheduler_that_others_reach_is_warned_of(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.2)
    where = f"tcp://0.0.0.0:{free_port()}"  # this machine, and not its loopback
    with pytest.raises(ConfigError, match="cannot be reached"):
        begun(where)
    assert capsys.readouterr().err.splitlines() == [f"warning: `scheduler={where}`: {cluster.OPEN}"]


def test_no_scheduler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1.0)
    for where in (f"tcp://127.0.0.1:{free_port()}", "tcp://nobody.invalid:1"):
        with pytest.raises(ConfigError, match=rf"scheduler={where}: cannot be reached within 1 s; is it running \(dask scheduler\)\?"):
            convert_jobs(Task(Path("model"), "ben"), jobs("a"), scheduler=where, folder=Path("out"))
    for where in ("odd://127.0.0.1:1", "nonsense", "tcp://127.0.0.1:port"):
        with pytest.raises(ConfigError, match=rf"scheduler={where}: not an address; write it as tcp://host:8786"):
            convert_jobs(Task(Path("model"), "ben"), jobs("a"), scheduler=where, folder=Path("out"))
    assert not Path("out").exists()


def test_no_dask(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"Dask is not installed; run pip install 'audiocycle\[cluster\]'"):
        convert_jobs(Task(Path("model"), "ben"), jobs("a"), scheduler="tcp://127.0.0.1:1", folder=Path("out"))
