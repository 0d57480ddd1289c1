"""One direction of a genre model on held-out songs: what its transfers and the two controls score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.conversion.converter import Converter
from audiocycle.errors import DataError
from audiocycle.evaluation.measure import Row
from audiocycle.evaluation.music.classifier import Classifier
from audiocycle.evaluation.music.examples import examples_of
from audiocycle.evaluation.music.measures import (
    BORDERS,
    DIFFERENCE,
    GAIN,
    IDENTITY,
    INSIDE,
    MODEL,
    RANDOM,
    ROWS,
    SOURCE,
    TARGET,
    TRANSFER,
)
from audiocycle.evaluation.music.musician import compared
from audiocycle.evaluation.music.results import MusicDirectionResult
from audiocycle.evaluation.music.song_judge import SongJudge, majority
from audiocycle.evaluation.music.songs import (
    Conversion,
    DirectionConverter,
    HeldOutSong,
    Phrases,
    Seams,
    rolls_of,
    seams_of,
    transferred,
)
from audiocycle.evaluation.music.whole_songs import WholeSong, read_whole, whole_song
from audiocycle.metrics.estimates import Estimate, difference, draws, estimate
from audiocycle.metrics.music.content import (
    chroma_similarity,
    groove_similarity,
    key_shift,
    note_f1,
    tonnetz_distance,
)
from audiocycle.metrics.music.quality import SHAPE, middle, roll_quality
from audiocycle.metrics.music.strength import accuracy_strength, strength
from audiocycle.metrics.music.style import cosines, style_counts, style_profile
from audiocycle.music.grid import STEPS_PER_BEAT
from audiocycle.spec import FloatArray

IN_THE_MIDDLE = dict(zip(("in_notes_per_bar", "in_polyphony", "in_note_length"), SHAPE, strict=True))
IN_ALL = "in_all_three"
NEARLY = 1e-9
"""Rounding must not put a phrase that lies on an end outside."""
KNOB = (0.25, 0.5, 0.75)
"""Strengths that are measured beside 0, which is identity, and 1, the model."""

Values = dict[str, NDArray[np.float64]]
"""By measure, (songs, seeds): means over a song's phrases; one column where there are no seeds."""
Quality = dict[str, NDArray[np.float64]]
"""By measure of :func:`~audiocycle.metrics.music.quality.roll_quality`, (phrases,)."""


