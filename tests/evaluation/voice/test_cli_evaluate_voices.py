"""``audiocycle evaluate`` for voices: what it prints, and what it refuses in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_up_voices import write_voices
from tiny_bundle import run_cli, tiny_bundle, tiny_music_bundle

from audiocycle.evaluation.voice.listeners import SPEAKER, Listeners
from audiocycle.evaluation.voice.measures import COUNTERPARTS, MEASURES


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_voices(tmp_path_factory.mktemp("voices"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


def no_listeners(recognizer: str | None = None, needs_words: bool = False) -> Listeners:
    return Listeners(missing={SPEAKER: "speaker: not here"})


@pytest.fixture
def command(
    voices: dict[str, Path], bundle: Path, capsys: pytest.CaptureFixture[Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    monkeypatch.setattr("audiocycle.evaluation.voice.listeners.load_listeners", no_listeners)

    def run(*arguments: object, model: Path = bundle, anna: Path = voices["anna"], ben: Path = voices["ben"]) -> Any:
        return run_cli(capsys, "evaluate", model, "--source-dir", anna, "--target-dir", ben, *arguments)

    return run


def test_command_prints_a_table_or_json(command: Callable[..., Any]) -> None:
    done = command("--parallel", "--limit", 1, "--one-way")
    assert (done.code, done.err) == (0, [])
    assert done.out.startswith("anna->ben: 1 files\n")
    assert "left out: speaker similarity (speaker: not here)" in done.out
    tables = done.out.partition("left out")[0]
    assert all((each.heading in tables) == (each.needs in ("", COUNTERPARTS)) for each in MEASURES)
    other = command("--limit", 1, "--one-way", "--source", "ben", "--json")
    assert list(json.loads(other.out)["directions"]) == ["ben->anna"]


def test_a_model_of_one_way_is_measured_that_way(command: Callable[..., Any], tmp_path: Path) -> None:
    model = tiny_bundle(tmp_path / "one", one_way=True)
    assert list(json.loads(command("--limit", 1, "--json", model=model).out)["directions"]) == ["anna->ben"]
    assert "was trained one way, anna->ben" in command("--source", "ben", model=model).err[-1]


def test_command_writes_a_report_with_the_trainings_log(
    command: Callable[..., Any], bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    monkeypatch.setattr("audiocycle.evaluation.voice.report.write_report", lambda *x: given.append(x))
    assert command("--limit", 1, "--one-way", "--report", tmp_path / "page").code == 0
    (bundle.parent / "log.jsonl").write_text("")
    assert command("--limit", 1, "--one-way", "--report", tmp_path / "page").code == 0
    assert [(found.model, folder, log) for found, folder, log in given] == [
        ("tiny", tmp_path / "page", None),
        ("tiny", tmp_path / "page", bundle.parent / "log.jsonl"),
    ]


def test_command_puts_the_table_into_the_card(command: Callable[..., Any], tmp_path: Path) -> None:
    copy = tiny_bundle(tmp_path / "copy")
    assert command("--limit", 1, "--one-way", "--card", model=copy).code == 0
    card = (copy / "README.md").read_text(encoding="utf-8")
    assert "| anna->ben, 1 files |" in card
    assert card.startswith("---\nlicense:")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--classifier", "c"), "--classifier: is for music, and model tiny converts voice; leave it out"),
        (("--unseen", "jazz=x"), "--unseen: is for music, and model tiny converts voice; leave it out"),
        (("--limit", 1, "--seed", 0), "--seed: is for music, and model tiny converts voice; leave it out"),
        (("--report", __file__), "is a file; name a folder for the page"),
        (("--transcripts", "nowhere.txt"), "--transcripts nowhere.txt: No such file or directory; name a text file"),
        (("--target", "cleo"), "target 'cleo' is unknown to model tiny; it knows: anna, ben"),
    ],
)
def test_command_names_what_is_wrong(command: Callable[..., Any], arguments: tuple[Any, ...], message: str) -> None:
    assert message in command(*arguments).error


def test_command_names_wrong_folders(command: Callable[..., Any], tmp_path: Path) -> None:
    assert command(ben=tmp_path).error == f"{tmp_path}: no recordings in it (WAV, FLAC, ...); it must hold some of ben"
    assert command(anna=tmp_path / "x").error == f"{tmp_path / 'x'}: no such folder; it must hold recordings of anna"
    (tmp_path / "bad.txt").write_text("name\n")
    assert "line 1 has no text after the name" in command("--transcripts", tmp_path / "bad.txt").error


def test_command_refuses_voice_options_for_music_and_more_than_two_domains(command: Callable[..., Any], tmp_path: Path) -> None:
    songs = tiny_music_bundle(tmp_path / "songs")
    for option in ("--one-way", "--transcripts=x", "--recognizer=x"):
        assert command(option, model=songs).error == (
            f"{option.split('=')[0]}: is for voice, and model songs converts music; leave it out"
        )
    three = tiny_bundle(tmp_path / "three", ("anna", "ben", "cleo"))
    assert command(model=three).error == "model three knows anna, ben, cleo; name two of them with --source and --target"
    assert command("--limit", 1, "--one-way", "--source", "anna", "--target", "ben", model=three).code == 0
