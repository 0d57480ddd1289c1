"""What a genre transfer is worth, on songs that were not trained on: strength, content, style and quality beside two controls.

What is judged is what a user gets; the controls say what a number means (see :data:`CONTROLS`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from audiocycle.classifier import HOW_TO, Classifier
from audiocycle.convert import Converter
from audiocycle.errors import ConfigError, DataError
from audiocycle.evaluation.songs import Phrases, Song, common_names, read_songs, transferred
from audiocycle.metrics import estimates, roll_content, roll_quality, roll_style, transfer_strength
from audiocycle.metrics.estimates import Estimate, estimate, joined
from audiocycle.music.grid import STEPS_PER_BEAT
from audiocycle.spec import FloatArray, direction

MODEL, IDENTITY, RANDOM = "model", "identity", "random_target"
ROWS = (MODEL, IDENTITY, RANDOM)
CONTROLS = (
    "What is judged: songs converted there (transfer) and back (cycle) with the default options, drawn as rolls again, in phrases. "
    "Identity: the source itself. Random target phrase: drawn from the target's held-out songs, so that its style is what a "
    "perfect transfer could reach; the source stands for its cycle. Key kept: share of phrases with a key shift of 0."
)
DEFINITIONS = {
    "controls": CONTROLS,
    "strength": transfer_strength.DEFINITION,
    "content": roll_content.DEFINITION,
    "style": roll_style.DEFINITION,
    "quality": roll_quality.DEFINITION,
    "intervals": estimates.DEFINITION,
}

Row = dict[str, Estimate]
"""By measure."""


@dataclass(frozen=True)
class Direction:
    """Results of one direction.

    Attributes:
        rows: by row (:data:`ROWS`).
        paired: the model and identity against the true counterparts; empty where those are not asked for.
        quality: by measure, mean of the source's, the transfers' and the target's phrases.
        corpora: where the songs are from; with a classifier, whether it was trained on others of the corpus (``seen``), and
            how often it is right there.
    """

    songs: int
    phrases: int
    rows: dict[str, Row]
    paired: dict[str, Row]
    quality: dict[str, dict[str, float]]
    corpora: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Evaluation:
    """Results of a model.

    Attributes:
        directions: by name, ``"jazz->classic"``.
        total: mean over the directions, by row.
        skipped: path to reason, of songs that could not be used.
        classifier: what it was trained and tested on; None without one.
    """

    model: str
    directions: dict[str, Direction]
    total: dict[str, Row]
    skipped: dict[str, str]
    classifier: dict[str, Any] | None


def evaluate(
    converter: Converter,
    folders: Mapping[str, Path],
    classifier: Classifier | None = None,
    *,
    paired: bool = False,
    limit: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Both directions between two domains.

    Args:
        folders: of both domains' held-out songs.
        classifier: without it there is no strength.
        paired: songs of one name are counterparts; only those are used.
        limit: songs of each domain.
        seed: of the random control.
        progress: called with (songs done, songs in all).

    Raises:
        ConfigError: not a music model, or a classifier of other genres or another grid.
        DataError: a folder holds no song that can be used.
    """
    if converter.config.modality != "music":
        raise ConfigError(f"model {converter.config.name} converts {converter.config.modality}, not music")
    first, second = folders
    converter.resolve(second, first)
    if classifier is not None:
        check_classifier(classifier, converter, (first, second))
    names = common_names(folders) if paired else None
    read = {domain: read_songs(folder, domain, converter.adapter, limit, names) for domain, folder in folders.items()}
    total = sum(len(x.songs) for x in read.values())
    ticks = count(1)
    directions = {}
    for source, target in ((first, second), (second, first)):
        judge = Judge(converter, classifier, source, target, read[source].songs, read[target].songs, seed)
        directions[direction(source, target)] = judge.results(paired, lambda: progress(next(ticks), total))
    rows = {row: [d.rows[row] for d in directions.values()] for row in ROWS}
    return Evaluation(
        converter.config.name,
        directions,
        {row: {measure: joined([x[measure] for x in both]) for measure in both[0]} for row, both in rows.items()},
        {path: reason for x in read.values() for path, reason in x.skipped.items()},
        None if classifier is None else credentials(classifier),
    )


