"""Recordings and settings for trainings that take seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def vowel(seconds: float, f0: float, rate: int = 16000, seed: int = 0) -> np.ndarray:
    """A buzz through two resonances with pauses: voiced enough for WORLD, small enough for a test."""
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(f0 * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * t + seed))) / rate
    buzz = sum(np.sin(k * phase) / k**0.5 for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 1.5 * t + seed) + 0.5, 0, 1)
    return (0.05 * buzz * syllables + 1e-3 * random.standard_normal(len(t))).astype(np.float32)


def settings(root: Path, run_dir: Path, *more: str) -> list[str]:
    return [
        "train", "experiment=vc2_quick", f"data.root={root}", "data.domains=[low,high]", f"run_dir={run_dir}", "model.width=0.125",
        "data.min_minutes=0.05", "trainer.crop=64", "trainer.batch_size=2", "trainer.checkpoint_every=2", "trainer.sample_every=2",
        "trainer.log_every=1", *more,
    ]  # fmt: skip
