"""What a voice conversion is worth, on recordings that were not trained on, beside what it must be compared with.

Five rows stand beside the converted voice: the source as it is, matched envelopes, copy-synthesis of source and of target, the
target's own recordings (see :data:`audiocycle.evaluation.voice.recordings.DEFINITION`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from audiocycle.conversion.converter import Converter
from audiocycle.errors import ConfigError, DataError, InputError
from audiocycle.evaluation.voice.judge import MEASURES, Judge, Said
from audiocycle.evaluation.voice.listeners import Listeners
from audiocycle.evaluation.voice.measure import COPY, MADE, MEANS, OWN, Measured, Way, Which, measure
from audiocycle.evaluation.voice.recordings import Item, evenly, find_items, read
from audiocycle.metrics.estimates import Estimate, estimate, joined
from audiocycle.spec import FloatArray, direction
from audiocycle.system import threads

CONVERTED, UNCONVERTED, MATCHED = "converted", "no conversion", "matched envelopes"
SOURCE_COPY, TARGET_COPY, TARGET = "copy-synthesis of source", "copy-synthesis of target", "target's own"
ROWS = (CONVERTED, UNCONVERTED, MATCHED, SOURCE_COPY, TARGET_COPY, TARGET)
OF_SOURCE = {CONVERTED: MADE, UNCONVERTED: OWN, MATCHED: MEANS, SOURCE_COPY: COPY}
OF_TARGET = {TARGET_COPY: COPY, TARGET: OWN}
"""Which sounds of which recordings the rows are."""
EXAMPLES = 3
"""Files of a direction that are kept to be looked at and listened to."""

Row = dict[str, Estimate]
"""By measure."""
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Sounds:
    """An example: what it sounds like in each row.

    Attributes:
        name, target_name: of the source's and the target's recording; equal where they are parallel.
        samples: by row, (N,) float32.
        f0: by row, (T,) Hz every 5 ms, 0 where unvoiced.
    """

    name: str
    target_name: str
    sample_rate: int
    samples: dict[str, FloatArray]
    f0: dict[str, FloatArray]


@dataclass(frozen=True)
class Direction:
    """Results of one direction.

    Attributes:
        files, target_files: names of the source's and the target's recordings; the same where they are parallel.
        values: row to measure to one value for each of ``files``, or of ``target_files`` in the target's rows
            (:data:`OF_TARGET`); NaN where there is nothing to measure.
        rows: row to measure to the mean over files; without measures that no file of the row has.
        global_variance: row to (34,) mean over files of each coefficient's variance.
        texts: row to file to what the recogniser heard; empty without one.
        said: row to file to what a text is compared with; empty where that is the text itself.
        examples: a few files.
    """

    source: str
    target: str
    files: list[str]
    target_files: list[str]
    values: dict[str, dict[str, list[float]]]
    rows: dict[str, Row]
    global_variance: dict[str, FloatArray]
    texts: dict[str, dict[str, str]]
    said: dict[str, dict[str, str]]
    examples: list[Sounds]


@dataclass(frozen=True)
class VoiceEvaluation:
    """Results of a model.

    Attributes:
        sample_rate: Hz of the examples, the model's.
        parallel: recordings of one name are one sentence.
        directions: by name, ``"SF1->TM3"``.
        total: mean over the directions, by row.
        skipped: path to reason, of recordings that could not be used.
        missing: family of measures to why it was left out.
        training: how the model was trained, as its bundle says.
        recognizer: the recogniser's weights, the end of their folder's path or what it is called on the hub; empty without one.
        notes: path to what is unusual about a recording that was measured, such as a telephone's band.
    """

    model: str
    sample_rate: int
    parallel: bool
    directions: dict[str, Direction]
    total: dict[str, Row]
    skipped: dict[str, str]
    missing: dict[str, str]
    training: dict[str, Any] = field(default_factory=dict)
    recognizer: str = ""
    notes: dict[str, str] = field(default_factory=dict)


def evaluate(
    converter: Converter,
    folders: Mapping[str, Path],
    listeners: Listeners,
    *,
    parallel: bool = False,
    one_way: bool = False,
    transcripts: Mapping[str, str] | None = None,
    limit: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> VoiceEvaluation:
    """Measure a voice model on held-out recordings of two domains. Threads share the files; no figure depends on their number.

    Args:
        folders: of the source's and the target's recordings.
        listeners: what listens beside the formulas.
        parallel: recordings of one name are one sentence; only those that both have are used.
        one_way: only from the first domain to the second; so in any case where the model goes no other way.
        transcripts: what is said, by name of the recording, or by ``DOMAIN/NAME``; without it, what the recogniser hears in
            the recording itself.
        limit: recordings of each domain, spread evenly.
        progress: called with (recordings done, recordings in all).

    Raises:
        ConfigError: not a voice model, or transcripts of other recordings.
        DomainError: a domain that the model does not know, or another way than its.
        DataError: a folder is missing, holds no recording that can be used, or has no name in common with the other.
    """
    if converter.config.modality != "voice":
        raise ConfigError(f"model {converter.config.name} converts {converter.config.modality}, not voices")
    first, second = folders
    wanted = [(first, second)] if one_way else [(first, second), (second, first)]
    pairs = [pair for pair in wanted if pair in converter.config.pairs] or wanted[:1]
    ways = [Way(direction(a, b), a, b, converter.translation(b, a)) for a, b in pairs]
    items = find_items(folders, parallel, limit)
    examples = {item.name for domain in folders for item in evenly([x for x in items if domain in x.paths], EXAMPLES)}
    total, ticks = sum(len(item.paths) for item in items), count(1)
    notes: dict[str, str] = {}
    progress(0, total)

    def work(item: Item) -> Measured | InputError:
        try:
            signals = {domain: read(path, converter, notes) for domain, path in item.paths.items()}
        except InputError as error:
            made: Measured | InputError = error  # left out, and told
        else:
            try:
                made = measure(item, signals, ways, converter, listeners, item.name in examples)
            except InputError as error:  # the model's failure: without such files it would look better than it is
                raise InputError(f"{item.name}: cannot be measured: {error}") from error
        for _ in item.paths:
            progress(next(ticks), total)
        return made

    done = in_threads(work, items)
    measured = [each for each in done if isinstance(each, Measured)]
    skipped = {
        str(path): str(each)
        for item, each in zip(items, done, strict=True)
        for path in item.paths.values()
        if isinstance(each, InputError)
    }
    for domain, folder in folders.items():
        if not any(domain in each.item.paths for each in measured):
            raise DataError(f"{folder}: none of its recordings can be used; the first: {next(iter(skipped.values()))}")
    said = None if transcripts is None else known_transcripts(transcripts, measured)
    directions = {way.name: results(way, measured, said) for way in ways}
    return VoiceEvaluation(
        converter.config.name,
        converter.adapter.sample_rate,
        parallel,
        directions,
        {row: over_directions([each.rows[row] for each in directions.values()], parallel) for row in ROWS},
        skipped,
        listeners.missing,
        converter.config.training,
        "" if listeners.recognizer is None else "/".join(Path(listeners.recognizer.model).parts[-2:]),
        dict(sorted(notes.items())),
    )


def results(way: Way, measured: Sequence[Measured], said: Said | None) -> Direction:
    """One direction, from all recordings."""
    judge = Judge(way, measured, said)
    members = {domain: [each for each in measured if domain in each.item.paths] for domain in (way.source, way.target)}
    values: dict[str, dict[str, list[float]]] = {}
    rows: dict[str, Row] = {}
    variance: dict[str, FloatArray] = {}
    texts: dict[str, dict[str, str]] = {}
    references: dict[str, dict[str, str]] = {}
    for row, which in sounds_of(way).items():
        there = members[which[0]]
        each = [judge.values(file, which) for file in there]
        lengths = [judge.lengths(file, which) for file in there]
        values[row] = {name: [one[name] for one in each] for name in MEASURES}
        means = {name: over_files(values[row][name], [one.get(name, 1) for one in lengths]) for name in MEASURES}
        rows[row] = {name: mean for name, mean in means.items() if mean is not None}
        variance[row] = np.mean([file.heard[which].variance for file in there], axis=0)
        texts[row] = {file.item.name: text for file in there if (text := file.heard[which].text) is not None}
        references[row] = {file.item.name: text for file in there if (text := judge.reference(file, which)) is not None}
    files, target_files = ([file.item.name for file in members[domain]] for domain in (way.source, way.target))
    examples = examples_of(way, members)
    return Direction(way.source, way.target, files, target_files, values, rows, variance, texts, references, examples)


def sounds_of(way: Way) -> dict[str, Which]:
    """The sounds that a direction's rows are, in the order of :data:`ROWS`."""
    places = {row: (way.source, kind) for row, kind in OF_SOURCE.items()}
    return places | {row: (way.target, kind) for row, kind in OF_TARGET.items()}


