"""What a person reads on the command line, and in its reports, are flags; what Python raises are names of options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile
from tiny_bundle import run_cli, tiny_bundle, vowel

from audiocycle import Converter
from audiocycle.errors import ConfigError

Capture = pytest.CaptureFixture[Any]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    soundfile.write("in/a.wav", vowel(0.3), 16000)
    return tmp_path


@pytest.mark.parametrize(
    ("option", "value", "python", "shell"),
    [
        ("pitch_shift", 50.0, "pitch_shift=50: choose between -36 and 36 semitones", "--pitch-shift 50: choose between -36 and 36 semitones"),
        ("variance", 2.0, "variance=2: choose between 0 and 1", "--variance 2: choose between 0 and 1"),
        ("key_lock", True, "`key_lock`: not for this kind of model; it takes: `pitch_shift`, `pitch`, `variance`", "--key-lock: not for this kind of model; it takes: --pitch-shift, --pitch, --variance"),
    ],
)
def test_one_refusal_in_two_languages(here: Path, bundle: Path, capsys: Capture, option: str, value: Any, python: str, shell: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Converter.from_pretrained(bundle).convert_file("in/a.wav", "out.wav", "ben", **{option: value})
    assert str(caught.value) == python
    words = [f"--{option.replace('_', '-')}", *([] if value is True else [f"{value:g}"])]
    assert run_cli(capsys, "convert", "in/a.wav", "-t", "ben", "-m", bundle, *words).error == shell


def test_records_of_a_command_have_flags(here: Path, bundle: Path, capsys: Capture) -> None:
    convert = ("convert", "in", "-t", "ben", "-m", bundle, "-o", "out", "--json")
    (here / "out").mkdir()
    soundfile.write("out/a.wav", vowel(0.1), 16000)
    done = run_cli(capsys, *convert)
    wanted = "out/a.wav: was there before, and this report does not say from what it is; --overwrite redoes it"
    assert json.loads(done.out)["why_kept"] == wanted
    (here / "out" / "a.wav").unlink()
    assert run_cli(capsys, *convert).code == 0
    soundfile.write("out/a.wav", vowel(0.1), 16000)
    done = run_cli(capsys, *convert)
    assert json.loads(done.out)["why_kept"] == "out/a.wav: was changed after it was made; --overwrite redoes it"


def test_what_stands_in_the_way_is_written_with_flags_into_the_report(here: Path, bundle: Path, capsys: Capture) -> None:
    (here / "out").mkdir()
    (here / "out" / "a.png").write_text("precious")
    done = run_cli(capsys, "convert", "in", "-t", "ben", "-m", bundle, "-o", "out", "--plot", "--json")
    wanted = "out/a.png: exists already; add --overwrite to replace it, or leave --plot, --preview or --score out"
    assert json.loads(done.out)["error"] == wanted
    (line,) = (here / "out" / "report.jsonl").read_text().splitlines()
    assert json.loads(line)["error"] == wanted
    assert f"error: {wanted}" in done.err
