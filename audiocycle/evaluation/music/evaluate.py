"""What a genre transfer is worth, on songs that were not trained on: strength, content, style and quality beside two controls.

What is judged is what a user gets; the controls say what a number means (see :data:`audiocycle.evaluation.music.measures.CONTROLS_DEFINITION`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from audiocycle.conversion.converter import Converter
from audiocycle.errors import ConfigError
from audiocycle.evaluation.music.classifier import HOW_TO, Classifier, CorpusTest
from audiocycle.evaluation.music.judge import MusicJudge
from audiocycle.evaluation.music.measures import ROWS
from audiocycle.evaluation.music.results import MusicEvaluation
from audiocycle.evaluation.music.song_judge import HOW_TO as HOW_TO_JUDGE
from audiocycle.evaluation.music.song_judge import SEEDS, SongJudge
from audiocycle.evaluation.music.songs import common_names, read_songs, rolls_of
from audiocycle.metrics.estimates import joined
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.spec import Direction, Domain


def evaluate(
    converter: Converter,
    folders: Mapping[str, Path],
    classifier: Classifier | None = None,
    song_judge: SongJudge | None = None,
    *,
    parallel: bool = False,
    unseen: Sequence[tuple[str, Path]] = (),
    limit: int | None = None,
    seed: int = 0,
    listen: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> MusicEvaluation:
    """Both directions between two domains.

    Args:
        folders: of both domains' held-out songs.
        classifier: without it there is no strength.
        song_judge: a second judge, of whole songs; without it there is one opinion only.
        parallel: songs of one name are counterparts; only those are used.
        unseen: genres and folders with songs of theirs, to test the classifier on.
        limit: songs of each folder.
        seed: of the random control.
        listen: measure several strengths (with a classifier), and keep some phrases: what the report shows beside tables.
        progress: called with (songs done, songs in all).

    Raises:
        ConfigError: not a music model, or a classifier of other genres or another grid.
        DataError: a folder holds no song that can be used.
    """
    if converter.config.modality != "music":
        raise ConfigError(f"model {converter.config.name} converts {converter.config.modality}, not music")
    first, second = folders
    converter.config.resolve(second, first)
    adapter = rolls_of(converter)
    if classifier is not None:
        check_classifier(classifier, converter, (first, second, *(genre for genre, _ in unseen)))
    elif unseen:
        raise ConfigError("`unseen`: tests a classifier, and there is none; add `classifier=CLASSIFIER`, or leave it out")
    if song_judge is not None and not {first, second} <= set(song_judge.genres):
        raise ConfigError(f"`judge`: tells {', '.join(song_judge.genres)} apart, not {first}, {second}; make one that does: {HOW_TO_JUDGE}")
    names = common_names(folders) if parallel else None
    read = {domain: read_songs(folder, domain, adapter, limit, names) for domain, folder in folders.items()}
    skipped = {path: reason for each in read.values() for path, reason in each.skipped.items()}
    tests: list[CorpusTest] = []
    if classifier is not None:
        for genre, folder in unseen:
            tests += further_tests(classifier, genre, folder, adapter, limit, skipped)
    total = sum(len(x.songs) for x in read.values())
    ticks = count(1)
    directions = {}
    for source, target in ((first, second), (second, first)):
        judge = MusicJudge(converter, classifier, source, target, read[source].songs, read[target].songs, seed, listen, song_judge)
        directions[str(Direction(Domain(source), Domain(target)))] = judge.results(parallel, lambda: progress(next(ticks), total))
    rows = {row: [d.rows[row] for d in directions.values()] for row in ROWS}
    return MusicEvaluation(
        converter.config.name,
        parallel,
        directions,
        {row: {measure: joined([x[measure] for x in both], parallel) for measure in both[0]} for row, both in rows.items()},
        skipped,
        None if classifier is None else credentials(classifier, tests),
        None if song_judge is None else credentials_of(song_judge),
        converter.config.training,
    )


def further_tests(
    classifier: Classifier, genre: str, folder: Path, adapter: PianoRollAdapter, limit: int | None, skipped: dict[str, str]
) -> list[CorpusTest]:
    """How often a classifier is right on the songs of a folder, corpus by corpus; songs that cannot be used go to ``skipped``.

    Raises:
        DataError: no folder, no file, or none that can be used.
    """
    found = read_songs(folder, genre, adapter, limit)
    skipped |= found.skipped
    tests = []
    for corpus in sorted({song.corpus for song in found.songs}):
        songs = [song.phrases for song in found.songs if song.corpus == corpus]
        phrases = np.concatenate(songs)
        accuracy = classifier.accuracy(phrases, genre)
        tests.append(CorpusTest(corpus, corpus in classifier.config.trained_on, len(songs), len(phrases), accuracy))
    return tests


def check_classifier(classifier: Classifier, converter: Converter, domains: Sequence[str]) -> None:
    """Refuse a classifier that knows other genres, or phrases of another grid.

    Raises:
        ConfigError: says how to train one that fits.
    """
    config, adapter = classifier.config, rolls_of(converter)
    if not set(domains) <= set(config.genres):
        raise ConfigError(
            f"`classifier`: tells {', '.join(config.genres)} apart, not {', '.join(domains)}; train one that does: {HOW_TO}"
        )
    theirs, ours = (config.adapter.get("grid"), config.adapter.get("bars")), (adapter.grid, adapter.bars)
    if theirs != ours:
        raise ConfigError(
            f"`classifier`: was trained on phrases of {theirs[1]} bars on the {theirs[0]} grid, model {converter.config.name} "
            f"makes {ours[1]} on the {ours[0]} grid; train one that fits: {HOW_TO} --grid {ours[0]} --bars {ours[1]}"
        )


def credentials(classifier: Classifier, further: Sequence[CorpusTest] = ()) -> dict[str, Any]:
    """What is to be said of a classifier beside all that it says; ``further`` tests beside those of its training."""
    config = classifier.config
    tests = [vars(test) | {"accuracy": float(np.mean(test.accuracy))} for test in (*config.tests, *further)]
    return {"genres": list(config.genres), "seeds": len(config.seeds), "trained_on": list(config.trained_on), "tests": tests}


def credentials_of(judge: SongJudge) -> dict[str, Any]:
    """The same of a judge of songs."""
    tests = [vars(test) | {"accuracy": float(np.mean(test.accuracy))} for test in judge.tests]
    return {"genres": list(judge.genres), "seeds": SEEDS, "trained_on": list(judge.tables), "tests": tests}
