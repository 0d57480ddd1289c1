"""What all benchmarks share: settings, figures, timing, memory, and synthetic speech."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np

from audiocycle.spec import FloatArray

P = ParamSpec("P")
T = TypeVar("T")

FORMANTS_HZ = (
    (730, 1090, 2440, 3400),
    (270, 2290, 3010, 3700),
    (300, 870, 2240, 3300),
    (530, 1840, 2480, 3500),
)
"""Of the vowels in father, beet, boot and bet (Peterson & Barney 1952; the fourth formants are round numbers)."""
BANDWIDTHS_HZ = np.array([80.0, 100.0, 140.0, 200.0])


ENOUGH = 60.0
"""Seconds that one case is measured for, and three calls at the least."""


@dataclass(frozen=True)
class Settings:
    """How much to measure.

    Attributes:
        quick: small cases and few repeats, to see that everything runs; the figures mean little.
        long: measure the memory of a long recording too, which takes minutes.
        bundle: the model to convert with; None is the pretrained one, or a random one where there is none.
    """

    quick: bool = False
    long: bool = False
    bundle: Path | None = None

    def pick(self, full: T, quick: T) -> T:
        """One of two values, by :attr:`quick`."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Ratio:
    """A figure seen from another one of the same run, which makes machines comparable: 0.61 × the bf16 matrix product."""

    value: float
    of: str

    def __str__(self) -> str:
        return f"{self.value:.3g} × {self.of}"


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        ratio: the share of a peak, or what this is to a baseline, both measured in the same run.
        facts: further numbers and words of this measurement, for drawings.
    """

    name: str
    value: float
    unit: str
    remark: str = ""
    ratio: Ratio | None = None
    facts: Mapping[str, float | str] = field(default_factory=dict)


def seconds_of(function: Callable[[], object], repeats: int, warm_up: int = 1) -> list[float]:
    """Wall time of each call but the first ``warm_up``; on a slow machine of fewer calls, once they took :data:`ENOUGH`."""
    times: list[float] = []
    for _ in range(warm_up + repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
        if len(times) >= 3 and sum(times) > ENOUGH:
            break
    return times[min(warm_up, len(times) - 1) :]


def median_figure(name: str, values: Sequence[float], unit: str, remark: str = "", ratio: Ratio | None = None) -> Figure:
    """The median, with the range in the remark."""
    spread = f"median of {len(values)}, {min(values):.3g} to {max(values):.3g}"
    return Figure(name, statistics.median(values), unit, f"{spread}; {remark}" if remark else spread, ratio)


def in_fresh_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call in a process of its own, so that its peak memory is nobody else's."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def peak_memory() -> float:
    """The largest resident size of this process so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux hands ru_maxrss down to child processes, but not this
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def synthetic_speech(seconds: float, sample_rate: int, pitch: float = 120.0, seed: int = 0) -> FloatArray:
    """Vowels with falling pitch, and pauses: pulses through parallel formant filters, over a faint noise; (N,) float32.

    Args:
        pitch: mean F0 in Hz.
    """
    random = np.random.default_rng(seed)
    n_samples = round(seconds * sample_rate)
    samples = random.normal(0.0, 1e-4, n_samples)
    ring = np.arange(round(0.03 * sample_rate))[:, None] / sample_rate
    responses = [
        (np.exp(-np.pi * BANDWIDTHS_HZ * ring) * np.sin(2 * np.pi * np.array(hertz) * ring)).mean(axis=1)
        for hertz in FORMANTS_HZ
    ]
    begin = 0
    while begin < n_samples:
        share = np.linspace(0.0, 1.0, round(random.uniform(0.12, 0.3) * sample_rate))
        f0 = pitch * 2.0 ** (random.uniform(-0.3, 0.5) - 0.2 * share)
        pulses = np.diff(np.floor(np.cumsum(f0) / sample_rate), prepend=0.0) * np.sqrt(
            np.sin(np.pi * share).clip(0.0)
        )
        vowel = np.convolve(pulses, responses[random.integers(len(responses))])[: n_samples - begin]
        samples[begin : begin + len(vowel)] += vowel
        begin += len(share)
        if random.random() < 0.15:
            begin += round(random.uniform(0.2, 0.6) * sample_rate)
    scaled: FloatArray = (0.5 * samples / np.abs(samples).max()).astype(np.float32)
    return scaled
