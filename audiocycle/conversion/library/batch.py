"""Many files: each done once, where the work is to be done, and going on past bad ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from audiocycle.bundles.library import locate
from audiocycle.conversion.converter import Converter
from audiocycle.conversion.library.ledger import Ledger
from audiocycle.conversion.library.plan import Job
from audiocycle.conversion.library.pool import WorkerPool
from audiocycle.conversion.library.worker import (
    Task,
    Workers,
    convert_apart,
    convert_one,
    recipe_of,
)
from audiocycle.conversion.record import Record
from audiocycle.errors import ConfigError
from audiocycle.modality import Progress

if TYPE_CHECKING:
    from audiocycle.conversion.library.cluster import Tls


def convert_jobs(
    task: Task,
    jobs: Sequence[Job],
    processes: int = 1,
    progress: Progress = lambda share: None,
    scheduler: str | None = None,
    folder: Path | None = None,
    tls: Tls | None = None,
) -> Iterator[Record]:
    """Convert files, in any order; a failed one becomes a record with an error, never an exception.

    Args:
        progress: called with the share of the file in work, where there is one process.
        scheduler: address of a Dask cluster that does the work (see :mod:`audiocycle.conversion.library.cluster`).
        folder: where all outputs are, with the report of what is finished (see :mod:`audiocycle.conversion.library.ledger`). Without one each
            output goes straight to its place, which may be a pipe, from this process.
        tls: how the cluster is recognised.

    Raises:
        AudioCycleError: at once, where no file could be converted: a damaged bundle, an impossible option.
    """
    task = replace(task, bundle=locate(task.bundle))
    converter = task.converter()
    converter.translation(task.target, task.source, **task.options)
    task = replace(task, runtime=converter.network.runtime, precision=converter.network.precision)  # auto may differ elsewhere
    if folder is None:
        if scheduler is not None:
            raise ConfigError("`scheduler`: a cluster is for many files; add `output=DIR`")
        return (convert_one(converter, task, job, progress) for job in jobs)
    task.products(Path("output"), converter)  # an extra that no output can have is refused once, not for every file
    recipe = recipe_of(task, converter)
    here = InProcess(converter, task, progress)
    workers: Workers = here
    if scheduler is not None:
        from audiocycle.conversion.library.cluster import Cluster

        workers = Cluster(scheduler, task, recipe, tls)
    elif min(processes, len(jobs)) > 1:
        workers = WorkerPool(task, recipe, min(processes, len(jobs)))
    try:
        ledger = Ledger(folder, recipe, partial(task.products, converter=converter), task.overwrite)
    except BaseException:
        workers.close()
        raise
    return convert_library(jobs, here, workers, ledger)


def convert_library(jobs: Sequence[Job], here: Workers, workers: Workers, ledger: Ledger) -> Iterator[Record]:
    """Records of all jobs, each noted in the ledger. ``here`` has a stdin."""
    with ledger, closing(workers):
        for job in jobs:
            record = ledger.look_at(job)
            if record is not None:
                yield record
                continue
            chosen = here if str(job.input) == "-" else workers
            chosen.submit(job)
            for done in chosen.finished(wait=chosen.full):
                yield ledger.commit(*done)
        while workers.busy:
            for done in workers.finished(wait=True):
                yield ledger.commit(*done)


class InProcess:
    """This process, which does a job when it is asked for the result."""

    def __init__(self, converter: Converter, task: Task, progress: Progress) -> None:
        self._converter, self._task, self._progress = converter, task, progress
        self._jobs: list[Job] = []

    @property
    def busy(self) -> bool:
        """True while a job is to be done."""
        return bool(self._jobs)

    full = busy

    def submit(self, job: Job) -> None:
        """Take a job."""
        self._jobs.append(job)

    def finished(self, wait: bool) -> Iterator[tuple[Job, Record]]:
        """Do what is to be done."""
        while self._jobs:
            job = self._jobs.pop()
            yield job, convert_apart(self._converter, self._task, job, self._progress)

    def close(self) -> None:
        """Nothing is left behind."""
