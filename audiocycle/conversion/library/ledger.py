"""The report of an output folder, ``report.jsonl``: what each output was made from, so that a later run does only the rest.

One line a file, as JSON: ``file`` (the output, relative to the folder) and the fields of a
:class:`~audiocycle.conversion.record.Record`. Lines are only ever added while a run goes on; when it ends, the latest of each file
stay, written whole or not at all. A run may be killed at any time, because of the order in which a file is finished:

1. a worker makes it in a folder of its own (see :func:`~audiocycle.conversion.library.worker.convert_apart`) and hashes it,
2. its line, with the hash, is added here,
3. it is moved to its name, in one step.

So an output whose hash is in a line of its own is ours and may be replaced; any other belongs to somebody else.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Self

from audiocycle.conversion.library.plan import UNFINISHED, Job
from audiocycle.conversion.library.worker import Recipe, content_hash, failed, input_hash
from audiocycle.conversion.record import Record
from audiocycle.errors import OutputError, explain
from audiocycle.system.atomic import whole_file
from audiocycle.system.locks import AVAILABLE, lock, open_log
from audiocycle.system.long_lines import LONGEST, short_lines

REPORT = "report.jsonl"
LARGEST = 1 << 30
"""Bytes of a report that is read: a million files take half of it."""
NEVER = Record("", "", "")
"""Of a file that no line is about."""


class Ledger:
    """What was and what is made in a folder of outputs. One run at a time writes there.

    Args:
        folder: of the outputs.
        recipe: of this run.
        products: the files that one conversion writes, from its output's name.
        overwrite: replace whatever there is.

    Raises:
        OutputError: the report cannot be written, is none of ours, or another run writes it.
    """

    def __init__(self, folder: Path, recipe: Recipe, products: Callable[[Path], list[Path]], overwrite: bool = False) -> None:
        self.folder, self.path = folder, folder / REPORT
        self._recipe, self._products, self._overwrite = recipe, products, overwrite
        self._lines: dict[str, list[int]] = {}  # where those of each file begin
        self._superseded = False
        self._unfinished: set[Path] = set()
        self._ours: dict[Path, dict[str, str]] = {}  # by output in work: what is ours of what was there
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with ExitStack() as opened:
                self._file = opened.enter_context(open_log(self.path))
                lock(self._file, f"{folder}: another run writes into this folder; wait for it, or name another folder with `output`")
                self._reader = opened.enter_context(self.path.open("rb"))
                self._index()
                self._opened = opened.pop_all()
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written ({error.strerror or error})") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def look_at(self, job: Job) -> Record | None:
        """The record of a file that stays as it is or cannot be converted, noted; None when it is to be converted."""
        try:
            record = self._settled(job)
        except OSError as error:
            record = replace(failed(job, explain(error, str(job.output))), files=self._ours.get(job.output, {}))
        if record is not None:
            self._ours.pop(job.output, None)
            self._write(job.output, record)
        return record

    def commit(self, job: Job, record: Record) -> Record:
        """Note what came of a job, and put what it made in its place."""
        ours = self._ours.pop(job.output)
        if record.status == "failed":
            return self._write(job.output, replace(record, files=ours))
        apart = Path(record.output)
        recipe = self._recipe
        record = replace(record, output=str(job.output), model_hash=recipe.model, options_hash=recipe.options)
        self._write(job.output, record)
        for name in dict.fromkeys([apart.name, *record.files]):
            place = job.output.with_name(name)
            try:
                os.replace(apart.with_name(name), place)
            except OSError as error:
                text = f"{place}: cannot be written ({error.strerror}); make room for it, and run the same command again"
                return self._write(job.output, replace(failed(job, text), files=ours))
            ours[name] = record.files[name]
        return record

    def close(self) -> None:
        """Clear up, and leave one line for each file.

        Raises:
            OutputError: no space; every line is still there, some files have several.
        """
        for folder in self._unfinished:
            shutil.rmtree(folder, ignore_errors=True)
        with self._opened:
            if self._superseded:
                self._compact()

    def _settled(self, job: Job) -> Record | None:
        past = self._past(job.output)
        last = past[-1] if past else NEVER
        self._ours[job.output] = dict(last.files)
        self._clear(job.output.parent / UNFINISHED)
        there = [path for path in self._products(job.output) if path.exists()]
        if job.output in there and same_file(job.input, job.output):
            return failed(job, f"{job.output}: is the input itself; name another folder with `output`")
        if not there or self._overwrite:
            return None
        found = {path.name: content_hash(path) for path in there}
        kept = replace(last, input=str(job.input), output=str(job.output), status="kept", error="", why_kept="")
        foreign = next((p for p in there if all(r.files.get(p.name) != found[p.name] for r in past)), None)
        if foreign is not None and job.output not in there:
            error = f"{foreign}: exists already; add `overwrite` to replace it, or leave `plot`, `preview` or `score` out"
            return replace(failed(job, error), files=last.files)
        if foreign is not None:
            known = any(foreign.name in record.files for record in past)
            why = "was changed after it was made" if known else "was there before, and this report does not say from what it is"
            return replace(kept, note="", why_kept=f"{foreign}: {why}; `overwrite` redoes it")
        self._ours[job.output] |= found
        whole = len(there) == len(self._products(job.output)) and all(last.files.get(n) == h for n, h in found.items())
        alike = (last.model_hash, last.options_hash) == (self._recipe.model, self._recipe.options)
        if whole and alike and last.input_hash and last.input_hash == input_hash(job.input):
            return kept
        return None

    def _clear(self, folder: Path) -> None:
        """Remove what a killed run left, once."""
        if folder not in self._unfinished:
            if folder.is_symlink():  # what is made would be made elsewhere
                folder.unlink()
            shutil.rmtree(folder, ignore_errors=True)
            self._unfinished.add(folder)

    def _index(self) -> None:
        if self._reader.seek(0, os.SEEK_END) > LARGEST:
            raise OutputError(f"{self.path}: is larger than any report of ours ({self._reader.tell() >> 20} MB); move it away")
        self._reader.seek(0)
        for place, line in short_lines(self._reader):
            name, _ = parse(line) or ("", NEVER)
            self._superseded |= not name or name in self._lines
            if name:
                self._lines.setdefault(name, []).append(place)
        self._end = self._reader.tell()
        if self._end:
            self._reader.seek(-1, os.SEEK_END)
            if self._reader.read(1) != b"\n":  # cut off by a kill
                self._end += self._file.write(b"\n")

    def _past(self, output: Path) -> list[Record]:
        records = []
        for position in self._lines.get(self._name(output), []):
            self._reader.seek(position)
            parsed = parse(self._reader.readline(LONGEST))
            records += [parsed[1]] if parsed else []
        return records

    def _write(self, output: Path, record: Record) -> Record:
        name, record = self._name(output), record.worded()
        text = json.dumps({"file": name} | record.to_json(), ensure_ascii=False)
        line = text.encode("utf-8", "backslashreplace") + b"\n"  # names need not be valid text
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written ({error.strerror or error})") from error
        self._superseded |= name in self._lines
        self._lines.setdefault(name, []).append(self._end)
        self._end += len(line)
        return record

    def _name(self, output: Path) -> str:
        return output.relative_to(self.folder).as_posix()

    def _compact(self) -> None:
        latest = {positions[-1] for positions in self._lines.values()}
        self._reader.seek(0)
        with whole_file(self.path) as temporary, temporary.open("wb") as file:
            for place, line in short_lines(self._reader):
                if place in latest:
                    file.write(line)
            if not AVAILABLE:  # Windows moves nothing over an open file; elsewhere the lock has to last
                self._opened.close()


def same_file(path: Path, other: Path) -> bool:
    """True for two names of one file."""
    try:
        return path.samefile(other)
    except FileNotFoundError:
        return False


def parse(line: bytes) -> tuple[str, Record] | None:
    """A line as (file, record); None for one that was cut off, or that no such run has written."""
    try:
        raw: dict[str, Any] = json.loads(line)
        given = {field.name: raw[field.name] for field in fields(Record) if field.name in raw}
        alike = all(isinstance(value, FIELDS[name]) and shallow(value) for name, value in given.items())
        return (raw["file"], Record(**given)) if alike and isinstance(raw["file"], str) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def shallow(value: Any, levels: int = 4) -> bool:
    """Whether what JSON gave is nested no deeper: what is read here may have to be written again."""
    if isinstance(value, dict):
        value = list(value.values())
    return not isinstance(value, list) or (levels > 0 and all(shallow(item, levels - 1) for item in value))


FIELDS = {
    field.name: (int, float) if isinstance(value, float) else type(value)
    for field in fields(Record)
    for value in [getattr(NEVER, field.name)]
}
"""What JSON has for each field of a record."""
