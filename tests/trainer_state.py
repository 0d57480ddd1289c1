"""What a trainer holds, to be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiocycle.spec import Batch, Domain, FloatArray
from audiocycle.training.trainer import Trainer


def assert_same(left: Any, right: Any, place: str = "state") -> None:
    """Equality of nested containers of tensors, bit for bit."""
    if isinstance(left, Tensor):
        assert torch.equal(left, right), place
    elif isinstance(left, dict):
        assert left.keys() == right.keys(), place
        for key in left:
            assert_same(left[key], right[key], f"{place}.{key}")
    elif isinstance(left, list | tuple):
        assert len(left) == len(right), place
        for index, (a, b) in enumerate(zip(left, right, strict=True)):
            assert_same(a, b, f"{place}[{index}]")
    else:
        assert left == right, place


def snapshot(trainer: Trainer) -> dict[str, Any]:
    return {
        "step": trainer.step,
        "translator": trainer.translator.state_dict(),
        "critics": trainer.critics.state_dict(),
        "generator_optimizer": trainer.generator_optimizer.state_dict(),
        "critic_optimizer": trainer.critic_optimizer.state_dict(),
        "average": trainer.average.state_dict() if trainer.average else {},
        "pools": {kind: pool.items for kind, pool in trainer.pools.items()},
    }


def clone(state: Any) -> Any:
    if isinstance(state, Tensor):
        return state.clone()
    return {k: clone(v) for k, v in state.items()} if isinstance(state, dict) else state


class Poisoned:
    """A sampler whose data hold a NaN from one step on."""

    def __init__(self, inner: Any, step: int) -> None:
        self.inner, self.step = inner, step

    def batch(self, step: int) -> Batch[FloatArray]:
        batch: Batch[FloatArray] = self.inner.batch(step)
        if step >= self.step:
            batch.items[Domain("a")][0, 0, 0] = np.nan
        return batch