class Judge:
    """Measures one direction, on ``songs`` of the source and ``others`` of the target."""

    def __init__(
        self,
        converter: Converter,
        classifier: Classifier | None,
        source: str,
        target: str,
        songs: Sequence[Song],
        others: Sequence[Song],
        seed: int,
    ) -> None:
        self.converter, self.classifier, self.source, self.target = converter, classifier, source, target
        self.songs, self.others, self.seed = songs, others, seed
        self.per_beat = STEPS_PER_BEAT[converter.adapter.grid]
        self.wanted = np.concatenate([song.phrases for song in others])
        self.style = roll_style.style_profile(self.wanted, self.per_beat)

    def results(self, paired: bool, song_done: Callable[[], None]) -> Direction:
        """Everything about the direction; ``song_done`` is called after each song."""
        there = self.converter.translation(self.target, self.source)
        back = self.converter.translation(self.source, self.target)
        random = np.random.default_rng(self.seed)
        made: dict[str, list[Phrases]] = {row: [] for row in ROWS}
        cycles: dict[str, list[Phrases]] = {row: [] for row in ROWS}
        for song in self.songs:
            same = song.phrases
            anything = self.wanted[random.integers(0, len(self.wanted), len(same))]
            transfer, cycle = transferred(song, self.converter, there, back)
            for row, x, y in zip(ROWS, (transfer, same, anything), (cycle, same, same), strict=True):
                made[row].append(x)
                cycles[row].append(y)
            song_done()
        own = [self.ask(song.phrases) for song in self.songs]
        sources = np.concatenate([song.phrases for song in self.songs])
        kinds = {"source": sources, "transfer": np.concatenate(made[MODEL]), "target": self.wanted}
        quality = {kind: mean_quality(phrases, self.per_beat) for kind, phrases in kinds.items()}
        rows = {row: self.strength(own, made[row], cycles[row]) | self.content(made[row]) | self.likeness(made[row]) for row in ROWS}
        return Direction(
            songs=len(self.songs),
            phrases=len(sources),
            rows=rows,
            paired={row: self.against_counterparts(made[row]) for row in (MODEL, IDENTITY)} if paired else {},
            quality={name: {kind: quality[kind][name] for kind in kinds} for name in quality["source"]},
            corpora=self.corpora(own),
        )

    def ask(self, phrases: Phrases) -> FloatArray:
        """The source genre's probability, (seeds, N); no seeds without a classifier."""
        if self.classifier is None:
            return np.zeros((0, len(phrases)))
        return self.classifier.probabilities(phrases)[..., self.classifier.config.genres.index(self.source)]

    def strength(self, own: Sequence[FloatArray], made: Sequence[Phrases], cycles: Sequence[Phrases]) -> Row:
        """By probabilities and by decisions; nothing without a classifier. ``own``: :meth:`ask` of the sources."""
        if self.classifier is None:
            return {}
        asked = [(p, self.ask(x), self.ask(y)) for p, x, y in zip(own, made, cycles, strict=True)]
        kinds = {"strength": transfer_strength.strength, "accuracy_strength": transfer_strength.accuracy_strength}
        weights = [len(song.phrases) for song in self.songs]
        return {
            name: estimate([[formula(*one_seed) for one_seed in zip(*three, strict=True)] for three in asked], weights)
            for name, formula in kinds.items()
        }

    def content(self, made: Sequence[Phrases]) -> Row:
        """How much of the source is in what was made of it."""
        pairs = [list(zip(song.phrases, x, strict=True)) for song, x in zip(self.songs, made, strict=True)]
        return self.alike(pairs) | {
            "groove_similarity": over_songs([[roll_content.groove_similarity(a, b) for a, b in song] for song in pairs]),
            "key_kept": over_songs([[float(roll_content.key_shift(a, b) == 0) for a, b in song] for song in pairs]),
        }

    def against_counterparts(self, made: Sequence[Phrases]) -> Row:
        """How much of the target's phrases that begin at the same places, in the songs of the same names.

        Raises:
            DataError: there is no such phrase.
        """
        others = {song.name: dict(zip(song.places.tolist(), song.phrases, strict=True)) for song in self.others}
        pairs = []
        for song, phrases in zip(self.songs, made, strict=True):
            there = others.get(song.name, {})
            found = zip(song.places.tolist(), phrases, strict=True)
            pairs.append([(there[place], phrase) for place, phrase in found if place in there])
        if not any(pairs):
            raise DataError("--paired: no phrase begins where one of its counterpart does; leave --paired out")
        return self.alike([song for song in pairs if song])

    def alike(self, pairs: Sequence[Sequence[tuple[Phrases, Phrases]]]) -> Row:
        """What is measured of counterparts, too."""
        chroma = [[roll_content.chroma_similarity(a, b, self.per_beat) for a, b in song] for song in pairs]
        return {
            "chroma_similarity": over_songs(chroma),
            "note_f1": over_songs([[roll_content.note_f1(a, b).f1 for a, b in song] for song in pairs]),
        }

    def likeness(self, made: Sequence[Phrases]) -> Row:
        """Style similarity to the target's held-out songs, of all songs taken together."""
        alike = roll_style.style_similarity(roll_style.style_profile(np.concatenate(made), self.per_beat), self.style)
        shares = {"style_time_pitch": alike.time_pitch, "style_onset_duration": alike.onset_duration}
        return {name: Estimate(np.array([share])) for name, share in shares.items()}

    def corpora(self, own: Sequence[FloatArray]) -> dict[str, dict[str, Any]]:
        """See :class:`Direction`."""
        found: dict[str, dict[str, Any]] = {}
        for corpus in sorted({song.corpus for song in self.songs}):
            asked = np.concatenate([p for song, p in zip(self.songs, own, strict=True) if song.corpus == corpus], axis=1)
            found[corpus] = {"songs": sum(song.corpus == corpus for song in self.songs), "phrases": asked.shape[1]}
            if self.classifier is not None:
                found[corpus] |= {"seen": corpus in self.classifier.config.trained_on, "accuracy": float((asked > 0.5).mean())}
        return found


