"""Sweeps: one training for each combination, in folders of their own, with one table at the end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unicodedata import normalize

import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st
from tiny_bundle import exit_code

from audiocycle.cli import sweep_job
from audiocycle.cli.settings import LONGEST, compose_run, conf_dir, folder_name
from audiocycle.cli.sweep import JobResult, collect, last_losses, make_plan, table
from audiocycle.cli.sweep_job import alone
from audiocycle.errors import ConfigError
from audiocycle.spec import FloatArray
from audiocycle.training.choice import ENDED_EARLY
from audiocycle.training.trainer import Trainer

NEEDED = ["data.root=recordings", "data.domains=[low,high]"]


@pytest.fixture
def recordings(tmp_path: Path, synthetic_voice: Callable[..., FloatArray]) -> Path:
    """In a folder whose name Hydra's grammar would take for a list."""
    root = tmp_path / "my [old] recordings, 1"
    for name, f0 in (("low", 110.0), ("high", 220.0)):
        (root / name).mkdir(parents=True)
        soundfile.write(root / name / "0.wav", synthetic_voice(2.0, f0), 16000)
    return root


def settings(root: Path, run_dir: Path, *more: str) -> list[str]:
    return [
        "train", "-m", f"data.root={root}", "data.domains=[low,high]", f"run_dir={run_dir}", "model.width=0.05", "trainer.crop=32",
        "data.min_minutes=0.01", "trainer.sample_every=0", "trainer.log_every=1", "trainer.precision=fp32", *more,
    ]  # fmt: skip


def test_jobs_train_one_after_the_other_and_continue(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = tmp_path / "run (1)"
    monkeypatch.chdir(tmp_path)
    words = settings(recordings, run_dir, "trainer.lr=1e-4,2e-4")
    assert exit_code(*words, "max_steps=1") == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in shown[1:]] == [["trainer.lr=0.0001", "finished", "1"], ["trainer.lr=0.0002", "finished", "1"]]
    folders = [run_dir / "sweep" / f"trainer.lr={rate}" for rate in ("0.0001", "0.0002")]
    rates = [json.loads((folder / "log.jsonl").read_text())["rate/generator"] for folder in folders]
    assert rates == [1e-4, 2e-4]
    assert len(list((run_dir / "features").glob("*.npz"))) == 2, "analysed once for both"
    assert {path.name for path in tmp_path.iterdir()} == {recordings.name, run_dir.name}, "nothing lies about"

    assert exit_code(*words, "max_steps=2") == 1, "runs are never overwritten unasked"
    heard = capsys.readouterr()
    assert "error: 2 of 2 jobs are there already, and were left alone; add resume=true" in heard.err
    assert [line.split()[:3] for line in heard.out.splitlines()[1:]] == [[f"trainer.lr={r}", "exists", "1"] for r in ("0.0001", "0.0002")]
    assert exit_code(*words, "max_steps=2", "resume=true") == 0
    kept = json.loads((run_dir / "sweep" / "sweep.json").read_text())
    assert [(job["overrides"], job["steps"], job["folder"]) for job in kept["jobs"]] == [
        ("trainer.lr=0.0001", 2, str(folders[0])),
        ("trainer.lr=0.0002", 2, str(folders[1])),
    ]


def test_speakers_with_names_in_any_script_are_swept(recordings: Path, tmp_path: Path) -> None:
    (recordings / "low").rename(recordings / "1_0")
    (recordings / "high").rename(recordings / normalize("NFD", "José"))  # as macOS spells it
    shutil.copytree(recordings / normalize("NFD", "José"), recordings / "नेहा")
    words = settings(recordings, tmp_path / "run", "data.domains=[José,1_0],[1_0,नेहा]", "max_steps=1")
    assert exit_code(*words) == 0
    jobs = json.loads((tmp_path / "run" / "sweep" / "sweep.json").read_text())["jobs"]
    assert [job["status"] for job in jobs] == ["finished"] * 2
    made = [json.loads((Path(job["folder"]) / "bundle" / "config.json").read_text())["domains"] for job in jobs]
    assert made == [["José", "1_0"], ["1_0", "नेहा"]]


