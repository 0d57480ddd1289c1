"""A hostile user: every mistake is one line that names the file and the remedy, and nothing is lost or half-written."""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest
import soundfile
from tiny_bundle import Outcome, run_cli, tiny_bundle, tiny_music_bundle, tiny_song, vowel

from audiocycle.bundles import library
from audiocycle.errors import AudioCycleError

Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("models") / "three", ("anna", "ben", "cleo"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with ``in.wav``, no installed model and no hub."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIOCYCLE_MODELS", str(tmp_path / "users"))
    monkeypatch.setattr(library, "__file__", str(tmp_path / "package/bundles/library.py"))

    def offline(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    soundfile.write("in.wav", vowel(0.3), 16000)
    return tmp_path


@pytest.fixture
def convert(here: Path, bundle: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """``audiocycle convert --model TINY --target ben ARGUMENTS``; a later ``--target`` or ``--model`` wins."""
    return lambda *arguments: run_cli(capsys, "convert", "--model", bundle, "--target", "ben", *arguments)


def everything(folder: Path) -> dict[str, bytes]:
    """All files below a folder with their contents."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def damaged_wav(cut: int = 0, **fields: int) -> bytes:
    """``in.wav`` without its last bytes, or with other numbers in its header."""
    content = bytearray(Path("in.wav").read_bytes())
    for name, place, code in (("riff", 4, "<I"), ("channels", 22, "<H"), ("rate", 24, "<I"), ("data", 40, "<I")):
        if name in fields:
            struct.pack_into(code, content, place, fields[name])
    return bytes(content[: len(content) - cut])


def flac(seconds: float, keep: float) -> bytes:
    soundfile.write("whole.flac", vowel(seconds), 16000)
    content = Path("whole.flac").read_bytes()
    Path("whole.flac").unlink()
    return content[: int(keep * len(content))]


def float_wav(value: float) -> bytes:
    samples = vowel(0.2)
    samples[50] = value
    soundfile.write("float.wav", samples, 16000, subtype="FLOAT")
    content = Path("float.wav").read_bytes()
    Path("float.wav").unlink()
    return content


BAD_FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "text.wav": (lambda: b"these are words, not samples", "not a readable recording"),
    "picture.png": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "not a readable recording"),
    "bytes.raw": (lambda: bytes(1000), "not a readable recording"),
    "empty.wav": (lambda: b"", "empty (0 bytes)"),
    "header.wav": (lambda: damaged_wav()[:44], "truncated"),
    "half-a-header.wav": (lambda: damaged_wav()[:20], "not a readable recording"),
    "truncated.wav": (lambda: damaged_wav(cut=3000), "truncated"),
    "truncated.flac": (lambda: flac(2.0, 0.5), "copy it again"),
    "nothing.wav": (lambda: damaged_wav(data=0)[:44], "holds no samples (zero length)"),
    "nan.wav": (lambda: float_wav(float("nan")), "has NaN or infinite samples"),
    "inf.wav": (lambda: float_wav(float("inf")), "has NaN or infinite samples"),
    "rate0.wav": (lambda: damaged_wav(rate=0), "not a readable recording"),
    "channels0.wav": (lambda: damaged_wav(channels=0), "not a readable recording"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(convert: Run, here: Path, name: str) -> None:
    make, said = BAD_FILES[name]
    Path(name).write_bytes(make())
    before = everything(here)
    error = convert(name, "-o", "new/out.wav").error
    assert error.startswith(f"{name}: ")
    assert said in error
    assert everything(here) == before
    assert not Path("new").exists()


ODD_FILES: dict[str, tuple[Callable[[], np.ndarray], int, dict[str, str]]] = {
    "silent.wav": (lambda: np.zeros(9000), 16000, {}),
    "noise.wav": (lambda: 0.1 * np.random.default_rng(0).normal(size=8000), 16000, {}),
    "dc.wav": (lambda: np.full(8000, 0.7), 16000, {}),
    "one.wav": (lambda: np.array([0.5]), 16000, {}),
    "short.wav": (lambda: vowel(0.1)[:50], 16000, {}),
    "shorter-than-a-crop.wav": (lambda: vowel(0.3), 16000, {}),
    "full-scale.wav": (lambda: np.sign(vowel(0.2)), 16000, {}),
    "loud-float.wav": (lambda: 20 * vowel(0.2), 16000, {"subtype": "FLOAT"}),
    "8bit.wav": (lambda: vowel(0.2), 16000, {"subtype": "PCM_U8"}),
    "24bit.wav": (lambda: vowel(0.2), 16000, {"subtype": "PCM_24"}),
    "stereo.wav": (lambda: np.stack([vowel(0.2), 0.5 * vowel(0.2)], axis=1), 44100, {}),
    "six.flac": (lambda: np.stack([vowel(0.2)] * 6, axis=1), 48000, {}),
    "8k.wav": (lambda: vowel(0.2, 8000), 8000, {}),
    "96k.flac": (lambda: vowel(0.2, 96000), 96000, {}),
    "192k.wav": (lambda: vowel(0.1, 192000), 192000, {}),
}


@pytest.mark.parametrize("name", ODD_FILES)
def test_odd_files_are_converted(convert: Run, name: str) -> None:
    make, rate, options = ODD_FILES[name]
    soundfile.write(name, make(), rate, **options)
    done = convert(name, "-o", "out.wav")
    assert done.code == 0, done
    samples, made_rate = soundfile.read("out.wav")
    assert samples.shape == make().shape[:1]
    assert made_rate == rate
    assert np.abs(samples).max() < 1.0
    if name == "silent.wav":
        assert not samples.any()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.wav"], "none.wav: no such file"),
        (["*.mp3", "-o", "out"], "*.mp3: matches no file"),
        (["empty", "-o", "out"], "empty: no usable file in this folder"),
        (["", "-o", "out"], "the name of an input is empty"),
        (["in.wav", "in.wav"], "add -o DIR"),
        (["empty"], "add -o DIR"),
        (["in.wav", "in.wav", "-o", "file.txt"], "file.txt: is a file; several inputs need a folder"),
        (["in.wav", "empty", "-o", "-"], "several outputs do not fit into one stdout"),
        (["in.wav", "-o", "-", "--json"], "stdout already takes the converted file"),
        (["in.wav", "-o", "out.xyz"], "out.xyz: no audio format ends in '.xyz'; use .wav or .flac"),
        (["in.wav", "-o", "file.txt"], "file.txt: exists already; add --overwrite"),
        (["in.wav", "-o", "file.txt/out.wav"], "file.txt is a file, not a folder"),
        (["in.wav", "-o", "in.wav", "--overwrite"], "in.wav: is the input itself"),
        (["in.wav", "-o", "in.wav"], "in.wav: is the input itself"),
        (["in.wav", "in.wav", "-o", "."], "in.wav: is an input itself; name another folder with -o"),
        (["in.wav", "-o", "x" * 300 + ".wav"], "File name too long"),
        (["in.wav", "-o", "x" * 252 + ".wav"], "File name too long"),
        (["in.wav", "-o", "out.mp3", "--renderer", "nope"], "choose one of: world, differential"),
        (["in.wav", "--renderer", "hifigan"], "choose one of: world, differential"),
        (["in.wav", "--vocoder", "w.pt"], "takes no weights"),
        (["in.wav", "--pitch-shift", "nan"], "--pitch-shift nan: choose between -36 and 36"),
        (["in.wav", "--pitch-shift", "100"], "--pitch-shift 100: choose between -36 and 36"),
        (["in.wav", "--pitch-shift", "1", "--renderer", "differential"], "keeps the source's pitch"),
        (["in.wav", "--target", "zoe"], "target 'zoe' is unknown to model tiny; it knows: anna, ben"),
        (["in.wav", "--source", "zoe"], "source 'zoe' is unknown to model tiny; it knows: anna, ben"),
        (["in.wav", "--source", "ben"], "source and target are both 'ben'"),
        (["in.wav", "--model", "none"], "none: no such bundle here; installed models: none"),
        (["in.wav", "--model", "nobody/nothing"], "nobody/nothing: no such bundle here; installed models: none; on the model hub? write hf:owner/name"),
        (["in.wav", "--model", "hf:nobody"], "hf:nobody: not a model on the hub; write hf:owner/name"),
        (["in.wav", "--model", "empty"], "empty: not a bundle, it has no config.json"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_wrong_arguments(convert: Run, here: Path, arguments: list[str], said: str) -> None:
    Path("file.txt").write_text("precious")
    Path("empty").mkdir()
    before = everything(here)
    assert said in convert(*arguments).error
    assert everything(here) == before


def test_the_source_among_three_is_asked_for_once(convert: Run, three: Path) -> None:
    shutil.copy("in.wav", "other.wav")
    error = convert("in.wav", "other.wav", "-o", "out", "--model", three).error
    assert error == "the source is ambiguous; add --source with one of: anna, cleo"
    assert not Path("out").exists()
    assert convert("in.wav", "--model", three, "--source", "cleo").code == 0


def test_no_installed_model_knows_the_target(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no model is installed" in run_cli(capsys, "convert", "in.wav", "--target", "zoe").error


def hurt_config(**changes: Any) -> Callable[[Path], None]:
    def hurt(bundle: Path) -> None:
        config = json.loads((bundle / "config.json").read_text())
        (bundle / "config.json").write_text(json.dumps(config | changes))

    return hurt


def hurt_weights(content: bytes | None) -> Callable[[Path], None]:
    def hurt(bundle: Path) -> None:
        path = bundle / "model.safetensors"
        path.unlink() if content is None else path.write_bytes(path.read_bytes()[: len(content)] + content)

    return hurt


@pytest.mark.parametrize(
    ("hurt", "said"),
    [
        (hurt_config(format=99, audiocycle="9.9"), "from a newer audiocycle (9.9)"),
        (hurt_config(adapter={"name": "world", "n_mcep": 12}), "copy the bundle again"),
        (hurt_config(adapter={"name": "other"}), "adapter 'other' is unknown"),
        (hurt_config(modality="smell"), "modality 'smell' is unknown"),
        (lambda bundle: (bundle / "config.json").write_text("{"), "damaged"),
        (lambda bundle: (bundle / "config.json").write_bytes(b"\xff\xfe\x00"), "damaged"),
        (lambda bundle: (bundle / "config.json").unlink(), "it has no config.json"),
        (hurt_weights(None), "it has no model.safetensors"),
        (hurt_weights(b"1234567890"), "damaged"),
    ],
)
def test_damaged_bundles(convert: Run, bundle: Path, here: Path, hurt: Callable[[Path], None], said: str) -> None:
    shutil.copytree(bundle, "bad")
    hurt(Path("bad"))
    before = everything(here)
    assert said in convert("in.wav", "--model", "bad").error
    assert everything(here) == before


def test_no_space(convert: Run, here: Path, little_space: Callable[[int], AbstractContextManager[None]]) -> None:
    Path("out.wav").write_bytes(b"before")
    before = everything(here)
    with little_space(4000):
        done = convert("in.wav", "-o", "out.wav", "--overwrite")
    assert "out.wav: cannot be written" in done.error
    assert everything(here) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_stdout(convert: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        done = convert("in.wav", "-o", "-")
        assert done.err == ["error: stdout: cannot be written (No space left on device); free some space"]
        assert done.code == 1
        done = convert("in.wav", "--json")
        assert done.err == ["error: stdout: No space left on device"]
        monkeypatch.undo()
        with pytest.raises(OSError, match="No space"):
            full.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission(convert: Run, here: Path) -> None:
    Path("locked").mkdir(mode=0o500)
    assert "no permission" in convert("in.wav", "-o", "locked/out.wav").error
    Path("in.wav").chmod(0)
    assert "in.wav: no permission to read it" in convert("in.wav").error


def test_no_sound_goes_to_a_terminal(convert: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "stdout is a terminal" in convert("-").error


def test_a_name_with_a_line_break_stays_on_one_line(convert: Run) -> None:
    Path("two\nlines.wav").write_text("words")
    assert convert("two\nlines.wav").error.startswith("two\\nlines.wav: not a readable recording")
    assert "two\\nlines" in convert("none\ntwo\nlines.wav").error


def test_an_error_of_one_file_shows_its_place_only_on_request(convert: Run) -> None:
    Path("bad.wav").write_text("words")
    assert "Traceback" not in "".join(convert("bad.wav").err)
    done = convert("bad.wav", "--debug")
    assert done.code == 1
    assert done.err[0].startswith("Traceback")
    assert done.err[-1].startswith("error: bad.wav: not a readable recording")


def test_an_error_of_the_program_shows_its_place_only_on_request(
    convert: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AudioCycleError):
        convert("none.wav", "--debug")

    def bug(*_: Any) -> None:
        raise KeyError("two\nlines")

    monkeypatch.setattr("audiocycle.cli.convert.choose_bundle", bug)
    assert convert("in.wav").error.startswith("unexpected KeyError: 'two\\nlines'; run again with --debug")


def test_ctrl_c_is_silent(convert: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("audiocycle.cli.convert.choose_bundle", interrupt)
    done = convert("in.wav")
    assert (done.code, done.out) == (130, "")


@pytest.mark.parametrize("arguments", [["convert"], ["convert", "in.wav"], ["convert", "in.wav", "-t", "b", "--jobs", "0"], ["nothing"]])
def test_usage_errors_point_to_the_help(here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    done = run_cli(capsys, *arguments)
    assert done.code == 2
    assert done.out == ""
    assert "Traceback" not in "".join(done.err)


def test_what_a_model_does_not_convert_is_told_by_its_kind(here: Path, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    genres, song = tiny_music_bundle(here / "genres"), tiny_song(here / "song.mid")
    before = everything(here)
    for path, model, target, kinds in (("in.wav", genres, "pop", ("a recording", "music")), (song, bundle, "ben", ("a MIDI file", "voice"))):
        done = run_cli(capsys, "convert", path, "--model", model, "--target", target, "-o", "out")
        assert done.error == f"{path}: is {kinds[0]}, and model {model.name} converts {kinds[1]}; `audiocycle models` lists who knows which --target"
    assert everything(here) == before


@pytest.mark.parametrize("name", ["out.wav", "out.xyz"])
def test_midi_is_not_written_under_another_kind_of_name(here: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    genres, song = tiny_music_bundle(here / "genres"), tiny_song(here / "song.mid")
    done = run_cli(capsys, "convert", song, "--model", genres, "--target", "pop", "-o", name, "--preview")  # whose sound is out.wav, too
    assert done.error == f"{name}: the result is a MIDI file; name it out.mid (and add --preview for a sound)"
    assert not Path(name).exists()
