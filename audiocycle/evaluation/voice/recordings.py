"""Held-out recordings, and the sounds that are made of one: converted, matched, merely analysed and rendered again.

All are made as ``audiocycle convert`` makes them (loudness, silences, limit), with another step where the network would be, at
the model's sample rate, so that no row is resampled more often than another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from audiocycle.conversion.converter import Converter
from audiocycle.conversion.heard import Heard
from audiocycle.errors import ConfigError, DataError, InputError
from audiocycle.spec import Direction, Domain, Encoded, Signal, Translation
from audiocycle.system.scan import scan
from audiocycle.voice.modality import VoiceModality
from audiocycle.voice.sound_file import is_recording, read_speech

T = TypeVar("T")
Names = dict[str, Path]
"""Recordings of one folder: name (path below the folder, without the ending) to file."""


@dataclass(frozen=True)
class Item:
    """Recordings of one name that are measured together: of both domains where they are parallel, else of one.

    Attributes:
        name: what they share.
        paths: by domain.
    """

    name: str
    paths: Mapping[str, Path]


def find_recordings(folder: Path, domain: str) -> Names:
    """All recordings below a folder by name, sorted; of two with one name (``a.wav``, ``a.flac``), the first.

    Raises:
        DataError: there is no such folder, or no recording in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; it must hold recordings of {domain}")
    files = scan(folder, is_recording).files
    if not files:
        raise DataError(f"{folder}: no recordings in it (WAV, FLAC, ...); it must hold some of {domain}")
    found: Names = {}
    for path in files:
        found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), path)
    return found


def find_items(folders: Mapping[str, Path], parallel: bool, limit: int | None = None) -> list[Item]:
    """What is to be measured.

    Args:
        folders: of each domain.
        parallel: recordings of one name are one sentence; only names that all folders have are taken.
        limit: so many names (of each domain, where they are not parallel), spread evenly.

    Raises:
        DataError: see :func:`find_recordings`; no name in common.
    """
    found = {domain: find_recordings(folder, domain) for domain, folder in folders.items()}
    if not parallel:
        return [Item(name, {domain: names[name]}) for domain, names in found.items() for name in evenly(list(names), limit)]
    common = sorted(set.intersection(*(set(names) for names in found.values())))
    if not common:
        raise DataError(f"`parallel`: {' and '.join(map(str, folders.values()))} have no file name in common; leave `parallel` out")
    return [Item(name, {domain: names[name] for domain, names in found.items()}) for name in evenly(common, limit)]


NOBODY = Domain("")
"""A speaker of whom nothing is known."""


def evenly(things: Sequence[T], limit: int | None) -> list[T]:
    """At most ``limit`` of them, the first and, from two on, the last among them."""
    if limit is None or limit >= len(things):
        return list(things)
    return [things[place] for place in np.linspace(0, len(things) - 1, limit).round().astype(int)]


def voices_of(converter: Converter) -> VoiceModality:
    """The modality of a converter of voices."""
    assert isinstance(converter.modality, VoiceModality)
    return converter.modality


def read(path: Path, converter: Converter, notes: dict[str, str] | None = None) -> Signal:
    """A whole recording at the model's rate.

    Args:
        notes: path to what is unusual about a recording; gets this one's, where there is anything.

    Raises:
        InputError: it cannot be read, or is all silence.
    """
    adapter = voices_of(converter).adapter
    rate = adapter.sample_rate
    samples, found, noted = read_speech(path, rate, below_hearing=True)
    if notes is not None and (unusual := found.notes(adapter, noted)):
        notes[str(path)] = f"{path}: {'; '.join(unusual)}"
    if not samples.any():
        raise InputError(f"{path}: holds only digital silence")
    return Signal(samples, rate)


def copied(signal: Signal, converter: Converter) -> Signal:
    """Analysed and rendered again: what the vocoder alone costs."""
    made = converter.adapter.spec.made or None
    return rendered(signal, converter, Translation(lambda encoded: replace(encoded, features=encoded.features[:made]), Direction(NOBODY, NOBODY)))


def matched(signal: Signal, converter: Converter, source: str, target: str) -> Signal:
    """The target's mean and deviation of coefficients and log-F0: what a model must beat."""
    adapter, options = converter.adapter, converter.modality.chosen({}, converter.renderer)
    direction = replace(converter.config.direction(source, target), output_deviation=None)

    def translate(encoded: Encoded[Any]) -> Encoded[Any]:
        known = Heard(adapter).direction(direction, encoded) if converter.config.any_source else direction
        moved = adapter.denormalize(adapter.normalize(encoded.features, known.source.stats), known.target.stats)
        return adapter.transfer(encoded, moved, known, options)

    return rendered(signal, converter, Translation(translate, direction))


def rendered(signal: Signal, converter: Converter, translation: Translation) -> Signal:
    """A signal through the converter with something else in place of its network."""
    converted, _ = voices_of(converter).converted_item(signal, converter.renderer, translation)  # its notes are the evaluation's
    return converted


def read_transcripts(path: Path) -> dict[str, str]:
    """What is said, by name: lines ``NAME TEXT``; with a tab between the two, names may hold spaces.

    Raises:
        ConfigError: the file cannot be read, or holds a line that is a name alone.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise ConfigError(f"transcripts={path}: {reason}; name a text file with a line NAME TEXT for each recording") from error
    said = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            name, *text = line.strip().split("\t" if "\t" in line else None, 1)
            if not text:
                raise ConfigError(f"transcripts={path}: line {number} has no text after the name; write NAME TEXT")
            said[name] = text[0]
    return said
