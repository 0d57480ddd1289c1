"""The machine: what it is, how busy it is, how fast it multiplies matrices and moves memory."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

import torch

from audiocycle.models.precision import choose_bf16
from benchmarks.measure import Figure, Ratio, Settings, seconds_of

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
MATRIX = 2048
REPEATS = 10
COPIED_MIB = 256
"""Of one copy: several times larger than any cache."""


def describe() -> dict[str, str | int | float | bool]:
    """Plain facts, among them the load of the last minutes."""
    facts: dict[str, str | int | float | bool] = {
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "native bf16": "bf16" in precisions(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torch threads": torch.get_num_threads(),
    }
    if hasattr(os, "sysconf"):
        facts["memory, GiB"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    if hasattr(os, "getloadavg"):
        one, five, _ = os.getloadavg()
        facts |= {"load, 1 minute": round(one, 2), "load, 5 minutes": round(five, 2)}
    return facts


def precisions() -> tuple[str, ...]:
    """What this processor computes natively; emulated, a single product of these in bfloat16 takes minutes."""
    return ("fp32", "bf16") if choose_bf16("auto", torch.device("cpu")) else ("fp32",)


def processor() -> str:
    """The processor's model name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


@cache
def matmul_peak(precision: str) -> float:
    """GFLOP/s of the best of several products of two large square matrices."""
    a, b = torch.randn(2, MATRIX, MATRIX, dtype=DTYPES[precision]).unbind()
    return 2e-9 * MATRIX**3 / min(seconds_of(lambda: a @ b, REPEATS, warm_up=2))


@cache
def memory_bandwidth() -> float:
    """GB/s of the best of several copies of a large array, read and write counted once each (as STREAM's copy, McCalpin 1995)."""
    source = torch.zeros(COPIED_MIB * 2**20, dtype=torch.uint8)
    target = torch.empty_like(source)
    return 2e-9 * source.numel() / min(seconds_of(lambda: target.copy_(source), REPEATS, warm_up=2))


def run(settings: Settings) -> list[Figure]:
    threads = f"best of {REPEATS}, {torch.get_num_threads()} threads"
    peaks = {precision: matmul_peak(precision) for precision in precisions()}
    products = [
        Figure(f"matrix product, {precision}", peak, "GFLOP/s", f"{MATRIX} x {MATRIX}, {threads}",
               Ratio(peak / peaks["fp32"], "the fp32 product"), {"roof": "compute", "precision": precision})
        for precision, peak in peaks.items()
    ]  # fmt: skip
    copy = Figure("memory copy", memory_bandwidth(), "GB/s", f"{COPIED_MIB} MiB, {threads}", facts={"roof": "memory"})
    return [*products, copy]
