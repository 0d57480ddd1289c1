"""Evaluation of genre models: what the controls must score, what a model that changes nothing scores, and the command."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import symusic
from small_music_evaluation import SONGS, over_songs, small_music_evaluation
from tiny_bundle import UNCHANGING_MUSIC_MODEL, tiny_bundle, tiny_music_bundle, tiny_song
from two_genres import GENRES, a_song, write_genre

from audiocycle.conversion.converter import Converter
from audiocycle.errors import ConfigError, DataError, DomainError
from audiocycle.evaluation.music.card import markdown
from audiocycle.evaluation.music.classifier import Classifier
from audiocycle.evaluation.music.evaluate import evaluate
from audiocycle.evaluation.music.judge import IN_ALL, KNOB, seam_rates
from audiocycle.evaluation.music.measures import (
    GAIN,
    IDENTITY,
    MEASURES,
    MODEL,
    MUSICIAN_MEASURES,
    QUALITY_MEASURES,
    RANDOM,
    SEAM_MEASURES,
)
from audiocycle.evaluation.music.results import MusicEvaluation
from audiocycle.evaluation.music.song_judge import SongJudge, read_tables, statistics_names
from audiocycle.evaluation.music.songs import (
    DirectionConverter,
    HeldOutSong,
    Seams,
    name_of,
    read_songs,
    transferred,
)
from audiocycle.evaluation.music.table import to_text
from audiocycle.metrics.music.style import cosines
from audiocycle.music import renderer
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.midi.file import write_score
from audiocycle.spec import Direction

DIRECTIONS = ("slow->fast", "fast->slow")
SHARES = ("in_notes_per_bar", "in_polyphony", "in_note_length", IN_ALL)
CONTENT = ("chroma_similarity", "groove_similarity", "note_f1", "key_kept")


def folders(genres: Path) -> dict[str, Path]:
    return {genre: genres / "eval" / genre for genre in GENRES}


@pytest.fixture(scope="module")
def found(genres: Path, classifier: Classifier, unchanging: Path) -> MusicEvaluation:
    return evaluate(Converter.from_pretrained(unchanging), folders(genres), classifier)


@pytest.mark.parametrize("name", DIRECTIONS)
def test_identity_changes_nothing_and_keeps_all(found: MusicEvaluation, name: str) -> None:
    row = found.directions[name].rows[IDENTITY]
    assert {measure: row[measure].mean for measure in ("strength", "accuracy_strength")} == {"strength": 0.0, "accuracy_strength": 0.0}
    assert {measure: row[measure].mean for measure in CONTENT} == dict.fromkeys(CONTENT, 1.0)
    assert row["strength"].interval == (0.0, 0.0)
    assert row["style_onset_duration"].mean < 0.1  # chords and scales have no note in common


@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_random_target_phrase_is_all_style_and_no_content(found: MusicEvaluation, name: str) -> None:
    row = found.directions[name].rows[RANDOM]
    assert row["strength"].mean > 0.6
    assert row["accuracy_strength"].mean == 1.0
    assert row["note_f1"].mean < 0.2
    assert row["style_time_pitch"].mean > 0.9
    assert row["style_onset_duration"].mean > 0.9


@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_model_that_changes_nothing_scores_as_identity_does(found: MusicEvaluation, name: str) -> None:
    rows = found.directions[name].rows
    assert {m: v.mean for m, v in rows[MODEL].items()} == pytest.approx({m: v.mean for m, v in rows[IDENTITY].items()})
    quality = found.directions[name].quality
    assert all(kinds["transfer"].mean == kinds["source"].mean for kinds in quality.values())
    notes = {kind: value.mean for kind, value in quality["notes_per_bar"].items()}
    assert notes["target"] == notes["source"] * (16 / 3 if name == "slow->fast" else 3 / 16)


def test_everything_that_is_measured_is_declared(found: MusicEvaluation) -> None:
    for each in found.directions.values():
        by_songs = {measure.name for measure in MEASURES if measure.definition == "judge"}
        assert {name for row in each.rows.values() for name in row} == {measure.name for measure in MEASURES} - by_songs
        assert set(each.musician) == {measure.name for measure in MUSICIAN_MEASURES}
        assert set(each.quality) == {measure.name for measure in QUALITY_MEASURES}
        assert {name for row in each.seams.values() for name in row} == {measure.name for measure in SEAM_MEASURES}


def test_directions_counts_corpora_and_total(found: MusicEvaluation) -> None:
    assert list(found.directions) == list(DIRECTIONS)
    each = found.directions["slow->fast"]
    assert (each.songs, each.phrases, each.paired) == (4, 8, {})
    facts = {"songs": 2, "phrases": 4, "seen": True, "accuracy": 1.0}
    assert each.corpora == {"slow/one": facts, "slow/two": facts}
    both = [d.rows[RANDOM]["note_f1"].mean for d in found.directions.values()]
    assert found.total[RANDOM]["note_f1"].mean == pytest.approx(np.mean(both))


def test_only_the_target_lies_in_its_own_middle(found: MusicEvaluation) -> None:
    each = found.directions["slow->fast"]  # phrases of either genre are all alike in shape
    assert each.middles == {"notes_per_bar": (16, 16), "polyphony": (1, 1), "median_note_steps": (1, 1)}
    assert {name: each.rows[RANDOM][name].mean for name in SHARES} == dict.fromkeys(SHARES, 1)
    assert {name: each.rows[IDENTITY][name].mean for name in SHARES} == dict.fromkeys(SHARES, 0)


def test_the_middle_is_the_targets(genres: Path, unchanging: Path, tmp_path: Path) -> None:
    """Of a source's two songs, one has its target's shape."""
    write_genre(tmp_path / "slow", "slow", 1)
    a_song("fast", 3).dump_midi(tmp_path / "slow" / "other.mid")
    both = {"slow": tmp_path / "slow", "fast": genres / "eval" / "fast"}
    row = evaluate(Converter.from_pretrained(unchanging), both).directions["slow->fast"].rows[IDENTITY]
    assert {name: row[name].mean for name in SHARES} == dict.fromkeys(SHARES, 0.5)
    assert row[IN_ALL].interval == (0, 1)


def test_a_model_that_changes_nothing_has_no_seams(found: MusicEvaluation) -> None:
    rows = found.directions["slow->fast"].seams
    assert {row: {kind: value.mean for kind, value in kinds.items()} for row, kinds in rows.items()} == {
        row: dict.fromkeys(("cut_notes", "doubled_notes", "broken_notes"), 0) for row in ("borders", "inside", "difference")
    }


def test_seams_are_rates_a_bar_over_songs() -> None:
    # (at borders, inside), of 2 bars and of 1; a song without borders says nothing of them
    short = Seams(np.zeros((2, 2)), 0.0)
    rows = seam_rates([Seams(np.array([(4, 3), (1, 0)]), 2.0), Seams(np.array([(2, 3), (0, 4)]), 1.0), short])
    assert rows["borders"]["cut_notes"].mean == pytest.approx((4 + 2) / 3)
    assert rows["inside"]["cut_notes"].mean == pytest.approx((3 + 3) / 3)
    assert rows["borders"]["doubled_notes"].mean == pytest.approx(1 / 3)
    assert rows["inside"]["broken_notes"].mean == pytest.approx(10 / 3)
    assert rows["difference"]["broken_notes"].mean == pytest.approx(7 / 3 - 10 / 3)
    assert rows["difference"]["cut_notes"].interval == pytest.approx((2 / 1 - 3 / 1, 4 / 2 - 3 / 2))
    assert seam_rates([short]) == {}


class Breaking(Converter):
    """Strikes every note again in the middle of a bar, at a step where the second and the third window of a song of eight bars meet."""

    always = False

    def translate_features(self, features: Any, direction: Direction, shifted: bool = False, places: Any = None) -> Any:
        made = features.astype(np.float32)
        if direction.source.name == "slow" and (self.always or shifted is not True):
            made[1, :, 72] = made[0, :, 72]
        return made


@pytest.mark.parametrize("always", [False, True])
def test_seams_of_a_song_are_counted_where_windows_meet(
    genres: Path, unchanging: Path, always: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renderer, "mannered", lambda new, kept, *_: (new, np.zeros(len(_[1]), bool)))  # else no pitch is struck so often
    converter = Breaking.from_pretrained(unchanging)
    converter.always = always
    rows = evaluate(converter, folders(genres)).directions["slow->fast"].seams
    assert rows["borders"]["cut_notes"].mean == 0
    # Windows begin at 0, 32 and 64, and fade from 40 and 72 on, or at 0, 16, 48 and 64, and fade from 32, 56 and 80 on, for 16 steps: 48
    # steps are in one of the two, which are three bars.
    assert rows["borders"]["doubled_notes"].mean == pytest.approx(3 / 3)
    assert rows["inside"]["doubled_notes"].mean == (pytest.approx(3 / 3) if always else 0), "what breaks wherever windows meet is no seam"


def test_style_has_intervals(genres: Path, unchanging: Path) -> None:
    assert cosines(np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([1.0, 0.0])).tolist() == [0.6, 0.0]
    assert cosines(np.zeros((1, 2)), np.zeros(2)).tolist() == [1.0]
    row = evaluate(Converter.from_pretrained(unchanging), folders(genres)).directions["slow->fast"].rows[IDENTITY]
    for name in ("style_time_pitch", "style_onset_duration"):
        assert row[name].interval is not None
        assert row[name].interval[0] <= row[name].mean <= row[name].interval[1] + 0.05


def test_the_knob_goes_from_identity_to_the_model(genres: Path, classifier: Classifier, tmp_path: Path) -> None:
    converter = Converter.from_pretrained(tiny_music_bundle(tmp_path / "eager", GENRES))
    each = evaluate(converter, folders(genres), classifier, limit=2, listen=True).directions["slow->fast"]
    assert list(each.knob) == [0.0, *KNOB, 1.0]
    for setting, row in ((0.0, IDENTITY), (1.0, MODEL)):
        assert {name: value.mean for name, value in each.knob[setting].items()} == {
            name: each.rows[row][name].mean for name in each.knob[setting]
        }
    chroma = [row["chroma_similarity"].mean for row in each.knob.values()]
    assert chroma[0] == 1.0 > chroma[-1]
    assert chroma == sorted(chroma, reverse=True)
    assert evaluate(converter, folders(genres), limit=1, listen=True).directions["slow->fast"].knob == {}


def test_unseen_corpora_are_tested(genres: Path, classifier: Classifier, unchanging: Path, tmp_path: Path) -> None:
    write_genre(tmp_path / "three", "fast", 2)
    a_song("slow", 5, bars=2).dump_midi(tmp_path / "three" / "short.mid")
    converter = Converter.from_pretrained(unchanging)
    found = evaluate(converter, folders(genres), classifier, unseen=[("fast", tmp_path / "three"), ("slow", tmp_path / "three")])
    assert found.classifier is not None
    told = [(test["corpus"], test["seen"], test["songs"], test["phrases"], test["accuracy"]) for test in found.classifier["tests"]]
    assert told == [("fast/three", False, 2, 4, 1.0), ("slow/three", False, 2, 4, 0.0)]  # they are fast songs
    assert list(found.skipped) == [str(tmp_path / "three" / "short.mid")]
    assert "fast/three" in to_text(found)
    assert "never tested" not in to_text(found)
    with pytest.raises(ConfigError, match="not slow, fast, waltz"):
        evaluate(converter, folders(genres), classifier, unseen=[("waltz", tmp_path)])
    with pytest.raises(ConfigError, match="`unseen`: tests a classifier, and there is none"):
        evaluate(converter, folders(genres), unseen=[("fast", tmp_path)])


def test_strength_has_a_spread_over_the_seeds(found: MusicEvaluation) -> None:
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


def made_of(song: HeldOutSong, converter: Converter) -> tuple[Any, Any]:
    """Its phrases from slow to fast, and back."""
    (made,) = transferred(song, DirectionConverter(converter, "slow", "fast"), DirectionConverter(converter, "fast", "slow"))
    return made.transfer, made.cycle


class Other(Converter):
    """Plays every note an octave higher on the way there, and lower on the way back."""

    def translate_features(self, features: Any, direction: Direction, shifted: bool = False, places: Any = None) -> Any:
        return np.roll(features.astype(np.float32), 12 if direction.source.name == "slow" else -12, axis=-2)


def test_what_is_judged_is_converted_there_and_back(genres: Path, unchanging: Path) -> None:
    converter = Other.from_pretrained(unchanging)
    song = read_songs(genres / "eval" / "slow", "slow", converter.adapter).songs[0]
    transfer, cycle = made_of(song, converter)
    higher = np.roll(song.phrases, 12, axis=-2)
    assert (transfer & higher).sum() > 0.8 * higher.sum(), "all but the last notes of a song, which stay"
    assert (cycle & song.phrases).sum() > 0.8 * song.phrases.sum()
    rows = evaluate(converter, folders(genres)).directions["slow->fast"].rows[MODEL]
    assert rows["chroma_similarity"].mean > 0.9
    assert rows["groove_similarity"].mean > 0.9
    assert rows["key_kept"].mean == 1
    assert rows["note_f1"].mean < 0.2


def test_a_swung_song_in_several_metres_is_judged_by_its_phrases(tmp_path: Path, unchanging: Path) -> None:
    """What nothing changes is what training took: the same phrases, straightened, of the same places."""
    swung = a_song("fast", 3, bars=22)
    eighths = [note for note in swung.tracks[0].notes if note.time % 240 == 0]
    for note in eighths:
        note.time += 80 * (note.time % 480 == 240)
    assert any(note.time % 480 == 320 for note in eighths)
    swung.tracks[0].notes = type(swung.tracks[0].notes)(eighths)
    swung.time_signatures.extend([symusic.TimeSignature(0, 4, 4), symusic.TimeSignature(8 * 1920, 3, 4), symusic.TimeSignature(11 * 1920, 4, 4)])
    swung.dump_midi(tmp_path / "swung.mid")
    converter = Converter.from_pretrained(unchanging)
    (song,) = read_songs(tmp_path, "slow", converter.adapter).songs
    assert song.places.tolist() == [0, 16, 44, 60]
    assert set(np.nonzero(song.phrases[:, 1].any(axis=1))[1] % 4) == {0, 2}
    assert np.array_equal(made_of(song, converter)[0], song.phrases)


def test_what_is_judged_is_the_file_that_a_user_gets(tmp_path: Path) -> None:
    converter = Converter.from_pretrained(tiny_music_bundle(tmp_path / "eager", GENRES))  # makes some notes of its own
    tiny_song(tmp_path / "songs" / "0.mid")
    (song,) = read_songs(tmp_path / "songs", "slow", converter.adapter).songs
    transfer, cycle = made_of(song, converter)
    assert not np.array_equal(transfer, song.phrases)
    for made, source, target in ((transfer, "slow", "fast"), (cycle, "fast", "slow")):
        write_score(tmp_path / target / "0.mid", converter(song.path, target, source))
        (song,) = read_songs(tmp_path / target, target, converter.adapter).songs
        assert np.array_equal(made, song.phrases)


def test_a_model_that_falls_silent_can_be_judged(genres: Path, unchanging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Converter, "translate_features", lambda self, features, *_, **__: np.zeros(features.shape, np.float32))
    rows = evaluate(Converter.from_pretrained(unchanging), folders(genres)).directions["slow->fast"].rows[MODEL]
    assert rows["note_f1"].mean < 0.3, "only the end of a song stays"
    assert rows["style_time_pitch"].mean < 0.1


def test_phrases_are_those_that_training_takes(tmp_path: Path, unchanging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silent phrases, other metres and the rest at the end are left out; the runs of bars around them are converted."""
    score = a_song("fast", 1, bars=15)
    track = score.tracks[0]
    track.notes = type(track.notes)([note for note in track.notes if not 4 * 1920 <= note.time < 8 * 1920])
    score.dump_midi(tmp_path / "gap.mid")
    (song,) = read_songs(tmp_path, "fast", PianoRollAdapter()).songs
    assert song.places.tolist() == [0, 32]
    converter = Converter.from_pretrained(unchanging)
    seen: list[int] = []
    whole = Converter.translate_features

    def spied(self: Converter, features: Any, *rest: Any, **named: Any) -> Any:
        seen.append(features.shape[-1])
        return whole(self, features, *rest, **named)

    monkeypatch.setattr(Converter, "translate_features", spied)
    assert np.array_equal(made_of(song, converter)[0], song.phrases)
    assert seen == [15 * 16] * 2, "there and back"


