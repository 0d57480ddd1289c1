"""The converter in Python: signals and files, domains, options, damaged networks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bundle import tiny_bundle, vowel

import audiocycle
from audiocycle.bundles.runtimes.network import Network
from audiocycle.conversion.converter import (
    LONG_FRAMES,
    LONG_GRID,
    MIN_FRAMES,
    SHORT_GRID,
    Converter,
    mirrored_after,
    padded_length,
)
from audiocycle.conversion.record import Record
from audiocycle.errors import BundleError, ConfigError, DomainError, InputError, OutputError
from audiocycle.spec import Direction, FloatArray, Signal
from audiocycle.voice.world_adapter import track_f0


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def converter(bundle: Path) -> Converter:
    return Converter.from_pretrained(bundle)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Converter:
    return Converter.from_pretrained(tiny_bundle(tmp_path_factory.mktemp("models") / "three", ("anna", "ben", "cleo")))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "in.wav"
    soundfile.write(path, vowel(0.5), 16000)
    return path


def test_the_package_offers_the_converter_without_loading_torch() -> None:
    assert audiocycle.Converter is Converter
    with pytest.raises(AttributeError, match="no attribute 'Convertor'"):
        audiocycle.Convertor  # noqa: B018
    code = "import audiocycle, audiocycle.cli.main, sys; sys.exit('torch' in sys.modules or 'librosa' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_path_is_converted_to_a_signal_of_the_same_length(converter: Converter, recording: Path) -> None:
    for item in (recording, str(recording), Signal(vowel(0.5), 16000)):
        signal = converter(item, target="ben")
        assert signal.sample_rate == 16000
        assert signal.samples.shape == (8000,)
        assert np.isfinite(signal.samples).all()
    assert np.square(signal.samples).mean() == pytest.approx(np.square(vowel(0.5)).mean(), rel=0.02)


def test_the_same_input_gives_the_same_output(converter: Converter, recording: Path) -> None:
    first, second = (converter(recording, target="ben").samples for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_both_directions_work_and_differ(converter: Converter, recording: Path) -> None:
    to_ben, to_anna = converter(recording, "ben").samples, converter(recording, "anna").samples
    assert np.abs(to_ben - to_anna).max() > 0.01


@pytest.mark.filterwarnings("ignore:signal. holds nothing above:audiocycle.errors.AudioCycleWarning")
@pytest.mark.parametrize(("sample_rate", "n_samples"), [(16000, 1), (16000, 50), (16000, 3000), (44100, 20000), (8000, 4000)])
def test_any_length_and_rate_comes_back(converter: Converter, sample_rate: int, n_samples: int) -> None:
    made = converter(Signal(vowel(0.5, sample_rate)[:n_samples], sample_rate), target="ben")
    assert made.sample_rate == sample_rate
    assert made.samples.shape == (n_samples,)
    assert np.isfinite(made.samples).all()


def test_pitch_goes_to_the_targets_register_and_further(converter: Converter) -> None:
    heard = Signal(vowel(1.0, f0=210.0), 16000)  # anna

    def median_f0(signal: Signal) -> float:
        f0 = track_f0(signal)
        return float(np.median(f0[f0 > 0]))

    plain = median_f0(converter(heard, target="ben"))
    assert plain == pytest.approx(120.0, rel=0.1)
    shifted = median_f0(converter(heard, target="ben", pitch_shift=7.0))
    assert 12 * np.log2(shifted / plain) == pytest.approx(7.0, abs=0.7)


def test_only_one_source_is_possible_between_two(converter: Converter) -> None:
    assert converter.domains == ("anna", "ben")
    assert str(converter.config.resolve("ben", None)) == "anna->ben"
    assert str(converter.config.resolve("anna", "ben")) == "ben->anna"


def test_among_three_the_source_has_to_be_named(three: Converter) -> None:
    assert str(three.config.resolve("ben", "cleo")) == "cleo->ben"
    with pytest.raises(DomainError, match="ambiguous; add `source` with one of: anna, cleo"):
        three.config.resolve("ben", None)


@pytest.mark.parametrize(
    ("target", "source", "said"),
    [
        ("zoe", None, "target 'zoe' is unknown to model tiny; it knows: anna, ben"),
        ("ben", "zoe", "source 'zoe' is unknown to model tiny; it knows: anna, ben"),
        ("ben", "ben", "source and target are both 'ben'"),
        ("Ben", None, "it knows: anna, ben"),
    ],
)
def test_wrong_names_are_answered_with_the_known_ones(converter: Converter, target: str, source: str | None, said: str) -> None:
    with pytest.raises(DomainError, match=said):
        converter.translation(target, source)


@pytest.mark.parametrize("semitones", [float("nan"), float("inf"), 37.0, -1000.0])
def test_impossible_shifts_are_refused(converter: Converter, semitones: float) -> None:
    with pytest.raises(ConfigError, match="between -36 and 36"):
        converter.translation("ben", pitch_shift=semitones)


@pytest.mark.parametrize("options", [{"strength": 0.5}, {"key_lock": True}, {"semitones": 2.0}], ids=str)
def test_options_of_other_modalities_are_refused_with_those_that_there_are(converter: Converter, options: dict[str, Any]) -> None:
    name = next(iter(options))
    for attempt in (
        lambda: converter.translation("ben", **options),
        lambda: converter(Signal(vowel(0.1), 16000), "ben", **options),
        lambda: converter.convert_file("missing.wav", "out.wav", "ben", **options),
    ):
        with pytest.raises(ConfigError, match=f"`{name}`: not for this kind of model; it takes: `pitch_shift`"):
            attempt()


@pytest.mark.parametrize("semitones", [-36.0, 36.0])
def test_extreme_shifts_still_give_sound(converter: Converter, semitones: float) -> None:
    made = converter(Signal(vowel(0.3), 16000), "ben", pitch_shift=semitones)
    assert np.isfinite(made.samples).all()
    assert made.samples.any()


def test_a_renderer_that_keeps_the_pitch_cannot_shift_it(bundle: Path) -> None:
    differential = Converter.from_pretrained(bundle, renderer="differential")
    assert differential(Signal(vowel(0.3), 16000), "ben").samples.any()
    with pytest.raises(ConfigError, match="keeps the source's pitch"):
        differential.translation("ben", pitch_shift=1.0)


def test_mel_features_render_without_a_vocoder_and_cannot_shift(tmp_path: Path) -> None:
    mel = Converter.from_pretrained(tiny_bundle(tmp_path / "mel", adapter={"name": "mel", "n_mels": 20}))
    assert mel(Signal(vowel(0.4), 16000), "ben").samples.shape == (6400,)
    with pytest.raises(ConfigError, match="no separate F0"):
        mel.translation("ben", pitch_shift=1.0)


@pytest.mark.parametrize(
    ("renderer", "vocoder", "said"),
    [
        ("nope", None, "choose one of: world, differential"),
        ("hifigan", None, "choose one of: world, differential"),
        ("griffin_lim", None, "choose one of: world, differential"),
        ("world", "weights.pt", "takes no weights"),
    ],
)
def test_renderers_that_do_not_fit_are_refused(bundle: Path, renderer: str, vocoder: str | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Converter.from_pretrained(bundle, renderer, vocoder)


def test_a_network_that_gives_nan_is_not_heard(bundle: Path) -> None:
    damaged = Converter.from_pretrained(bundle)
    with torch.no_grad():
        next(damaged.network.translator.parameters()).fill_(float("nan"))
    with pytest.raises(BundleError, match="model tiny gives NaN"):
        damaged(Signal(vowel(0.3), 16000), "ben")


def test_a_file_is_converted_with_a_record(converter: Converter, recording: Path, tmp_path: Path) -> None:
    shares: list[float] = []
    record = converter.convert_file(recording, tmp_path / "new/out.flac", "ben", progress=shares.append)
    assert soundfile.info(tmp_path / "new/out.flac").frames == 8000
    assert (record.status, record.input, record.audio_seconds) == ("converted", str(recording), 0.5)
    assert record.seconds > 0
    assert json.loads(json.dumps(record.to_json()))["real_time_factor"] == round(record.seconds / 0.5, 4)
    assert shares[-1] == 1.0


def test_a_recording_needs_no_preview(converter: Converter, recording: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`preview`: the output is sound already"):
        converter.convert_file(recording, tmp_path / "out.wav", "ben", preview=True)
    with pytest.raises(ConfigError, match="`score`: only music can be written as notes"):
        converter.convert_file(recording, tmp_path / "out.wav", "ben", score=True)
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def test_a_picture_goes_beside_the_output(converter: Converter, recording: Path, tmp_path: Path) -> None:
    converter.convert_file(recording, tmp_path / "out.wav", "ben", plot=True)
    assert (tmp_path / "out.png").stat().st_size > 1000
    (tmp_path / "out.wav").unlink()
    with pytest.raises(OutputError, match=r"out\.png: exists already; add `overwrite`"):
        converter.convert_file(recording, tmp_path / "out.wav", "ben", plot=True)
    assert not (tmp_path / "out.wav").exists()


def test_outputs_that_exist_are_kept_unless_asked(converter: Converter, recording: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.wav"
    output.write_bytes(b"before")
    with pytest.raises(OutputError, match="exists already; add `overwrite`"):
        converter.convert_file(recording, output, "ben")
    assert output.read_bytes() == b"before"
    converter.convert_file(recording, output, "ben", overwrite=True)
    assert soundfile.info(output).frames == 8000


@pytest.mark.parametrize("overwrite", [True, False])
def test_the_input_is_never_overwritten(converter: Converter, recording: Path, tmp_path: Path, overwrite: bool) -> None:
    before = recording.read_bytes()
    (tmp_path / "link.wav").symlink_to(recording)
    for output in (recording, tmp_path / "sub/../in.wav", tmp_path / "link.wav"):
        (tmp_path / "sub").mkdir(exist_ok=True)
        with pytest.raises(OutputError, match="is the input itself"):
            converter.convert_file(recording, output, "ben", overwrite=overwrite)
    assert recording.read_bytes() == before


def test_a_bad_file_leaves_nothing(converter: Converter, tmp_path: Path) -> None:
    (tmp_path / "in.wav").write_text("words")
    with pytest.raises(InputError, match=r"in\.wav: not a readable recording"):
        converter.convert_file(tmp_path / "in.wav", tmp_path / "new/out.wav", "ben")
    assert [p.name for p in tmp_path.iterdir()] == ["in.wav"]


def test_a_record_of_nothing_has_no_real_time_factor() -> None:
    assert Record("a", "", "failed").to_json()["real_time_factor"] == 0.0


@settings(max_examples=50, deadline=None)
@given(n_frames=st.integers(1, 300), wanted=st.integers(1, 300))
def test_short_features_are_mirrored(n_frames: int, wanted: int) -> None:
    features = np.random.default_rng(n_frames).normal(size=(3, n_frames))
    longer = mirrored_after(features, wanted)
    assert longer.shape == (3, max(n_frames, wanted))
    np.testing.assert_array_equal(longer[:, :n_frames], features)
    assert set(longer.flat) <= set(features.flat)


@pytest.mark.filterwarnings("ignore:signal. holds nothing above:audiocycle.errors.AudioCycleWarning")
def test_networks_never_see_less_than_a_crop(converter: Converter) -> None:
    seen: list[int] = []

    class Watched(Network):
        def __call__(self, batch: FloatArray, direction: Direction) -> FloatArray:
            seen.append(batch.shape[-1])
            return batch

    Converter(converter.config, Watched())(Signal(vowel(0.1), 16000), "ben")
    assert seen == [MIN_FRAMES]


@given(frames=st.integers(1, 100_000))
def test_long_inputs_come_in_few_lengths(frames: int) -> None:
    padded = padded_length(frames)
    assert padded >= max(frames, MIN_FRAMES)
    grid = SHORT_GRID if frames <= LONG_FRAMES else LONG_GRID
    assert padded % grid == 0
    assert padded - frames < grid or padded == MIN_FRAMES
