"""Time, arithmetic and memory of one step of the real trainer, on random features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch.utils.flop_counter import FlopCounterMode

from audiocycle.build import build_critic, build_translator
from audiocycle.data.sampler import CropSampler
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.objectives.cycle import CycleObjective
from audiocycle.spec import Domain, FeatureSpec, directions
from audiocycle.training.material import DEFAULT_CROP
from audiocycle.training.trainer import Trainer, TrainerConfig
from audiocycle.voice.world_adapter import WorldAdapter
from benchmarks.machine import matmul_peak, precisions
from benchmarks.measure import (
    Figure,
    Ratio,
    Settings,
    in_fresh_process,
    median_figure,
    peak_memory,
    seconds_of,
)

DOMAINS = (Domain("a"), Domain("b"))
SPEC = WorldAdapter().spec
SHAPE = SPEC.shape
CROP = DEFAULT_CROP
ITEM_FRAMES = 20 * CROP


@dataclass(frozen=True)
class Case:
    """One way to train."""

    width: float
    batch: int
    precision: str
    identity: bool = False
    crop: int = CROP

    def __str__(self) -> str:
        return f"width {self.width:g}, batch {self.batch}, {self.precision}{', identity' if self.identity else ''}"


BEST = precisions()[-1]
CASES = (
    Case(1.0, 8, BEST),
    Case(1.0, 1, "fp32"),
    Case(0.5, 4, BEST),
    Case(0.5, 4, BEST, identity=True),
)


@dataclass(frozen=True)
class Measured:
    """What a process of its own found out about a case."""

    seconds: list[float]
    gflop: float
    peak_mib: float


def make_trainer(case: Case) -> Trainer:
    """Two directions, four critics, no averaging; it never writes anything."""
    model = {"generator": "gated_212d", "critic": "gated_patch", "width": case.width}
    random = np.random.default_rng(0)
    items = {domain: [random.standard_normal((*SHAPE, ITEM_FRAMES), dtype=np.float32)] for domain in DOMAINS}
    config = TrainerConfig(
        batch_size=case.batch,
        precision=case.precision,
        device="cpu",
        identity_steps=None if case.identity else 0,
    )
    objective = CycleObjective(directions(DOMAINS), ObjectiveConfig(), SPEC)
    return Trainer(
        build_translator(model, objective.directions, FeatureSpec("voice", SHAPE, 200.0)),
        {name: build_critic(model, DOMAINS) for name in objective.critics},
        objective,
        CropSampler(items, case.crop, case.batch, config.seed),
        config,
        Path("nothing-is-written"),
    )


def measure(case: Case, repeats: int, warm_up: int) -> Measured:
    """Time first, so that the counting does not add to the peak of memory."""
    seconds = seconds_of(make_trainer(case).train_step, repeats, warm_up)
    peak = peak_memory()
    counted = make_trainer(replace(case, precision="fp32"))
    with FlopCounterMode(display=False) as counter:
        counted.train_step()
    return Measured(seconds, counter.get_total_flops() / 1e9, peak)


def run(settings: Settings) -> list[Figure]:
    cases = settings.pick(
        CASES, tuple(replace(case, width=case.width / 4, batch=min(case.batch, 2)) for case in CASES)
    )
    repeats, warm_up = settings.pick(10, 2), settings.pick(3, 1)
    figures = []
    for case in cases:
        found = in_fresh_process(measure, case, repeats, warm_up)
        step = median_figure(f"training step, {case}", found.seconds, "s", f"{SHAPE[0]} x {CROP} crops")
        speed, peak = found.gflop / step.value, matmul_peak(case.precision)
        share = Ratio(speed / peak, f"the {case.precision} matrix product")
        figures += [
            replace(step, ratio=share),
            Figure(f"training pair, {case}", step.value / case.batch, "s", "step / batch"),
            Figure(
                f"arithmetic, {case}",
                found.gflop,
                "GFLOP/step",
                "convolutions and products, counted on one fp32 step",
            ),
            Figure(f"speed, {case}", speed, "GFLOP/s", f"of {peak:.4g}", share),
            Figure(f"memory, {case}", found.peak_mib, "MiB", "peak of the whole process"),
        ]
    return figures
