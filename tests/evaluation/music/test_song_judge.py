"""The judge of songs: learns what differs, is tested on what it does not know, and comes back from its file."""

import json

import numpy as np
import pytest
from two_genres import GENRES, write_genre

from audiocycle.errors import BundleError, ConfigError, DataError
from audiocycle.evaluation.music.song_judge import (
    SEEDS,
    SongJudge,
    majority,
    read_tables,
    statistics_names,
)


def tables(apart=4.0, songs=12):
    """Two genres of two corpora, which differ in the first statistic; corpora differ in the second."""
    random = np.random.default_rng(0)
    found = {}
    for place, corpus in enumerate(("a/one", "a/two", "b/one", "b/two")):
        table = np.zeros((songs, len(statistics_names())))
        table[:, :5] = random.standard_normal((songs, 5))
        table[:, 0] += apart * (place >= 2)
        table[:, 1] += 3.0 * (place % 2)
        found[corpus] = table
    return found


def judge(**given):
    return SongJudge(("a", "b"), statistics_names(), tables(**given))


def test_it_learns_what_differs():
    found = judge()
    probabilities = found.probabilities(np.concatenate(list(tables().values())))
    assert probabilities.shape == (SEEDS, 48, 2)
    assert np.allclose(probabilities.sum(axis=2), 1.0)
    assert majority(probabilities[..., 1]).tolist() == [False] * 24 + [True] * 24


def test_what_lies_beyond_all_songs_counts_as_the_outermost_of_them():
    found = judge()
    ends = np.concatenate(list(found.tables.values())).max(axis=0)
    far = np.stack([ends, ends + 1000.0])
    near, beyond = found.probabilities(far)[:, :, 1].T
    assert beyond == pytest.approx(near)


def test_genres_weigh_the_same_and_so_do_corpora_however_many_songs_they_have():
    width = len(statistics_names())
    some = {
        "a/one": np.zeros((80, width)),
        "a/two": np.ones((8, width)),
        "b/one": np.repeat([0.0, 1.0], 100)[:, None] * np.ones(width),
    }
    both = SongJudge(("a", "b"), statistics_names(), some).probabilities(
        np.array([[0.0], [1.0]]) * np.ones(width)
    )
    assert both[..., 0].mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.05)


def test_it_is_tested_by_song_and_by_corpus():
    found = judge(apart=8.0).checked()
    assert [(test.corpus, test.seen, test.left_out) for test in found.tests] == [
        *((corpus, True, ()) for corpus in tables()),
        *((corpus, False, (corpus,)) for corpus in tables()),
    ]
    assert all(test.songs == 12 and len(test.accuracy) == SEEDS for test in found.tests)
    assert np.mean([test.accuracy for test in found.tests]) > 0.8


def test_where_nothing_differs_it_is_no_better_than_chance():
    accuracy = np.mean([test.accuracy for test in judge(apart=0.0, songs=30).checked().tests])
    assert accuracy < 0.7


def test_the_only_corpus_of_a_genre_is_not_left_out():
    some = {corpus: table for corpus, table in tables().items() if corpus != "b/two"}
    found = SongJudge(("a", "b"), statistics_names(), some).checked()
    assert [test.corpus for test in found.tests if not test.seen] == ["a/one", "a/two"]


def test_there_and_back(tmp_path):
    found = judge().checked()
    found.save(tmp_path / "judge.json")
    again = SongJudge.load(tmp_path / "judge.json")
    assert (again.genres, again.names, again.tests) == (found.genres, found.names, found.tests)
    songs = np.concatenate(list(tables().values()))
    assert again.probabilities(songs) == pytest.approx(found.probabilities(songs), abs=1e-3)


def test_a_file_that_is_no_judge(tmp_path):
    path = tmp_path / "judge.json"
    judge().save(path)
    good = json.loads(path.read_text())
    for wrong in (
        {"corpora": {"c/one": [[0.0]]}},
        {"corpora": {"a/one": []}},
        {"corpora": [1]},
        {"tests": [{}]},
        {"genres": 1},
    ):
        path.write_text(json.dumps(good | wrong))
        with pytest.raises(
            BundleError,
            match="not a judge of songs, or damaged; make one: python recipes/genre/train_song_judge",
        ):
            SongJudge.load(path)
    for wrong in ({"format": 99}, {"statistics": [*good["statistics"][1:], "smell"]}):
        path.write_text(json.dumps(good | wrong))
        with pytest.raises(BundleError, match="another version"):
            SongJudge.load(path)


def test_each_genre_needs_songs():
    with pytest.raises(ConfigError, match="there are none of: c"):
        SongJudge(("a", "c"), statistics_names(), tables())


def test_songs_of_folders(tmp_path):
    write_genre(tmp_path / "slow" / "one", "slow", 2)
    (tmp_path / "slow" / "one" / "broken.mid").write_bytes(b"MThd")
    skipped = {}
    found = read_tables(tmp_path / "slow", "slow", statistics_names(), skipped)
    assert {corpus: table.shape for corpus, table in found.items()} == {
        "slow/one": (2, len(statistics_names()))
    }
    assert list(skipped) == [str(tmp_path / "slow" / "one" / "broken.mid")]
    with pytest.raises(DataError, match="no such folder"):
        read_tables(tmp_path / GENRES[1], GENRES[1], statistics_names(), skipped)