def test_jobs_train_side_by_side_and_one_fails(recordings: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    run_dir = tmp_path / "run"
    words = settings(recordings, run_dir, "trainer.device=cpu,tpu,auto", "max_steps=1", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert exit_code(*words) == 1
    heard = capfd.readouterr()
    assert "error: 1 of 3 jobs failed; trainer.device=tpu: not available here" in heard.err
    assert "checkpoint and bundle written" not in heard.err, "that would be lines of two jobs between each other"
    jobs = {job["overrides"]: job for job in json.loads((run_dir / "sweep" / "sweep.json").read_text())["jobs"]}
    assert [jobs[f"trainer.device={name}"]["status"] for name in ("cpu", "tpu", "auto")] == ["finished", "failed", "finished"]
    log = (run_dir / "sweep" / "trainer.device=cpu" / "job.log").read_text()
    assert "step 1: checkpoint and bundle written" in log
    assert len(list((run_dir / "features").glob("*.npz"))) == 2


def test_ctrl_c_ends_the_sweep_with_a_checkpoint(recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Trainer.train_step

    def interrupted_step(self: Trainer, *batch: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return step(self, *batch)

    monkeypatch.setattr(Trainer, "train_step", interrupted_step)
    assert exit_code(*settings(recordings, tmp_path / "run", "seed=1,2", "max_steps=9")) == 130
    jobs = json.loads((tmp_path / "run" / "sweep" / "sweep.json").read_text())["jobs"]
    assert [(job["status"], job["steps"]) for job in jobs] == [("stopped", 1), ("stopped", 0)]
    assert not (tmp_path / "run" / "sweep" / "seed=2" / "checkpoints").exists()


def test_what_a_job_did_not_foresee_is_told_and_the_others_go_on(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step = Trainer.train_step

    def broken_step(self: Trainer, *batch: Any) -> Any:
        if self.config.seed == 1:
            raise RuntimeError("the sky fell")
        return step(self, *batch)

    monkeypatch.setattr(Trainer, "train_step", broken_step)
    assert exit_code(*settings(recordings, tmp_path / "run", "seed=1,2", "max_steps=1")) == 1
    heard = capsys.readouterr()
    assert "1 of 2 jobs failed; seed=1: unexpected RuntimeError: the sky fell" in heard.err
    assert "in broken_step" in heard.err, "the traceback, where a person looks for it"
    assert [line.split()[1] for line in heard.out.splitlines()[1:]] == ["failed", "finished"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["seed=1"], "no setting has several values"),
        (["seed=1,2", "hydra/launcher=slurm"], "pip install 'audiocycle[sweep]'"),
        (["run_dir='a','b'"], "run_dir: cannot be swept"),
        (["data.domains=[a,b],[b,c]"], "set run_dir=RUN"),
        (["trainer.rate=1,2"], "no such setting"),
        (["experiment=vc2,vc9"], "vc2_quick"),
        (["seed=1,2", "--cfg"], "leave out -m"),
        (["1,2"], "KEY=VALUE"),
        (["trainer.lr=1e-4,2e-4,fast"], "trainer.lr=fast: a number is needed (job trainer.lr=fast; none was started)"),
        (["seed=1,2", "trainer.precision=fp32,fp8"], "choose one of auto, bf16, fp32 (job seed=1,trainer.precision=fp8; none was started)"),
        (["seed=1,2", "data.root=null"], "not set: data.root"),
        (["seed=1,2", "run_dir=/dev/null/run"], "/dev/null/run/sweep: cannot be written (Not a directory); set run_dir to another folder"),
        (["trainer.lr=interval(1e-4,2e-4)"], "INTERVAL_SWEEP"),
    ],
)
def test_what_cannot_be_swept_is_one_line(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code("train", "-m", *NEEDED, *words) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert says in error
    assert "search path" not in error
    assert not list(tmp_path.iterdir()), "nothing was begun"


def test_torchruns_processes_start_no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="without torchrun"):
        make_plan([*NEEDED, "seed=1,2"])


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        (["seed=1,2", "trainer.lr=1e-4,2e-4,3e-4"], 6),
        (["seed=range(0,10,5)"], 2),
        (["model.width=choice(0.25,0.5,1)", "seed=3"], 3),
        (["experiment=glob(genre*)"], len(list((conf_dir() / "experiment").glob("genre*.yaml")))),
    ],
)
def test_no_more_processes_than_jobs_or_cores(words: list[str], jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    joblib = pytest.importorskip("joblib")
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    for cores in (1, 4, 64):
        monkeypatch.setattr(joblib, "cpu_count", lambda cores=cores: cores)
        assert f"hydra.launcher.n_jobs={min(jobs, cores)}" in make_plan([*NEEDED, *words, "hydra/launcher=joblib"]).words
    given_by_hand = make_plan([*NEEDED, *words, "hydra/launcher=joblib", "hydra.launcher.n_jobs=3"]).words
    assert [word for word in given_by_hand if word.startswith("hydra.launcher")] == ["hydra.launcher.n_jobs=3"]


def test_the_sweeps_folder_is_absolute_and_knows_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert make_plan([*NEEDED, "seed=1,2"]).folder == tmp_path / "runs" / "low-high" / "sweep"
    assert make_plan([*NEEDED, "seed=1,2", "run_dir=~/x y"]).folder == tmp_path / "x y" / "sweep"
    assert make_plan([*NEEDED, "seed=1,2", "hydra.sweep.dir=elsewhere"]).folder == tmp_path / "elsewhere"


@given(st.text(), st.text())
@example("", "7")
def test_jobs_folders_are_names_and_differ(one: str, other: str) -> None:
    name = folder_name(one, 7)
    assert Path(name).name == name
    assert len(name.encode()) <= LONGEST + 9
    assert one == other or {one, other} <= {"", ".", ".."} or name != folder_name(other, 7)


def test_jobs_folders_can_be_read() -> None:
    assert folder_name("experiment=vc2,trainer.lr=1e-4", 0) == "experiment=vc2,trainer.lr=1e-4"
    assert folder_name("", 3) == "3"
    assert folder_name("data.root='/a b'", 0).startswith("data.root=__a_b_-")


def test_losses_are_means_over_directions_and_the_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    assert last_losses(log) == (0, {})
    lines = [{"step": 900, "seconds": 1, "cycle/a->b": 99.0, "cycle/b->a": 99.0}]  # of a run that was started again
    lines += [{"step": step, "seconds": 1, "cycle/a->b": float(step), "cycle/b->a": 0.0, "norm/critic": 5.0} for step in range(1, 21)]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert last_losses(log) == (20, {"cycle": 7.75})  # (11 + ... + 20) / 10 / 2
    log.write_text(log.read_text() + '{"step": 21, "sec')  # a job that was killed
    assert last_losses(log) == (20, {"cycle": 7.75})
    measured = [{"step": 0, "seconds": 1, "held_out/score": 0.5}, {"step": 1, "seconds": 1, "held_out/score": 0.6, "cycle/a->b": 3.0}]
    for count, expected in ((1, (0, {})), (2, (1, {"cycle": 3.0}))):
        log.write_text("".join(json.dumps(line) + "\n" for line in measured[:count]))
        assert last_losses(log) == expected


def test_a_job_that_ended_since_nothing_got_better_has_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = compose_run(["data.root=recordings", "data.domains=[low,high]", f"run_dir={tmp_path}", "max_steps=100"])
    monkeypatch.setattr(sweep_job, "train", lambda config: tmp_path)
    for said, status in (({}, "stopped"), ({ENDED_EARLY: "nothing better after step 40"}, "finished")):
        monkeypatch.setattr(sweep_job, "read_config", lambda path, said=said: SimpleNamespace(training={"steps": 60, "minutes of training": 1.0} | said))
        assert sweep_job.run(config, parallel=False) == {"status": status, "steps": 60}


def test_every_kind_of_term_that_jobs_logged_is_a_column(tmp_path: Path) -> None:
    for number, kinds in enumerate((["cycle", "loudness"], ["cycle", "style"])):
        folder = tmp_path / f"seed={number}"
        folder.mkdir()
        left = {"number": number, "overrides": folder.name, "status": "finished", "steps": 1, "error": ""}
        (folder / "job.json").write_text(json.dumps(left))
        line = {"step": 1, "seconds": 1, "rate/generator": 1e-4, "norm/critic": 5.0} | {f"{kind}/a->b": 0.5 for kind in kinds}
        (folder / "log.jsonl").write_text(json.dumps(line) + "\n")
    head, *rows = [line.split() for line in table(collect(tmp_path)).splitlines()]
    assert head == ["job", "status", "steps", "cycle", "loudness", "style", "folder"]
    assert [row[3:6] for row in rows] == [["0.5000", "0.5000", "-"], ["0.5000", "-", "0.5000"]]


def test_a_job_whose_process_died_is_lost(tmp_path: Path) -> None:
    (tmp_path / "seed=1").mkdir()
    outcome = {"number": 0, "overrides": "seed=1", "status": "started", "steps": 0, "error": ""}
    (tmp_path / "seed=1" / "job.json").write_text(json.dumps(outcome))
    (lost,) = collect(tmp_path)
    assert (lost.status, lost.losses) == ("lost", {})
    assert "resume=true" in lost.error


def test_table_shows_a_dash_for_what_a_job_has_not() -> None:
    good = JobResult(0, "seed=1", "finished", 20, {"cycle": 0.25}, "a", "")
    bad = JobResult(1, "seed=22", "failed", 0, {}, "b", "why")
    assert table([good, bad]).splitlines() == [
        "job      status    steps   cycle  folder",
        "seed=1   finished     20  0.2500  a",
        "seed=22  failed        0       -  b",
    ]


def test_one_at_a_time_in_a_features_folder(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    order = []

    def second() -> None:
        with alone(tmp_path):
            order.append("second")

    thread = threading.Thread(target=second)
    with alone(tmp_path):
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
