"""How many threads this process may use: every core it may run on, unless it shares them with other workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import local
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_limit: int | None = None
_own = local()
"""Of each thread: whether it is one that all callers share."""


def limit(count: int) -> None:
    """Let this process use ``count`` threads from now on (at least 1); for worker processes that share the cores."""
    global _limit
    _limit = max(1, count)


def available() -> int:
    """Threads that this process may use: :func:`limit`, else ``OMP_NUM_THREADS``, else its :func:`cores`."""
    return _limit or _of_environment() or cores()


def cores() -> int:
    """Processor cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS, not on Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """``function`` of each item, in order, on :func:`available` threads that all callers share.

    For functions that release the GIL. One that calls this itself has its items done where it is: all threads could be waiting for each other.
    """
    listed, count = list(items), available()
    if count == 1 or len(listed) < 2 or getattr(_own, "shared", False):
        return [function(item) for item in listed]
    return list(_pool(os.getpid(), count).map(function, listed))


@cache
def _pool(process: int, count: int) -> ThreadPoolExecutor:
    """The threads of a process; a forked one has lost its parent's."""
    return ThreadPoolExecutor(count, "audiocycle", initializer=lambda: setattr(_own, "shared", True))


def _of_environment() -> int | None:
    """OpenMP's own variable, which users and job schedulers set; anything but a whole number says nothing."""
    value = os.environ.get("OMP_NUM_THREADS", "").strip()
    return int(value) if value.isdecimal() and int(value) > 0 else None
