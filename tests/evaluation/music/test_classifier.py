"""The genre classifier: it learns, remembers what it was trained on, and is read back as it was written."""

from __future__ import annotations

import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from two_genres import GENRES, SMALL, a_song, write_genre

from audiocycle.errors import BundleError, ConfigError, DataError
from audiocycle.evaluation.music import classifier as module
from audiocycle.evaluation.music.classifier import (
    Classifier,
    CorpusTest,
    Training,
    batches,
    corpus_of,
    load_corpora,
    phrases_of,
    train_network,
)
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.spec import FloatArray

RECIPE = Path(__file__).parents[3] / "recipes" / "genre" / "train_classifier.py"
ADAPTER = PianoRollAdapter()


def held_out(genres: Path, genre: str) -> dict[str, list[FloatArray]]:
    return load_corpora(genres / "eval", genre, ADAPTER)


@pytest.mark.parametrize("genre", GENRES)
def test_it_recognises_songs_that_it_has_not_seen(classifier: Classifier, genres: Path, genre: str) -> None:
    rolls = phrases_of([song for songs in held_out(genres, genre).values() for song in songs], 64)
    assert rolls.shape == (8, 2, 84, 64)
    asked = classifier.probabilities(rolls)
    assert asked.shape == (2, 8, 2)
    np.testing.assert_allclose(asked.sum(axis=2), 1, atol=1e-6)
    assert asked[..., GENRES.index(genre)].min() > 0.8
    assert not np.array_equal(asked[0], asked[1])  # the seeds are different networks
    assert classifier.accuracy(rolls, genre) == (1.0, 1.0)


