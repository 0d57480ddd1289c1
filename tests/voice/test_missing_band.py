"""An envelope that ends at 4 kHz becomes one as the speaker's are, and what is there stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle import Converter
from audiocycle.bundles.format import read_config
from audiocycle.spec import Encoded, FloatArray, Signal
from audiocycle.voice import recording as voice_recording
from audiocycle.voice.liveliness import mel_points
from audiocycle.voice.medium import VoiceMedium
from audiocycle.voice.missing_band import Completion, completing
from audiocycle.voice.options import VoiceOptions
from audiocycle.voice.renderers import WorldRenderer
from audiocycle.voice.world_adapter import WorldAdapter, speech_frames

BUNDLE = Path(__file__).parents[2] / "audiocycle/pretrained/rendered-voices"
RATE = 16000
WORLD = WorldAdapter()
HEART = read_config(BUNDLE).stats_of("heart")


def recording(name: str = "heart-001") -> FloatArray:
    return np.asarray(soundfile.read(BUNDLE / f"samples/{name}.flac", dtype="float32")[0])


def narrowed(samples: FloatArray, rate: int) -> FloatArray:
    made = soxr.resample(soxr.resample(samples, RATE, rate), rate, RATE).astype(np.float32)
    return np.pad(made, (0, max(0, len(samples) - len(made))))[: len(samples)]


def decibels(first: FloatArray, second: FloatArray, low: float, high: float) -> float:
    """Root mean square difference of two envelopes (n_mcep, T) within a band, mean over the frames."""
    cosines, hertz = mel_points(WORLD.n_mcep, RATE, 128)
    band = cosines[(hertz >= low) & (hertz < high)]
    return float(np.sqrt(np.square(10 / np.log(10) * band @ (first - second)).mean(axis=0)).mean())


@pytest.mark.parametrize("rate", [8000, 11025])
def test_features_are_nearly_those_of_the_whole_band(rate: int) -> None:
    whole = WORLD.analyze(recording(), side=False).features
    speech = speech_frames(whole)
    heard = narrowed(recording(), rate)
    cut = WORLD.analyze(heard, side=False).features
    filled = completing(WORLD, 0.47 * rate, HEART).analyze(heard, side=False).features
    off = [float(np.abs((x - whole) / HEART["std"])[:, speech].mean()) for x in (cut, filled)]
    assert off[0] > 1.0
    assert off[1] < 0.6
    assert decibels(filled[:, speech], whole[:, speech], 0.0, 0.45 * rate) < 1.0
    assert decibels(filled[:, speech], whole[:, speech], 0.5 * rate, 8000.0) < 12.0 < 30.0 < decibels(cut[:, speech], whole[:, speech], 0.5 * rate, 8000.0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), limit=st.floats(2500.0, 7500.0), louder=st.floats(-3.0, 3.0))
def test_what_lies_above_the_limit_does_not_matter_and_a_level_moves_through(seed: int, limit: float, louder: float) -> None:
    random = np.random.default_rng(seed)
    envelope = np.exp(np.cumsum(0.1 * random.normal(size=(4, 513)), axis=1))
    other = envelope.copy()
    other[:, int(np.ceil(limit / 8000.0 * 512)) + 1 :] = 1e-12
    completion = Completion.of(WORLD, limit, HEART)
    np.testing.assert_allclose(completion.coded(other, RATE), completion.coded(envelope, RATE))
    moved = completion.coded(np.exp(louder) * envelope, RATE) - completion.coded(envelope, RATE)
    assert 0.7 <= moved[:, 0].mean() / louder <= 1.05 if abs(louder) > 1e-3 else np.abs(moved).max() < 0.01


def test_the_mean_envelope_stays_the_mean() -> None:
    mean = np.asarray(HEART["mean"], np.float64)
    made = Completion.of(WORLD, 3700.0, HEART).coded(WORLD.envelope(mean.astype(np.float32)), RATE)
    np.testing.assert_allclose(made[0], mean[:, 0], atol=0.05)


def test_all_else_is_the_adapters() -> None:
    other = WorldAdapter(sample_rate=22050, n_mcep=40, f0_floor=60.0)
    made = completing(other, 3700.0, {"mean": np.zeros((40, 1)), "std": np.ones((40, 1))})
    assert (made.sample_rate, made.n_mcep, made.f0_floor, made.fft_size) == (22050, 40, 60.0, other.fft_size)
    samples = np.random.default_rng(0).normal(size=8000).astype(np.float32)
    np.testing.assert_array_equal(made.analyze(samples).side["f0"], other.analyze(samples).side["f0"])
    assert made.analyze(samples).features.shape == other.analyze(samples).features.shape


@pytest.mark.filterwarnings("ignore:signal. holds nothing above:audiocycle.errors.AudioCycleWarning")
@pytest.mark.parametrize("rate", [8000, 11025])
def test_a_conversion_is_nearly_that_of_the_whole_band(monkeypatch: pytest.MonkeyPatch, rate: int) -> None:
    """Below what the narrow recording holds."""
    converter = Converter.from_pretrained(BUNDLE, runtime="torch", precision="fp32")
    sound = recording()
    narrow = Signal(soxr.resample(sound, RATE, rate), rate)
    whole = converter(Signal(sound, RATE), target="michael").samples

    def distance() -> float:
        made = converter(narrow, target="michael")
        assert made.sample_rate == rate
        again = soxr.resample(made.samples, rate, RATE)
        return shape_distance(whole, np.pad(again, (0, max(0, len(sound) - len(again))))[: len(sound)], 0.43 * rate)

    filled = distance()
    monkeypatch.setattr(voice_recording, "completing", lambda adapter, limit, source: adapter)
    assert filled < 3.5
    assert filled < 0.75 * distance()


def shape_distance(first: FloatArray, second: FloatArray, high: float) -> float:
    """dB between the shapes of two sounds' envelopes below a frequency, over the frames with speech."""
    spectra = []
    for samples in (first, second):
        x = np.asarray(samples, np.float64)
        f0, times = WORLD.f0_track(x)
        bins = np.unique(np.geomspace(3, high / 8000.0 * 512, 60).round().astype(int))
        spectra.append(10 * np.log10(WORLD.power_envelope(x, f0, times)[:, bins]))
    loud = spectra[0].mean(axis=1) > np.percentile(spectra[0].mean(axis=1), 95) - 35
    shapes = [(s - s.mean(axis=1, keepdims=True))[loud] for s in spectra]
    return float(np.sqrt(np.square(shapes[0] - shapes[1]).mean(axis=1)).mean())


@pytest.mark.filterwarnings("ignore:signal. holds nothing above:audiocycle.errors.AudioCycleWarning")
def test_whoever_translates_without_statistics_gets_what_is_there() -> None:
    """Copy-synthesis has no source speaker."""

    def unchanged(encoded: Encoded) -> Encoded:
        return encoded

    signal = Signal(soxr.resample(recording(), RATE, 8000), 8000)
    made = VoiceMedium().convert_item(signal, WORLD, WorldRenderer(WORLD), unchanged, VoiceOptions())
    assert made.samples.shape == signal.samples.shape
