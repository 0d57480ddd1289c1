"""Voice as files and signals, as the core calls it."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from tiny_bundle import vowel

from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import Encoded, FloatArray, Outcome, Signal
from audiocycle.voice.medium import VoiceMedium
from audiocycle.voice.opening import PlainSound
from audiocycle.voice.options import MAX_SHIFT, VoiceOptions
from audiocycle.voice.renderers import DifferentialRenderer, WorldRenderer
from audiocycle.voice.world_adapter import WorldAdapter

MEDIUM = VoiceMedium()
ADAPTER = WorldAdapter()


def unchanged(encoded: Encoded) -> Encoded:
    return Encoded(encoded.features, encoded.side | {"source_features": encoded.features})


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "in.wav"
    soundfile.write(path, vowel(1.0, 22050), 22050, subtype="FLOAT")
    return path


def test_training_features_are_those_of_the_resampled_recording(recording: Path) -> None:
    encoded = MEDIUM.encode(recording, ADAPTER)
    assert encoded.features.shape == (36, 201)
    assert set(encoded.side) == {"f0", "f0_floor", "n_samples", "band_limit", "mixed_otherwise", "header_mended", "scaled"}


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.zeros(8000), "digital silence"),
        (np.full(8000, 0.5), "digital silence"),
        (0.1 * np.sin(np.arange(8000)), "no voiced frame"),
    ],
)
def test_what_holds_no_voice_is_no_training_material(tmp_path: Path, samples: np.ndarray, said: str) -> None:
    soundfile.write(tmp_path / "in.wav", samples, 16000)
    with pytest.raises(InputError, match=said) as error:
        MEDIUM.encode(tmp_path / "in.wav", ADAPTER)
    assert str(tmp_path / "in.wav") in str(error.value)


def test_training_hears_no_offset_and_says_what_is_unusual(tmp_path: Path) -> None:
    voice = vowel(1.0, 16000)
    soundfile.write(tmp_path / "plain.wav", voice, 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "offset.wav", voice + 0.2, 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "phone.wav", vowel(1.0, 8000), 8000)
    soundfile.write(tmp_path / "turned.wav", np.stack([voice, -voice], axis=1), 16000, subtype="FLOAT")
    items = [(tmp_path / f"{name}.wav", MEDIUM.encode(tmp_path / f"{name}.wav", ADAPTER)) for name in ("plain", "offset", "phone", "turned")]
    for _, item in (items[1], items[3]):
        np.testing.assert_allclose(item.features, items[0][1].features, atol=0.05)
    narrow, mixed = MEDIUM.remarks(items)
    assert narrow.startswith("1 of 4 files hold nothing above 3.")
    assert "kHz (phone.wav): the voice is learned without its upper band" in narrow
    assert mixed == "1 of 4 files have a silent channel, left out, or one of opposite phase, turned round (turned.wav)"
    assert list(MEDIUM.remarks(items[:2])) == []


@pytest.mark.parametrize("sample_rate", [16000, 44100])
def test_a_signal_comes_back_as_long_as_it_went(sample_rate: int) -> None:
    signal = Signal(vowel(0.7, sample_rate), sample_rate)
    made = MEDIUM.convert_item(signal, ADAPTER, DifferentialRenderer(ADAPTER), unchanged, VoiceOptions())
    assert made.sample_rate == sample_rate
    assert made.samples.dtype == np.float32
    assert made.samples.shape == signal.samples.shape
    assert np.corrcoef(made.samples, signal.samples)[0, 1] > 0.99  # but for what lies above the model's 8 kHz


def test_a_quiet_signal_is_not_rounded_to_sixteen_bits() -> None:
    loud, quiet = (
        MEDIUM.convert_item(Signal(level * vowel(0.3), 16000), ADAPTER, DifferentialRenderer(ADAPTER), unchanged, VoiceOptions()).samples
        for level in (1.0, 1e-5)
    )
    np.testing.assert_allclose(quiet, 1e-5 * loud, atol=1e-9)


def test_a_signal_without_samples_is_refused() -> None:
    with pytest.raises(InputError, match="signal: holds no samples"):
        MEDIUM.convert_item(Signal(np.zeros(0), 16000), ADAPTER, DifferentialRenderer(ADAPTER), unchanged, VoiceOptions())


def test_read_takes_all_or_the_first_seconds(recording: Path) -> None:
    whole, begin = MEDIUM.read(recording), MEDIUM.read(recording, 0.25)
    assert (len(whole.samples), whole.sample_rate) == (22050, 22050)
    np.testing.assert_array_equal(begin.samples, whole.samples[:5512])


def test_a_picture_of_the_beginning_decodes_no_more_than_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    voice = vowel(8.0)
    soundfile.write(tmp_path / "in.wav", np.stack([voice, -voice], axis=1), 16000, subtype="FLOAT")
    counts, read = list[int](), PlainSound.read

    def counted(self: PlainSound, *args: Any, **kwargs: Any) -> FloatArray:
        block = read(self, *args, **kwargs)
        counts.append(len(block))
        return block

    monkeypatch.setattr(PlainSound, "read", counted)
    begin = MEDIUM.read(tmp_path / "in.wav", 2.0)
    assert sum(counts) == 32000
    np.testing.assert_allclose(np.abs(begin.samples), np.abs(voice[:32000]), atol=1e-6)


@pytest.mark.parametrize("seconds", [None, 5.0])
def test_read_says_what_is_wrong(tmp_path: Path, seconds: float | None) -> None:
    path = tmp_path / "in.flac"
    soundfile.write(path, vowel(3.0), 16000)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="copy it again"):
        MEDIUM.read(path, seconds)


def test_write_bends_what_would_clip(tmp_path: Path) -> None:
    MEDIUM.write(tmp_path / "new/out.wav", Signal(4 * vowel(0.5), 16000))
    samples, rate = soundfile.read(tmp_path / "new/out.wav")
    assert rate == 16000
    assert 0.9 < np.abs(samples).max() < 1.0


def test_stdin_goes_to_stdout(monkeypatch: pytest.MonkeyPatch, recording: Path) -> None:
    stdout = SimpleNamespace(buffer=io.BytesIO())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(recording.read_bytes())))
    monkeypatch.setattr(sys, "stdout", stdout)
    outcome = MEDIUM.convert(Path("-"), Path("-"), ADAPTER, DifferentialRenderer(ADAPTER), unchanged, VoiceOptions())
    assert outcome == Outcome(seconds=1.0)
    made, rate = soundfile.read(io.BytesIO(stdout.buffer.getvalue()))
    assert (len(made), rate) == (22050, 22050)


@pytest.mark.parametrize("semitones", [MAX_SHIFT, -MAX_SHIFT, 0.0])
def test_the_only_option_is_a_shift(semitones: float) -> None:
    renderer = WorldRenderer(ADAPTER)
    assert MEDIUM.options({"pitch_shift": semitones}, ADAPTER, renderer) == VoiceOptions(semitones)
    assert MEDIUM.options({}, ADAPTER, renderer) == VoiceOptions(0.0)
    with pytest.raises(ConfigError, match="`key_lock`: not for this kind of model; it takes: `pitch_shift`"):
        MEDIUM.options({"key_lock": True}, ADAPTER, renderer)


def test_a_shift_of_nothing_asks_nothing_of_the_renderer() -> None:
    assert MEDIUM.options({"pitch_shift": 0.0}, ADAPTER, DifferentialRenderer(ADAPTER)) == VoiceOptions()
    with pytest.raises(ConfigError, match="keeps the source's pitch"):
        MEDIUM.options({"pitch_shift": 0.1}, ADAPTER, DifferentialRenderer(ADAPTER))


def test_a_recording_sounds_like_itself() -> None:
    signal = Signal(vowel(0.1), 16000)
    assert MEDIUM.listen(signal) is signal


def test_a_folder_scan_takes_recordings() -> None:
    assert MEDIUM.accepts(Path("a/b.FLAC"))
    assert not MEDIUM.accepts(Path("report.jsonl"))


def test_a_picture_shows_any_rate(tmp_path: Path) -> None:
    rows = [("in", Signal(vowel(0.3, 8000), 8000)), ("out", Signal(vowel(0.3), 16000))]
    MEDIUM.picture(rows, tmp_path / "out.png")
    assert (tmp_path / "out.png").stat().st_size > 1000
