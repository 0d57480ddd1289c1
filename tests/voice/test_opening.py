"""Which library opens what, and what a user is told about the file."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from encoded import KINDS, encode
from tiny_bundle import vowel

from audiocycle.errors import InputError
from audiocycle.voice.decode import DecodedSound
from audiocycle.voice.opening import SCALE, PlainSound, open_sound
from audiocycle.voice.sound_file import open_input, read_mono

VOWEL = vowel(0.5)


@pytest.mark.parametrize("name", ["a.au", "a.snd", "a.vox", "a.gsm", "a.raw", "a.sw", "a"])
@pytest.mark.parametrize("content", [b"this is no sound at all " * 200, np.random.default_rng(0).bytes(5000)], ids=["text", "noise"])
def test_what_has_no_header_is_no_recording_whatever_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="not a readable recording"):
        open_sound(tmp_path / name)


@pytest.mark.parametrize(("name", "kind"), [("a.wav", PlainSound), ("a.flac", PlainSound), ("a.aiff", PlainSound), ("a.ogg", DecodedSound), ("a.mp3", DecodedSound)])  # fmt: skip
def test_each_library_opens_what_it_is_best_at(tmp_path: Path, name: str, kind: type) -> None:
    soundfile.write(tmp_path / name, VOWEL, 16000)
    with open_sound(tmp_path / name) as sound:
        assert isinstance(sound, kind)


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.mp3", VOWEL, 16000, format="WAV")
    (tmp_path / "b.wav").write_bytes(encode(KINDS["m4a"], VOWEL, 16000))
    np.testing.assert_allclose(read_mono(tmp_path / "a.mp3", 16000), VOWEL, atol=1e-4)
    np.testing.assert_allclose(read_mono(tmp_path / "b.wav", 16000)[:8000], VOWEL, atol=0.1)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize(("peak", "whole", "full", "said"), [
    (30000.0, True, 2.0**15, "whole numbers up to 30000: taken for integers of 16 bits"),
    (8e6, True, 2.0**23, "taken for integers of 24 bits"),
    (2e9, True, 2.0**31, "taken for integers of 32 bits"),
    (10.0, False, 10.0, "up to 10, and full scale is 1: scaled by -20.0 dB"),
    (1.5, False, 1.5, "up to 1.5, and full scale is 1: scaled by -3.5 dB"),
])  # fmt: skip
def test_floats_beyond_full_scale_are_scaled(tmp_path: Path, subtype: str, peak: float, whole: bool, full: float, said: str) -> None:
    samples = VOWEL.astype(np.float64) / np.abs(VOWEL).max() * peak
    samples = samples.round() if whole else samples
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype=subtype)
    with open_sound(tmp_path / "a.wav") as sound:
        assert said in sound.notes[SCALE]
        made = sound.read(3000), sound.read()
        sound.seek(0)
        np.testing.assert_array_equal(sound.read(), np.concatenate(made))
    np.testing.assert_allclose(np.concatenate(made), samples / full, atol=1e-6)


def test_integers_behind_a_long_digital_silence_are_integers_all_the_same(tmp_path: Path) -> None:
    samples = np.concatenate([np.zeros(200_000), (VOWEL / np.abs(VOWEL).max() * 30000).round()])
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    with open_sound(tmp_path / "a.wav") as sound:
        assert "taken for integers of 16 bits" in sound.notes["scaled"]
        np.testing.assert_allclose(sound.read(), samples / 32768.0, atol=1e-6)


@pytest.mark.parametrize("peak", [0.5, 1.0])
def test_floats_within_full_scale_stay_as_they_are(tmp_path: Path, peak: float) -> None:
    samples = np.where(np.arange(1000) % 2, peak, -peak)
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    with open_sound(tmp_path / "a.wav") as sound:
        assert sound.notes == {}
        np.testing.assert_array_equal(sound.read(), samples)


@pytest.mark.parametrize("ending", ["m4a", "mp3", "opus", "webm"])
def test_compressed_sound_comes_through_a_pipe_too(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = KINDS[ending]
    content = encode(kind, vowel(1.0, kind.rates[0]), kind.rates[0])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    with open_input(Path("-")) as (sound, name):
        assert name == "stdin"
        assert len(sound.read()) == pytest.approx(kind.rates[0], abs=kind.padding)


@pytest.mark.parametrize("ending", ["m4a", "wv", "mp3.wav"])
def test_a_recording_can_be_read_again_and_is_closed(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(encode(KINDS[ending], VOWEL, 16000))
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    with open_sound(path) as sound:
        once = sound.read()
        sound.seek(0)
        np.testing.assert_array_equal(sound.read(), once)
        assert sound.frames == len(once)
    assert not before or len(os.listdir("/proc/self/fd")) == before


def test_what_is_refused_is_closed_too(tmp_path: Path) -> None:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no list of open files here")
    (tmp_path / "a.m4a").write_bytes(encode(KINDS["m4a"], VOWEL, 16000)[:2000])
    (tmp_path / "a.wav").write_bytes(b"RIFF" + bytes(100))
    before = len(os.listdir("/proc/self/fd"))
    for name in ("a.m4a", "a.wav"):
        with pytest.raises(InputError):
            open_sound(tmp_path / name)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(("rate", "channels"), [(1, 1), (2_000_000_000, 1), (16000, 65), (16000, 1000)])
def test_what_only_a_damaged_header_says_is_refused(tmp_path: Path, rate: int, channels: int) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((10, channels)), rate)
    with pytest.raises(InputError, match=f"its header says {rate} Hz and {channels} channels"):
        open_sound(tmp_path / "a.wav")
