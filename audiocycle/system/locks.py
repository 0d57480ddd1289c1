"""Files that one program at a time adds to: a run's log, the report of a folder of outputs.

Locks last as long as a file is open, so that a program that is killed keeps nobody out.
"""

from __future__ import annotations

import os
import stat
import time
from io import FileIO
from pathlib import Path
from typing import IO, Any

from audiocycle.errors import OutputError

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows: nothing keeps two programs apart there
    flock = None  # type: ignore[assignment]

AVAILABLE = flock is not None
"""Whether this system has such locks; a file system may still have none."""
CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Flags for opening what somebody else may have put there: through no link, and without waiting for the reader of a pipe."""
BETWEEN_SECONDS = 0.1


def open_log(path: Path) -> FileIO:
    """A file to append bytes to, made if missing; what is written there stays there.

    Raises:
        OutputError: it is a link, or no file (a pipe, a device).
        OSError: no permission, a folder.
    """
    if path.is_symlink():
        raise OutputError(f"{path}: is a link to another place, and would be written there; move it away")
    if path.exists() and not path.is_file() and not path.is_dir():  # a pipe that nobody reads cannot be opened at all
        raise OutputError(f"{path}: is no file, but a pipe or a device; move it away")
    file = FileIO(path, "a", opener=lambda name, flags: os.open(name, flags | CAREFULLY, 0o666))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OutputError(f"{path}: is no file, but a pipe or a device; move it away")
    return file


def drop_half_line(path: Path, longest: int = 1 << 20) -> None:
    """Take away a last line that a kill cut off, so that what is added begins a line of its own; to be called with the lock."""
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - longest))
        end = file.read(longest)
        if not end.endswith(b"\n") and (b"\n" in end or len(end) == size):
            file.truncate(size - len(end) + end.rfind(b"\n") + 1)


def lock(file: IO[Any], at_work: str, patience: float = 0.0) -> None:
    """Keep others out for as long as ``file`` is open, where the system and the file system have locks.

    Args:
        at_work: the message of the error: who has it, and what helps.
        patience: seconds to wait for whoever has it.

    Raises:
        OutputError: another program has the lock.
    """
    deadline = time.monotonic() + patience
    while flock is not None:
        try:
            flock(file, LOCK_EX | LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise OutputError(at_work) from error
            time.sleep(BETWEEN_SECONDS)
        except OSError:  # a file system without locks
            return