def check_classifier(classifier: Classifier, converter: Converter, domains: Sequence[str]) -> None:
    """Refuse a classifier that knows other genres, or phrases of another grid.

    Raises:
        ConfigError: says how to train one that fits.
    """
    config, adapter = classifier.config, converter.adapter
    if not set(domains) <= set(config.genres):
        raise ConfigError(
            f"--classifier: tells {', '.join(config.genres)} apart, not {', '.join(domains)}; train one that does: {HOW_TO}"
        )
    theirs, ours = (config.adapter.get("grid"), config.adapter.get("bars")), (adapter.grid, adapter.bars)
    if theirs != ours:
        raise ConfigError(
            f"--classifier: was trained on phrases of {theirs[1]} bars on the {theirs[0]} grid, model {converter.config.name} "
            f"makes {ours[1]} on the {ours[0]} grid; train one that fits: {HOW_TO} --grid {ours[0]} --bars {ours[1]}"
        )


def credentials(classifier: Classifier) -> dict[str, Any]:
    """What is to be said of a classifier beside all that it says."""
    config = classifier.config
    tests = [vars(test) | {"accuracy": float(np.mean(test.accuracy))} for test in config.tests]
    return {"genres": list(config.genres), "seeds": len(config.seeds), "trained_on": list(config.trained_on), "tests": tests}


def over_songs(values: Sequence[Sequence[float]]) -> Estimate:
    """Mean over all phrases of all songs, of a measure of phrases."""
    return estimate([[float(np.mean(song))] for song in values], [len(song) for song in values])


def mean_quality(phrases: Phrases, per_beat: int) -> dict[str, float]:
    """Mean of each measure of quality over phrases (N, C, 84, T)."""
    each = [roll_quality.roll_quality(phrase, per_beat) for phrase in phrases]
    return {name: float(np.mean([quality[name] for quality in each])) for name in each[0]}
