"""The start of a training on a large corpus: seconds, memory and disk, with a stand-in for the analysis of recordings.

Everything but that analysis is what ``audiocycle train`` runs: files are digested, entries written and joined, statistics
fitted and kept, networks built, the first batch drawn. What real analysis takes is measured in :mod:`benchmarks.analysis`.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import numpy as np

from audiocycle.build import build_adapter
from audiocycle.cli.settings import compose_run
from audiocycle.data.cache import FeatureCache
from audiocycle.data.domains import domain_files
from audiocycle.spec import Encoded
from audiocycle.training.run import RunConfig, train
from audiocycle.training.trainer import Trainer
from audiocycle.voice.modality import VoiceModality
from audiocycle.voice.sides import RecordingSide
from benchmarks.measure import Figure, Settings, in_fresh_process, peak_memory, seconds_of

DOMAINS = ("low", "high")
ITEM_SECONDS = 5.0
LATER_BATCHES = 2000
MIB = 2**20


@dataclass(frozen=True)
class Start:
    """What a process that starts to train found out.

    Attributes:
        seconds: to the first batch, imports left out.
        whole: the same from before the process began.
        peak_mib, later_mib: peak memory with the first batch, and after :data:`LATER_BATCHES` more.
        mapped_mib: how much of the latter is pages of files, which the system takes back when it needs them.
    """

    seconds: float
    whole: float
    peak_mib: float
    later_mib: float
    mapped_mib: float


def write_stubs(root: Path, hours: float) -> None:
    """So many hours' worth of files of a few bytes, half of them in each domain."""
    for domain in DOMAINS:
        (root / domain).mkdir(parents=True)
        for index in range(round(hours * 3600 / ITEM_SECONDS / len(DOMAINS))):
            (root / domain / f"{index:06d}.wav").write_text(f"{domain} {index}")


def run_config(root: Path) -> RunConfig:
    words = [f"data.root={root / 'stubs'}", f"data.domains=[{','.join(DOMAINS)}]", f"run_dir={root / 'run'}", f"data.cache={root / 'cache'}"]
    return compose_run([*words, "overwrite=true", "trainer.device=cpu"])


def stand_in(path: Path) -> Encoded:
    """Features of a stub: smooth coefficients with the deviations of speech, voiced half of the time."""
    domain, index = path.read_text().split()
    random = np.random.default_rng([DOMAINS.index(domain), int(index)])
    frames = round(200 * ITEM_SECONDS)
    steps = random.standard_normal((36, frames), dtype=np.float32) / (1.0 + np.arange(36, dtype=np.float32)[:, None])
    f0 = np.where(np.sin(np.arange(frames) / 30.0) > 0.0, 120.0 * (1.0 + DOMAINS.index(domain)), 0.0)
    return Encoded(np.cumsum(steps, axis=1) / 10.0 - 4.0, RecordingSide(f0=f0, n_samples=80 * frames))


def fill(root: Path) -> None:
    """Entries of all stubs, as the analysis before a training makes them."""
    config = run_config(root)
    adapter = build_adapter(config.adapter)
    cache = FeatureCache(config.cache, stand_in, config.adapter | {"analysis": adapter.analysis}, side=RecordingSide)
    for domain in DOMAINS:
        cache.analyse(domain_files(config.data_root, domain, VoiceModality.accepts), lambda done, total: None)


def start(root: Path, begun: float) -> Start:
    """Train until the first batch is there."""
    since, found = time.perf_counter(), list[Start]()

    def first_batch(trainer: Trainer) -> None:
        trainer.sampler.batch(0)
        seconds, whole, peak = time.perf_counter() - since, time.time() - begun, peak_memory()
        for step in range(LATER_BATCHES):
            trainer.sampler.batch(step)
        found.append(Start(seconds, whole, peak, peak_memory(), mapped_memory()))

    with mock.patch.object(Trainer, "run", first_batch):
        train(run_config(root))
    return found[0]


def mapped_memory() -> float:
    """MiB of files' pages that this process has touched; NaN where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("RssFile")), float("nan"))


def forget(folder: Path) -> None:
    """Let the system drop what it keeps in memory of a folder's files, as after a restart of the machine."""
    if hasattr(os, "posix_fadvise"):
        for path in folder.rglob("*.*"):
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def size_mib(folder: Path, pattern: str) -> float:
    """What files take on disk, in whole blocks where the system tells."""
    status = [path.stat() for path in folder.glob(pattern)]
    return sum(getattr(s, "st_blocks", s.st_size / 512) * 512 for s in status) / MIB


def run(settings: Settings) -> list[Figure]:
    hours = settings.pick(40.0, 0.1)
    with TemporaryDirectory(prefix="audiocycle-corpus-") as name:
        root = Path(name)
        write_stubs(root / "stubs", hours)
        filling = seconds_of(partial(in_fresh_process, fill, root), 1, warm_up=0)[0]
        first = in_fresh_process(start, root, time.time())
        forget(root / "cache" / "joined")
        cached = in_fresh_process(start, root, time.time())
        entries, joined = (size_mib(root / "cache", pattern) / hours for pattern in ("*.npz", "joined/*/*"))
        n_files = len(list((root / "cache").glob("*.npz")))
    what = f"{hours:g} hours, {n_files} files"
    later = f"{LATER_BATCHES} further batches: {cached.later_mib:.0f} MiB, of which {cached.mapped_mib:.0f} are pages of files"
    return [
        Figure("corpus, entries written", n_files / filling, "files/s", f"{what}; the analysis is a stand-in"),
        Figure("corpus, entries on disk", entries, "MiB/h", "float16 features, float32 F0, 5 s a file"),
        Figure("corpus, joined on disk", joined, "MiB/h", "beside the entries"),
        Figure("corpus, first start", first.seconds, "s", f"{what}; joins and fits, imports left out"),
        Figure("corpus, first start, memory", first.peak_mib, "MiB", f"peak; {first.mapped_mib:.0f} MiB are pages of files at its end"),
        Figure("corpus, cached start", cached.seconds, "s", f"{what}; to the first batch, imports left out"),
        Figure("corpus, cached start, whole", cached.whole, "s", "the same from before the process began"),
        Figure("corpus, cached start, memory", cached.peak_mib, "MiB", f"peak of the process; after {later}"),
    ]