def over_files(values: Sequence[float], weights: Sequence[float]) -> Estimate | None:
    """Mean over the files that have a value; None where no file has one."""
    there = [(value, weight) for value, weight in zip(values, weights, strict=True) if np.isfinite(value)]
    return estimate([[value] for value, _ in there], [weight for _, weight in there]) if there else None


def over_directions(parts: Sequence[Row], parallel: bool) -> Row:
    """Means of the measures that all directions have."""
    return {name: joined([part[name] for part in parts], parallel) for name in parts[0] if all(name in part for part in parts)}


def examples_of(way: Way, members: Mapping[str, Sequence[Measured]]) -> list[Sounds]:
    """Recordings whose sounds were kept; without counterparts, beside some recording of the target's."""
    kept = [[each for each in members[domain] if each.sounds] for domain in (way.source, way.target)]
    examples = []
    for of_source, of_target in zip(*kept, strict=False):
        whole = of_source.sounds | of_target.sounds
        shown = {row: whole[which] for row, which in sounds_of(way).items()}
        examples.append(
            Sounds(
                of_source.item.name,
                of_target.item.name,
                shown[CONVERTED][0].sample_rate,
                {row: signal.samples for row, (signal, _) in shown.items()},
                {row: f0 for row, (_, f0) in shown.items()},
            )
        )
    return examples


def in_threads(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """``function`` of each item, in order. What it calls mostly leaves the interpreter to other threads."""
    with ThreadPoolExecutor(threads.available(), "evaluate") as pool:
        waiting = [pool.submit(function, item) for item in items]
        try:
            return [each.result() for each in waiting]  # in order: of several errors, the same one ends the work each time
        finally:
            for each in waiting:
                each.cancel()


def known_transcripts(transcripts: Mapping[str, str], measured: Sequence[Measured]) -> dict[tuple[str, str], str]:
    """What is said, by domain and name.

    Raises:
        ConfigError: no recording is among them.
    """
    said = {
        (domain, each.item.name): transcripts[key]
        for each in measured
        for domain in each.item.paths
        for key in (each.item.name, f"{domain}/{each.item.name}")
        if key in transcripts
    }
    if not said:
        example = measured[0].item.name
        raise ConfigError(f"--transcripts: no line begins with the name of a recording, such as {example}; write NAME TEXT for each")
    return said
