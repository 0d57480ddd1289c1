"""Songs that were not trained on, as phrases to judge a model by, and what the model makes of them.

A phrase is (C, 84, T) uint8; those of a song are (N, C, 84, T). They are the phrases that training takes.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from audiocycle.conversion.converter import Converter
from audiocycle.conversion.windows import hand_overs
from audiocycle.errors import AudioCycleError, AudioCycleWarning, DataError
from audiocycle.evaluation.music.classifier import corpus_of, midi_files, phrases_of
from audiocycle.metrics.music.seams import broken_notes
from audiocycle.music.adapter import PianoRollAdapter, bars_of
from audiocycle.music.feel import played, song_feel
from audiocycle.music.grid import BEATS, STEPS_PER_BEAT, Span
from audiocycle.music.midi.file import read_score
from audiocycle.music.notes import IntArray, Notes, notes_of
from audiocycle.music.sides import SpanSide
from audiocycle.spec import Encoded, FloatArray

Phrases = FloatArray


@dataclass(frozen=True)
class HeldOutSong:
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

    songs: list[HeldOutSong]
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
    songs: list[HeldOutSong] = []
    skipped: dict[str, str] = {}
    for path in files:
        try:
            encoded = adapter.analyze_score(read_score(path), str(path))
        except AudioCycleError as error:
            skipped[str(path)] = str(error)
            continue
        phrases = phrases_of([encoded.features], adapter.spec.window)
        songs.append(HeldOutSong(path, name_of(path, folder), corpus_of(path, folder, domain), phrases, encoded.side.places))
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
        raise DataError(f"`parallel`: {' and '.join(map(str, folders.values()))} have no file name in common; leave `parallel` out")
    return sorted(common)


def rolls_of(converter: Converter) -> PianoRollAdapter:
    """The adapter of a converter of scores."""
    assert isinstance(converter.adapter, PianoRollAdapter)
    return converter.adapter


class DirectionConverter:
    """One direction of a model: the songs that a user gets of it, and runs of bars as the network alone would have them, for the seams."""

    def __init__(self, converter: Converter, source: str, target: str) -> None:
        self.direction = converter.translation(target, source).direction  # which readies the network
        self.converter, self.adapter = converter, rolls_of(converter)

    def song(self, score: Any, strength: float = 1.0) -> Any:
        """What a user gets of a symusic score, with that strength, and else the default options."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AudioCycleWarning)  # of what is unusual in a source; it was chosen as it is
            return self.converter(score, self.direction.target.name, self.direction.source.name, strength=strength)

    def bars(self, encoded: Encoded[SpanSide], shifted: bool = False) -> FloatArray:
        """The notes that are made of the network's opinion of a run of bars, drawn as a roll (C, 84, T); ``shifted``: its windows meet elsewhere."""
        opinion = self.converter.translate_features(encoded.features, self.direction, shifted, encoded.places)
        options = self.converter.modality.chosen({}, self.converter.renderer)
        notes: Notes = self.converter.renderer.render(self.adapter.transfer(encoded, opinion, self.direction, options))
        return self.adapter.analyze(notes, encoded.side.span).features


@dataclass(frozen=True)
class Conversion:
    """What a model makes of a song.

    Attributes:
        transfer, cycle: converted, and brought back: (N, C, 84, T), in the order of the song's phrases.
        score: the whole song, converted, as symusic has it.
    """

    transfer: Phrases
    cycle: Phrases
    score: Any


@dataclass(frozen=True)
class Seams:
    """Notes of a converted song that break (see :mod:`audiocycle.metrics.music.seams`).

    Attributes:
        broken: (2, 2) cut and doubled notes, where the network's windows meet and inside them.
        bars: so many are looked at in either way; 0 if the song is too short for its windows to meet elsewhere. Not always whole.
    """

    broken: IntArray
    bars: float


def transferred(song: HeldOutSong, there: DirectionConverter, back: DirectionConverter, strengths: Sequence[float] = (1.0,)) -> list[Conversion]:
    """A song converted there and back, for each strength: whole, as for a user, and cut into phrases after that."""
    score, conversions = read_score(song.path), []
    for strength in strengths:
        transfer = there.song(score, strength)
        cycle = back.song(transfer, strength) if len(notes_of(transfer)) else transfer  # of silence nothing can be brought back
        rolls = [phrases_at(song.places, each, there.adapter) for each in (transfer, cycle)]
        conversions.append(Conversion(rolls[0], rolls[1], transfer))
    return conversions


def felt_bars(score: Any, adapter: PianoRollAdapter) -> list[Span]:
    """The bars of a score that training would take, straightened."""
    spans = adapter.lessons(bars_of(score))
    return played(spans, song_feel(notes_of(score).start, spans).spans)


def phrases_at(places: FloatArray, score: Any, adapter: PianoRollAdapter) -> Phrases:
    """(N, C, 84, T) the phrases of a score that begin at these places, quarter notes; silent where it has ended."""
    window, notes = adapter.spec.window, notes_of(score)
    found: Any = np.zeros((len(places), *adapter.spec.shape, window), np.uint8)
    ticks = places * score.ticks_per_quarter
    for span in felt_bars(score, adapter):
        roll = adapter.analyze(notes, span).features
        for index in np.flatnonzero((ticks >= span.start) & (ticks < span.end)):
            begin = round(float(span.positions(ticks[index])))
            there = roll[..., begin : begin + window]
            found[index, ..., : there.shape[-1]] = there
    phrases: Phrases = found
    return phrases


def seams_of(song: HeldOutSong, there: DirectionConverter) -> Seams:
    """Where a conversion breaks, of what the network and the renderer make of whole runs of bars."""
    adapter, score = there.adapter, read_score(song.path)
    notes, window = notes_of(score), adapter.spec.window
    broken, steps = np.zeros((2, 2), np.int64), 0
    for span in felt_bars(score, adapter):
        source = adapter.analyze(notes, span)
        if source.features.any() and span.n_steps > window:
            counts, places = where_windows_meet(source, there.bars(source), there.bars(source, shifted=True), window)
            broken, steps = broken + counts, steps + places
    return Seams(broken, steps / (BEATS * STEPS_PER_BEAT[adapter.grid]))


def where_windows_meet(source: Encoded[SpanSide], converted: FloatArray, shifted: FloatArray, window: int) -> tuple[IntArray, int]:
    """Notes that break, (2, 2) as :class:`Seams` has them, at so many steps: those at which windows meet in one of two conversions only.

    Each place is compared with itself: tunes end their notes at the ends of their own phrases, and borders are in regular places too.

    Args:
        source: rolls (C, 84, T).
        converted, shifted: conversions with windows that meet at different places.
    """
    layouts = [
        (hand_overs(source.features.shape[-1], window, how, source.places), broken_notes(source.features, roll))
        for how, roll in ((False, converted), (True, shifted))
    ]
    broken, steps = np.zeros((2, 2), np.int64), 0
    for (borders, met), (others, inside) in permutations(layouts):
        here = borders & ~others
        broken += np.stack([met[:, here].sum(axis=1), inside[:, here].sum(axis=1)], axis=1)
        steps += int(here.sum())
    return broken, steps
