"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from audiocycle.errors import OutputError
from audiocycle.system.names import shortened

SHORT_NAME = 64
"""Bytes that every file system takes."""
LONGEST_SUFFIX = 16


def temporary_name(path: Path) -> str:
    """A name that nobody else uses, of the same ending, and no longer than the final one: any file system that takes that takes this."""
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= LONGEST_SUFFIX else ""
    rest = f".{secrets.token_hex(4)}.part{suffix}"
    stem = path.name.removesuffix(path.suffix) if path.suffix else path.name
    return f".{shortened(stem, max(len(os.fsencode(path.name)), SHORT_NAME) - len(os.fsencode(rest)) - 1)}{rest}"


def usual_mode(path: Path) -> int:
    """The permissions that a new file gets here; nothing stays at ``path``. (To ask for the process's mask is to change it, for all threads.)"""
    path.touch(exist_ok=False)
    try:
        return stat.S_IMODE(path.stat().st_mode)
    finally:
        path.unlink()


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``; moved over it when the block ends well, removed when it fails.

    The suffix is kept, so that writers that look at it choose the same format.

    Raises:
        OutputError: no permission, no space, or ``path`` is a folder.
    """
    temporary = path.with_name(temporary_name(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise OutputError(f"{path}: is a folder; name a file")
        usual = usual_mode(temporary)
        yield temporary
        temporary.chmod(usual)  # some writers make private files
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}); nothing was left half-written") from error
    finally:
        with suppress(OSError):  # it was moved, or never made
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a text file whole, or not at all (see :func:`whole_file`)."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def writing_below(folder: Path, setting: str) -> Iterator[None]:
    """What cannot be written inside the block is told with the setting that says where it goes.

    Raises:
        OutputError: anything that the system refuses.
    """
    try:
        yield
    except (OutputError, OSError) as error:
        system = error.__cause__ if isinstance(error, OutputError) else error
        reason = getattr(system, "strerror", None) or error
        raise OutputError(f"{folder}: cannot be written ({reason}); set {setting} to another folder") from error
