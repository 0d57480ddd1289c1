"""Many files: which output belongs to which input, several processes, one record a file, and going on past bad ones."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from glob import glob, has_magic
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from audiocycle.convert import Converter, Record
from audiocycle.errors import AudioCycleError, InputError, OutputError

REPORT = "report.jsonl"


@dataclass(frozen=True)
class Job:
    """One file to convert."""

    input: Path
    output: Path


@dataclass(frozen=True)
class Task:
    """What to do with every file; plain values, so that it travels to a worker process."""

    bundle: Path
    target: str
    source: str | None = None
    renderer: str | None = None
    vocoder: str | None = None
    pitch_shift: float = 0.0
    overwrite: bool = False

    def converter(self) -> Converter:
        """Load the bundle."""
        return Converter.from_pretrained(self.bundle, self.renderer, self.vocoder)


def find_inputs(inputs: Sequence[str], accepts: Callable[[Path], bool]) -> list[tuple[Path, Path]]:
    """All files named by paths, globs and folders, as (file, path relative to what was named).

    Raises:
        InputError: a glob or a folder without any usable file.
    """
    found: dict[Path, Path] = {}
    for name in inputs:
        path = Path(name).expanduser()
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file() and accepts(p))
            if not files:
                raise InputError(f"{path}: no usable file in this folder")
            found |= {file: file.relative_to(path) for file in files}
        elif has_magic(name) and not path.exists():
            files = sorted(Path(p) for p in glob(name, recursive=True))
            if not files:
                raise InputError(f"{name}: matches no file")
            found |= {file: Path(file.name) for file in files if file.is_file()}
        else:
            found[path] = Path(path.name)
    return list(found.items())


def plan(inputs: Sequence[str], folder: Path, suffix: str, accepts: Callable[[Path], bool]) -> list[Job]:
    """A job for each input, with the same tree below ``folder``; equal stems keep their old ending in the name.

    Raises:
        OutputError: ``folder`` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; several inputs need a folder after -o")
    jobs, taken = [], set()
    for path, relative in find_inputs(inputs, accepts):
        output = folder / relative.with_suffix(suffix)
        if output in taken:
            output = output.with_name(f"{relative.stem}_{relative.suffix.lstrip('.')}{suffix}")
        counter = 2
        while output in taken:
            output = output.with_name(f"{relative.stem}_{counter}{suffix}")
            counter += 1
        taken.add(output)
        jobs.append(Job(path, output))
    return jobs


def convert_jobs(task: Task, jobs: Sequence[Job], processes: int = 1) -> Iterator[Record]:
    """Convert all files, in any order; a failed one becomes a record with an error, never an exception.

    A file whose worker process dies (out of memory, a crash in a codec) is tried once more alone.
    """
    if processes <= 1 or len(jobs) == 1:
        converter = task.converter()
        yield from (convert_one(converter, task, job) for job in jobs)
        return
    left = list(jobs)
    with_company = True
    while left:
        size = min(processes, len(left)) if with_company else 1
        finished: set[Job] = set()
        try:
            with ProcessPoolExecutor(size, get_context("spawn"), _start_worker, (task, size)) as pool:
                for job, record in _completed(pool, left if with_company else left[:1], 2 * size):
                    finished.add(job)
                    yield record
        except BrokenProcessPool:
            if not with_company:
                job = left[0]
                finished.add(job)
                yield failed(job, "its worker process died, perhaps out of memory; try it alone with --jobs 1")
            with_company = False
        left = [job for job in left if job not in finished]


def _completed(pool: ProcessPoolExecutor, jobs: Sequence[Job], ahead: int) -> Iterator[tuple[Job, Record]]:
    """(job, record) as they finish; only ``ahead`` are handed out at a time, so that a library of any size fits."""
    waiting = iter(jobs)
    running: dict[Future[Record], Job] = {}
    while True:
        while len(running) < ahead and (job := next(waiting, None)) is not None:
            running[pool.submit(_work, job)] = job
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield running.pop(future), future.result()


_worker: dict[str, Any] = {}
"""The converter and task of this worker process."""


def _start_worker(task: Task, processes: int) -> None:
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes))
    _worker.update(converter=task.converter(), task=task)


def _work(job: Job) -> Record:
    return convert_one(_worker["converter"], _worker["task"], job)


def convert_one(converter: Converter, task: Task, job: Job) -> Record:
    """One file to a record, whatever happens to it."""
    if job.output.exists() and not task.overwrite:
        return Record(str(job.input), str(job.output), "kept")
    try:
        return converter.convert_file(
            job.input, job.output, task.target, task.source, pitch_shift=task.pitch_shift, overwrite=task.overwrite
        )
    except AudioCycleError as error:
        return failed(job, str(error))
    except Exception as error:  # a bug of ours must not cost a user the other thousand files
        return failed(job, f"{job.input}: unexpected {type(error).__name__}: {' '.join(str(error).split())}")


def failed(job: Job, error: str) -> Record:
    """The record of a file that could not be converted."""
    return Record(str(job.input), "", "failed", error=error)


def write_report(folder: Path, records: Iterator[Record]) -> Iterator[Record]:
    """Pass records through, each written to ``folder/report.jsonl`` at once.

    Raises:
        OutputError: the report cannot be written.
    """
    path = folder / REPORT
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            for record in records:
                file.write(json.dumps(record.to_json(), ensure_ascii=False) + "\n")
                file.flush()
                yield record
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error
