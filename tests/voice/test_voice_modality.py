"""Voice as files and signals, as the core calls it."""

from __future__ import annotations

import io
import sys
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from tiny_bundle import vowel

from audiocycle.data.guides import GuideConfig
from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import Direction, Domain, Encoded, FloatArray, Outcome, Signal, Translation
from audiocycle.voice.mel_adapter import MelAdapter
from audiocycle.voice.modality import VoiceModality
from audiocycle.voice.opening import PlainSound
from audiocycle.voice.options import MAX_SHIFT, VoiceOptions
from audiocycle.voice.renderers import DifferentialRenderer, WorldRenderer
from audiocycle.voice.sides import RecordingSide, VoiceSide
from audiocycle.voice.world_adapter import WorldAdapter

ADAPTER = WorldAdapter()
VOICE = VoiceModality(ADAPTER)


def with_source(encoded: Encoded[VoiceSide]) -> Encoded[VoiceSide]:
    return Encoded(encoded.features, replace(encoded.side, source_features=encoded.features))


UNCHANGED = Translation(with_source, Direction(Domain("a"), Domain("b")))


class Memory:
    """Norms of no network."""

    weight = 1.0

    def forget(self) -> None:
        pass


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "in.wav"
    soundfile.write(path, vowel(1.0, 22050), 22050, subtype="FLOAT")
    return path


def test_training_features_are_those_of_the_resampled_recording(recording: Path) -> None:
    encoded = VOICE.encode(recording)
    assert encoded.features.shape == (36, 201)
    assert encoded.side.f0 is not None
    assert replace(encoded.side, f0=None) == RecordingSide(n_samples=16000, f0_floor=71.0)


def test_caches_know_the_fields_by_their_names() -> None:
    """With other names recordings would all be analysed again."""
    assert [each.name for each in fields(VOICE.training_side)] == [
        "n_samples", "f0", "f0_floor", "band_limit", "mixed_otherwise", "header_mended", "scaled", "articulation",
    ]  # fmt: skip
    old = Encoded(np.zeros((36, 3)), VOICE.training_side(f0=np.zeros(3), band_limit=np.float32(3400.0)))
    assert next(VOICE.remarks([(Path("a.wav"), old)])).startswith("1 of 1 files hold nothing above 3.4 kHz (a.wav)")


def test_mel_frames_have_no_pitch_beside_them(recording: Path) -> None:
    assert VoiceModality(MelAdapter()).encode(recording).side == RecordingSide()


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
        VOICE.encode(tmp_path / "in.wav")
    assert str(tmp_path / "in.wav") in str(error.value)


def test_training_hears_no_offset_and_says_what_is_unusual(tmp_path: Path) -> None:
    voice = vowel(1.0, 16000)
    soundfile.write(tmp_path / "plain.wav", voice, 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "offset.wav", voice + 0.2, 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "phone.wav", vowel(1.0, 8000), 8000)
    soundfile.write(tmp_path / "turned.wav", np.stack([voice, -voice], axis=1), 16000, subtype="FLOAT")
    items = [(tmp_path / f"{name}.wav", VOICE.encode(tmp_path / f"{name}.wav")) for name in ("plain", "offset", "phone", "turned")]
    for _, item in (items[1], items[3]):
        np.testing.assert_allclose(item.features, items[0][1].features, atol=0.05)
    narrow, mixed = VOICE.remarks(items)
    assert narrow.startswith("1 of 4 files hold nothing above 3.")
    assert "kHz (phone.wav): the voice is learned without its upper band" in narrow
    assert mixed == "1 of 4 files have a silent channel, left out, or one of opposite phase, turned round (turned.wav)"
    assert list(VOICE.remarks(items[:2])) == []


@pytest.mark.parametrize("sample_rate", [16000, 44100])
def test_a_signal_comes_back_as_long_as_it_went(sample_rate: int) -> None:
    signal = Signal(vowel(0.7, sample_rate), sample_rate)
    made = VOICE.convert_item(signal, DifferentialRenderer(ADAPTER), UNCHANGED, VoiceOptions())
    assert made.sample_rate == sample_rate
    assert made.samples.dtype == np.float32
    assert made.samples.shape == signal.samples.shape
    assert np.corrcoef(made.samples, signal.samples)[0, 1] > 0.99  # but for what lies above the model's 8 kHz


def test_a_quiet_signal_is_not_rounded_to_sixteen_bits() -> None:
    loud, quiet = (
        VOICE.convert_item(Signal(level * vowel(0.3), 16000), DifferentialRenderer(ADAPTER), UNCHANGED, VoiceOptions()).samples
        for level in (1.0, 1e-5)
    )
    np.testing.assert_allclose(quiet, 1e-5 * loud, atol=1e-9)


