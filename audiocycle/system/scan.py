"""Which files of a folder are meant, and what is passed over."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

MOST_KINDS = 8
"""Kinds that a line names; the rest is counted together."""
NO_ENDING = "without ending"


@dataclass(frozen=True)
class Scan:
    """What lies below a folder.

    Attributes:
        files: those that are meant, sorted.
        passed: kind of all others -> how many: ``.txt``, ``hidden``, ``linked folder``, ...
    """

    files: list[Path]
    passed: Counter[str]

    @property
    def passed_over(self) -> str:
        """The counts in words, the most frequent first; empty where nothing was passed over."""
        kinds = sorted(self.passed.items(), key=lambda item: (-item[1], item[0]))
        rest = sum(count for _, count in kinds[MOST_KINDS:])
        said = [f"{count} {several(kind, count)}" for kind, count in kinds[:MOST_KINDS]] + ([f"{rest} others"] if rest else [])
        return ", ".join(said)


def several(kind: str, count: int) -> str:
    """``linked folders``; endings stay as they are."""
    return f"{kind}s" if count > 1 and kind.endswith(("folder", "link", "file")) else kind


def scan(folder: Path, accepts: Callable[[Path], bool], *, without: Path | None = None, ignored: Collection[str] = ()) -> Scan:
    """All files below a folder that are meant. Folders that are links are not entered: they may lead round in a circle.

    Args:
        accepts: says by its name whether a file is meant.
        without: a folder inside that is none of it.
        ignored: names of folders that are none of it, wherever they are.
    """
    passed: Counter[str] = Counter()
    files: list[Path] = []

    def unreadable(_: OSError) -> None:
        passed["unreadable folder"] += 1

    for place, folders, names in os.walk(folder, onerror=unreadable):
        here = Path(place)
        linked = [name for name in folders if os.path.islink(os.path.join(place, name))]
        passed["linked folder"] += len(linked)
        folders[:] = [name for name in folders if name not in linked and name not in ignored and here / name != without]
        for name in names:
            path = here / name
            if not os.path.isfile(path):  # false for what may not be looked at, too
                passed["broken link" if os.path.islink(path) else "special file"] += 1
            elif accepts(path):
                files.append(path)
            else:
                passed["hidden" if name.startswith(".") else shown_ending(path.suffix.lower())] += 1
    return Scan(sorted(files), +passed)


def shown_ending(ending: str) -> str:
    """An ending as a terminal can show it, in a few letters."""
    if not ending:
        return NO_ENDING
    return ending if ending.isprintable() and len(ending) <= 12 else "odd ending"
