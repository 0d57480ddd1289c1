"""Evaluation of genre models: what the controls must score, what a model that changes nothing scores, and the command."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_bundle import MUSIC_MODEL, run_cli, tiny_bundle, tiny_music_bundle, tiny_song
from two_genres import GENRES, a_song, small_classifier, write_genre, write_genres

from audiocycle.classifier import Classifier
from audiocycle.convert import Converter
from audiocycle.errors import ConfigError, DataError, DomainError
from audiocycle.evaluation.music import IDENTITY, MODEL, RANDOM, Evaluation, evaluate
from audiocycle.evaluation.music_table import to_text
from audiocycle.evaluation.songs import name_of, read_songs, transferred
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.midi_file import write_score
from audiocycle.spec import Encoded

UNCHANGING = MUSIC_MODEL | {"generator_options": {"n_blocks": 1, "skip": 8.0}}
DIRECTIONS = ("slow->fast", "fast->slow")
CONTENT = ("chroma_similarity", "groove_similarity", "note_f1", "key_kept")


@pytest.fixture(scope="module")
def genres(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return write_genres(tmp_path_factory.mktemp("genres"))


@pytest.fixture(scope="module")
def classifier(genres: Path) -> Classifier:
    return small_classifier(genres)


@pytest.fixture(scope="module")
def unchanging(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose networks give their input back."""
    return tiny_music_bundle(tmp_path_factory.mktemp("bundles") / "unchanging", GENRES, model=UNCHANGING)


def folders(genres: Path) -> dict[str, Path]:
    return {genre: genres / "eval" / genre for genre in GENRES}


@pytest.fixture(scope="module")
def found(genres: Path, classifier: Classifier, unchanging: Path) -> Evaluation:
    return evaluate(Converter.from_pretrained(unchanging), folders(genres), classifier)


@pytest.mark.parametrize("name", DIRECTIONS)
def test_identity_changes_nothing_and_keeps_all(found: Evaluation, name: str) -> None:
    row = found.directions[name].rows[IDENTITY]
    assert {measure: row[measure].mean for measure in ("strength", "accuracy_strength")} == {"strength": 0.0, "accuracy_strength": 0.0}
    assert {measure: row[measure].mean for measure in CONTENT} == dict.fromkeys(CONTENT, 1.0)
    assert row["strength"].interval == (0.0, 0.0)
    assert row["style_onset_duration"].mean < 0.1  # chords and scales have no note in common


@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_random_target_phrase_is_all_style_and_no_content(found: Evaluation, name: str) -> None:
    row = found.directions[name].rows[RANDOM]
    assert row["strength"].mean > 0.6
    assert row["accuracy_strength"].mean == 1.0
    assert row["note_f1"].mean < 0.2
    assert row["style_time_pitch"].mean > 0.9
    assert row["style_onset_duration"].mean > 0.9


@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_model_that_changes_nothing_scores_as_identity_does(found: Evaluation, name: str) -> None:
    rows = found.directions[name].rows
    assert {m: v.mean for m, v in rows[MODEL].items()} == pytest.approx({m: v.mean for m, v in rows[IDENTITY].items()})
    quality = found.directions[name].quality
    assert all(kinds["transfer"] == kinds["source"] for kinds in quality.values())
    assert quality["notes_per_bar"]["target"] == quality["notes_per_bar"]["source"] * (16 / 3 if name == "slow->fast" else 3 / 16)


def test_directions_counts_corpora_and_total(found: Evaluation) -> None:
    assert list(found.directions) == list(DIRECTIONS)
    each = found.directions["slow->fast"]
    assert (each.songs, each.phrases, each.paired) == (4, 8, {})
    facts = {"songs": 2, "phrases": 4, "seen": True, "accuracy": 1.0}
    assert each.corpora == {"slow/one": facts, "slow/two": facts}
    both = [d.rows[RANDOM]["note_f1"].mean for d in found.directions.values()]
    assert found.total[RANDOM]["note_f1"].mean == pytest.approx(np.mean(both))


def test_strength_has_a_spread_over_the_seeds(found: Evaluation) -> None:
    strength = found.directions["slow->fast"].rows[RANDOM]["strength"]
    assert len(strength.by_seed) == 2
    assert strength.spread is not None
    assert strength.spread > 0


def test_the_random_control_follows_its_seed(genres: Path, unchanging: Path) -> None:
    converter = Converter.from_pretrained(unchanging)
    scores = [
        evaluate(converter, folders(genres), seed=seed).directions["fast->slow"].rows[RANDOM]["chroma_similarity"].mean for seed in (3, 3, 4)
    ]
    assert scores[0] == scores[1] != scores[2]