def test_many_phrases_are_asked_in_parts(classifier: Classifier, genres: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rolls = phrases_of(held_out(genres, "slow")["slow/one"], 64)
    whole = classifier.probabilities(rolls)
    monkeypatch.setattr(module, "BATCH", 3)
    np.testing.assert_allclose(classifier.probabilities(rolls), whole, atol=1e-6)


def test_tests_say_corpus_and_counts(classifier: Classifier, genres: Path) -> None:
    tests = classifier.test(held_out(genres, "fast"), 64, seen=False, left_out=["fast/one"])
    assert tests[0] == CorpusTest("fast/one", False, 2, 4, (1.0, 1.0), ("fast/one",))
    assert [test.corpus for test in tests] == ["fast/one", "fast/two"]


def test_accuracy_is_of_the_genre_that_the_corpus_names(classifier: Classifier, genres: Path) -> None:
    songs = held_out(genres, "fast")["fast/one"]
    assert classifier.test({"slow/mislabelled": songs}, 64, seen=False)[0].accuracy == (0.0, 0.0)


def test_the_same_seed_trains_the_same_network(genres: Path) -> None:
    corpora = {corpus: songs for genre in GENRES for corpus, songs in load_corpora(genres / "train", genre, ADAPTER).items()}
    short = replace(SMALL, steps=2, noise=0.5)
    first, again, other = (train_network(corpora, GENRES, ADAPTER, short, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
    calm = train_network(corpora, GENRES, ADAPTER, replace(short, noise=0.0), 1).state_dict()
    assert not all(torch.equal(first[name], calm[name]) for name in first)  # the noise arrives


def test_every_corpus_is_drawn_alike_however_small(genres: Path) -> None:
    corpora = load_corpora(genres / "train", "slow", ADAPTER)
    corpora["slow/two"] = corpora["slow/two"][:1]
    steps = list(batches(corpora, ADAPTER, Training(steps=3, batch_size=10), seed=0))
    assert [[part.shape for part in step] for step in steps] == [[(5, 2, 84, 64)] * 2] * 3
    assert steps[0][0].dtype == np.float32


def test_genres_weigh_alike_however_many_corpora_they_have(genres: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With silence everywhere, the network can only learn how often each genre is right."""
    corpora = {f"slow/{i}": [np.zeros((2, 84, 64), np.uint8)] for i in range(3)} | {"fast/0": [np.zeros((2, 84, 64), np.uint8)]}
    network = train_network(corpora, GENRES, ADAPTER, replace(SMALL, steps=40), 0)  # type: ignore[arg-type]
    with torch.inference_mode():
        p = network(torch.zeros(1, 1, 84, 64)).softmax(dim=1)[0].numpy()
    assert p == pytest.approx([0.5, 0.5], abs=0.05)


def test_training_needs_songs_of_every_genre(genres: Path) -> None:
    corpora = load_corpora(genres / "train", "slow", ADAPTER)
    with pytest.raises(ConfigError, match="there are none of: fast"):
        train_network(corpora, GENRES, ADAPTER, SMALL, 0)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"lr": 0.0}, {"noise": -1.0}, {"width": 0.0}, {"channels": 0}])
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Training(**wrong)


def test_a_folder_keeps_everything(classifier: Classifier, genres: Path, tmp_path: Path) -> None:
    tests = tuple(classifier.test(held_out(genres, "slow"), 64, seen=True))
    classifier = Classifier(replace(classifier.config, tests=tests), classifier.networks)
    classifier.save(tmp_path / "classifier")
    assert sorted(p.name for p in (tmp_path / "classifier").iterdir()) == ["config.json", "model.safetensors"]
    again = Classifier.load(tmp_path / "classifier")
    assert again.config == classifier.config
    assert again.config.trained_on == ("slow/one", "slow/two", "fast/one", "fast/two")
    rolls = phrases_of(held_out(genres, "slow")["slow/one"], 64)
    assert np.array_equal(again.probabilities(rolls), classifier.probabilities(rolls))


def damaged(folder: Path, name: str, change: Any) -> None:
    path = folder / name
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw.pop("genres"), r"not a genre classifier's \(genres missing or wrong\).*train_classifier"),
        (lambda raw: raw.pop("format"), "damaged"),
        (lambda raw: raw.update(format=99), "newer audiocycle"),
        (lambda raw: raw.update(tests=[{"corpus": "slow/one"}]), "damaged"),
        (lambda raw: raw.update(width=0.5), "of another classifier"),
        (lambda raw: raw.update(width=1e9), "width=1000000000.0: choose a number from"),
        (lambda raw: raw.update(width=float("nan")), "damaged"),
        (lambda raw: raw.update(seeds=[0] * 10**5), "seeds=100000"),
    ],
)
def test_a_broken_folder_is_named(classifier: Classifier, tmp_path: Path, change: Any, message: str) -> None:
    classifier.save(tmp_path)
    damaged(tmp_path, "config.json", change)
    with pytest.raises(BundleError, match=message):
        Classifier.load(tmp_path)


def test_missing_and_torn_files_are_named(classifier: Classifier, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"not a genre classifier, it has no config\.json"):
        Classifier.load(tmp_path)
    classifier.save(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(BundleError, match="damaged"):
        Classifier.load(tmp_path)
    weights.unlink()
    with pytest.raises(BundleError, match="missing"):
        Classifier.load(tmp_path)


def test_corpora_are_first_folders(tmp_path: Path) -> None:
    write_genre(tmp_path / "slow" / "hymns" / "old", "slow", 1)
    write_genre(tmp_path / "slow", "slow", 2)
    (tmp_path / "slow" / "broken.mid").write_bytes(b"no")
    found = load_corpora(tmp_path, "slow", ADAPTER)
    assert {corpus: len(songs) for corpus, songs in found.items()} == {"slow/slow": 2, "slow/hymns": 1}
    assert corpus_of(tmp_path / "a" / "b" / "c.mid", tmp_path, "jazz") == "jazz/a"


def test_folders_without_songs_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="slow: no such folder"):
        load_corpora(tmp_path, "slow", ADAPTER)
    (tmp_path / "slow").mkdir()
    with pytest.raises(DataError, match="no MIDI files in it"):
        load_corpora(tmp_path, "slow", ADAPTER)
    a_song("slow", 0, bars=1).dump_midi(tmp_path / "slow" / "short.mid")
    with pytest.raises(DataError, match=r"none of its 1 files can be used; the first: .*short\.mid: no whole 4-bar phrase"):
        load_corpora(tmp_path, "slow", ADAPTER)


def recipe(*arguments: object) -> None:
    """``python recipes/genre/train_classifier.py ARGUMENTS`` in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(RECIPE), *map(str, arguments)])
        runpy.run_path(str(RECIPE), run_name="__main__")


def test_the_recipe_trains_tests_and_leaves_out(genres: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_genre(tmp_path / "g" / "unseen" / "fast" / "three", "fast", 1, seed=9)
    for part in ("train", "eval"):
        (tmp_path / "g" / part).symlink_to(genres / part)
    quick = ("--seeds", 2, "--steps", 2, "--width", 0.1)
    recipe(tmp_path / "g", *GENRES, "-o", tmp_path / "c", *quick, "--leave-out", "slow/one", "two")
    config = Classifier.load(tmp_path / "c").config
    rows = [(test.corpus, test.seen, test.songs, test.left_out) for test in config.tests]
    assert rows == [
        *((f"{genre}/{source}", True, 2, ()) for genre in GENRES for source in ("one", "two")),
        ("fast/three", False, 1, ()),
        ("slow/one", False, 6, ("slow/one",)),
        ("slow/two", False, 6, ("slow/two", "fast/two")),
        ("fast/two", False, 6, ("slow/two", "fast/two")),
    ]
    assert all(len(test.accuracy) == 2 for test in config.tests)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 8 + 2
    assert sum("UNSEEN" in line for line in lines) == 4
    assert lines[-1].startswith("mean over corpora that it does not know: ")
    recipe(tmp_path / "g", *GENRES, "-o", tmp_path / "c", *quick, "--leave-out", "fast/one")
    assert capsys.readouterr().out.splitlines()[-1].startswith("never tested on a corpus of slow that it does not know")


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("nosuch", "error: --leave-out nosuch: unknown; the sources are slow/one"),
        ("slow/one,slow/two", "error: --leave-out slow/one,slow/two: nothing is left of a genre"),
    ],
)
def test_the_recipe_refuses_to_leave_out_what_it_cannot(genres: Path, tmp_path: Path, wanted: str, message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        recipe(genres, *GENRES, "-o", tmp_path / "c", "--steps", 1, "--leave-out", wanted)
    assert not (tmp_path / "c").exists()
