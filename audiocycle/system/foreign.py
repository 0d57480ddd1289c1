"""Files that strangers made, opened with care: only real files, of bounded size, and JSON that is what it should be."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any, NoReturn

from audiocycle.errors import BundleError

MAX_JSON_BYTES = 4_000_000
"""Statistics of 32 domains, and deviations of 992 directions, need half of that."""
MAX_DEPTH = 32
LARGEST_NUMBER = 1e15
"""In settings; steps and bytes are counted in smaller ones."""


def regular_file(path: Path) -> int:
    """The size in bytes of a real file (or a link to one): a pipe would be waited for, and a device read, without end.

    Raises:
        BundleError: it is missing, cannot be looked at, or is something else.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a zero in the name
        reason = getattr(error, "strerror", None) or error
        raise BundleError(f"{path}: cannot be read ({reason}); copy the bundle again") from error
    if not stat.S_ISREG(found.st_mode):
        raise BundleError(f"{path}: is no regular file (a pipe, a device or a folder); copy the bundle again")
    return found.st_size


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file of bounded size and depth, whose numbers are finite and whose strings are text.

    Raises:
        BundleError: it cannot be read, or holds something else; the message does not repeat what it holds.
    """
    size = regular_file(path)
    if size > MAX_JSON_BYTES:
        raise BundleError(f"{path}: has {size / 1e6:.0f} MB, and settings have less than {MAX_JSON_BYTES / 1e6:.0f}; copy the bundle again")
    try:
        with path.open("rb") as file:
            raw = json.loads(file.read(MAX_JSON_BYTES + 1).decode("utf-8"), parse_constant=_no_number)
        if not isinstance(raw, dict):
            raise ValueError("no object")
        _check(raw)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror}); copy the bundle again") from error
    except UnfitError as error:
        raise BundleError(f"{path}: damaged, {error}; copy the bundle again") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: damaged, not a bundle's settings; copy the bundle again") from error
    return raw


class UnfitError(ValueError):
    """JSON, but no settings."""


def _no_number(name: str) -> NoReturn:
    raise UnfitError(f"{name} is no number")


def _check(root: object) -> None:
    """No recursion: depth is what is checked.

    Raises:
        UnfitError: too deep, or a number that is none or absurd. UnicodeEncodeError: a string that is no text.
    """
    waiting: list[tuple[object, int]] = [(root, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise UnfitError("its settings are nested without end")
        if isinstance(value, str):
            value.encode("utf-8")  # half a letter is none: UnicodeEncodeError
        elif isinstance(value, int | float):
            if not abs(value) <= LARGEST_NUMBER:  # nor is NaN
                raise UnfitError(f"a number in it is larger than {LARGEST_NUMBER:g}")
        elif isinstance(value, list):
            waiting += [(item, depth + 1) for item in value]
        elif isinstance(value, dict):
            waiting += [(item, depth + 1) for pair in value.items() for item in pair]