class Other(Converter):
    """Plays every note an octave higher on the way there, and lower on the way back."""

    def translate_features(self, features: Any, source: str, target: str, *_: Any) -> Any:
        return np.roll(features.astype(np.float32), 12 if source == "slow" else -12, axis=-2)


def test_what_is_judged_is_converted_there_and_back(genres: Path, unchanging: Path) -> None:
    converter = Other.from_pretrained(unchanging)
    song = read_songs(genres / "eval" / "slow", "slow", converter.adapter).songs[0]
    there, back = converter.translation("fast", "slow"), converter.translation("slow", "fast")
    transfer, cycle = transferred(song, converter, there, back)
    assert np.array_equal(transfer, np.roll(song.phrases, 12, axis=-2))
    assert np.array_equal(cycle, song.phrases)
    rows = evaluate(converter, folders(genres)).directions["slow->fast"].rows[MODEL]
    assert rows["chroma_similarity"].mean == pytest.approx(1)
    assert rows["groove_similarity"].mean == 1
    assert rows["key_kept"].mean == 1
    assert rows["note_f1"].mean == 0


def test_what_is_judged_is_the_file_that_a_user_gets(tmp_path: Path) -> None:
    converter = Converter.from_pretrained(tiny_music_bundle(tmp_path / "eager", GENRES))  # makes some notes of its own
    tiny_song(tmp_path / "songs" / "0.mid")
    (song,) = read_songs(tmp_path / "songs", "slow", converter.adapter).songs
    transfer, cycle = transferred(song, converter, converter.translation("fast", "slow"), converter.translation("slow", "fast"))
    assert not np.array_equal(transfer, song.phrases)
    for made, source, target in ((transfer, "slow", "fast"), (cycle, "fast", "slow")):
        write_score(tmp_path / target / "0.mid", converter(song.path, target, source))
        (song,) = read_songs(tmp_path / target, target, converter.adapter).songs
        assert np.array_equal(made, song.phrases)


def test_a_model_that_falls_silent_can_be_judged(genres: Path, unchanging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Converter, "translate_features", lambda self, features, *_: np.zeros(features.shape, np.float32))
    rows = evaluate(Converter.from_pretrained(unchanging), folders(genres)).directions["slow->fast"].rows[MODEL]
    assert rows["note_f1"].mean == rows["style_time_pitch"].mean == 0


def test_phrases_are_those_that_training_takes(tmp_path: Path, unchanging: Path) -> None:
    """Silent phrases, other metres and the rest at the end are left out; the runs of bars around them are converted."""
    score = a_song("fast", 1, bars=15)
    track = score.tracks[0]
    track.notes = type(track.notes)([note for note in track.notes if not 4 * 1920 <= note.time < 8 * 1920])
    score.dump_midi(tmp_path / "gap.mid")
    (song,) = read_songs(tmp_path, "fast", PianoRollAdapter()).songs
    assert song.places.tolist() == [0, 32]
    converter = Converter.from_pretrained(unchanging)
    seen: list[int] = []

    def same(encoded: Encoded) -> Encoded:
        seen.append(encoded.features.shape[-1])
        return converter.translation("slow", "fast")(encoded)

    transfer, _ = transferred(song, converter, same, same)
    assert np.array_equal(transfer, song.phrases)
    assert seen == [15 * 16, 15 * 16]


def test_the_triplet_grid_and_velocities_are_judged_alike(genres: Path, tmp_path: Path) -> None:
    bundle = tiny_music_bundle(tmp_path / "other", GENRES, model=UNCHANGING, adapter={"grid": "triplet", "velocity": True})
    slow = {"slow": genres / "eval" / "slow", "fast": genres / "eval" / "slow"}  # scales in sixteenths do not fit that grid
    rows = evaluate(Converter.from_pretrained(bundle), slow).directions["slow->fast"].rows[MODEL]
    assert {measure: rows[measure].mean for measure in CONTENT} == dict.fromkeys(CONTENT, 1.0)


@pytest.fixture
def pairs(tmp_path: Path) -> dict[str, Path]:
    """The counterpart of a song of chords is the same chords; one has none, one begins a phrase later."""
    write_genre(tmp_path / "slow", "slow", 3)
    write_genre(tmp_path / "fast", "fast", 1)
    (tmp_path / "fast" / "0.mid").rename(tmp_path / "fast" / "alone.mid")
    for name in ("0.mid", "1.mid"):
        (tmp_path / "fast" / name).write_bytes((tmp_path / "slow" / name).read_bytes())
    late = a_song("slow", 2, bars=8).shift_time(4 * 1920)  # its first phrase is the second of the other's places
    late.dump_midi(tmp_path / "fast" / "2.mid")
    return {genre: tmp_path / genre for genre in GENRES}


