"""Songs that were not trained on, as phrases to judge a model by, and what the model makes of them.

A phrase is (C, 84, T) uint8; those of a song are (N, C, 84, T). They are the phrases that training takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiocycle.classifier import corpus_of, midi_files, phrases_of
from audiocycle.convert import Converter
from audiocycle.errors import AudioCycleError, DataError
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.midi_file import read_score
from audiocycle.music.notes import notes_of
from audiocycle.spec import Encoded, FloatArray

Phrases = FloatArray
Translate = Callable[[Encoded], Encoded]


@dataclass(frozen=True)
class Song:
    """A held-out song.

    Attributes:
        name: its path below its folder, without the ending; counterparts share it.
        corpus: ``GENRE/FOLDER``.
        phrases: (N, C, 84, T).
        places: (N,) where each begins, quarter notes.
    """

    path: Path
    name: str
    corpus: str
    phrases: Phrases
    places: FloatArray


@dataclass(frozen=True)
class SongFiles:
    """Held-out songs of one domain, and why others could not be used."""

    songs: list[Song]
    skipped: dict[str, str]


def read_songs(
    folder: Path, domain: str, adapter: PianoRollAdapter, limit: int | None = None, names: Sequence[str] | None = None
) -> SongFiles:
    """The songs of a folder that training would take.

    Args:
        limit: so many of them, spread evenly over the sorted files.
        names: only songs of these names.

    Raises:
        DataError: no folder, no file, or none that can be used.
    """
    files = [path for path in midi_files(folder, domain) if names is None or name_of(path, folder) in names]
    if limit is not None and limit < len(files):
        files = [files[i] for i in np.linspace(0, len(files) - 1, limit).round().astype(int)]
    songs: list[Song] = []
    skipped: dict[str, str] = {}
    for path in files:
        try:
            encoded = adapter.analyze_score(read_score(path), str(path))
        except AudioCycleError as error:
            skipped[str(path)] = str(error)
            continue
        phrases = phrases_of([encoded.features], adapter.spec.window)
        songs.append(Song(path, name_of(path, folder), corpus_of(path, folder, domain), phrases, encoded.side["places"]))
    if not songs:
        raise DataError(f"{folder}: none of its {len(files)} songs can be used; the first: {next(iter(skipped.values()))}")
    return SongFiles(songs, skipped)


def name_of(path: Path, folder: Path) -> str:
    """What counterparts have in common."""
    return path.relative_to(folder).with_suffix("").as_posix()


def common_names(folders: Mapping[str, Path]) -> list[str]:
    """Names that songs of all domains' folders have.

    Raises:
        DataError: there is none.
    """
    named = [{name_of(path, folder) for path in midi_files(folder, domain)} for domain, folder in folders.items()]
    common = set.intersection(*named)
    if not common:
        raise DataError(f"--paired: {' and '.join(map(str, folders.values()))} have no file name in common; leave --paired out")
    return sorted(common)


def transferred(song: Song, converter: Converter, there: Translate, back: Translate) -> tuple[Phrases, Phrases]:
    """A song's phrases, converted and brought back: (N, C, 84, T) twice, in the order of ``song.phrases``.

    Whole runs of bars are converted, as for a user, and cut into phrases after that.
    """
    adapter, score = converter.adapter, read_score(song.path)
    notes, window = notes_of(score), adapter.spec.window
    transfers, cycles = [], []
    for span in adapter.spans(score):
        source = adapter.analyze(notes, span)
        if not source.features.any():
            continue
        transfer = converted(source, converter, there)
        cycle = converted(transfer, converter, back)
        for begin in range(0, span.n_steps - window + 1, window):
            here = slice(begin, begin + window)
            if source.features[..., here].any():
                transfers.append(transfer.features[..., here])
                cycles.append(cycle.features[..., here])
    return np.stack(transfers), np.stack(cycles)


def converted(encoded: Encoded, converter: Converter, translate: Translate) -> Encoded:
    """The notes that a user gets for a run of bars, with the default options, drawn as a roll again."""
    notes = converter.renderer.render(translate(encoded), converter.options({}))
    drawn: Encoded = converter.adapter.analyze(notes, encoded.side["span"])
    return drawn
