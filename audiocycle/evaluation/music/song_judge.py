"""The second judge of genres: statistics of whole songs, and boosted trees that are fitted whenever it is opened.

It is kept as numbers, one JSON file: the statistics of the songs that it learns from, corpus by corpus, and how often it was right. It has
nothing in common with the networks that train, nor with the classifier of phrases: neither notes as pictures, nor their critics.
A judge is independent of a model where its songs are from corpora of which the model's training had none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import AudioCycleError, BundleError, ConfigError, DataError
from audiocycle.evaluation.music.classifier import CorpusTest, corpus_of, genre_of, midi_files
from audiocycle.evaluation.music.whole_songs import WholeSong, read_whole
from audiocycle.metrics.music.song_statistics import song_statistics
from audiocycle.spec import FloatArray
from audiocycle.system.atomic import write_text
from audiocycle.system.foreign import read_json

FORMAT = 1
HOW_TO = "python recipes/genre/train_song_judge.py GENRES_FOLDER GENRE GENRE -o JUDGE.json"
SEEDS = 5
FOLDS = 5
LEAST_SONGS = 8
"""Of a corpus; of fewer none can be left out, and the rest be learnt from."""
TREES, DEPTH, SHARE = 100, 3, 0.7
"""Of each model: trees, their depth, and the share of songs that each tree sees. A split looks at the root of all statistics."""
DIGITS = 5
"""Significant ones of a statistic that is kept."""

Tables = Mapping[str, FloatArray]
"""By corpus, ``GENRE/FOLDER``, (songs, statistics)."""


class SongJudge:
    """Fitted on the statistics of songs.

    Args:
        genres: in the order of its probabilities.
        names: of the statistics, in the order of columns.
        tables: what it learns from.
        tests: of it, on songs that it did not learn from.

    Raises:
        ConfigError: a genre has no songs.
    """

    def __init__(
        self, genres: Sequence[str], names: Sequence[str], tables: Tables, tests: Sequence[CorpusTest] = ()
    ) -> None:
        self.genres, self.names, self.tables, self.tests = (
            tuple(genres),
            tuple(names),
            dict(tables),
            tuple(tests),
        )
        without = set(genres) - {genre_of(corpus) for corpus in tables}
        if without or len(self.genres) < 2:
            raise ConfigError(
                f"a judge of songs needs songs of two genres or more; there are none of: {', '.join(sorted(without))}"
            )
        self._models = [fitted(self.genres, self.tables, seed) for seed in range(SEEDS)]

    def table(self, songs: Iterable[WholeSong]) -> FloatArray:
        """(songs, statistics) of some songs."""
        found = [song_statistics(song.notes) for song in songs]
        return np.array([[each[name] for name in self.names] for each in found]).reshape(-1, len(self.names))

    def probabilities(self, table: FloatArray) -> FloatArray:
        """Of each genre: (songs, statistics) -> (seeds, songs, genres)."""
        return np.stack([model.predict_proba(table) for model in self._models])

    def test(self, tables: Tables, seen: bool, left_out: Sequence[str] = ()) -> list[CorpusTest]:
        """How often each seed is right, on each of some corpora of whose songs it did not learn."""
        tests = []
        for corpus, table in tables.items():
            right = self.probabilities(table).argmax(axis=2) == self.genres.index(genre_of(corpus))
            shares = tuple(float(share) for share in right.mean(axis=1))
            tests.append(CorpusTest(corpus, seen, len(table), len(table), shares, tuple(left_out)))
        return tests

    def checked(self) -> SongJudge:
        """The same, tested by itself: on songs, and on whole corpora, that others like it have not learnt from.

        A corpus is left out where its genre has another one.
        """
        tests = []
        for corpus, table in self.tables.items():
            if len(table) >= LEAST_SONGS:
                tests.append(self._by_folds(corpus))
        for corpus, table in self.tables.items():
            others = {name: each for name, each in self.tables.items() if name != corpus}
            if genre_of(corpus) in map(genre_of, others):
                tests += SongJudge(self.genres, self.names, others).test(
                    {corpus: table}, seen=False, left_out=(corpus,)
                )
        return SongJudge(self.genres, self.names, self.tables, (*self.tests, *tests))

    def _by_folds(self, corpus: str) -> CorpusTest:
        """Cross-validated by song."""
        table = self.tables[corpus]
        fold = np.arange(len(table)) % FOLDS
        parts = [
            SongJudge(self.genres, self.names, {**self.tables, corpus: table[fold != k]}).test(
                {corpus: table[fold == k]}, seen=True
            )[0]
            for k in range(FOLDS)
        ]
        songs = np.array([part.songs for part in parts])
        shares = songs @ np.array([part.accuracy for part in parts]) / songs.sum()
        return replace(parts[0], songs=len(table), phrases=len(table), accuracy=tuple(shares.tolist()))

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        tables = {
            corpus: [[float(f"{x:.{DIGITS}g}") for x in row] for row in table]
            for corpus, table in self.tables.items()
        }
        tests = [asdict(test) for test in self.tests]
        content = {
            "format": FORMAT,
            "genres": self.genres,
            "statistics": self.names,
            "corpora": tables,
            "tests": tests,
        }
        write_text(path, json.dumps(content) + "\n")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file, and fit.

        Raises:
            BundleError: missing, damaged, no judge, or one of another version.
        """
        raw = read_json(path)
        try:
            genres, names = [str(genre) for genre in raw["genres"]], [str(name) for name in raw["statistics"]]
            tables = {
                str(corpus): np.array(rows, np.float64).reshape(-1, len(names))
                for corpus, rows in raw["corpora"].items()
            }
            tests = [
                CorpusTest(
                    **test | {"accuracy": tuple(test["accuracy"]), "left_out": tuple(test["left_out"])}
                )
                for test in raw["tests"]
            ]
            version = int(raw["format"])
            if not all(genre_of(corpus) in genres and len(table) for corpus, table in tables.items()):
                raise ValueError("a corpus without songs, or of no genre")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError(f"{path}: not a judge of songs, or damaged; make one: {HOW_TO}") from error
        if version != FORMAT or sorted(names) != sorted(statistics_names()):
            raise BundleError(
                f"{path}: is of another version of audiocycle, which counts other statistics; make it again: {HOW_TO}"
            )
        return cls(genres, names, tables, tests)


