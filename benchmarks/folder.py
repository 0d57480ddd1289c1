"""A folder of many short recordings: worker processes of one run against as many single processes, side by side."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from audiocycle.bundles.format import read_config
from audiocycle.conversion.converter import Converter
from audiocycle.spec import FloatArray
from audiocycle.voice.world_adapter import WorldAdapter
from benchmarks.conversion import choose_bundle
from benchmarks.measure import Figure, Ratio, Settings, in_fresh_process, peak_memory, synthetic_speech

SECONDS = (1.0, 3.0)
"""The shortest and the longest recording."""
WORKERS = 2
RATE = WorldAdapter().sample_rate


def write_recordings(folder: Path, count: int) -> Path:
    """So many recordings of different lengths, all from the same minute of synthetic speech."""
    folder.mkdir()
    random = np.random.default_rng(0)
    speech: FloatArray = synthetic_speech(60.0, RATE)
    for index in range(count):
        length = round(random.uniform(*SECONDS) * RATE)
        begin = int(random.integers(len(speech) - length))
        soundfile.write(folder / f"{index:04}.wav", speech[begin : begin + length], RATE)
    return folder


def seconds_side_by_side(commands: list[list[str | Path]], threads: int | None) -> float:
    """Wall time of ``audiocycle`` processes that run at the same time, each with so many threads; None leaves it to them."""
    environment = dict(os.environ) if threads is None else os.environ | {"OMP_NUM_THREADS": str(threads)}
    program = [sys.executable, "-m", "audiocycle.cli.main"]
    begin = time.perf_counter()
    running = [
        subprocess.Popen([*program, *map(str, command)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    failed = [process.args for process in running if process.wait()]
    assert not failed, failed
    return time.perf_counter() - begin


def throughput(bundle: Path, recordings: Path, count: int, scratch: Path) -> list[Figure]:
    """Files a second, start-up included in all of them."""
    source, target = read_config(bundle).domains[:2]
    options: list[str | Path] = ["--model", bundle, "--source", source, "--target", target]
    files = sorted(recordings.iterdir())
    shares = [files[index::WORKERS] for index in range(WORKERS)]
    singles: list[list[str | Path]] = [["convert", *share, *options, "-o", scratch / f"single-{i}"] for i, share in enumerate(shares)]
    apart = seconds_side_by_side(singles, threads=1)
    together = seconds_side_by_side([["convert", recordings, *options, "-o", scratch / "pool", "--jobs", str(WORKERS)]], threads=None)
    remark = f"{count} files of {SECONDS[0]:g} to {SECONDS[1]:g} s, whole processes, {read_config(bundle).name}"
    baseline = f"{WORKERS} single processes, one thread each"
    return [
        Figure(f"folder, {baseline}", count / apart, "files/s", remark),
        Figure(f"folder, --jobs {WORKERS}", count / together, "files/s", remark, Ratio(apart / together, baseline)),
    ]


def memory_of_folder(bundle: Path, recordings: Path, output: Path) -> float:
    """Peak MiB of a process that converts all recordings."""
    converter = Converter.from_pretrained(bundle)
    source, target = converter.domains[:2]
    output.mkdir(exist_ok=True)
    for path in sorted(recordings.iterdir()):
        converter.convert_file(path, output / path.name, target, source, overwrite=True)
    return peak_memory()


def run(settings: Settings) -> list[Figure]:
    with TemporaryDirectory() as name:
        scratch = Path(name)
        bundle = choose_bundle(settings, scratch)
        count = settings.pick(1000, 8)
        recordings = write_recordings(scratch / "recordings", count)
        figures = throughput(bundle, recordings, count, scratch)
        if settings.long:
            few = write_recordings(scratch / "few", settings.pick(50, 2))
            less, more = (in_fresh_process(memory_of_folder, bundle, folder, scratch / "again") for folder in (few, recordings))
            remark = f"{more:.0f} - {less:.0f} MiB, peaks of whole processes"
            figures.append(Figure(f"memory of {count} short files above {len(list(few.iterdir()))}", more - less, "MiB", remark))
    return figures
