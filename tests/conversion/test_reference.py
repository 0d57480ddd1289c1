"""The voice in a recording as a target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_music import chords
from real_speech import RATE, spoken
from tiny_bundle import run_cli, tiny_bundle, tiny_content_bundle, vowel

from audiocycle.conversion.converter import Converter
from audiocycle.conversion.reference import is_reference
from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import Signal
from audiocycle.voice.content.adapter import ContentAdapter

ADAPTER = ContentAdapter()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_content_bundle(tmp_path_factory.mktemp("made") / "all")


@pytest.fixture(scope="module")
def friend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "friend.wav"
    soundfile.write(path, spoken("heart"), RATE)
    return path


@pytest.mark.parametrize(("target", "is_one"), [("anna", False), ("anna=0.6,ben=0.4", False), ("friend.wav", True), ("./a b/friend.flac", True)])
def test_files_are_told_from_names(target: str, is_one: bool) -> None:
    assert is_reference(target) == is_one


def test_its_statistics_are_those_of_the_target(bundle: Path, friend: Path) -> None:
    converter = Converter.from_pretrained(bundle, runtime="torch")
    direction = converter.direction(str(friend))
    known = converter.adapter.fit([ADAPTER.analyze(spoken("heart"))])
    np.testing.assert_allclose(direction.target.stats["log_f0"], known["log_f0"], rtol=0.03)
    np.testing.assert_allclose(direction.target.stats["mean"], known["mean"], atol=0.05)
    assert direction.target.condition is not None
    assert direction.target.condition.shape == (converter.adapter.spec.condition,)
    assert direction.target.name.startswith("friend (")


def test_other_content_is_another_target(bundle: Path, friend: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "friend.wav", spoken("michael"), RATE)
    converter = Converter.from_pretrained(bundle, runtime="torch")
    assert converter.direction(str(friend)) != converter.direction(str(tmp_path / "friend.wav"))


def test_a_sound_becomes_its_voice(bundle: Path, friend: Path) -> None:
    made = Converter.from_pretrained(bundle, runtime="torch")(Signal(spoken("michael")[:RATE], RATE), str(friend))
    assert len(made.samples) == RATE
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
    soundfile.write(tmp_path / "noise.wav", 0.1 * np.random.RandomState(0).standard_normal(10 * RATE), RATE)
    soundfile.write(tmp_path / "music.wav", chords(), RATE)
    (tmp_path / "empty.wav").touch()
    for name in ("noise.wav", "music.wav"):
        with pytest.raises(InputError, match=f"{name}: sounds like noise or music, not like speech; give 10 to 60 s"):
            converter.direction(str(tmp_path / name))
    with pytest.raises(InputError, match=r"empty\.wav: the file is empty"):
        converter.direction(str(tmp_path / "empty.wav"))


def test_nothing_is_converted_to_itself(bundle: Path, friend: Path, tmp_path: Path) -> None:
    """Under whatever name."""
    converter = Converter.from_pretrained(bundle, runtime="torch")
    copy = tmp_path / "copy.wav"
    copy.write_bytes(friend.read_bytes())
    for source in (friend, copy):
        with pytest.raises(InputError, match="is the reference itself, there is nothing to convert"):
            converter.convert_file(source, tmp_path / "out.wav", str(friend))
        with pytest.raises(InputError, match="is the reference itself, there is nothing to convert"):
            converter(source, str(friend))
    soundfile.write(tmp_path / "other.wav", spoken("heart")[1:], RATE)
    assert converter.convert_file(tmp_path / "other.wav", tmp_path / "out.wav", str(friend)).status == "converted"


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


def test_a_reference_is_analysed_once_and_again_when_it_changes(bundle: Path, friend: Path, tmp_path: Path) -> None:
    path, (sound, rate) = tmp_path / "friend.wav", soundfile.read(friend)
    soundfile.write(path, sound, rate)
    converter = Converter.from_pretrained(bundle, runtime="torch")
    first = converter.direction(str(path)).target
    assert converter.direction(str(path)).target is first
    soundfile.write(path, sound[: round(0.95 * len(sound))], rate)
    assert converter.direction(str(path)).target != first