def test_the_triplet_grid_and_velocities_are_judged_alike(genres: Path, tmp_path: Path) -> None:
    bundle = tiny_music_bundle(tmp_path / "other", GENRES, model=UNCHANGING_MUSIC_MODEL, adapter={"grid": "triplet", "velocity": True})
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
    found = evaluate(Converter.from_pretrained(unchanging), pairs, parallel=True)
    each = found.directions["slow->fast"]
    assert each.songs == 3
    assert set(each.paired) == {MODEL, IDENTITY, GAIN}
    assert each.paired[GAIN]["note_f1"].mean == 0
    assert each.paired[GAIN]["note_f1"].interval == (0, 0)
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
        evaluate(converter, pairs, parallel=True)
    (pairs["fast"] / "2.mid").unlink()
    with pytest.raises(DataError, match=r"have no file name in common; leave `parallel` out"):
        evaluate(converter, pairs, parallel=True)


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


def test_the_table_fits_and_says_what_the_classifier_is_worth(genres: Path, found: MusicEvaluation, classifier: Classifier) -> None:
    text = to_text(found)
    assert max(text.splitlines(), key=len)[110:] == ""
    assert all(f"never tested on a corpus of {genre} that it does not know" in text for genre in GENRES)
    assert re.search(r"random target phrase +[01]\.\d\d ±0\.\d\d +0\.\d\d", text)
    songs = {"fast/one": [np.zeros((2, 84, 64), np.uint8)]}
    tests = [t for left_out in ((), ("fast/one",)) for t in classifier.test(songs, 64, seen=not left_out, left_out=left_out)]  # type: ignore[arg-type]
    tested = replace(found, classifier={"genres": GENRES, "seeds": 2, "tests": [vars(t) | {"accuracy": 0.5} for t in tests]})
    assert re.search(r"fast/one +50\.0% of +1 songs, +1 phrases: UNSEEN \(another training, without it\)", to_text(tested))
    assert re.findall("never tested on a corpus of ([a-z]+)", to_text(tested)) == ["slow"]