def test_a_signal_without_samples_is_refused() -> None:
    with pytest.raises(InputError, match="signal: holds no samples"):
        VOICE.convert_item(Signal(np.zeros(0), 16000), DifferentialRenderer(ADAPTER), UNCHANGED, VoiceOptions())


def test_read_takes_all_or_the_first_seconds(recording: Path) -> None:
    whole, begin = VOICE.read(recording), VOICE.read(recording, 0.25)
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
    begin = VOICE.read(tmp_path / "in.wav", 2.0)
    assert sum(counts) == 32000
    np.testing.assert_allclose(np.abs(begin.samples), np.abs(voice[:32000]), atol=1e-6)


@pytest.mark.parametrize("seconds", [None, 5.0])
def test_read_says_what_is_wrong(tmp_path: Path, seconds: float | None) -> None:
    path = tmp_path / "in.flac"
    soundfile.write(path, vowel(3.0), 16000)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="copy it again"):
        VOICE.read(path, seconds)


def test_write_bends_what_would_clip(tmp_path: Path) -> None:
    VOICE.write(tmp_path / "new/out.wav", Signal(4 * vowel(0.5), 16000))
    samples, rate = soundfile.read(tmp_path / "new/out.wav")
    assert rate == 16000
    assert 0.9 < np.abs(samples).max() < 1.0


def test_stdin_goes_to_stdout(monkeypatch: pytest.MonkeyPatch, recording: Path) -> None:
    stdout = SimpleNamespace(buffer=io.BytesIO())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(recording.read_bytes())))
    monkeypatch.setattr(sys, "stdout", stdout)
    outcome = VOICE.convert(Path("-"), Path("-"), DifferentialRenderer(ADAPTER), UNCHANGED, VoiceOptions())
    assert outcome == Outcome(1.0, {"band_kept": "8 of 11.025 kHz"})
    made, rate = soundfile.read(io.BytesIO(stdout.buffer.getvalue()))
    assert (len(made), rate) == (22050, 22050)


@pytest.mark.parametrize("semitones", [MAX_SHIFT, -MAX_SHIFT, 0.0])
def test_the_only_option_is_a_shift(semitones: float) -> None:
    renderer = WorldRenderer(ADAPTER)
    assert VOICE.chosen({"pitch_shift": semitones}, renderer) == VoiceOptions(semitones)
    assert VOICE.chosen({}, renderer) == VoiceOptions(0.0)
    with pytest.raises(ConfigError, match=r"^`key_lock`: not for this kind of model; it takes: `pitch_shift`"):
        VOICE.chosen({"key_lock": True}, renderer)


def test_a_shift_of_nothing_asks_nothing_of_the_renderer() -> None:
    assert VOICE.chosen({"pitch_shift": 0.0}, DifferentialRenderer(ADAPTER)) == VoiceOptions()
    with pytest.raises(ConfigError, match=r"^pitch_shift: this renderer keeps the source's pitch"):
        VOICE.chosen({"pitch_shift": 0.1}, DifferentialRenderer(ADAPTER))


def test_a_recording_sounds_like_itself() -> None:
    signal = Signal(vowel(0.1), 16000)
    assert VOICE.listen(signal) is signal


def test_a_folder_scan_takes_recordings() -> None:
    assert VOICE.accepts(Path("a/b.FLAC"))
    assert not VOICE.accepts(Path("report.jsonl"))


def test_a_picture_shows_any_rate(tmp_path: Path) -> None:
    rows = [("in", Signal(vowel(0.3, 8000), 8000)), ("out", Signal(vowel(0.3), 16000))]
    VOICE.picture(rows, tmp_path / "out.png")
    assert (tmp_path / "out.png").stat().st_size > 1000


def test_a_preview_is_a_copy(recording: Path, tmp_path: Path) -> None:
    VOICE.preview(recording, tmp_path / "copy.wav")
    np.testing.assert_allclose(VOICE.read(tmp_path / "copy.wav").samples, VOICE.read(recording).samples, atol=1e-4)


def test_mel_features_hold_no_pitch_take_no_guides_and_come_in_as_no_stream(tmp_path: Path) -> None:
    mel = VoiceModality(MelAdapter())
    with pytest.raises(ConfigError, match=r"^pitch_shift: this model's features hold no separate F0; leave it out$"):
        mel.chosen({"pitch_shift": 1.0}, WorldRenderer(ADAPTER))
    with pytest.raises(ConfigError, match=r"^objective\.guide: only voices with the WORLD adapter"):
        mel.guides(GuideConfig(), tmp_path)
    assert mel.stream(UNCHANGED, Memory(), sample_rate=None, block_seconds=0.1, band_limit=None) is None
