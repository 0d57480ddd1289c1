"""What is made once on a machine and kept in the user's cache folder: each file says whether it is whole, and is made again where it is not."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from audiocycle.system.atomic import whole_file, writing_below

SETTING = "AUDIOCYCLE_CACHE"
DIGEST_BYTES = 32
"""SHA-256, before the content."""


def cache_folder() -> Path:
    """``AUDIOCYCLE_CACHE``, or the folder that the system has for such things."""
    if given := os.environ.get(SETTING):
        return Path(given)
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(home) / "audiocycle"


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """The content of a file of the cache folder; made, if it is missing or damaged. Several programs may ask at once: all make the same.

    Raises:
        OutputError: the folder cannot be written.
    """
    path = cache_folder() / name
    try:
        stored = path.read_bytes() if path.is_file() else b""
    except OSError:  # somebody else's
        stored = b""
    digest, content = stored[:DIGEST_BYTES], stored[DIGEST_BYTES:]
    if content and digest == hashlib.sha256(content).digest():
        return content
    content = make()
    with writing_below(path.parent, f"the environment variable {SETTING}"), whole_file(path) as temporary:
        temporary.write_bytes(hashlib.sha256(content).digest() + content)
    return content