@pytest.fixture(scope="module")
def song_judge(genres: Path) -> SongJudge:
    names: list[str] = statistics_names()
    tables = {corpus: table for genre in GENRES for corpus, table in read_tables(genres / "train" / genre, genre, names, {}).items()}
    return SongJudge(GENRES, names, tables)


def test_the_judge_of_songs_says_what_each_row_is_worth(genres: Path, unchanging: Path, song_judge: SongJudge) -> None:
    found = evaluate(Converter.from_pretrained(unchanging), folders(genres), song_judge=song_judge)
    for each in found.directions.values():
        assert {name for row in each.rows.values() for name in row} >= {"song_strength", "taken_for"}
        for row in (MODEL, IDENTITY):
            assert each.rows[row]["song_strength"].mean == pytest.approx(0.0, abs=1e-6)
            assert each.rows[row]["taken_for"].mean == 0.0
        assert each.rows[RANDOM]["song_strength"].mean > 0.5
        assert each.rows[RANDOM]["taken_for"].mean == 1.0
        assert each.doubts == []
    text = to_text(found)
    assert "judge of songs: slow, fast; 5 resamples" in text
    assert "it learnt from corpora of the songs that are judged" in text
    assert max(text.splitlines(), key=len)[110:] == ""


def test_a_judge_of_songs_must_know_the_genres(genres: Path, unchanging: Path, song_judge: SongJudge) -> None:
    tables = {corpus.replace("slow", "waltz"): table for corpus, table in song_judge.tables.items()}
    other = SongJudge(("waltz", "fast"), song_judge.names, tables)
    with pytest.raises(ConfigError, match=r"`judge`: tells waltz, fast apart, not slow, fast; make one that does"):
        evaluate(Converter.from_pretrained(unchanging), folders(genres), song_judge=other)


