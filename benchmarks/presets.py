"""A training step of each preset for a processor: in the arithmetic that this machine has, and in that of a plain one.

Networks, objective and batches are those of ``audiocycle train experiment=NAME`` for two domains; the features are random. Each is
measured in a process of its own, one after the other, with a limit. A run's minutes are those of its steps, without
what is analysed, guided and sampled.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from audiocycle.build import build_adapter, build_critic, build_translator
from audiocycle.cli.settings import compose_run
from audiocycle.data.sampler import CropSampler
from audiocycle.models.layers import image_channels
from audiocycle.models.precision import choose_bf16
from audiocycle.objectives.preset import build_objective
from audiocycle.spec import Domain, FloatArray, directions
from audiocycle.training.material import crop_length
from audiocycle.training.trainer import Trainer
from benchmarks import plain
from benchmarks.measure import Figure, Ratio, Settings

PRESETS = ("vc2_guided", "vc2_quick", "vc2_lite", "genre_quick", "genre_guided")
DOMAINS = (Domain("a"), Domain("b"))
ITEMS, CROPS = 4, 10
"""Items of each domain, and how many crops long each is."""
SOUNDING = 0.03
"""Share of a roll's cells that are 1."""
LIMIT = 150.0
"""Seconds for a process, from its start to its end."""


@dataclass(frozen=True)
class Measured:
    """Steps of a preset in one arithmetic.

    Attributes:
        wall, processor: seconds of each step; the latter those of all threads together.
        steps: of the whole schedule.
    """

    wall: list[float]
    processor: list[float]
    steps: int
    precision: str
    instructions: str
    threads: int


def make_trainer(preset: str, *overrides: str) -> Trainer:
    """The trainer of ``audiocycle train experiment=preset`` for two domains of random features; it never writes anything."""
    config = compose_run([f"experiment={preset}", "data.root=none", f"data.domains=[{','.join(map(str, DOMAINS))}]", *overrides])
    adapter, trainer = build_adapter(config.adapter), config.trainer
    shape, crop = adapter.spec.shape, crop_length(trainer.crop, adapter.spec.window, trainer.pieces)
    random = np.random.default_rng(0)

    def items() -> list[FloatArray]:
        made = random.standard_normal((ITEMS, *shape, CROPS * crop), dtype=np.float32)
        if len(shape) > 1:
            made = (made > np.quantile(made, 1 - SOUNDING)).astype(np.float32)
        return list(made)

    ways = directions(DOMAINS, config.objective.one_way)
    objective = build_objective(ways, config.objective, adapter.spec)
    channels = objective.conditions * image_channels(shape)
    torch.manual_seed(trainer.seed)
    return Trainer(
        build_translator(config.model, ways, adapter.spec),
        {name: build_critic(config.model, DOMAINS, channels) for name in objective.critics},
        objective,
        CropSampler(
            {domain: items() for domain in DOMAINS}, crop, trainer.batch_size, trainer.seed, hop=adapter.spec.window or 1,
            pieces=trainer.pieces, guides={way: items() for way in ways} if config.objective.guided else {},
        ),
        trainer,
        Path("nothing-is-written"),
    )  # fmt: skip


def measure(preset: str, seconds: float) -> Measured:
    """Steps for so many seconds, three at the least, after one to warm up."""
    trainer = make_trainer(preset, "trainer.device=cpu")
    trainer.train_step()
    wall: list[float] = []
    processor: list[float] = []
    begin = time.perf_counter()
    while len(wall) < 3 or time.perf_counter() - begin < seconds:
        before = time.perf_counter(), time.process_time()
        trainer.train_step()
        wall.append(time.perf_counter() - before[0])
        processor.append(time.process_time() - before[1])
    kind = "bf16" if trainer.half else "fp32"
    return Measured(wall, processor, trainer.config.last_step, kind, torch.backends.cpu.get_cpu_capability(), torch.get_num_threads())


def measured(preset: str, seconds: float, arithmetic: dict[str, str]) -> Measured | None:
    """:func:`measure` in a process of its own, with these variables; None if it took longer than :data:`LIMIT`."""
    words = [sys.executable, "-m", "benchmarks.presets", preset, str(seconds)]
    try:
        done = subprocess.run(words, env=os.environ | arithmetic, check=True, stdout=subprocess.PIPE, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return None
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def figure(preset: str, name: str, found: Measured, native: float) -> Figure:
    """Seconds a step by the clock, and what a whole run comes to."""
    step, busy = statistics.median(found.wall), statistics.median(found.processor)
    minutes = found.steps * step / 60
    remark = (
        f"{found.precision}, {found.instructions}, {found.threads} threads; {busy:.3g} s of processor; {found.steps:,} steps: "
        f"{minutes:.3g} minutes; median of {len(found.wall)}, {min(found.wall):.3g} to {max(found.wall):.3g}"
    )
    facts: dict[str, float | str] = {"preset": preset, "arithmetic": name, "minutes": minutes, "processor seconds": busy}
    return Figure(f"step of {preset}, {name}", step, "s", remark, Ratio(step / native, "this machine's"), facts)


def run(settings: Settings) -> list[Figure]:
    has_more = choose_bf16("auto", torch.device("cpu")) or torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    arithmetics = {"this machine": {}, "plain": plain.environment()} if has_more else {"this machine": {}}
    figures = []
    for preset in settings.pick(PRESETS, PRESETS[:1]):
        native = 0.0
        for name, arithmetic in arithmetics.items():
            found = measured(preset, settings.pick(15.0, 0.0), arithmetic)
            if found is None:
                print(f"{preset}, {name}: left out, more than {LIMIT:g} s", file=sys.stderr, flush=True)
                continue
            native = native or statistics.median(found.wall)
            figures.append(figure(preset, name, found, native))
    return figures


if __name__ == "__main__":
    print(json.dumps(asdict(measure(sys.argv[1], float(sys.argv[2])))))