def fitted(genres: Sequence[str], tables: Tables, seed: int) -> Any:
    """One model of boosted trees: each corpus resampled song by song, each genre weighing the same, and each corpus in it.

    Source: Friedman 2002, "Stochastic gradient boosting".
    """
    from sklearn.ensemble import GradientBoostingClassifier

    random = np.random.default_rng(seed)
    drawn = {corpus: table[random.integers(0, len(table), len(table))] for corpus, table in tables.items()}
    of_genre = [sum(genre_of(corpus) == genre for corpus in tables) for genre in genres]
    places = {corpus: genres.index(genre_of(corpus)) for corpus in tables}
    table = np.concatenate(list(drawn.values()))
    labels = np.concatenate([np.full(len(each), places[corpus]) for corpus, each in drawn.items()])
    weights = np.concatenate(
        [np.full(len(each), 1.0 / len(each) / of_genre[places[corpus]]) for corpus, each in drawn.items()]
    )
    model = GradientBoostingClassifier(
        n_estimators=TREES, max_depth=DEPTH, subsample=SHARE, max_features="sqrt", random_state=seed
    )
    return model.fit(table, labels, sample_weight=weights * len(table) / weights.sum())


def statistics_names() -> list[str]:
    """Of the statistics that this version counts."""
    from audiocycle.metrics.music.song_notes import song_notes

    return sorted(song_statistics(song_notes([0.0], [1.0], [60])))


def read_tables(
    folder: Path, genre: str, names: Sequence[str], skipped: dict[str, str]
) -> dict[str, FloatArray]:
    """The songs of a genre's folder by corpus; files that cannot be used go to ``skipped``.

    Raises:
        DataError: no folder, no file, or none that can be used.
    """
    rows: dict[str, list[list[float]]] = {}
    for path in midi_files(folder, genre):
        try:
            found = song_statistics(read_whole(path).notes)
        except AudioCycleError as error:
            skipped[str(path)] = str(error)
            continue
        rows.setdefault(corpus_of(path, folder, genre), []).append([found[name] for name in names])
    if not rows:
        raise DataError(
            f"{folder}: none of its files can be used; see their messages with `audiocycle convert`"
        )
    return {corpus: np.array(table) for corpus, table in rows.items()}


def majority(probabilities: FloatArray) -> NDArray[np.bool_]:
    """(seeds, songs) probabilities of one genre -> (songs,) whether most of the seeds say that it is this genre."""
    return np.asarray((probabilities > 0.5).mean(axis=0) > 0.5, np.bool_)
