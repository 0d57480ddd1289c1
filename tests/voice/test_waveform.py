"""Waveforms in memory: every type and shape that libraries have for sound is converted, or refused in one line."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tiny_bundle import tiny_bundle, vowel

from audiocycle.conversion.converter import Converter
from audiocycle.errors import AudioCycleWarning, InputError
from audiocycle.spec import Signal
from audiocycle.voice.waveform import as_waveform

VOWEL = vowel(0.4)

TYPES: dict[str, tuple[Any, float]] = {
    "float32": (VOWEL.astype(np.float32), 1e-6),
    "float64": (VOWEL.astype(np.float64), 1e-6),
    "float16": (VOWEL.astype(np.float16), 1e-3),
    "int8": ((VOWEL * 127).round().astype(np.int8), 2e-2),
    "int16": ((VOWEL * 32767).round().astype(np.int16), 1e-4),
    "int32": ((VOWEL * 2147483647).round().astype(np.int32), 1e-6),
    "uint8": ((VOWEL * 127 + 128).round().astype(np.uint8), 2e-2),
    "uint16": ((VOWEL * 32767 + 32768).round().astype(np.uint16), 1e-4),
    "list": (VOWEL.tolist(), 1e-6),
    "big-endian": ((VOWEL * 32767).round().astype(">i2"), 1e-4),
}
SHAPES = {"(N,)": lambda x: x, "(1, N)": lambda x: x[None], "(2, N)": lambda x: np.stack([x, x]), "(N, 1)": lambda x: x[:, None], "(N, 2)": lambda x: np.stack([x, x], 1)}  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_has_its_own_full_scale(kind: str) -> None:
    samples, tolerance = TYPES[kind]
    made = as_waveform(Signal(samples, 16000)).samples
    assert (made.dtype, made.shape) == (np.float32, (len(VOWEL), 1))
    np.testing.assert_allclose(made[:, 0], VOWEL, atol=tolerance)


@pytest.mark.parametrize("shape", SHAPES)
def test_channels_are_the_shorter_axis(shape: str) -> None:
    made = as_waveform(Signal(SHAPES[shape](VOWEL), 16000)).samples
    np.testing.assert_allclose(made, np.repeat(VOWEL[:, None], made.shape[1], 1), atol=1e-6)
    assert made.shape[1] == (2 if "2" in shape else 1)


@pytest.mark.parametrize("rate", [16000, 16000.0, np.int32(16000), np.float64(16000), np.array(16000)])
def test_a_whole_rate_is_one_of_any_type(rate: Any) -> None:
    assert as_waveform(Signal(VOWEL, rate)).sample_rate == 16000


@pytest.mark.parametrize("rate", [0, -16000, 16000.5, np.nan, np.inf, "16000", None, True, 1e12, [16000]])
def test_what_is_no_rate_is_refused(rate: Any) -> None:
    with pytest.raises(InputError, match=r"^signal: sample_rate=.* is no rate; give a whole number of Hz, such as 16000$"):
        as_waveform(Signal(VOWEL, rate))


@pytest.mark.parametrize(
    "samples",
    [
        [], np.zeros(0), np.zeros((2, 0)), np.float32(1.0), np.zeros((2, 3, 4)), np.zeros((64, 64)), np.zeros(9, bool), np.zeros(9, complex), ["a"], [[1.0], [1.0, 2.0]],
        None, object(), b"abc", {1: 2},
    ],
)  # fmt: skip
def test_what_is_no_waveform_is_refused_in_one_line(samples: Any) -> None:
    with pytest.raises(InputError, match=r"^signal: .*samples.* are .*; give ") as error:
        as_waveform(Signal(samples, 16000))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("item", [VOWEL, (VOWEL, 16000), VOWEL.tolist(), None, 5])
def test_what_is_no_signal_is_told_so(item: Any) -> None:
    with pytest.raises(InputError, match=r"^signal: is .*; give a path, or Signal\(samples, sample_rate\)$"):
        as_waveform(item)


@pytest.fixture(scope="module")
def converter(tmp_path_factory: pytest.TempPathFactory) -> Converter:
    return Converter.from_pretrained(tiny_bundle(tmp_path_factory.mktemp("bundle") / "b"))


@pytest.mark.parametrize("kind", ["int16", "uint8", "float16", "list"])
def test_all_types_give_one_conversion(converter: Converter, kind: str) -> None:
    wanted = converter(Signal(VOWEL, 16000), target="ben").samples
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = converter(Signal(TYPES[kind][0], 16000.0), target="ben")  # type: ignore[arg-type]
    assert made.sample_rate == 16000
    assert made.samples.shape == wanted.shape
    assert np.linalg.norm(made.samples) == pytest.approx(np.linalg.norm(wanted), rel=0.1)


@pytest.mark.parametrize("scale", [32768.0, 3.0, 1.2])
def test_floats_beyond_full_scale_are_scaled_and_that_is_told(converter: Converter, scale: float) -> None:
    given = (VOWEL / np.abs(VOWEL).max() * scale).round() if scale > 100 else VOWEL / np.abs(VOWEL).max() * scale
    with pytest.warns(AudioCycleWarning, match=r"signal: its samples .* scaled"):
        made = converter(Signal(given, 16000), target="ben").samples
    assert np.abs(made).max() <= 1.0
    assert np.mean(np.abs(made) > 0.99) < 0.02


def test_integers_of_64_bits_are_taken_by_their_size(converter: Converter) -> None:
    given = (VOWEL * 32767).round().astype(np.int64)
    with pytest.warns(AudioCycleWarning, match="taken for integers of 16 bits"):
        made = converter(Signal(given, 16000), target="ben").samples
    wanted = converter(Signal(VOWEL, 16000), target="ben").samples
    assert np.linalg.norm(made) == pytest.approx(np.linalg.norm(wanted), rel=0.1)


def test_a_file_of_floats_beyond_full_scale_is_scaled_and_the_record_says_so(converter: Converter, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", (VOWEL * 32767).round(), 16000, subtype="FLOAT")
    record = converter.convert_file(tmp_path / "a.wav", tmp_path / "out.wav", target="ben")
    assert "taken for integers of 16 bits" in record.note
    samples, _ = soundfile.read(tmp_path / "out.wav")
    assert np.mean(np.abs(samples) > 0.99) < 0.02


CHANNELS = np.random.default_rng(0).normal(0.0, 1e-3, (2, len(VOWEL))) + VOWEL
UNUSUAL = {
    "a telephone's": (vowel(0.4, 8000), 8000, r"holds nothing above 3\.\d kHz, and the model hears up to 8 kHz; what is missing was estimated"),
    "inverted": (np.stack([CHANNELS[0], -CHANNELS[1]]), 16000, "channel [12] has the opposite phase, turned round"),
    "half silent": (np.stack([CHANNELS[0], 0 * VOWEL]), 16000, "channel 2 is next to silent, left out"),
    "loud and half silent": (np.stack([9 * CHANNELS[0], 0 * VOWEL]), 16000, "scaled by .* dB; channel 2 is next to silent"),
}


@pytest.mark.parametrize("kind", UNUSUAL)
@pytest.mark.parametrize("by", ["signal", "path", "name"])
def test_all_that_is_unusual_is_told_once_and_to_who_asked(converter: Converter, kind: str, by: str, tmp_path: Path) -> None:
    samples, rate, said = UNUSUAL[kind]
    path = tmp_path / "a.wav"
    soundfile.write(path, samples.T, rate, subtype="FLOAT")
    item: Any = {"signal": Signal(samples, rate), "path": path, "name": str(path)}[by]
    with pytest.warns(AudioCycleWarning, match=f"{'signal' if by == 'signal' else path.name}: .*{said}") as caught:
        made = converter(item, target="ben")
    assert [warning.filename for warning in caught] == [__file__]
    assert made.sample_rate == rate
    assert len(made.samples) == samples.shape[-1]


def test_a_path_is_converted_as_its_samples_are(converter: Converter, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", VOWEL, 16000, subtype="FLOAT")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(converter(tmp_path / "a.wav", target="ben").samples, converter(Signal(VOWEL, 16000), target="ben").samples)
