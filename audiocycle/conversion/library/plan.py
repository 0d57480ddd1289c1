"""Which files are meant, and which output belongs to which input."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from glob import glob, has_magic
from pathlib import Path

from audiocycle.errors import InputError, OutputError
from audiocycle.system.names import expanded, file_name
from audiocycle.system.scan import scan, several

UNFINISHED = ".unfinished"
"""A folder beside outputs, where they are made before they get their names; gone when a run ends."""


@dataclass(frozen=True)
class Job:
    """One file to convert."""

    input: Path
    output: Path


def silent(line: str) -> None:
    """For those who need not be told."""


def find_inputs(
    inputs: Sequence[str], accepts: Callable[[Path], bool], spare: Path | None = None, tell: Callable[[str], None] = silent
) -> list[tuple[Path, Path]]:
    """All files named by paths, globs and folders, as (file, path relative to what was named).

    Args:
        accepts: which files of a folder are meant.
        spare: a folder inside a named one that is passed over: where the outputs go.
        tell: called with a line on what else is passed over, where there is anything.

    Raises:
        InputError: a glob or a folder without any usable file. ConfigError: a home folder that is not known.
    """
    found: dict[Path, Path] = {}
    for name in inputs:
        path = expanded(name)
        if not name:
            raise InputError("the name of an input is empty; is a variable of your shell not set?")
        if name == "-":
            found[path] = Path("stdin")
        elif path.is_dir():
            inside = spare is not None and path.resolve() in spare.resolve().parents
            passed = path / spare.resolve().relative_to(path.resolve()) if inside and spare else None
            inside_it = scan(path, accepts, without=passed, ignored={UNFINISHED})
            files, others = inside_it.files, inside_it.passed_over
            if not files:
                there = f" (it holds {others})" if others else ""
                raise InputError(f"{path}: no usable file in this folder{there}; see audiocycle convert --help for what it takes")
            if others:
                tell(f"{path}: passed over {others}")
            found |= {file: file.relative_to(path) for file in files}
        elif has_magic(name) and not path.exists():
            matches = sorted(map(Path, glob(str(path), recursive=True)))
            files = [p for p in matches if p.is_file()]
            if (folders := sum(p.is_dir() for p in matches)) and "**" not in name:
                tell(f"{name}: passed over {folders} {several('folder', folders)}; name them to have what is in them")
            if not files:
                raise InputError(f"{name}: matches no file; check the folder and the ending")
            found |= {file: Path(file.name) for file in files}
        else:
            found[path] = Path(path.name)
    return list(found.items())


def plan(
    inputs: Sequence[str], folder: Path, suffix: str, accepts: Callable[[Path], bool], tell: Callable[[str], None] = silent
) -> list[Job]:
    """A job for each input, with the same tree below ``folder``; equal stems keep their old ending in the name.

    Args:
        tell: see :func:`find_inputs`.

    Raises:
        OutputError: ``folder`` is a file, or an output would replace an input.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; several inputs need a folder after `output`")
    if folder.suffix == suffix and not folder.exists():
        raise OutputError(f"{folder}: several inputs need a folder after `output`, and this is named like a file")
    found = find_inputs(inputs, accepts, folder, tell)
    stems = Counter(relative.with_suffix("") for _, relative in found)
    jobs: dict[Path, Job] = {}
    namesakes: Counter[Path] = Counter()
    for path, relative in found:
        ending = f"_{relative.suffix[1:]}" if stems[relative.with_suffix("")] > 1 and relative.suffix else ""
        wanted = output = folder / relative.with_name(file_name(f"{relative.stem}{ending}", suffix))
        while output in jobs:
            namesakes[wanted] += 1
            output = wanted.with_name(file_name(f"{wanted.stem}_{namesakes[wanted] + 1}", suffix))
        jobs[output] = Job(path, output)
    real = cache(os.path.realpath)  # a library has many files in few folders
    sources = {real_name(path, real) for path, _ in found}
    for output in jobs:
        if real_name(output, real) in sources:
            raise OutputError(f"{output}: is an input itself; name another folder with `output`")
    return list(jobs.values())


def real_name(path: Path, real: Callable[[str], str]) -> str:
    """The name behind all links, of which those of folders are looked up with ``real``."""
    folder, name = os.path.split(path)
    return os.path.realpath(path) if name == ".." or os.path.islink(path) else os.path.join(real(folder), name)
