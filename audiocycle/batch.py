"""Many files: which output belongs to which input, several processes, one record a file, and going on past bad ones."""

from __future__ import annotations

import json
import os
import signal
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape, glob, has_magic
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from audiocycle.convert import Converter, Record
from audiocycle.errors import AudioCycleError, InputError, OutputError

REPORT = "report.jsonl"
Progress = Callable[[float], None]
"""Called with the share of a file that is done."""


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
    plot: bool = False
    debug: bool = False

    def converter(self) -> Converter:
        """Load the bundle."""
        return Converter.from_pretrained(self.bundle, self.renderer, self.vocoder)


def find_inputs(inputs: Sequence[str], accepts: Callable[[Path], bool], spare: Path | None = None) -> list[tuple[Path, Path]]:
    """All files named by paths, globs and folders, as (file, path relative to what was named).

    Args:
        accepts: which files of a folder are meant.
        spare: a folder inside a named one that is passed over: where the outputs go.

    Raises:
        InputError: a glob or a folder without any usable file.
    """
    found: dict[Path, Path] = {}
    for name in inputs:
        path = Path(name).expanduser()
        if not name:
            raise InputError("the name of an input is empty; is a variable of your shell not set?")
        if name == "-":
            found[path] = Path("stdin")
        elif path.is_dir():
            inside = spare is not None and path.resolve() in spare.resolve().parents
            passed = path / spare.resolve().relative_to(path.resolve()) if inside and spare else None
            files = sorted(p for p in path.rglob("*") if p.is_file() and accepts(p) and passed not in p.parents)
            if not files:
                raise InputError(f"{path}: no usable file in this folder; see audiocycle convert --help for what it takes")
            found |= {file: file.relative_to(path) for file in files}
        elif has_magic(name) and not path.exists():
            files = sorted(p for p in map(Path, glob(str(path), recursive=True)) if p.is_file())
            if not files:
                raise InputError(f"{name}: matches no file; check the folder and the ending")
            found |= {file: Path(file.name) for file in files}
        else:
            found[path] = Path(path.name)
    return list(found.items())


