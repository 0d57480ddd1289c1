"""The voice in a recording as a target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from tiny_bundle import run_cli, tiny_bundle, tiny_content_bundle, vowel

from audiocycle.conversion.converter import Converter
from audiocycle.conversion.reference import is_reference
from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import Signal


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_content_bundle(tmp_path_factory.mktemp("made") / "all")


@pytest.fixture(scope="module")
def friend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "friend.wav"
    soundfile.write(path, vowel(8.0, f0=220.0), 16000)
    return path


@pytest.mark.parametrize(("target", "is_one"), [("anna", False), ("anna=0.6,ben=0.4", False), ("friend.wav", True), ("./a b/friend.flac", True)])
def test_files_are_told_from_names(target: str, is_one: bool) -> None:
    assert is_reference(target) == is_one


def test_its_statistics_are_those_of_the_target(bundle: Path, friend: Path) -> None:
    converter = Converter.from_pretrained(bundle, runtime="torch")
    direction = converter.direction(str(friend))
    assert np.exp(direction.target.stats["log_f0"][0]) == pytest.approx(220.0, rel=0.02)
    assert direction.target.condition is not None
    assert direction.target.condition.shape == (converter.adapter.spec.condition,)
    assert direction.target.name.startswith("friend (")


def test_other_content_is_another_target(bundle: Path, friend: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "friend.wav", vowel(8.0, f0=150.0), 16000)
    converter = Converter.from_pretrained(bundle, runtime="torch")
    assert converter.direction(str(friend)) != converter.direction(str(tmp_path / "friend.wav"))


def test_a_sound_becomes_its_voice(bundle: Path, friend: Path) -> None:
    made = Converter.from_pretrained(bundle, runtime="torch")(Signal(vowel(1.0), 16000), str(friend))
    assert len(made.samples) == 16000
    assert np.isfinite(made.samples).all()


def test_what_cannot_be_a_reference_is_told(bundle: Path, friend: Path, tmp_path: Path) -> None:
    converter = Converter.from_pretrained(bundle, runtime="torch")
    soundfile.write(tmp_path / "short.wav", vowel(1.0), 16000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(160000), 16000)
    with pytest.raises(InputError, match=r"short\.wav: .* s of speech are too few to know a voice by; give 10 to 60 s"):
        converter.direction(str(tmp_path / "short.wav"))
    with pytest.raises(InputError, match=r"silent\.wav: holds only digital silence"):
        converter.direction(str(tmp_path / "silent.wav"))
    with pytest.raises(InputError, match=r"nowhere\.wav"):
        converter.direction(str(tmp_path / "nowhere.wav"))
    with pytest.raises(ConfigError, match="makes the voices only that it learned; use one that converts everybody"):
        Converter.from_pretrained(tiny_bundle(tmp_path / "pair"), runtime="torch").direction(str(friend))
    with pytest.raises(InputError, match="is the reference itself, there is nothing to convert"):
        converter.convert_file(friend, tmp_path / "out.wav", str(friend))


def test_the_command_takes_one_of_both(bundle: Path, friend: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    soundfile.write("in.wav", vowel(1.0), 16000)
    done = run_cli(capsys, "convert", "in.wav", "--reference", friend, "--model", bundle, "--runtime", "torch")
    assert done.code == 0
    assert (tmp_path / "in.friend.wav").is_file()
    for given in ((), ("--target", "anna", "--reference", friend)):
        refused = run_cli(capsys, "convert", "in.wav", "--model", bundle, *given)
        assert refused.code == 2
        assert "with --reference; one of" in " ".join(refused.err)
