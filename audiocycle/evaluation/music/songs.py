"""Songs that were not trained on, as phrases to judge a model by, and what the model makes of them.

A phrase is (C, 84, T) uint8; those of a song are (N, C, 84, T). They are the phrases that training takes.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np

from audiocycle.conversion.converter import Converter
from audiocycle.conversion.windows import hand_overs
from audiocycle.errors import AudioCycleError, AudioCycleWarning, DataError
from audiocycle.evaluation.music.classifier import corpus_of, midi_files, phrases_of
from audiocycle.evaluation.music.whole_songs import WholeSong, whole_song
from audiocycle.metrics.music.seams import broken_notes
from audiocycle.music.adapter import PianoRollAdapter, bars_of
from audiocycle.music.feel import played, song_feel
from audiocycle.music.grid import BEATS, STEPS_PER_BEAT
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
    """One direction of a model: what the network thinks of some bars, and the notes that a user gets of it.

    The two are apart, because the network needs to be asked but once for all strengths.
    """

    def __init__(self, converter: Converter, source: str, target: str) -> None:
        self.direction = converter.translation(target, source).direction  # which readies the network
        self.converter, self.adapter = converter, rolls_of(converter)

    def opinion(self, encoded: Encoded[SpanSide], shifted: bool = False) -> FloatArray:
        """The network's probabilities (C, 84, T) for a run of bars; ``shifted``: its windows meet elsewhere."""
        return self.converter.translate_features(encoded.features, self.direction, shifted, encoded.places)

    def convert(self, encoded: Encoded[SpanSide], opinion: FloatArray, strength: float = 1.0) -> Encoded[SpanSide]:
        """The notes with that strength, and else the default options, drawn as a roll again."""
        options = self.converter.modality.chosen({"strength": strength}, self.converter.renderer)
        notes: Notes = self.converter.renderer.render(self.adapter.transfer(encoded, opinion, self.direction, options))
        return self.adapter.analyze(notes, encoded.side.span)


    def whole(self, path: Path) -> WholeSong:
        """What a user gets of a file, with the default options."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AudioCycleWarning)  # of what is unusual in a source; it was chosen as it is
            return whole_song(self.converter(read_score(path), self.direction.target.name, self.direction.source.name))


@dataclass(frozen=True)
class Conversion:
    """What a model makes of a song.

    Attributes:
        transfer, cycle: converted, and brought back: (N, C, 84, T), in the order of the song's phrases.
    """

    transfer: Phrases
    cycle: Phrases


@dataclass(frozen=True)
class Seams:
    """Notes of a converted song that break (see :mod:`audiocycle.metrics.music.seams`).

    Attributes:
        broken: (2, 2) cut and doubled notes, where the network's windows meet and inside them.
        bars: so many are looked at in either way; 0 if the song is too short for its windows to meet elsewhere. Not always whole.
    """

    broken: IntArray
    bars: float


def transferred(song: HeldOutSong, there: DirectionConverter, back: DirectionConverter, strengths: Sequence[float] = (1.0,)) -> tuple[list[Conversion], Seams]:
    """A song converted there and back, for each strength, and its seams with the first of them.

    Whole runs of bars are converted, as for a user, and cut into phrases after that.
    """
    adapter, score = there.adapter, read_score(song.path)
    notes, window = notes_of(score), adapter.spec.window
    phrases: list[tuple[list[FloatArray], list[FloatArray]]] = [([], []) for _ in strengths]
    broken, steps = np.zeros((2, 2), np.int64), 0
    spans = adapter.layout(bars_of(score)).spans
    for span in played(spans, song_feel(notes.start, spans).spans):
        source = adapter.analyze(notes, span)
        if not source.features.any():
            continue
        opinion = there.opinion(source)
        ticks = song.places * score.ticks_per_quarter
        begins = np.rint(span.positions(ticks[(ticks >= span.start) & (ticks < span.end)])).astype(int)
        converted = [there.convert(source, opinion, strength) for strength in strengths]
        for (transfers, cycles), transfer, strength in zip(phrases, converted, strengths, strict=True):
            cycle = back.convert(transfer, back.opinion(transfer), strength)
            transfers += [transfer.features[..., a : a + window] for a in begins]
            cycles += [cycle.features[..., a : a + window] for a in begins]
        if span.n_steps > window:
            elsewhere = there.convert(source, there.opinion(source, shifted=True), strengths[0])
            counts, places = where_windows_meet(source, converted[0].features, elsewhere.features, window)
            broken, steps = broken + counts, steps + places
    seams = Seams(broken, steps / (BEATS * STEPS_PER_BEAT[adapter.grid]))
    return [Conversion(np.stack(x), np.stack(y)) for x, y in phrases], seams


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