class MusicJudge:
    """Measures one direction, on ``songs`` of the source and ``others`` of the target.

    Args:
        seed: of the random control.
        listen: keep some phrases to listen to and, with a classifier, turn the knob.
    """

    def __init__(
        self,
        converter: Converter,
        classifier: Classifier | None,
        source: str,
        target: str,
        songs: Sequence[HeldOutSong],
        others: Sequence[HeldOutSong],
        seed: int,
        listen: bool,
        song_judge: SongJudge | None = None,
    ) -> None:
        self.converter, self.classifier, self.source, self.target = converter, classifier, source, target
        self.songs, self.others, self.seed, self.listen = songs, others, seed, listen
        self.song_judge = song_judge
        self.per_beat = STEPS_PER_BEAT[rolls_of(converter).grid]
        self.weights = [len(song.phrases) for song in songs]
        self.wanted = np.concatenate([song.phrases for song in others])
        self.style = style_profile(self.wanted, self.per_beat)
        self.wanted_quality = [quality_of(song.phrases, self.per_beat) for song in others]
        whole = {name: np.concatenate([each[name] for each in self.wanted_quality]) for name in SHAPE}
        self.middles = {name: middle(values) for name, values in whole.items()}

    def results(self, parallel: bool, song_done: Callable[[], None]) -> MusicDirectionResult:
        """Everything about the direction; ``song_done`` is called after each song."""
        there = DirectionConverter(self.converter, self.source, self.target)
        back = DirectionConverter(self.converter, self.target, self.source)
        random = np.random.default_rng(self.seed)
        turns = KNOB if self.listen and self.classifier is not None else ()
        conversions: list[list[Conversion]] = []
        met: list[Seams] = []
        results: list[WholeSong] = []
        for song in self.songs:
            conversions.append(transferred(song, there, back, (1.0, *turns)))
            met.append(seams_of(song, there))
            results.append(whole_song(conversions[-1][0].score))
            song_done()
        same = [song.phrases for song in self.songs]
        anything = [self.wanted[random.integers(0, len(self.wanted), len(phrases))] for phrases in same]
        at_full = [each[0] for each in conversions]
        transfers = {MODEL: [each.transfer for each in at_full], IDENTITY: same, RANDOM: anything}
        cycles = {MODEL: [each.cycle for each in at_full], IDENTITY: same, RANDOM: same}
        own = [self.ask(phrases) for phrases in same]
        quality = {row: [quality_of(phrases, self.per_beat) for phrases in transfers[row]] for row in ROWS}
        values = {row: self.opinions(own, transfers[row], cycles[row]) | self.in_the_middle(quality[row]) for row in ROWS}
        rows = {row: self.means(values[row]) | self.likeness(transfers[row]) for row in ROWS}
        sources, others = ([read_whole(song.path) for song in songs] for songs in (self.songs, self.others))
        whole = self.opinions_of_songs(sources, results, others, random)
        for row in ROWS:
            values[row] |= whole[row]
            rows[row] |= {name: estimate(table, np.ones(len(table))) for name, table in whole[row].items()}
        knob: dict[float, Row] = {}
        if turns:
            measured = {
                strength: self.opinions(own, [each[i].transfer for each in conversions], [each[i].cycle for each in conversions])
                for i, strength in enumerate(turns, 1)
            }
            turned = {0.0: values[IDENTITY]} | measured | {1.0: values[MODEL]}
            knob = {strength: self.means({name: each[name] for name in measured[turns[0]]}) for strength, each in turned.items()}
        return MusicDirectionResult(
            source=self.source,
            target=self.target,
            names=[song.name for song in self.songs],
            phrases=sum(self.weights),
            rows=rows,
            values={row: {name: v.mean(axis=1).tolist() for name, v in values[row].items()} for row in ROWS},
            paired=self.paired(transfers) if parallel else {},
            quality=self.quality({SOURCE: quality[IDENTITY], TRANSFER: quality[MODEL], TARGET: self.wanted_quality}),
            middles=self.middles,
            seams=seam_rates(met),
            corpora=self.corpora(own),
            musician=compared([song.name for song in self.songs], sources, results, others),
            knob=knob,
            examples=examples_of(self.songs, self.others, self.converter, self.source, self.target, parallel) if self.listen else [],
        )

    def means(self, values: Values) -> Row:
        """Over all phrases of all songs."""
        return {name: estimate(table, self.weights) for name, table in values.items()}

    def ask(self, phrases: Phrases) -> FloatArray:
        """The source genre's probability, (seeds, N); no seeds without a classifier."""
        if self.classifier is None:
            return np.zeros((0, len(phrases)))
        return self.classifier.probabilities(phrases)[..., self.classifier.config.genres.index(self.source)]

    def opinions(self, own: Sequence[FloatArray], transfers: Sequence[Phrases], cycles: Sequence[Phrases]) -> Values:
        """Strength and content. ``own``: :meth:`ask` of the sources."""
        return self.strength(own, transfers, cycles) | self.content(transfers)

    def strength(self, own: Sequence[FloatArray], transfers: Sequence[Phrases], cycles: Sequence[Phrases]) -> Values:
        """By probabilities and by decisions; nothing without a classifier."""
        if self.classifier is None:
            return {}
        asked = [(p, self.ask(x), self.ask(y)) for p, x, y in zip(own, transfers, cycles, strict=True)]
        kinds = {"strength": strength, "accuracy_strength": accuracy_strength}
        return {
            name: np.array([[formula(*one_seed) for one_seed in zip(*three, strict=True)] for three in asked])
            for name, formula in kinds.items()
        }

    def opinions_of_songs(
        self, sources: Sequence[WholeSong], results: Sequence[WholeSong], others: Sequence[WholeSong], random: np.random.Generator
    ) -> dict[str, Values]:
        """What the judge of songs says of each row; nothing without one."""
        if self.song_judge is None:
            return {row: {} for row in ROWS}
        judge, genre = self.song_judge, self.song_judge.genres.index(self.target)
        before, after, own = (judge.probabilities(judge.table(songs))[..., genre] for songs in (sources, results, others))
        any_song = own[:, random.integers(0, own.shape[1], before.shape[1])]
        return {
            row: {"song_strength": (said - before).T, "taken_for": majority(said)[:, None].astype(np.float64)}
            for row, said in ((MODEL, after), (IDENTITY, before), (RANDOM, any_song))
        }

    def content(self, transfers: Sequence[Phrases]) -> Values:
        """How much of the source is in its transfers."""
        pairs = [list(zip(song.phrases, x, strict=True)) for song, x in zip(self.songs, transfers, strict=True)]
        return self.alike(pairs) | {
            "groove_similarity": by_song([[groove_similarity(a, b) for a, b in song] for song in pairs]),
            "key_kept": by_song([[float(key_shift(a, b) == 0) for a, b in song] for song in pairs]),
            "tonnetz_distance": by_song([[tonnetz_distance(a, b, self.per_beat) for a, b in song] for song in pairs]),
        }

    def alike(self, pairs: Sequence[Sequence[tuple[Phrases, Phrases]]]) -> Values:
        """What is measured of counterparts, too."""
        chroma = [[chroma_similarity(a, b, self.per_beat) for a, b in song] for song in pairs]
        notes = [[note_f1(a, b).f1 for a, b in song] for song in pairs]
        return {"chroma_similarity": by_song(chroma), "note_f1": by_song(notes)}

    def paired(self, transfers: dict[str, list[Phrases]]) -> dict[str, Row]:
        """How much of the target's phrases that begin at the same places, in the songs of the same names.

        Raises:
            DataError: there is no such phrase.
        """
        others = {song.name: dict(zip(song.places.tolist(), song.phrases, strict=True)) for song in self.others}
        rows = {}
        for row in (MODEL, IDENTITY):
            pairs = []
            for song, phrases in zip(self.songs, transfers[row], strict=True):
                there = others.get(song.name, {})
                found = zip(song.places.tolist(), phrases, strict=True)
                pairs.append([(there[place], phrase) for place, phrase in found if place in there])
            pairs = [song for song in pairs if song]
            if not pairs:
                raise DataError("`parallel`: no phrase begins where one of its counterpart does; leave `parallel` out")
            rows[row] = {name: estimate(v, [len(song) for song in pairs]) for name, v in self.alike(pairs).items()}
        return rows | {GAIN: {name: difference(rows[MODEL][name], rows[IDENTITY][name]) for name in rows[MODEL]}}

    def likeness(self, transfers: Sequence[Phrases]) -> Row:
        """Style similarity to the target's held-out songs, of all songs taken together."""
        counts = [style_counts(song, self.per_beat) for song in transfers]
        times = draws(len(transfers))
        row = {}
        for place, (name, goal) in enumerate(
            (("style_time_pitch", self.style.time_pitch), ("style_onset_duration", self.style.onset_duration))
        ):
            table = np.stack([each[place].ravel() for each in counts]).astype(np.float64)
            drawn = cosines(times @ table, goal.ravel()) if len(transfers) > 1 else np.zeros(0)
            row[name] = Estimate(cosines(table.sum(axis=0)[None], goal.ravel()), drawn)
        return row

    def in_the_middle(self, quality: Sequence[Quality]) -> Values:
        """Shares of phrases that are no denser, thicker or choppier, and no less so, than the middle of the target's."""
        inside = [
            {name: (low - NEARLY <= song[name]) & (song[name] <= high + NEARLY) for name, (low, high) in self.middles.items()} for song in quality
        ]
        found = {share: by_song([song[name].tolist() for song in inside]) for share, name in IN_THE_MIDDLE.items()}
        return found | {IN_ALL: by_song([np.all(list(song.values()), axis=0).tolist() for song in inside])}

    def quality(self, kinds: dict[str, list[Quality]]) -> dict[str, dict[str, Estimate]]:
        """Means by measure and kind."""
        return {
            name: {
                kind: estimate(by_song([song[name].tolist() for song in songs]), [len(song[name]) for song in songs])
                for kind, songs in kinds.items()
            }
            for name in self.wanted_quality[0]
        }

    def corpora(self, own: Sequence[FloatArray]) -> dict[str, dict[str, Any]]:
        """See :class:`~audiocycle.evaluation.music.results.MusicDirectionResult`."""
        found: dict[str, dict[str, Any]] = {}
        for corpus in sorted({song.corpus for song in self.songs}):
            asked = np.concatenate([p for song, p in zip(self.songs, own, strict=True) if song.corpus == corpus], axis=1)
            found[corpus] = {"songs": sum(song.corpus == corpus for song in self.songs), "phrases": asked.shape[1]}
            if self.classifier is not None:
                found[corpus] |= {"seen": corpus in self.classifier.config.trained_on, "accuracy": float((asked > 0.5).mean())}
        return found


def seam_rates(found: Sequence[Seams]) -> dict[str, Row]:
    """Notes that break, each bar; of songs that have borders."""
    some = [each for each in found if each.bars]
    if not some:
        return {}
    rows: dict[str, Row] = {}
    bars = np.array([each.bars for each in some])
    for place, name in enumerate((BORDERS, INSIDE)):
        cut, doubled = np.array([each.broken[:, place] for each in some]).T / bars
        rates = {"cut_notes": cut, "doubled_notes": doubled, "broken_notes": cut + doubled}
        rows[name] = {kind: estimate(rate[:, None], bars) for kind, rate in rates.items()}
    return rows | {DIFFERENCE: {kind: difference(rows[BORDERS][kind], rows[INSIDE][kind]) for kind in rows[INSIDE]}}


def by_song(values: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """(songs, 1) means over phrases."""
    return np.array([[float(np.mean(song))] for song in values])


def quality_of(phrases: Phrases, per_beat: int) -> Quality:
    """Each measure of quality of phrases (N, C, 84, T)."""
    each = [roll_quality(phrase, per_beat) for phrase in phrases]
    return {name: np.array([quality[name] for quality in each]) for name in each[0]}
