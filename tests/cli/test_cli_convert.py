"""``audiocycle convert`` as people use it: files, folders, globs, pipes, JSON, several processes."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from tiny_bundle import run_cli, tiny_bundle, vowel

from audiocycle.bundles import library

Capture = pytest.CaptureFixture[Any]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with ``in.wav``, and no model installed but those that a test puts there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIOCYCLE_MODELS", str(tmp_path / "users"))
    monkeypatch.setattr(library, "__file__", str(tmp_path / "package/bundles/library.py"))
    soundfile.write("in.wav", vowel(0.4), 16000)
    return tmp_path


@pytest.fixture
def folder(here: Path) -> Path:
    """``in/``: two good recordings with equal stems, one in a sub-folder, a bad one, and something else."""
    (here / "in/sub").mkdir(parents=True)
    soundfile.write("in/a.wav", vowel(0.3), 16000)
    soundfile.write("in/a.flac", vowel(0.3, 44100), 44100)
    soundfile.write("in/sub/ü ñ 日本.wav", vowel(0.2, 8000), 8000)
    (here / "in/bad.wav").write_text("words")
    (here / "in/notes.txt").write_text("words")
    return here / "in"


def frames(path: str) -> int:
    return int(soundfile.info(path).frames)


def test_one_file_goes_beside_the_input(here: Path, bundle: Path, capsys: Capture) -> None:
    done = run_cli(capsys, "convert", "in.wav", "--target", "ben", "--model", bundle)
    assert done.code == 0
    assert done.out == ""
    assert len(done.err) == 1
    assert done.err[0].startswith("in.ben.wav: 0.4 s of audio in ")
    assert frames("in.ben.wav") == 6400
    assert sorted(p.name for p in here.iterdir()) == ["in.ben.wav", "in.wav"]


@pytest.mark.parametrize("output", ["new/folder/out.flac", "out.wav", "sp ace ü.ogg"])
def test_one_file_goes_where_it_is_told(here: Path, bundle: Path, capsys: Capture, output: str) -> None:
    assert run_cli(capsys, "convert", "in.wav", "-t", "ben", "-m", bundle, "-o", output).code == 0
    assert frames(output) == 6400


def test_one_file_into_a_folder(here: Path, bundle: Path, capsys: Capture) -> None:
    done = run_cli(capsys, "convert", "in.wav", "-t", "ben", "-m", bundle, "-o", "out")
    assert done.err[-1].startswith("out: 1 converted, 0 failed")
    assert frames("out/in.wav") == 6400
    assert len((here / "out/report.jsonl").read_text().splitlines()) == 1


def test_options_change_the_sound(here: Path, bundle: Path, capsys: Capture) -> None:
    sounds = []
    for number, options in enumerate(([], ["--renderer", "differential"], ["--pitch-shift", "5"], ["--source", "anna"])):
        run_cli(capsys, "convert", "in.wav", "-t", "ben", "-m", bundle, "-o", f"{number}.wav", *options)
        sounds.append(soundfile.read(f"{number}.wav")[0])
    assert np.abs(sounds[0] - sounds[1]).max() > 0.01
    assert np.abs(sounds[0] - sounds[2]).max() > 0.01
    np.testing.assert_array_equal(sounds[0], sounds[3])


def test_an_installed_model_is_chosen_and_named(here: Path, bundle: Path, capsys: Capture) -> None:
    shutil.copytree(bundle, here / "models/mine")
    done = run_cli(capsys, "convert", "in.wav", "-t", "ben")
    assert done.code == 0
    assert done.err[0] == "model: tiny (models/mine), anna to ben"
    assert run_cli(capsys, "convert", "in.wav", "-t", "anna", "-m", "mine").code == 0
    listed = run_cli(capsys, "models", "--json")
    assert [model["domains"] for model in json.loads(listed.out)] == [["anna", "ben"]]
    assert "tiny" in run_cli(capsys, "models").out
    assert json.loads(run_cli(capsys, "info", "tiny", "--json").out)["name"] == "tiny"
    other = Path(shutil.copytree("models/mine", "models/other")) / "config.json"
    other.write_text(other.read_text(encoding="utf-8").replace('"name": "tiny"', '"name": "small"'), encoding="utf-8")
    done = run_cli(capsys, "convert", "in.wav", "-t", "ben", "-o", "second.wav")
    assert done.err[0] == "model: tiny (models/mine), anna to ben; small would do it, too: choose with --model"


def test_a_folder_keeps_its_tree_and_bad_files_come_last(folder: Path, bundle: Path, capsys: Capture) -> None:
    done = run_cli(capsys, "convert", "in", "-t", "ben", "-m", bundle, "-o", "out")
    assert done.code == 1
    assert done.out == ""
    assert done.err[0] == "in: passed over 1 .txt"
    assert done.err[1].startswith("out: 3 converted, 1 failed, ")
    assert done.err[2:] == ["error: in/bad.wav: not a readable recording (Format not recognised); convert it to WAV or FLAC first"]
    assert (frames("out/a_wav.wav"), frames("out/a_flac.wav"), frames("out/sub/ü ñ 日本.wav")) == (4800, 13230, 1600)
    records = [json.loads(line) for line in Path("out/report.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {record["input"]: record["status"] for record in records} == {
        "in/a.wav": "converted",
        "in/a.flac": "converted",
        "in/bad.wav": "failed",
        "in/sub/ü ñ 日本.wav": "converted",
    }
    again = run_cli(capsys, "convert", "in", "-t", "ben", "-m", bundle, "-o", "out")
    assert again.err[1].startswith("out: 0 converted, 3 kept as they were (--overwrite redoes them), 1 failed")


def test_json_is_all_that_stdout_gets(folder: Path, bundle: Path, capsys: Capture) -> None:
    done = run_cli(capsys, "convert", "in", "in.wav", "in/*.flac", "-t", "ben", "-m", bundle, "-o", "out", "--json")
    records = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 1
    assert len(records) == 5
    assert done.out.isascii()
    assert {record["status"] for record in records} == {"converted", "failed"}
    converted = next(record for record in records if record["input"] == "in.wav")
    assert converted["output"] == "out/in.wav"
    assert converted["audio_seconds"] == 0.4
    assert set(converted) >= {"input", "output", "status", "audio_seconds", "seconds", "error", "details", "real_time_factor"}


def test_json_of_one_file(here: Path, bundle: Path, capsys: Capture) -> None:
    done = run_cli(capsys, "convert", "in.wav", "-t", "ben", "-m", bundle, "--json")
    assert json.loads(done.out)["output"] == "in.ben.wav"


@pytest.mark.parametrize("arguments", [["-"], ["-", "-o", "-"], ["in.wav", "-o", "-"]])
def test_stdout_gets_the_sound_and_nothing_else(
    here: Path, bundle: Path, capsysbinary: Capture, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(Path("in.wav").read_bytes())))
    done = run_cli(capsysbinary, "convert", *arguments, "-t", "ben", "-m", bundle)
    assert done.code == 0
    assert done.err == []
    sound, rate = soundfile.read(io.BytesIO(done.out))  # type: ignore[arg-type]
    assert (len(sound), rate) == (6400, 16000)
    assert [p.name for p in here.iterdir()] == ["in.wav"]


def test_stdin_to_a_file(here: Path, bundle: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(Path("in.wav").read_bytes())))
    assert run_cli(capsys, "convert", "-", "-t", "ben", "-m", bundle, "-o", "out.wav").code == 0
    assert frames("out.wav") == 6400


@pytest.mark.parametrize("name", ["-dash.wav", "two  spaces.wav", "ü ñ 日本.wav", "[1]*.wav", "x.y.wav", "UPPER.WAV"])
def test_odd_names(here: Path, bundle: Path, capsys: Capture, name: str) -> None:
    Path("in.wav").rename(name)
    done = run_cli(capsys, "convert", "-t", "ben", "-m", bundle, "--", name)
    assert done.code == 0, done
    assert frames(f"{Path(name).stem}.ben.wav") == 6400


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_no_text(here: Path, bundle: Path, capsys: Capture) -> None:
    try:
        Path("in.wav").rename("caf\udce9.wav")
    except OSError:
        pytest.skip("this file system takes valid text only")
    done = run_cli(capsys, "convert", ".", "-t", "ben", "-m", bundle, "-o", "out", "--json")
    assert json.loads(done.out)["output"] == "out/caf\udce9.wav"
    assert frames("out/caf\udce9.wav".encode("utf-8", "surrogateescape")) == 6400  # type: ignore[arg-type]
    assert len(Path("out/report.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_a_picture_on_request(here: Path, bundle: Path, capsys: Capture) -> None:
    assert run_cli(capsys, "convert", "in.wav", "-t", "ben", "-m", bundle, "--plot").code == 0
    assert Path("in.ben.png").stat().st_size > 1000
    Path("in.ben.wav").unlink()
    assert "in.ben.png: exists already" in run_cli(capsys, "convert", "in.wav", "-t", "ben", "-m", bundle, "--plot").error


def program(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    """The real program, in a process group of its own. A test run in the background of a shell is deaf to Ctrl-C; it is not."""
    hear = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{hear}; from audiocycle.cli.main import main; main()", *map(str, arguments)]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_two_processes_through_real_pipes(folder: Path, bundle: Path) -> None:
    process = program("convert", "in", "-", "-t", "ben", "-m", bundle, "-o", "out", "--jobs", 2, "--json", stdin=subprocess.PIPE)
    out, err = process.communicate(Path("in.wav").read_bytes())
    assert process.returncode == 1
    lines = err.decode().splitlines()
    assert lines[0] == "in: passed over 1 .txt"
    assert lines[1].startswith("out: 4 converted, 1 failed")
    assert [line.split(":")[1] for line in lines[2:]] == [" in/bad.wav"]
    assert sorted(json.loads(line)["status"] for line in out.splitlines()) == ["converted"] * 4 + ["failed"]
    assert frames("out/stdin.wav") == 6400
    assert len(Path("out/report.jsonl").read_text(encoding="utf-8").splitlines()) == 5


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_leaves_no_partial_file(here: Path, bundle: Path, jobs: int) -> None:
    long = np.tile(vowel(5.0), 60)
    Path("long").mkdir()
    soundfile.write("long/a.wav", vowel(0.1), 16000)
    for name in "bcd":
        soundfile.write(f"long/{name}.wav", long, 16000)
    process = program("convert", "long", "-t", "ben", "-m", bundle, "-o", "out", "--jobs", jobs)
    while not Path("out/a.wav").exists() and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert (out, err) == (b"", b"")
    assert sorted(p.name for p in Path("out").iterdir()) == ["a.wav", "report.jsonl"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_a_reader_that_goes_away_is_no_traceback(here: Path, bundle: Path) -> None:
    soundfile.write("long.wav", np.zeros(3_000_000), 48000)  # more than a pipe holds
    process = program("convert", "long.wav", "-t", "ben", "-m", bundle, "-o", "-")
    assert process.stdout is not None
    assert process.stdout.read(4) == b"RIFF"
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() != 0
