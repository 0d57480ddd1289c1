"""A training run that takes milliseconds, for tests and for the processes that they start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from audiocycle.build import build_critic, build_translator
from audiocycle.data.sampler import CropSampler
from audiocycle.objectives.base import Objective
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.objectives.preset import build_objective
from audiocycle.spec import Domain, FeatureSpec, FloatArray, Values, directions
from audiocycle.training.distributed import ALONE, Processes
from audiocycle.training.trainer import Trainer, TrainerConfig

TINY = {
    "generator": "gated_212d",
    "critic": "gated_patch",
    "width": 0.125,
    "generator_options": {"n_blocks": 1},
}
FEATURE_DIM = 8


def tiny_objective(domains: Sequence[str] = ("a", "b"), steps_per_beat: int = 4, values: Values = Values.REAL, **settings: Any) -> Objective:
    """An objective over domains of these names; other keywords are its settings."""
    config = ObjectiveConfig.of(**settings)
    spec = FeatureSpec("test", (FEATURE_DIM,), 1.0, values=values, steps_per_beat=steps_per_beat)
    return build_objective(directions(list(map(Domain, domains)), config.one_way), config, spec)


def tiny_features(domains: Sequence[str], seed: int = 0) -> dict[str, list[FloatArray]]:
    """Three items of 20 to 40 normalised frames for each domain."""
    random = np.random.default_rng(seed)
    return {
        d: [random.normal(size=(FEATURE_DIM, n)).astype(np.float32) for n in (20, 33, 40)] for d in domains
    }


def tiny_trainer(
    folder: Path,
    domains: Sequence[str] = ("a", "b"),
    features: Mapping[str, Sequence[FloatArray]] | None = None,
    objective: Objective | None = None,
    model: Mapping[str, Any] = TINY,
    sampler: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    processes: Processes = ALONE,
    **options: Any,
) -> Trainer:
    """Tiny networks, always the same ones, on the CPU in float32.

    Other keywords than those named and ``on_*`` go to ``TrainerConfig``; ``sampler`` holds keywords of ``CropSampler``.
    Features may have one axis beside time, or two.
    """
    torch.set_num_threads(1)
    hooks = {name: options.pop(name) for name in ("on_log", "on_checkpoint", "on_sample", "on_note") if name in options}
    basics = {"crop": 16, "device": "cpu", "precision": "fp32", "log_every": 1, "sample_every": 0}
    config = TrainerConfig(**(basics | options))  # type: ignore[arg-type]
    torch.manual_seed(0)
    objective = objective or tiny_objective(domains)
    features = features or tiny_features(domains)
    shape = next(iter(features.values()))[0].shape[:-1]
    channels = objective.conditions * (shape[0] if len(shape) > 1 else 1)
    return Trainer(
        build_translator(model, objective.directions, FeatureSpec("voice", shape, 200.0)),
        {name: build_critic(model, list(map(Domain, domains)), channels) for name in objective.critics},
        objective,
        CropSampler({Domain(name): items for name, items in features.items()}, config.crop, config.batch_size, config.seed, **(sampler or {})),
        config,
        folder,
        settings=settings or {"domains": list(domains), "model": dict(model)},
        processes=processes,
        **hooks,
    )
