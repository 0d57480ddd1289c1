"""How cost grows: a training step with width, batch and crop; a conversion with the recording's length; many with processes.

Each series varies one thing. Its figures are seconds, and what they are to those of the series' smallest case.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from audiocycle.bundles.format import read_config
from audiocycle.conversion.converter import Converter
from audiocycle.conversion.library.batch import convert_jobs
from audiocycle.conversion.library.plan import Job
from audiocycle.conversion.library.worker import Task
from audiocycle.spec import Signal
from benchmarks.conversion import choose_bundle, write_speech
from benchmarks.machine import precisions
from benchmarks.measure import Figure, Ratio, Settings, seconds_of, synthetic_speech
from benchmarks.training_step import Case, make_trainer

WIDTHS = (0.25, 0.35, 0.5, 1.0)
BATCHES = (1, 2, 4, 8)
CROPS = (64, 128, 256)
LENGTHS = (5.0, 15.0, 60.0, 180.0)
FILES, FILE_SECONDS = (4, 16, 64), 5.0
"""Recordings of a folder; several processes convert the most."""


@dataclass(frozen=True)
class Point:
    """One case of a series: what varies, its value, and the best of several times.

    Attributes:
        expected: the exponent with which one would expect seconds to grow.
    """

    series: str
    unit: str
    value: float
    seconds: float
    remark: str
    expected: int = 1


def figures_of(points: Sequence[Point]) -> Iterator[Figure]:
    """Figures of one series, the smallest case first."""
    first = points[0]
    for point in points:
        ratio = Ratio(point.seconds / first.seconds, f"{first.series.split(', ')[-1]} {first.value:g}{first.unit}")
        facts: dict[str, float | str] = {
            "series": point.series, "unit": point.unit.strip(), "value": point.value, "expected": point.expected,
        }  # fmt: skip
        yield Figure(f"{point.series} {point.value:g}{point.unit}", point.seconds, "s", point.remark, ratio, facts)


def training(series: str, unit: str, values: Sequence[float], cases: Sequence[Case], repeats: int, expected: int = 1) -> Iterator[Figure]:
    """Training steps that differ in one thing."""
    points = []
    for value, case in zip(values, cases, strict=True):
        times = seconds_of(make_trainer(case).train_step, repeats)
        points.append(Point(series, unit, value, min(times), f"best of {len(times)}; {case}, crop {case.crop}", expected))
    yield from figures_of(points)


def conversions(bundle: Path, lengths: Sequence[float], repeats: int) -> Iterator[Figure]:
    """Conversions of ever longer recordings in this process, from samples to samples."""
    converter = Converter.from_pretrained(bundle)
    source, target = converter.domains[:2]
    rate = converter.adapter.sample_rate
    points = []
    for length in lengths:
        speech = Signal(synthetic_speech(length, rate), rate)
        seconds = min(seconds_of(partial(converter, speech, target, source), repeats))
        remark = f"best of {repeats}; real-time factor {seconds / length:.3g}"
        points.append(Point("conversion, recording", " s", length, seconds, remark))
    yield from figures_of(points)


def folders(bundle: Path, scratch: Path, files: Sequence[int], processes: Sequence[int], length: float) -> Iterator[Figure]:
    """Ever more recordings in one process, then the most of them in ever more processes; loading and starts count."""
    rate = int(read_config(bundle).adapter.get("sample_rate", 16000))
    recordings = [write_speech(scratch / f"{index}.wav", length, rate) for index in range(max(files))]
    source, target = read_config(bundle).domains[:2]

    @cache  # one process and the most files stand in both series
    def seconds(count: int, workers: int) -> float:
        out = scratch / f"out-{count}-{workers}"
        jobs = [Job(path, out / path.name) for path in recordings[:count]]
        return seconds_of(partial(convert_all, Task(bundle, target, source), jobs, workers, out), 1, warm_up=0)[0]

    seconds(1, 1)  # warms up: imports are loaded from here on
    remark = f"{length:g} s each, one process"
    yield from figures_of([Point("folder, files", "", count, seconds(count, 1), remark) for count in files])
    remark = f"{max(files)} recordings of {length:g} s, the start of the processes included"
    yield from figures_of([Point("folder, processes", "", n, seconds(max(files), n), remark, expected=-1) for n in processes])


def convert_all(task: Task, jobs: Sequence[Job], processes: int, folder: Path) -> None:
    """Convert all, and see that it went well."""
    for record in convert_jobs(task, jobs, processes, folder=folder):
        assert record.status == "converted", record


def run(settings: Settings) -> list[Figure]:
    base = Case(settings.pick(0.5, 0.0625), settings.pick(4, 1), precisions()[-1])
    widths, batches, crops = settings.pick((WIDTHS, BATCHES, CROPS), ((0.0625, 0.125), (1, 2), (64, 128)))
    lengths, repeats = settings.pick((LENGTHS, 4), ((2.0, 4.0), 1))
    step = "training step, "
    figures = [
        *training(f"{step}width", "", widths, [replace(base, width=width) for width in widths], repeats, expected=2),
        *training(f"{step}batch", "", batches, [replace(base, batch=batch) for batch in batches], repeats),
        *training(f"{step}crop", " frames", crops, [replace(base, crop=crop) for crop in crops], repeats),
    ]
    with TemporaryDirectory() as name:
        scratch = Path(name)
        bundle = choose_bundle(settings, scratch)
        figures += conversions(bundle, lengths, repeats)
        cores = os.cpu_count() or 1
        counts = [2**power for power in range(cores.bit_length()) if 2**power <= cores]
        files, length = settings.pick((FILES, FILE_SECONDS), ((1, 2), 1.0))
        figures += folders(bundle, scratch, files, settings.pick(counts, counts[:2]), length)
    return figures
