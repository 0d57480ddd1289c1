"""A run's folder: one training at a time, the same recordings at each start, and damage that is told."""

from __future__ import annotations

import json
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import soundfile
from several_processes import CONTEXT, PATIENCE
from small_training import settings, vowel
from tiny_bundle import exit_code

from audiocycle.errors import OutputError
from audiocycle.system import locks
from audiocycle.training.checkpoint import checkpoints
from audiocycle.training.monitor import Monitor
from audiocycle.training.trainer import Report

NEEDS_LOCKS = pytest.mark.skipif(not locks.AVAILABLE, reason="no file locks on this system")
QUICK = ["trainer.sample_every=0", "model.width=0.03"]


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.strip().splitlines()[-1]


def at_work(run_dir: Path, ready: Connection) -> None:
    """Have a run's folder until killed."""
    with Monitor(run_dir):
        ready.send("ready")
        time.sleep(PATIENCE)


@NEEDS_LOCKS
@pytest.mark.parametrize("word", ["resume=true", "overwrite=true", "max_minutes=1"])
def test_a_second_training_in_a_folder_is_refused_until_the_first_is_gone(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    run_dir = tmp_path / "run"
    receiver, sender = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=at_work, args=(run_dir, sender), daemon=True)
    process.start()
    assert receiver.poll(PATIENCE)
    words = settings(recordings, run_dir, "max_steps=1", word, *QUICK)
    half = run_dir / "checkpoints" / ".step-00000001.0a1b2c3d.part.pt"
    half.parent.mkdir()
    half.write_bytes(b"of the training that is at work")
    assert exit_code(*words) == 1
    assert last_line(capsys) == f"error: {run_dir}: another training is at work in this folder; wait for it, or set another run_dir"
    assert half.exists()
    process.kill()
    process.join(PATIENCE)
    assert exit_code(*words) == 0, "one that was killed keeps nobody out"


@NEEDS_LOCKS
def test_workers_that_torchrun_starts_again_wait_for_those_before_them(tmp_path: Path) -> None:
    first = Monitor(tmp_path)
    first.__enter__()
    with pytest.raises(OutputError, match="another training is at work"), Monitor(tmp_path, patience=0.3):
        pass
    threading.Timer(0.3, first.__exit__, (None, None, None)).start()
    with Monitor(tmp_path, patience=PATIENCE):
        pass


def test_a_log_that_is_a_link_is_not_written_through(recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "precious").write_text("of somebody else")
    (tmp_path / "run" / "log.jsonl").symlink_to(tmp_path / "precious")
    assert exit_code(*settings(recordings, tmp_path / "run", "max_steps=1", *QUICK)) == 1
    assert "log.jsonl: is a link to another place" in last_line(capsys)
    assert (tmp_path / "precious").read_text() == "of somebody else"


@pytest.mark.parametrize(
    ("before", "after"),
    [(b'{"step": 1}\n{"st', b'{"step": 1}\n'), (b'{"st', b""), (b'{"step": 1}\n', b'{"step": 1}\n'), (b"", b""), (b"x" * 3_000_000, b"x" * 3_000_000)],
    ids=["cut off", "cut off at once", "whole", "empty", "no log"],
)  # fmt: skip
def test_a_log_that_a_kill_cut_off_goes_on_with_a_whole_line(tmp_path: Path, before: bytes, after: bytes) -> None:
    (tmp_path / "log.jsonl").write_bytes(before)
    with Monitor(tmp_path) as monitor:
        monitor.log(Report(2, 2, 0.0, {"cycle/a->b": 1.0}))
    content = (tmp_path / "log.jsonl").read_bytes()
    assert content.startswith(after)
    assert json.loads(content[len(after) :])["step"] == 2


def test_a_resume_with_other_recordings_of_equal_length_is_refused(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = tmp_path / "run"
    assert exit_code(*settings(recordings, run_dir, "max_steps=1", *QUICK)) == 0
    bundle = (run_dir / "bundle" / "config.json").read_bytes()
    first = recordings / "high" / "0.wav"
    of_before = first.read_bytes()
    soundfile.write(first, vowel(3.0, 300.0, seed=9), 16000)
    more = settings(recordings, run_dir, "max_steps=2", "resume=true", *QUICK)
    assert exit_code(*more) == 1
    assert "has another set of files, or analysis of them; resume with the same" in last_line(capsys)
    assert (run_dir / "bundle" / "config.json").read_bytes() == bundle
    first.unlink()
    (recordings / "high" / "renamed.wav").write_bytes(of_before)
    assert exit_code(*more) == 0, "names are nothing to a training"


def test_a_damaged_checkpoint_is_told_and_the_one_before_is_continued(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = tmp_path / "run"
    assert exit_code(*settings(recordings, run_dir, "max_steps=4", *QUICK)) == 0
    newest = checkpoints(run_dir / "checkpoints")[-1]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    capsys.readouterr()
    assert exit_code(*settings(recordings, run_dir, "max_steps=4", "resume=true", *QUICK)) == 0
    heard = capsys.readouterr().err
    assert f"{newest}: damaged (other bytes than were written); passed over for step-00000002.pt" in heard
    assert [path.name for path in checkpoints(newest.parent)] == ["step-00000002.pt", "step-00000004.pt"]
