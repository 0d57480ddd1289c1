"""How near each stage that is arithmetic comes to what the processor can do: its roofline (Williams et al. 2009).

A stage does FLOP, counted by torch's ``FlopCounterMode`` (convolutions and products; norms, gates and the optimizer count
nothing), and moves bytes, estimated here. FLOP a byte is its arithmetic intensity; its roof is the lower of the matrix-product
peak and intensity times memory bandwidth, both measured in the same run.

Bytes are what would move if each layer read its input and parameters once and wrote its output once, with nothing kept in
caches between layers; forward hooks add the sizes up, in the types that are in use. A backward pass is counted as two more
forwards (it reads gradients, inputs and weights, and writes gradients of both). Adam reads four arrays of the size of the
parameters and writes three. So the figure is an estimate: caches lower it, work space raises it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from audiocycle.build import build_critic, build_translator
from audiocycle.spec import Direction, FeatureSpec
from benchmarks.machine import matmul_peak, memory_bandwidth, precisions
from benchmarks.measure import Figure, Ratio, Settings, seconds_of
from benchmarks.training_step import CROP, DOMAINS, SHAPE, Case, make_trainer

WAY = Direction(*DOMAINS)
BACKWARD = 2
"""Forward passes that a backward pass counts as."""
ADAM_ARRAYS = 7
"""Reads weights, gradients and two moments; writes weights and moments."""


@dataclass(frozen=True)
class Stage:
    """Something to time.

    Attributes:
        network: generator or critic.
        frames: T of the input (batch, 36, T).
        backward: whether gradients are computed too.
    """

    network: str
    batch: int
    frames: int
    backward: bool

    def __str__(self) -> str:
        return f"{self.network} forward{' + backward' if self.backward else ''}, {self.batch} x {self.frames} frames"


STAGES = (
    Stage("generator", 1, CROP, False),
    Stage("generator", 8, CROP, False),
    Stage("generator", 1, 1000, False),
    Stage("generator", 1, CROP, True),
    Stage("generator", 8, CROP, True),
    Stage("critic", 8, CROP, True),
)


class Traffic:
    """Bytes that the layers of some networks move in forward passes (see the module's text)."""

    def __init__(self) -> None:
        self.bytes = 0

    def add(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """A forward hook."""
        self.bytes += sum(t.numel() * t.element_size() for t in (*inputs, *layer.parameters(), output))

    @contextmanager
    def counting(self, *networks: nn.Module) -> Iterator[None]:
        """All layers without layers of their own report their calls."""
        leaves = {layer for network in networks for layer in network.modules() if not list(layer.children())}
        hooks = [layer.register_forward_hook(self.add) for layer in leaves]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def stage_figure(name: str, seconds: float, gflop: float, gbyte: float, precision: str) -> Figure:
    """GFLOP/s against the peak and the roof."""
    speed, peak, intensity = gflop / seconds, matmul_peak(precision), gflop / gbyte
    roof = min(peak, intensity * memory_bandwidth())
    remark = f"{seconds:.3g} s for {gflop:.3g} GFLOP, about {intensity:.3g} FLOP/byte; {100 * speed / roof:.0f} % of its roof"
    facts: dict[str, float | str] = {"stage": name, "precision": precision, "seconds": seconds, "gflop": gflop, "gbyte": gbyte, "intensity": intensity}
    return Figure(f"{name}, {precision}", speed, "GFLOP/s", remark, Ratio(speed / peak, f"the {precision} matrix product"), facts)


def measure_stage(stage: Stage, width: float, precision: str, repeats: int) -> Figure:
    """A forward, or forward and backward, of one network with fresh weights."""
    model = {"generator": "gated_212d", "critic": "gated_patch", "width": width}
    generates = stage.network == "generator"
    network = build_translator(model, [WAY], FeatureSpec("voice", SHAPE, 200.0)) if generates else build_critic(model, DOMAINS)
    address = WAY if generates else DOMAINS[0]
    x = torch.randn(stage.batch, *SHAPE, stage.frames)

    def work(half: bool = precision == "bf16") -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=half), torch.inference_mode(not stage.backward):
            y: Tensor = network(x, address)
        if stage.backward:
            network.zero_grad(set_to_none=True)
            y.float().square().mean().backward()  # type: ignore[no-untyped-call]

    seconds = min(seconds_of(work, repeats))
    traffic = Traffic()
    with traffic.counting(network):
        work()
    with FlopCounterMode(display=False) as counter:
        work(half=False)  # the same products, which are counted in float32 only
    passes = 1 + BACKWARD * stage.backward
    return stage_figure(str(stage), seconds, counter.get_total_flops() / 1e9, passes * traffic.bytes / 1e9, precision)


def measure_step(case: Case, repeats: int) -> Figure:
    """A whole step of the trainer: both directions, all critics, both optimizers."""
    trainer = make_trainer(case)
    seconds = min(seconds_of(trainer.train_step, repeats))
    traffic = Traffic()
    with traffic.counting(trainer.translator, trainer.critics):
        trainer.train_step()
    numbers = sum(p.numel() * p.element_size() for network in (trainer.translator, trainer.critics) for p in network.parameters())
    counted = make_trainer(replace(case, precision="fp32"))
    with FlopCounterMode(display=False) as counter:
        counted.train_step()
    gbyte = ((1 + BACKWARD) * traffic.bytes + ADAM_ARRAYS * numbers) / 1e9
    return stage_figure(f"training step, {case.batch} x {CROP} frames", seconds, counter.get_total_flops() / 1e9, gbyte, case.precision)


def run(settings: Settings) -> list[Figure]:
    width, repeats = settings.pick((1.0, 6), (0.125, 2))
    stages = settings.pick(STAGES, STAGES[::3])
    figures = [measure_stage(stage, width, precision, repeats) for stage in stages for precision in precisions()]
    best = precisions()[-1]
    steps = settings.pick(((1, "fp32"), (8, best)), ((1, best),))
    return figures + [measure_step(Case(width, batch, precision), settings.pick(4, 1)) for batch, precision in steps]
