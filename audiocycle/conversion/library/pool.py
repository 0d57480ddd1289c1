"""Jobs in several processes of this machine, and what to do when one of them dies."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process

from audiocycle.conversion.library.plan import Job
from audiocycle.conversion.library.worker import Recipe, Task, failed, work
from audiocycle.conversion.record import Record
from audiocycle.system import threads

CRASHES = {getattr(signal, name) for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL") if hasattr(signal, name)}
"""How native code ends that went wrong."""


class WorkerPool:
    """Worker processes. When one dies (out of memory, a crash in a codec) nobody knows over which file: each that was in
    work is tried once more alone, and fails if its process dies again.

    Args:
        count: how many processes.
    """

    def __init__(self, task: Task, recipe: Recipe, count: int) -> None:
        self._task, self._recipe, self._count = task, recipe, count
        self._pool: ProcessPoolExecutor | None = None
        self._running: dict[Future[Record], Job] = {}

    @property
    def busy(self) -> bool:
        """True while a job is not back."""
        return bool(self._running)

    @property
    def full(self) -> bool:
        """True when each process has a job, and another waits for it."""
        return len(self._running) >= 2 * self._count

    def submit(self, job: Job) -> None:
        """Hand a job to the processes, which start when they are needed."""
        self._submit(job, self._count)

    def finished(self, wait: bool) -> Iterator[tuple[Job, Record]]:
        """Jobs that are back with their records."""
        suspects: list[Job] = []
        for future in self._done(wait):
            job = self._running.pop(future)
            try:
                yield job, future.result()
            except BrokenProcessPool:
                suspects.append(job)
        if not suspects:
            return
        for future in self._done(True, ALL_COMPLETED):
            job = self._running.pop(future)
            if future.exception() is None:
                yield job, future.result()
            else:
                suspects.append(job)
        self._stop()
        for job in suspects:
            yield job, self._alone(job)
        self._stop()

    def close(self) -> None:
        """End the processes, in the middle of their work too."""
        self._stop(kill=bool(self._running))
        self._running.clear()

    def _submit(self, job: Job, count: int) -> Future[Record]:
        future: Future[Record]
        with _deaf_children():
            if self._pool is None:
                self._pool = ProcessPoolExecutor(count, get_context("spawn"), _start_worker, (count,))
            try:
                future = self._pool.submit(work, self._task, self._recipe, job)
            except BrokenProcessPool as error:  # it broke since we looked last
                future = Future()
                future.set_exception(error)
        self._running[future] = job
        return future

    def _done(self, patient: bool, until: str = FIRST_COMPLETED) -> list[Future[Record]]:
        return list(wait(self._running, None if patient else 0, until).done)

    def _alone(self, job: Job) -> Record:
        future = self._submit(job, 1)
        processes = list(((self._pool and self._pool._processes) or {}).values())  # the pool forgets them when it breaks
        try:
            return future.result()
        except BrokenProcessPool:
            self._stop()
            return failed(job, f"{job.input}: its process {death(process.exitcode for process in processes)}")
        finally:
            if future.done():  # else we were stopped: close() has to know of it
                del self._running[future]

    def _stop(self, kill: bool = False) -> None:
        if self._pool is None:
            return
        if kill:
            for process in list((self._pool._processes or {}).values()):
                process.terminate()
        self._pool.shutdown(cancel_futures=True)
        self._pool = None


def death(exit_codes: Iterable[int | None]) -> str:
    """How a process ended, and what to do about it. What a model or a file makes native code do is no lack of memory."""
    for code in exit_codes:
        if code is not None and -code in CRASHES:
            name = signal.Signals(-code).name
            return f"crashed ({name}), over this file or the model; try another of both, take models only from who you trust, and report it"
    return "died, perhaps out of memory; try it with `jobs=1`, or cut it in two"


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


def _start_worker(processes: int) -> None:
    threads.limit(threads.available() // processes)
    os.environ["OMP_NUM_THREADS"] = str(threads.available())  # for torch, where it is loaded after this
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """A parent that is killed cannot end its workers, which would wait for the next job for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