def test_counterparts_are_compared_place_by_place(pairs: dict[str, Path], unchanging: Path) -> None:
    found = evaluate(Converter.from_pretrained(unchanging), pairs, paired=True)
    each = found.directions["slow->fast"]
    assert each.songs == 3
    assert set(each.paired) == {MODEL, IDENTITY}
    # Four phrases are alike; of the third song, one phrase has a counterpart, which is another phrase.
    random = np.random.default_rng(2)
    roots = random.integers(48, 60, 8)
    alike = sum(len({a, a + 4, a + 7} & {b, b + 4, b + 7}) for a, b in zip(roots[4:], roots[:4], strict=True)) / 12
    assert each.paired[IDENTITY]["note_f1"].mean == pytest.approx((4 + alike) / 5)
    assert each.paired[MODEL]["note_f1"].mean == pytest.approx((4 + alike) / 5)
    assert "against the true counterparts" in to_text(found)


def test_pairs_need_names_and_places_in_common(pairs: dict[str, Path], unchanging: Path) -> None:
    converter = Converter.from_pretrained(unchanging)
    for name in ("0.mid", "1.mid"):
        (pairs["fast"] / name).unlink()
    a_song("slow", 2, bars=4).shift_time(8 * 1920).dump_midi(pairs["fast"] / "2.mid")
    with pytest.raises(DataError, match="no phrase begins where"):
        evaluate(converter, pairs, paired=True)
    (pairs["fast"] / "2.mid").unlink()
    with pytest.raises(DataError, match=r"have no file name in common; leave --paired out"):
        evaluate(converter, pairs, paired=True)


def test_limit_takes_songs_from_all_over(genres: Path, tmp_path: Path) -> None:
    songs = read_songs(genres / "eval" / "slow", "slow", PianoRollAdapter(), limit=2).songs
    assert [song.corpus for song in songs] == ["slow/one", "slow/two"]
    assert len(read_songs(genres / "eval" / "slow", "slow", PianoRollAdapter(), limit=99).songs) == 4
    assert name_of(tmp_path / "a" / "b.mid", tmp_path) == "a/b"


def test_progress_counts_the_songs_of_both(genres: Path, unchanging: Path) -> None:
    seen: list[tuple[int, int]] = []
    evaluate(Converter.from_pretrained(unchanging), folders(genres), limit=2, progress=lambda *x: seen.append(x))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_songs_that_cannot_be_used_are_left_out_and_named(tmp_path: Path, unchanging: Path) -> None:
    for genre in GENRES:
        write_genre(tmp_path / genre, genre, 1)
    a_song("slow", 5, bars=2).dump_midi(tmp_path / "slow" / "short.mid")
    both = {genre: tmp_path / genre for genre in GENRES}
    found = evaluate(Converter.from_pretrained(unchanging), both)
    assert list(found.skipped) == [str(tmp_path / "slow" / "short.mid")]
    assert "left out: 1 songs" in to_text(found)
    (tmp_path / "slow" / "0.mid").unlink()
    with pytest.raises(DataError, match=r"slow: none of its 1 songs can be used; the first: .*short\.mid: no whole 4-bar phrase"):
        evaluate(Converter.from_pretrained(unchanging), both)


def test_a_classifier_must_know_the_genres_and_the_grid(genres: Path, classifier: Classifier, unchanging: Path) -> None:
    converter = Converter.from_pretrained(unchanging)
    other = Classifier(replace(classifier.config, genres=("slow", "waltz")), classifier.networks)
    with pytest.raises(ConfigError, match=r"tells slow, waltz apart, not slow, fast; train one that does: python recipes/genre"):
        evaluate(converter, folders(genres), other)
    other = Classifier(replace(classifier.config, adapter={"grid": "triplet", "bars": 4}), classifier.networks)
    with pytest.raises(ConfigError, match=r"on the triplet grid, model unchanging makes 4 on the straight grid; train one that fits"):
        evaluate(converter, folders(genres), other)


def test_the_table_fits_and_says_what_the_classifier_is_worth(genres: Path, found: Evaluation, classifier: Classifier) -> None:
    text = to_text(found)
    assert max(text.splitlines(), key=len)[110:] == ""
    assert all(f"never tested on a corpus of {genre} that it does not know" in text for genre in GENRES)
    assert re.search(r"random target phrase +[01]\.\d\d ±0\.\d\d +1\.00 ±0\.00", text)
    songs = {"fast/one": [np.zeros((2, 84, 64), np.uint8)]}
    tests = [t for left_out in ((), ("fast/one",)) for t in classifier.test(songs, 64, seen=not left_out, left_out=left_out)]  # type: ignore[arg-type]
    tested = replace(found, classifier={"genres": GENRES, "seeds": 2, "tests": [vars(t) | {"accuracy": 0.5} for t in tests]})
    assert re.search(r"fast/one +50\.0% of +1 songs, +1 phrases: UNSEEN \(another training, without it\)", to_text(tested))
    assert re.findall("never tested on a corpus of ([a-z]+)", to_text(tested)) == ["slow"]


