"""What several test files share: a voice that needs no recording, and a training run that takes milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from audiocycle.spec import FloatArray

if TYPE_CHECKING:
    from audiocycle.objective import Objective
    from audiocycle.trainer import Trainer

TINY = {
    "generator": "gated_212d",
    "critic": "gated_patch",
    "width": 0.125,
    "generator_options": {"n_blocks": 1},
}
FEATURE_DIM = 8
FORMANTS = ((700.0, 130.0), (1200.0, 150.0), (2600.0, 250.0))  # centre and bandwidth in Hz: an [a]


@pytest.fixture
def synthetic_voice() -> Callable[..., FloatArray]:
    """``synthetic_voice(seconds, f0, sample_rate)``: a vowel with vibrato, (N,) float32 within (-1, 1)."""

    def make(seconds: float = 1.0, f0: float = 120.0, sample_rate: int = 16000) -> FloatArray:
        time = np.arange(round(seconds * sample_rate)) / sample_rate
        phase = 2 * np.pi * f0 * (time - 0.02 / (2 * np.pi * 5) * np.cos(2 * np.pi * 5 * time))
        sound = np.zeros(len(time))
        for harmonic in range(1, int(0.45 * sample_rate / f0)):
            frequency = harmonic * f0
            level = sum(1 / (1 + ((frequency - centre) / width) ** 2) for centre, width in FORMANTS)
            sound += level / harmonic**0.5 * np.sin(harmonic * phase)
        return np.asarray(0.5 * sound / np.abs(sound).max(), dtype=np.float32)

    return make


def tiny_features(domains: Sequence[str], seed: int = 0) -> dict[str, list[FloatArray]]:
    """Three items of 20 to 40 normalised frames for each domain."""
    random = np.random.default_rng(seed)
    return {
        d: [random.normal(size=(FEATURE_DIM, n)).astype(np.float32) for n in (20, 33, 40)] for d in domains
    }


@pytest.fixture
def make_trainer(tmp_path: Path) -> Callable[..., Trainer]:
    """``make_trainer(max_steps=3, ...)``: tiny networks, always the same ones, on the CPU in float32.

    Other keywords than ``folder, domains, features, objective, model, sampler, settings, on_*`` go to
    ``TrainerConfig``; ``sampler`` holds keywords of ``CropSampler``. Features may have one axis beside time, or two.
    """
    import torch

    from audiocycle.build import build_critic, build_translator
    from audiocycle.data import CropSampler
    from audiocycle.objective import CycleObjective
    from audiocycle.trainer import Trainer, TrainerConfig

    torch.set_num_threads(1)

    def make(
        folder: Path = tmp_path / "checkpoints",
        domains: Sequence[str] = ("a", "b"),
        features: Mapping[str, Sequence[FloatArray]] | None = None,
        objective: Objective | None = None,
        model: Mapping[str, Any] = TINY,
        sampler: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Trainer:
        hooks = {
            name: options.pop(name) for name in ("on_log", "on_checkpoint", "on_sample") if name in options
        }
        basics = {"crop": 16, "device": "cpu", "precision": "fp32", "log_every": 1, "sample_every": 0}
        config = TrainerConfig(**(basics | options))  # type: ignore[arg-type]
        torch.manual_seed(0)
        objective = objective or CycleObjective(domains)
        features = features or tiny_features(domains)
        shape = next(iter(features.values()))[0].shape[:-1]
        channels = objective.conditions * (shape[0] if len(shape) > 1 else 1)
        return Trainer(
            build_translator(model, domains, shape),
            {name: build_critic(model, domains, channels) for name in objective.critics},
            objective,
            CropSampler(features, config.crop, config.batch_size, config.seed, **(sampler or {})),
            config,
            folder,
            settings=settings or {"domains": list(domains), "model": dict(model)},
            **hooks,
        )

    return make


@pytest.fixture
def little_space() -> Callable[[int], AbstractContextManager[None]]:
    """``with little_space(4000):`` no file can grow beyond 4000 bytes, as on a full disk.

    Only inside the block: pytest's own output may be a long file already.
    """
    resource = pytest.importorskip("resource", reason="no file size limits on this system")

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
