"""One file at a time, in whichever process: what to do with it, the converter that a process keeps, errors as records."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from audiocycle.bundles.format import CONFIG, WEIGHTS, graph_files
from audiocycle.bundles.runtimes.choice import AUTO, RUNTIMES
from audiocycle.conversion.converter import Converter
from audiocycle.conversion.library.plan import UNFINISHED, Job
from audiocycle.conversion.record import Record, extras_of
from audiocycle.errors import BundleError, explain
from audiocycle.modality import Progress
from audiocycle.system.names import expanded


@dataclass(frozen=True)
class Task:
    """What to do with every file; plain values, so that it travels to a worker process."""

    bundle: Path
    target: str
    source: str | None = None
    renderer: str | None = None
    vocoder: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """The modality's, by name."""
    overwrite: bool = False
    plot: bool = False
    preview: bool = False
    score: bool = False
    debug: bool = False
    runtime: str = AUTO
    precision: str = AUTO

    def converter(self) -> Converter:
        """Load the bundle."""
        return Converter.from_pretrained(self.bundle, self.renderer, self.vocoder, self.runtime, self.precision)

    def products(self, output: Path, converter: Converter) -> list[Path]:
        """The files that one conversion writes: the output and what was asked for beside it."""
        return [output, *extras_of(output, converter.modality, self.plot, self.preview, self.score)]


@dataclass(frozen=True)
class Recipe:
    """What an output is made with, beside its input: hashes of the model and of the options."""

    model: str
    options: str


class Workers(Protocol):
    """Where jobs are done: this process, several, or a cluster."""

    @property
    def busy(self) -> bool:
        """True while a job is not back."""

    @property
    def full(self) -> bool:
        """True when another job should wait until one is back: a library of any size fits."""

    def submit(self, job: Job) -> None:
        """Take a job."""

    def finished(self, wait: bool) -> Iterator[tuple[Job, Record]]:
        """Jobs that are back, each once; with ``wait`` at least one where there is any. Each has its record."""

    def close(self) -> None:
        """Let go, in the middle of the work too."""


def content_hash(*paths: Path) -> str:
    """16 hexadecimal digits (BLAKE2b) for the contents of files, in this order.

    Raises:
        OSError: one cannot be read.
    """
    whole = hashlib.blake2b(digest_size=8)
    for path in paths:
        with path.open("rb", buffering=0) as file:
            whole.update(hashlib.file_digest(file, hashlib.blake2b).digest())
    return whole.hexdigest()


def input_hash(path: Path) -> str:
    """The hash of an input; empty for pipes, and for what cannot be read: the converter says why."""
    try:
        return content_hash(path) if str(path) != "-" and path.is_file() else ""
    except OSError:
        return ""


def model_hash(bundle: Path, runtime: str) -> str:
    """The hash of a bundle's settings and weights, and of its graphs if the runtime computes these.

    Raises:
        BundleError: they cannot be read.
    """
    used = runtime in RUNTIMES and RUNTIMES[runtime].graphs
    graphs = [path for path in graph_files(bundle) if used and path.is_file()]  # a pipe would be waited for
    try:
        return content_hash(bundle / CONFIG, bundle / WEIGHTS, *graphs)
    except OSError as error:
        raise BundleError(f"{error.filename}: cannot be read ({error.strerror}); copy the bundle again") from error


def recipe_of(task: Task, converter: Converter) -> Recipe:
    """What outputs of this task are made with. Defaults are filled in, so that saying one changes nothing.

    Raises:
        AudioCycleError: the task is impossible.
    """
    direction = converter.direction(task.target, task.source)
    vocoder = expanded(task.vocoder) if task.vocoder else None
    parts = sorted(p for p in vocoder.iterdir() if p.is_file()) if vocoder and vocoder.is_dir() else [vocoder]
    weights = content_hash(*(p for p in parts if p is not None)) if vocoder and vocoder.exists() else task.vocoder
    renderer = task.renderer or converter.adapter.renderers[0]
    network = [converter.network.runtime, converter.network.precision]
    chosen = converter.modality.chosen(task.options, converter.renderer)
    options = [direction.source.name, direction.target.name, renderer, weights, asdict(chosen), *network]
    text = json.dumps(options, sort_keys=True, default=str)
    return Recipe(model_hash(task.bundle, converter.network.runtime), hashlib.blake2b(text.encode(), digest_size=8).hexdigest())


_converters: dict[tuple[object, ...], Converter] = {}
"""The one that this process has loaded last; workers of a cluster outlive the runs that they work for."""
_loading = threading.Lock()
_process = secrets.token_hex(4)
"""Tells this process from those of other machines."""


def loaded(task: Task, recipe: Recipe) -> Converter:
    """The converter of this process.

    Raises:
        AudioCycleError: the bundle cannot be loaded, or is not the one that the run began with.
    """
    key = (task.bundle, task.renderer, task.vocoder, task.runtime, task.precision, recipe)
    with _loading:
        if key not in _converters:
            if model_hash(task.bundle, task.runtime) != recipe.model:
                raise BundleError(f"{task.bundle}: not the model that this run began with; start again when nobody writes there")
            _converters.clear()
            _converters[key] = task.converter()
        return _converters[key]


def work(task: Task, recipe: Recipe, job: Job) -> Record:
    """A job in a worker process."""
    try:
        converter = loaded(task, recipe)
    except Exception as error:
        return failed(job, explain(error, str(job.input)))
    return convert_apart(converter, task, job)


def convert_apart(converter: Converter, task: Task, job: Job, progress: Progress = lambda share: None) -> Record:
    """Convert into a folder of this worker's own beside the output, and note what was made from what.

    The record's ``output`` says where it lies. Only the process that keeps the ledger moves files to their places, so that
    an attempt that was given up, and ends all the same, can spoil nothing.
    """
    worker = f"{_process}-{os.getpid()}-{threading.get_ident()}"  # also for forked processes and threads
    apart = job.output.parent / UNFINISHED / worker / job.output.name
    before = input_hash(job.input)  # before it is read: a change meanwhile is found at the next run
    record = convert_one(converter, replace(task, overwrite=True), Job(job.input, apart), progress)
    if record.status != "failed":
        try:
            files = {path.name: content_hash(path) for path in task.products(apart, converter) if path.exists()}
            return replace(record, input_hash=before, files=files)
        except OSError as error:
            record = failed(job, explain(error, str(job.output)))
    for path in task.products(apart, converter):
        with suppress(OSError):  # it was never made
            path.unlink()
    return replace(record, error=record.error.replace(str(apart.parent), str(job.output.parent)))


def convert_one(converter: Converter, task: Task, job: Job, progress: Progress = lambda share: None) -> Record:
    """One file to a record, whatever happens to it.

    Raises:
        BrokenPipeError: nobody reads our stdout any more.
    """
    try:
        return converter.convert_file(
            job.input, job.output, task.target, task.source,
            overwrite=task.overwrite, plot=task.plot, preview=task.preview, score=task.score, progress=progress, **task.options,
        )  # fmt: skip
    except BrokenPipeError:
        raise
    except Exception as error:  # a bug of ours must not cost a user the other thousand files
        if task.debug:
            traceback.print_exc()
        return failed(job, explain(error, str(job.input)))


def failed(job: Job, error: str) -> Record:
    """The record of a file that could not be converted."""
    return Record(str(job.input), "", "failed", error=error)
