"""``audiocycle evaluate`` for music: what it prints, and what it refuses in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from tiny_bundle import run_cli

from audiocycle.evaluation.music.classifier import Classifier

DIRECTIONS = ("slow->fast", "fast->slow")
MEASURES = {
    "strength", "accuracy_strength", "chroma_similarity", "groove_similarity", "note_f1", "key_kept", "tonnetz_distance",
    "style_time_pitch", "style_onset_duration", "in_notes_per_bar", "in_polyphony", "in_note_length", "in_all_three",
}  # fmt: skip


def command(genres: Path, bundle: Path, *arguments: object) -> tuple[object, ...]:
    return ("evaluate", bundle, "--source-dir", genres / "eval" / "slow", "--target-dir", genres / "eval" / "fast", *arguments)


def test_command_prints_one_json_object(
    genres: Path, classifier: Classifier, unchanging: Path, tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    classifier.save(tmp_path / "c")
    done = run_cli(capsys, *command(genres, unchanging, "--classifier", tmp_path / "c", "--limit", 2, "--json"))
    assert (done.code, done.err) == (0, [])
    report = json.loads(done.out)
    assert set(report) == {"model", "parallel", "directions", "total", "skipped", "classifier", "judge", "definitions"}
    assert report["model"] == "unchanging"
    assert set(report["directions"]) == set(DIRECTIONS)
    each = report["directions"]["slow->fast"]
    assert set(each) == {
        "songs", "phrases", "rows", "paired", "quality", "middles", "seams", "corpora", "knob", "by_song",
        "musician", "doubts",
    }  # fmt: skip
    assert (each["songs"], each["phrases"]) == (2, 4)
    assert set(each["rows"]) == set(report["total"]) == {"model", "identity", "random_target"}
    assert set(each["rows"]["model"]) == MEASURES
    assert len(each["by_song"]["names"]) == len(each["by_song"]["rows"]["model"]["strength"]) == 2
    assert each["rows"]["identity"]["strength"] == {"mean": 0, "low": 0, "high": 0, "spread": 0}
    assert each["rows"]["identity"]["style_time_pitch"]["low"] <= each["rows"]["identity"]["style_time_pitch"]["mean"]
    assert set(each["quality"]["polyphony"]) == {"source", "transfer", "target"}
    assert report["classifier"]["trained_on"] == ["slow/one", "slow/two", "fast/one", "fast/two"]
    assert set(report["definitions"]) == {"controls", "strength", "content", "style", "quality", "middle", "seams", "musician", "judge", "statistics", "intervals"}


def test_a_model_on_the_hub_is_asked_for_once(
    genres: Path, unchanging: Path, tmp_path: Path, capsys: pytest.CaptureFixture[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two questions its branch may move: the report would be about another one."""
    asked: list[str] = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda hub_id, **_: asked.append(hub_id) or str(unchanging))
    done = run_cli(capsys, *command(genres, Path("hf:somebody/a-model"), "--limit", 1, "--report", tmp_path / "report"))
    assert done.code == 0
    assert asked == ["somebody/a-model"]


def test_command_without_a_classifier_says_how_to_get_one(genres: Path, unchanging: Path, capsys: pytest.CaptureFixture[Any]) -> None:
    done = run_cli(capsys, *command(genres, unchanging, "--limit", 1))
    assert (done.code, done.err) == (0, [])
    assert done.out.startswith("slow->fast: 1 songs, 2 phrases\n")
    heading = done.out.splitlines()[1].split()
    assert heading == ["chroma", "groove", "note", "F1", "key", "kept", "%", "style:pitch", "style:rhythm"]
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
        (("--unseen", "fast"), "--unseen fast: write GENRE=DIR, for example jazz=midi/solos"),
        (("--report", __file__), "is a file; name a folder for the page"),
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


def test_command_writes_a_report_with_the_trainings_log(
    genres: Path, unchanging: Path, tmp_path: Path, capsys: pytest.CaptureFixture[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    monkeypatch.setattr("audiocycle.evaluation.music.report.write_report", lambda *x: given.append(x))
    assert run_cli(capsys, *command(genres, unchanging, "--limit", 1, "--report", tmp_path / "page")).code == 0
    ((found, folder, log),) = given
    assert (found.model, folder, log) == ("unchanging", tmp_path / "page", None)
    assert [len(each.examples) for each in found.directions.values()] == [1, 1]


def test_pairs_have_two_names(genres: Path, unchanging: Path, capsys: pytest.CaptureFixture[Any]) -> None:
    for option in ("--parallel", "--paired"):
        done = run_cli(capsys, *command(genres, unchanging, "--limit", 1, option))
        assert "slow->fast, against the true counterparts" in done.out