def command(genres: Path, bundle: Path, *arguments: object) -> tuple[object, ...]:
    return ("evaluate", bundle, "--source-dir", genres / "eval" / "slow", "--target-dir", genres / "eval" / "fast", *arguments)


def test_command_prints_one_json_object(
    genres: Path, classifier: Classifier, unchanging: Path, tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    classifier.save(tmp_path / "c")
    done = run_cli(capsys, *command(genres, unchanging, "--classifier", tmp_path / "c", "--limit", 2, "--json"))
    assert (done.code, done.err) == (0, [])
    report = json.loads(done.out)
    assert set(report) == {"model", "directions", "total", "skipped", "classifier", "definitions"}
    assert report["model"] == "unchanging"
    assert set(report["directions"]) == set(DIRECTIONS)
    each = report["directions"]["slow->fast"]
    assert set(each) == {"songs", "phrases", "rows", "paired", "quality", "corpora"}
    assert (each["songs"], each["phrases"]) == (2, 4)
    assert set(each["rows"]) == set(report["total"]) == {"model", "identity", "random_target"}
    styles = {"style_time_pitch", "style_onset_duration"}
    assert set(each["rows"]["model"]) == {"strength", "accuracy_strength", *CONTENT, *styles}
    assert each["rows"]["identity"]["strength"] == {"mean": 0, "low": 0, "high": 0, "spread": 0}
    assert each["rows"]["identity"]["style_time_pitch"]["low"] is None
    assert set(each["quality"]["polyphony"]) == {"source", "transfer", "target"}
    assert report["classifier"]["trained_on"] == ["slow/one", "slow/two", "fast/one", "fast/two"]
    assert set(report["definitions"]) == {"controls", "strength", "content", "style", "quality", "intervals"}


def test_command_without_a_classifier_says_how_to_get_one(genres: Path, unchanging: Path, capsys: pytest.CaptureFixture[Any]) -> None:
    done = run_cli(capsys, *command(genres, unchanging, "--limit", 1))
    assert (done.code, done.err) == (0, [])
    assert done.out.startswith("slow->fast: 1 songs, 2 phrases\n")
    heading = done.out.splitlines()[1].split()
    assert heading == ["chroma", "groove", "note", "F1", "key", "kept", "style:pitch", "rhythm"]
    assert "no strength without a classifier" in done.out
    assert "python recipes/genre/train_classifier.py" in done.out
    assert "note F1: pitch equal" in " ".join(done.out.split()).replace("Note", "note")


def test_command_takes_the_domains_the_other_way_round(genres: Path, unchanging: Path, capsys: pytest.CaptureFixture[Any]) -> None:
    done = run_cli(capsys, *command(genres, unchanging, "--limit", 1, "--source", "fast"))
    assert done.out.startswith("fast->slow: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "waltz"), "target 'waltz' is unknown to model unchanging; it knows: slow, fast"),
        (("--source", "slow", "--target", "slow"), "source and target are both 'slow'"),
        (("--classifier", "nowhere"), "nowhere: not a genre classifier, it has no config.json; train one"),
        (("--source-dir", "nowhere"), "nowhere: no such folder; it must hold MIDI files of slow"),
    ],
)
def test_command_names_what_is_wrong(
    genres: Path, unchanging: Path, capsys: pytest.CaptureFixture[Any], arguments: tuple[str, ...], message: str
) -> None:
    assert message in run_cli(capsys, *command(genres, unchanging, *arguments)).error


def test_command_names_an_empty_folder(genres: Path, unchanging: Path, tmp_path: Path, capsys: pytest.CaptureFixture[Any]) -> None:
    done = run_cli(capsys, *command(genres, unchanging, "--target-dir", tmp_path))
    assert done.error == f"{tmp_path}: no MIDI files in it; it must hold some of fast"


def test_voices_are_measured_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="model voice converts voice, not music"):
        evaluate(Converter.from_pretrained(tiny_bundle(tmp_path / "voice")), {"anna": tmp_path, "ben": tmp_path})
    with pytest.raises(DomainError, match="unknown to model unchanging"):
        evaluate(Converter.from_pretrained(tiny_music_bundle(tmp_path / "unchanging", GENRES)), {"slow": tmp_path, "waltz": tmp_path})