def test_the_musicians_list_of_a_model_that_changes_nothing(found: MusicEvaluation) -> None:
    for each in found.directions.values():
        for line in each.musician.values():
            assert line.converted == pytest.approx(line.source, nan_ok=True) or np.isnan(line.source)
        assert each.musician["top_line_kept"].converted == 1.0
        assert each.musician["after_the_end"].converted == 0.0


def test_judges_that_see_different_things_are_told_of() -> None:
    found = small_music_evaluation()
    (said,) = found.directions["A->B"].doubts
    assert said.startswith("The judges disagree: by phrases 83% of the way to B, by songs 26%, and 30% of the songs are taken for B.")
    assert "judge of phrases" in said
    assert said in " ".join(to_text(found).split())
    assert said in markdown(found)


def test_a_judge_that_does_not_know_the_songs_is_told_of() -> None:
    each = small_music_evaluation().directions["A->B"]
    rows = {row: dict(values) for row, values in each.rows.items()}
    rows[IDENTITY]["taken_for"] = over_songs(0.45)
    rows[RANDOM]["song_strength"] = over_songs(0.3)  # as far as the target's own songs are away: they agree
    (said,) = replace(each, rows=rows).doubts
    assert said.startswith("The judge of songs knows 55% of the A songs and 90% of the B songs that it is shown")


def test_the_worst_song_is_named() -> None:
    found = small_music_evaluation().directions["A->B"]
    assert found.extremes == ("song_strength", ("one", pytest.approx(0.2)), (SONGS[2], pytest.approx(0.3)))
    assert "worst: one (strength, songs 0.20)" in to_text(small_music_evaluation())


def test_voices_are_measured_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="model voice converts voice, not music"):
        evaluate(Converter.from_pretrained(tiny_bundle(tmp_path / "voice")), {"anna": tmp_path, "ben": tmp_path})
    with pytest.raises(DomainError, match="unknown to model unchanging"):
        evaluate(Converter.from_pretrained(tiny_music_bundle(tmp_path / "unchanging", GENRES)), {"slow": tmp_path, "waltz": tmp_path})
