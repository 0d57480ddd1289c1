"""A training that is killed at any moment: what lies on disk is whole, and what becomes of it is what would have become."""

from __future__ import annotations

import random
import time
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from several_processes import CONTEXT, PATIENCE
from tiny_trainer import tiny_objective, tiny_trainer
from trainer_state import assert_same, snapshot

from audiocycle.training.checkpoint import checkpoints
from audiocycle.training.trainer import Trainer

KILLS = 20


def trainer_in(folder: Path, max_steps: int) -> Trainer:
    """Everything on that has a state, or draws random numbers."""
    noisy = tiny_objective(("a", "b"), critic_noise=0.1)
    return tiny_trainer(
        folder, objective=noisy, max_steps=max_steps, checkpoint_every=2, batch_size=2, pool_size=3, average=0.9, constant_steps=10,
        decay_steps=1000, max_gradient_norm=1.0,
    )  # fmt: skip


def endless(folder: Path, steps: Connection) -> None:
    """Train until killed, and tell of each step just before its checkpoint may be written."""
    trainer = trainer_in(folder, 10**6)
    trainer.on_log = lambda report: steps.send(report.step)
    trainer.resume()
    steps.send(trainer.step)
    trainer.run()


def test_killed_at_any_moment_a_run_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    chance, folder = random.Random(0), tmp_path / "killed"
    newest = 0
    for _ in range(KILLS):
        receiver, sender = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=endless, args=(folder, sender), daemon=True)
        process.start()
        sender.close()
        for _ in range(chance.randint(2, 6)):
            assert receiver.poll(PATIENCE)
            step = receiver.recv()
        time.sleep(chance.uniform(0.0, 0.02))  # of steps that take 10 ms, a third of it for the checkpoint
        process.kill()
        process.join(PATIENCE)
        assert process.exitcode == -9
        found = checkpoints(folder)
        written = [torch.load(path, weights_only=True)["step"] for path in found]  # which fails if one is not whole
        assert [f"step-{step:08d}.pt" for step in written] == [path.name for path in found]
        assert max(written, default=0) >= max(newest, step - 2)  # nothing is lost but the work since the last one
        newest = max(written, default=0)
    assert newest > KILLS // 2

    resumed, straight = trainer_in(folder, newest + 3), trainer_in(tmp_path / "straight", newest + 3)
    assert resumed.resume()
    assert resumed.step == newest
    for trainer in (resumed, straight):
        trainer.run()
    assert_same(snapshot(straight), snapshot(resumed))
    assert sorted(path.name for path in folder.iterdir()) == [path.name for path in checkpoints(folder)]  # and no halves
