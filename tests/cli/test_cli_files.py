"""``audiocycle convert`` with files as people have them: of telephones, of recorders that lost power, with any name."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
import pytest
import soundfile
from encoded import KINDS, encode
from tiny_bundle import run_cli, tiny_bundle, vowel

Capture = pytest.CaptureFixture[Any]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_of_a_telephone_is_converted_and_the_rest_is_told(here: Path, bundle: Path, capsys: Capture) -> None:
    (here / "in").mkdir()
    (here / "more").mkdir()
    for ending in ("m4a", "webm", "mp3", "amr"):
        kind = KINDS[ending]
        (here / f"in/{ending}.{ending}").write_bytes(encode(kind, vowel(0.4, kind.rates[0]), kind.rates[0]))
    soundfile.write("in/old.wave", vowel(0.4), 16000, format="WAV")
    for name in ("notes.txt", "cover.jpg", "list.xyz", "more.xyz"):
        (here / "in" / name).touch()
    (here / "in/linked").symlink_to(here / "more")
    done = run_cli(capsys, "convert", "in", "-t", "ben", "-m", bundle, "-o", "out")
    assert done.code == 0, done.err
    assert done.err[0] == "in: passed over 2 .xyz, 1 .jpg, 1 .txt, 1 linked folder"
    made = {path.name: soundfile.info(path) for path in (here / "out").glob("*.wav")}
    assert set(made) == {"m4a.wav", "webm.wav", "mp3.wav", "amr.wav", "old.wav"}
    assert all(0.39 < info.duration < 0.6 for info in made.values())


def test_a_recorder_that_lost_power_is_read_whole_and_that_is_said(here: Path, bundle: Path, capsys: Capture) -> None:
    soundfile.write("in.wav", vowel(1.0), 16000)
    content = bytearray((here / "in.wav").read_bytes())
    content[40:44] = struct.pack("<I", 0)
    (here / "in.wav").write_bytes(content)
    done = run_cli(capsys, "convert", "in.wav", "-t", "ben", "-m", bundle, "-o", "out.wav")
    assert (done.code, soundfile.info("out.wav").frames) == (0, 16000)
    assert "the header says 0.0 s, as after a loss of power, and 1.0 s are there" in done.err[-1]


@pytest.mark.parametrize("name", ["-take1.wav", "--take.wav", "-takes/a.wav"])
def test_a_name_that_looks_like_an_option_is_a_name(here: Path, bundle: Path, capsys: Capture, name: str) -> None:
    (here / name).parent.mkdir(exist_ok=True)
    soundfile.write(here / name, vowel(0.3), 16000)
    given = name.partition("/")[0]
    done = run_cli(capsys, "convert", given, "-t", "ben", "-m", bundle, "-o", "out/" if "/" in name else "out.wav")
    assert done.code == 0, done.err


def test_long_names_are_converted(here: Path, bundle: Path, capsys: Capture) -> None:
    (here / "in").mkdir()
    long = "録" * 83 + ".flac"  # 254 bytes
    soundfile.write(here / "in" / long, vowel(0.3), 16000)
    assert run_cli(capsys, "convert", "in", "-t", "ben", "-m", bundle, "-o", "out", "--plot").code == 0
    assert sorted(path.suffix for path in (here / "out").iterdir()) == [".jsonl", ".png", ".wav"]
    assert run_cli(capsys, "convert", f"in/{long}", "-t", "ben", "-m", bundle).code == 0
    assert [path.name.endswith(".ben.wav") for path in here.glob("*.wav")] == [True]


def test_a_speakers_name_may_be_typed_with_separate_accents(here: Path, tmp_path_factory: pytest.TempPathFactory, capsys: Capture) -> None:
    folder = tiny_bundle(here / "models" / "tiny")
    config = json.loads((folder / "config.json").read_text())
    config["domains"][1], config["stats"]["José"] = "José", config["stats"].pop("ben")
    config["deviations"] = {}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    soundfile.write("in.wav", vowel(0.3), 16000)
    done = run_cli(capsys, "convert", "in.wav", "-t", normalize("NFD", "José"), "-m", folder)
    assert "unknown" not in " ".join(done.err)


def test_weights_of_another_program_are_told_what_a_model_is(here: Path, capsys: Capture) -> None:
    (here / "G.pth").write_bytes(b"weights")
    soundfile.write("in.wav", vowel(0.3), 16000)
    done = run_cli(capsys, "convert", "in.wav", "-t", "ben", "-m", "G.pth")
    assert done.code == 1
    assert done.err[-1] == (
        "error: G.pth: is a file, and a model is a folder with config.json and model.safetensors; weights of other programs (.pth, .ckpt, ...) cannot be used"
    )


def test_a_checkpoint_is_told_where_its_bundle_is(here: Path, capsys: Capture) -> None:
    tiny_bundle(here / "run/bundle")
    (here / "run/checkpoints").mkdir()
    (here / "run/checkpoints/step-1.pt").touch()
    soundfile.write("in.wav", np.zeros(9), 16000)
    done = run_cli(capsys, "convert", "in.wav", "-t", "ben", "-m", "run/checkpoints/step-1.pt")
    assert done.err[-1].endswith("; did you mean run/bundle?")


def test_an_output_that_is_read_only_by_kind_is_told_so(here: Path, bundle: Path, capsys: Capture) -> None:
    soundfile.write("in.wav", vowel(0.3), 16000)
    done = run_cli(capsys, "convert", "in.wav", "-t", "ben", "-m", bundle, "-o", "out.m4a")
    assert (done.code, done.err[-1]) == (1, "error: out.m4a: '.m4a' is read, but not written; use .wav or .flac")