def plan(inputs: Sequence[str], folder: Path, suffix: str, accepts: Callable[[Path], bool]) -> list[Job]:
    """A job for each input, with the same tree below ``folder``; equal stems keep their old ending in the name.

    Raises:
        OutputError: ``folder`` is a file, or an output would replace an input.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; several inputs need a folder after -o")
    if folder.suffix == suffix and not folder.exists():
        raise OutputError(f"{folder}: several inputs need a folder after -o, and this is named like a file")
    found = find_inputs(inputs, accepts, folder)
    stems = Counter(relative.with_suffix("") for _, relative in found)
    jobs: dict[Path, Job] = {}
    for path, relative in found:
        ending = f"_{relative.suffix[1:]}" if stems[relative.with_suffix("")] > 1 and relative.suffix else ""
        output = folder / relative.with_name(f"{relative.stem}{ending}{suffix}")
        counter = 2
        while output in jobs:
            output = output.with_name(f"{relative.stem}{ending}_{counter}{suffix}")
            counter += 1
        jobs[output] = Job(path, output)
    sources = {path.resolve() for path, _ in found}
    for output in jobs:
        if output.resolve() in sources:
            raise OutputError(f"{output}: is an input itself; name another folder with -o")
    return list(jobs.values())


def convert_jobs(
    task: Task, jobs: Sequence[Job], processes: int = 1, progress: Progress = lambda share: None
) -> Iterator[Record]:
    """Convert all files, in any order; a failed one becomes a record with an error, never an exception.

    Args:
        progress: called with the share of the file in work, where there is one process.

    Raises:
        AudioCycleError: at once, where no file could be converted: a damaged bundle, an impossible option.
    """
    converter = task.converter()
    converter.translation(task.target, task.source, task.pitch_shift)
    if processes <= 1 or len(jobs) <= 1:
        return (convert_one(converter, task, job, progress) for job in jobs)
    return convert_in_processes(converter, task, jobs, processes)


def convert_in_processes(converter: Converter, task: Task, jobs: Sequence[Job], processes: int) -> Iterator[Record]:
    """Convert in worker processes. When one dies (out of memory, a crash in a codec) nobody knows over which file: each
    that was in work is tried once more alone, and fails if its process dies again."""
    yield from (convert_one(converter, task, job) for job in jobs if str(job.input) == "-")  # workers have no stdin
    left, suspects = deque(job for job in jobs if str(job.input) != "-"), deque[Job]()
    while left or suspects:
        queue = deque([suspects.popleft()]) if suspects else left
        size = min(processes, len(queue))
        running: dict[Future[Record], Job] = {}
        alone = queue is not left
        pool = ProcessPoolExecutor(size, get_context("spawn"), _start_worker, (task, size))
        try:
            yield from _completed(pool, queue, running, 2 * size)
        except BrokenProcessPool:
            for future, job in running.items():
                if future.done() and future.exception() is None:
                    yield future.result()
                elif alone:
                    yield failed(job, f"{job.input}: its process died, perhaps out of memory; try it with --jobs 1, or cut it in two")
                else:
                    suspects.append(job)
        finally:
            _end(pool, [job.output for job in running.values()])


def _completed(
    pool: ProcessPoolExecutor, queue: deque[Job], running: dict[Future[Record], Job], ahead: int
) -> Iterator[Record]:
    """Records as they finish; only ``ahead`` jobs are handed out at once, so that a library of any size fits."""
    while queue or running:
        with _deaf_children():
            while queue and len(running) < ahead:
                running[pool.submit(_work, queue[0])] = queue[0]
                queue.popleft()
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            record = future.result()
            del running[future]
            yield record


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started inside do not hear Ctrl-C, which would make each print a traceback; their parent ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(pool: ProcessPoolExecutor, unfinished: Sequence[Path]) -> None:
    """Let a pool's processes go; in the middle of their work they are killed, and what they had half-written removed."""
    if unfinished:
        for worker in list((pool._processes or {}).values()):
            worker.terminate()
    pool.shutdown(cancel_futures=True)
    for output in unfinished:  # the names are those of audiocycle.atomic
        for partial in output.parent.glob(f".{escape(output.stem)}.{'[0-9a-f]' * 8}.part{output.suffix}"):
            partial.unlink(missing_ok=True)


_worker: dict[str, Any] = {}
"""The converter and task of this worker process."""


def _start_worker(task: Task, processes: int) -> None:
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes))
    _worker.update(converter=task.converter(), task=task)


def _work(job: Job) -> Record:
    return convert_one(_worker["converter"], _worker["task"], job)


def convert_one(converter: Converter, task: Task, job: Job, progress: Progress = lambda share: None) -> Record:
    """One file to a record, whatever happens to it.

    Raises:
        BrokenPipeError: nobody reads our stdout any more.
    """
    try:
        if str(job.output) != "-" and job.output.exists() and not task.overwrite:
            return Record(str(job.input), str(job.output), "kept")
        return converter.convert_file(
            job.input, job.output, task.target, task.source,
            pitch_shift=task.pitch_shift, overwrite=task.overwrite, plot=task.plot, progress=progress,
        )  # fmt: skip
    except BrokenPipeError:
        raise
    except Exception as error:  # a bug of ours must not cost a user the other thousand files
        if task.debug:
            traceback.print_exc()
        return failed(job, explain(error, str(job.input)))


def explain(error: Exception, name: str) -> str:
    """One line on an error: ours say what to do, others say what they are."""
    if isinstance(error, AudioCycleError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or name}: {error.strerror}"
    return f"{name}: unexpected {type(error).__name__}: {' '.join(str(error).split())}; --debug shows where"


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
        with path.open("w", encoding="utf-8", errors="backslashreplace") as file:  # names need not be valid text
            for record in records:
                file.write(json.dumps(record.to_json(), ensure_ascii=False) + "\n")
                file.flush()
                yield record
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error
