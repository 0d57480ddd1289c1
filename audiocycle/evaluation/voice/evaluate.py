"""What a voice conversion is worth, on recordings that were not trained on, beside what it must be compared with.

Five rows stand beside the converted voice: the source as it is, matched envelopes, copy-synthesis of source and of target, the
target's own recordings (see :data:`audiocycle.evaluation.voice.measures.ROWS`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TypeVar

import numpy as np

from audiocycle.conversion.converter import Converter
from audiocycle.errors import ConfigError, DataError, InputError
from audiocycle.evaluation.measure import Row
from audiocycle.evaluation.voice.examples import EXAMPLES, examples_of
from audiocycle.evaluation.voice.judge import Transcripts, VoiceJudge
from audiocycle.evaluation.voice.listeners import Listeners
from audiocycle.evaluation.voice.measurement import (
    BY_NETWORK,
    BY_STATISTICS,
    COPY,
    OWN,
    DirectionNetwork,
    ItemMeasurement,
    SoundKey,
    measure_item,
)
from audiocycle.evaluation.voice.measures import (
    CONVERTED,
    MATCHED,
    MEASURES,
    OF_TARGET,
    ROWS,
    SOURCE_COPY,
    TARGET,
    TARGET_COPY,
    UNCONVERTED,
)
from audiocycle.evaluation.voice.recordings import Item, evenly, find_items, read, voices_of
from audiocycle.evaluation.voice.results import VoiceDirectionResult, VoiceEvaluation
from audiocycle.metrics.estimates import Estimate, estimate, joined
from audiocycle.spec import Direction, Domain, FloatArray
from audiocycle.system import threads

SOUNDS = {
    CONVERTED: BY_NETWORK, UNCONVERTED: OWN, MATCHED: BY_STATISTICS, SOURCE_COPY: COPY, TARGET_COPY: COPY, TARGET: OWN,
}  # fmt: skip
"""Which sound of a recording each row is."""

T = TypeVar("T")
R = TypeVar("R")


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
    there = Direction(Domain(first), Domain(second))
    wanted = [there] if one_way else [there, there.back]
    known = [direction for direction in wanted if direction in converter.config.directions] or wanted[:1]
    networks = [DirectionNetwork(str(way), way.source.name, way.target.name, converter.translation(way.target.name, way.source.name)) for way in known]
    items = find_items(folders, parallel, limit)
    examples = {item.name for domain in folders for item in evenly([x for x in items if domain in x.paths], EXAMPLES)}
    total, ticks = sum(len(item.paths) for item in items), count(1)
    notes: dict[str, str] = {}
    progress(0, total)

    def work(item: Item) -> ItemMeasurement | InputError:
        try:
            signals = {domain: read(path, converter, notes) for domain, path in item.paths.items()}
        except InputError as error:
            found: ItemMeasurement | InputError = error  # left out, and named among the skipped
        else:
            try:
                found = measure_item(item, signals, networks, converter, listeners, item.name in examples)
            except InputError as error:  # the model's failure: without such files it would look better than it is
                raise InputError(f"{item.name}: cannot be measured: {error}") from error
        for _ in item.paths:
            progress(next(ticks), total)
        return found

    done = in_threads(work, items)
    measured = [each for each in done if isinstance(each, ItemMeasurement)]
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
    directions = {each.name: results(each, measured, said) for each in networks}
    return VoiceEvaluation(
        converter.config.name,
        voices_of(converter).adapter.sample_rate,
        parallel,
        directions,
        {row: over_directions([each.rows[row] for each in directions.values()], parallel) for row in ROWS},
        skipped,
        listeners.missing,
        converter.config.training,
        "" if listeners.recognizer is None else "/".join(Path(listeners.recognizer.model).parts[-2:]),
        dict(sorted(notes.items())),
    )


def results(network: DirectionNetwork, measured: Sequence[ItemMeasurement], said: Transcripts | None) -> VoiceDirectionResult:
    """One direction, from all recordings."""
    judge, domains = VoiceJudge(network, measured, said), (network.source, network.target)
    members = {domain: [each for each in measured if domain in each.item.paths] for domain in domains}
    values: dict[str, dict[str, list[float]]] = {}
    rows: dict[str, Row] = {}
    variance: dict[str, FloatArray] = {}
    texts: dict[str, dict[str, str]] = {}
    references: dict[str, dict[str, str]] = {}
    for row, key in sounds_of(network).items():
        there = members[key[0]]
        each = [judge.values(file, key) for file in there]
        lengths = [judge.lengths(file, key) for file in there]
        values[row] = {measure.name: [one[measure.name] for one in each] for measure in MEASURES}
        means = {name: over_files(column, [one.get(name, 1) for one in lengths]) for name, column in values[row].items()}
        rows[row] = {name: mean for name, mean in means.items() if mean is not None}
        variance[row] = np.mean([file.by_sound[key].variance for file in there], axis=0)
        texts[row] = {file.item.name: text for file in there if (text := file.by_sound[key].text) is not None}
        references[row] = {file.item.name: text for file in there if (text := judge.reference(file, key)) is not None}
    files, target_files = ([file.item.name for file in members[domain]] for domain in domains)
    examples = examples_of(sounds_of(network), *(members[domain] for domain in domains))
    return VoiceDirectionResult(*domains, files, target_files, values, rows, variance, texts, references, examples)


def sounds_of(network: DirectionNetwork) -> dict[str, SoundKey]:
    """The sounds that a direction's rows are."""
    return {row: (network.target if row in OF_TARGET else network.source, SOUNDS[row]) for row in ROWS}


def over_files(values: Sequence[float], weights: Sequence[float]) -> Estimate | None:
    """Mean over the files that have a value; None where no file has one."""
    there = [(value, weight) for value, weight in zip(values, weights, strict=True) if np.isfinite(value)]
    return estimate([[value] for value, _ in there], [weight for _, weight in there]) if there else None


def over_directions(parts: Sequence[Row], parallel: bool) -> Row:
    """Means of the measures that all directions have."""
    return {name: joined([part[name] for part in parts], parallel) for name in parts[0] if all(name in part for part in parts)}


def in_threads(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """``function`` of each item, in order. What it calls mostly leaves the interpreter to other threads."""
    with ThreadPoolExecutor(threads.available(), "evaluate") as pool:
        waiting = [pool.submit(function, item) for item in items]
        try:
            return [each.result() for each in waiting]  # in order: of several errors, the same one ends the work each time
        finally:
            for each in waiting:
                each.cancel()


def known_transcripts(transcripts: Mapping[str, str], measured: Sequence[ItemMeasurement]) -> dict[tuple[str, str], str]:
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
