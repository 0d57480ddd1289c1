"""The real ``torchrun``: two workers, one of which is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from several_processes import PATIENCE, free_port, started
from small_training import settings
from trainer_state import assert_same

from audiocycle.cli.settings import compose_run
from audiocycle.training.checkpoint import checkpoints
from audiocycle.training.run import train

STEPS = 12


def train_with(words: list[str]) -> str:
    """``audiocycle train`` in this process."""
    return str(train(compose_run(words)))


def worker(agent: int, rank: int) -> int | None:
    """Process id of torchrun's worker of this rank, once it is there."""
    for child in Path(f"/proc/{agent}/task/{agent}/children").read_text().split():
        if f"RANK={rank}".encode() in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
            return int(child)
    return None


def state(run_dir: Path) -> dict[str, Any]:
    """The last checkpoint, but for the time that it took."""
    content: dict[str, Any] = torch.load(checkpoints(run_dir / "checkpoints")[-1], weights_only=True)
    del content["seconds"]
    return content


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the worker in /proc")
def test_a_killed_worker_costs_what_was_done_since_the_last_checkpoint(recordings: Path, tmp_path: Path) -> None:
    more = [f"max_steps={STEPS}", "trainer.sample_every=0", f"data.cache={tmp_path / 'cache'}", "trainer.pool_size=4", "model.width=0.03"]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    launch = ["--nproc-per-node=2", "--max-restarts=2", f"--master-port={free_port()}", "-m", "audiocycle"]
    errors = tmp_path / "errors.txt"
    with errors.open("w") as file, subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", *launch, *settings(recordings, killed, *more)],
        stderr=file, cwd=Path(__file__).parents[2], env=os.environ | {"OMP_NUM_THREADS": "1"},
    ) as torchrun:  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while len(checkpoints(killed / "checkpoints")) < 2:
            assert torchrun.poll() is None, errors.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.005)
        second = worker(torchrun.pid, 1)
        assert second is not None
        os.kill(second, signal.SIGKILL)
        assert torchrun.wait(2 * PATIENCE) == 0, errors.read_text()
    steps = Counter(json.loads(line)["step"] for line in (killed / "log.jsonl").read_text().splitlines())
    assert set(steps) == set(range(1, STEPS + 1))
    assert all(steps[step] == 1 for step in range(1, 5))  # the workers went on at step 4 or later, though nobody said resume=true
    assert errors.read_text().count("low: 2 files") == 2  # one process speaks, once for each start

    started(2, train_with, settings(recordings, whole, *more)[1:])
    assert_same(state(whole), state(killed))
