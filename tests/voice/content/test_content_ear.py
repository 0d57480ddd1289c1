"""A stream to a model that converts everybody: the rows that its network is shown are those of the recording, and nothing of the source is asked for."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from tiny_bundle import tiny_content_bundle, vowel

import audiocycle
from audiocycle.conversion.converter import Converter
from audiocycle.conversion.live import open_stream
from audiocycle.errors import ConfigError
from audiocycle.spec import Encoded, FloatArray, Signal
from audiocycle.voice.content import encoder
from audiocycle.voice.content.adapter import SCALE, USUAL, ContentAdapter
from audiocycle.voice.content.ear import ContentEar, RunningMoments, usual_deviations, usual_states
from audiocycle.voice.ear import WINDOW_FRAMES
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.stream import StreamAtRate, StreamConverter
from audiocycle.voice.world_adapter import WorldAdapter

PRETRAINED = Path(audiocycle.__file__).parent / "pretrained"
ADAPTER, N, RATE = ContentAdapter(), 36, 16000
SPEECH, VOICED, PITCH, LEVEL, CONTENT = range(N, N + 5)


@cache
def spoken() -> FloatArray:
    """What the bundled voices say."""
    parts = []
    for path in sorted((PRETRAINED / "rendered-voices" / "samples").glob("michael-*.flac")):
        samples, rate = soundfile.read(path, dtype="float32")
        parts.append(soxr.resample(samples, rate, RATE))
    return np.asarray(np.concatenate(parts), np.float32)


def whisper(seconds: float) -> FloatArray:
    random, n = np.random.default_rng(1), round(seconds * RATE)
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * np.arange(n) / RATE)
    return np.asarray(0.05 * np.convolve(random.standard_normal(n) * syllables, [0.5, 0.3, 0.2], "same"), np.float32)


def heard(samples: FloatArray, size: int = 1600) -> tuple[list[Encoded[VoiceSide]], ContentEar]:
    """The windows that a network is shown."""
    windows: list[Encoded[VoiceSide]] = []
    ear = ContentEar(ADAPTER)

    def keep(encoded: Encoded[VoiceSide]) -> Encoded[VoiceSide]:
        windows.append(encoded)
        return Encoded(encoded.features[:N], encoded.side)

    stream = StreamConverter(ADAPTER, keep, ear=ear)
    for at in range(0, len(samples), size):
        stream.push(samples[at : at + size])
    return windows, ear


@cache
def voice() -> tuple[FloatArray, list[Encoded[VoiceSide]]]:
    samples = spoken()
    return samples, heard(samples)[0]


def test_windows_are_of_the_recordings_rows() -> None:
    samples, windows = voice()
    whole = ADAPTER.analyze(samples).features
    assert {window.features.shape for window in windows} == {(ADAPTER.spec.shape[0], WINDOW_FRAMES)}
    assert {window.features.dtype for window in windows} == {np.dtype(np.float32)}
    cosines, elsewhere, errors = [], [], []
    for window in windows[40:]:  # behind the first four seconds
        at = min(range(whole.shape[1] - WINDOW_FRAMES), key=lambda begin: float(np.abs(whole[1, begin : begin + 60] - window.features[1, :60]).sum()))
        same = whole[:, at : at + WINDOW_FRAMES]
        judged = (same[SPEECH] > 0.5) & (window.features[SPEECH] > 0.5)
        alike = same[CONTENT:, judged].T @ window.features[CONTENT:, judged] / SCALE**2
        cosines.append(np.diag(alike).mean())
        elsewhere.append(np.diag(alike, 40).mean())
        errors.append([np.abs(same[row, judged] - window.features[row, judged]).mean() for row in (VOICED, PITCH, LEVEL)])
        assert (same[SPEECH] == window.features[SPEECH]).mean() > 0.9
    assert np.mean(cosines) > 0.75
    assert np.mean(elsewhere) < 0.2, "0.2 s beside"
    np.testing.assert_array_less(np.mean(errors, axis=0), [0.02, 0.3, 0.15])


def streamed(stream: StreamAtRate, samples: FloatArray, size: int = 1600) -> FloatArray:
    made = [stream.push(samples[at : at + size]) for at in range(0, len(samples), size)]
    return np.concatenate([*made, stream.finish()])


def test_a_stream_is_near_the_conversion_of_its_recording() -> None:
    """Nobody says who speaks. Envelopes are judged beside what they were before."""
    samples, bundle = voice()[0], PRETRAINED / "any-voices"
    offline = Converter.from_pretrained(bundle, "world", runtime="torch")(Signal(samples, RATE), "27").samples
    stream = open_stream(bundle, "27")
    assert isinstance(stream, StreamAtRate)
    assert stream.latency <= 0.3
    made = streamed(stream, samples)
    assert len(made) == len(samples)
    source, first, second = (WorldAdapter().analyze(x[4 * RATE :]) for x in (samples, offline, made))
    speech = WorldAdapter().speech(first.features)
    live, unconverted = (np.abs(x.features[1:, speech] - first.features[1:, speech]).mean() for x in (second, source))
    assert live < 0.6 * unconverted
    both = speech & (first.side.f0 > 0) & (second.side.f0 > 0)
    assert both.sum() > 0.8 * (speech & (first.side.f0 > 0)).sum()
    semitones = 12 * np.log2(second.side.f0[both] / first.side.f0[both])
    assert abs(np.median(semitones)) < 2.0
    assert abs(20 * np.log10(made[4 * RATE :].std() / offline[4 * RATE :].std())) < 2.0


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> StreamAtRate:
    """Of a tiny model, cleared."""
    opened = open_stream(tiny_content_bundle(tmp_path_factory.mktemp("models") / "tiny"), "ben")
    assert isinstance(opened, StreamAtRate)
    return opened


@pytest.fixture(autouse=True)
def cleared(stream: StreamAtRate) -> None:
    stream.clear()


@pytest.mark.parametrize("rate", [None, 44100, 48000])
def test_it_is_as_late_as_streams_may_be(tmp_path: Path, rate: int | None) -> None:
    bundle = tiny_content_bundle(tmp_path / "tiny")
    opened = open_stream(bundle, "ben", sample_rate=rate)
    assert opened.latency <= 0.3
    with pytest.raises(ConfigError, match="between 20 and 100 ms"):
        open_stream(bundle, "ben", block_seconds=0.11)


def test_pieces_of_any_size_give_the_same_within_the_latency(stream: StreamAtRate) -> None:
    samples, made, at = voice()[0][: 2 * RATE], [], 0
    whole = streamed(stream, samples, len(samples))
    stream.clear()
    for size in np.random.default_rng(0).integers(0, 5000, 40).tolist():
        made.append(stream.push(samples[at : at + size]))
        at = min(at + size, len(samples))
        assert at - sum(map(len, made)) <= stream.latency * RATE
    made.append(stream.finish())
    np.testing.assert_array_equal(np.concatenate(made), whole)


def test_cleared_it_knows_nothing_of_who_spoke(stream: StreamAtRate) -> None:
    samples = voice()[0][:RATE]
    first = streamed(stream, samples)
    stream.clear()
    streamed(stream, vowel(2.0, f0=260.0))
    stream.clear()
    np.testing.assert_array_equal(streamed(stream, samples), first)


def test_it_may_begin_with_silence(stream: StreamAtRate) -> None:
    """Digital silence tells nothing: what is heard behind it is heard as at the beginning."""
    samples, silence = voice()[0][:RATE], np.zeros(2 * RATE, np.float32)
    made = streamed(stream, np.concatenate([silence, samples]))
    assert not made[: len(silence) - 2000].any()
    stream.clear()
    behind, alone = (WorldAdapter().analyze(x) for x in (made[len(silence) :], streamed(stream, samples)))
    both = (behind.side.f0 > 0) & (alone.side.f0 > 0)
    assert both.sum() > 0.9 * (alone.side.f0 > 0).sum() > 0
    np.testing.assert_allclose(np.median(np.log(behind.side.f0[both] / alone.side.f0[both])), 0.0, atol=0.02)
    assert np.abs(behind.features[1:, both] - alone.features[1:, both]).mean() < 0.1


@pytest.mark.parametrize("before", ["noise", "click", "offset"])
def test_what_is_no_speech_does_not_break_it(stream: StreamAtRate, before: str) -> None:
    n = np.arange(RATE)
    parts = {"noise": 1e-3 * np.random.default_rng(0).standard_normal(RATE), "click": 0.9 * (n == 8000), "offset": np.full(RATE, 0.2)}
    made = streamed(stream, np.concatenate([parts[before], voice()[0][:RATE]]).astype(np.float32))
    assert np.isfinite(made).all()
    assert np.abs(made[RATE:]).max() > 0.02


def test_a_whisper_stays_one(stream: StreamAtRate) -> None:
    samples = whisper(2.0)
    made = streamed(stream, samples)
    assert 0.25 < made.std() / samples.std() < 4.0
    found = WorldAdapter().analyze(made).side.f0
    assert (found > 0).mean() < 0.1
    ear = stream.inner.ear
    assert ear.stats is not None
    assert all(np.isfinite(value).all() for value in ear.stats.values())


def test_the_register_is_a_usual_one_until_the_voice_is_known() -> None:
    ear = ContentEar(ADAPTER)
    assert ear.register(np.zeros(50)) == pytest.approx(USUAL)
    means = [ear.register(np.full(n, 300.0))[0] for n in (5, 50, 5000)]
    assert USUAL[0] < means[0] < means[1] < means[2]
    assert means[2] == pytest.approx(np.log(300.0), abs=0.01)


def test_levels_are_judged_by_what_is_usual_until_they_are_known() -> None:
    quiet = np.random.default_rng(0).normal(-20.0, 2.0, 5000)
    assert np.isfinite(usual_deviations(np.array([-8.0]), np.zeros(0))).all()
    few, many = (usual_deviations(quiet[:n], quiet[:n]).mean() for n in (10, 5000))
    assert few < -1.0
    assert many == pytest.approx(0.0, abs=0.1)


def test_moments_begin_with_what_is_usual_and_forget() -> None:
    usual = np.stack([np.zeros(3), np.ones(3)])
    moments = RunningMoments(usual, known=10.0, memory=100.0)
    np.testing.assert_allclose(moments.found, usual)
    moments.add(np.zeros((0, 3)))
    np.testing.assert_allclose(moments.found, usual)
    rows = np.random.default_rng(0).normal(4.0, 0.5, (10, 3))
    moments.add(rows)
    keep = 10.0 * np.exp(-0.1)
    mean = 10.0 * rows.mean(axis=0) / (keep + 10.0)
    square = (keep + np.square(rows).sum(axis=0)) / (keep + 10.0)
    np.testing.assert_allclose(moments.found, np.stack([mean, np.sqrt(square - mean**2)]), rtol=1e-5)
    for _ in range(200):
        moments.add(rows)
    np.testing.assert_allclose(moments.found, [rows.mean(axis=0), rows.std(axis=0)], rtol=1e-3)


def test_what_is_usual_is_there() -> None:
    found = usual_states()
    assert found.shape == (2, encoder.ENCODERS[encoder.ENGLISH].states)
    assert np.isfinite(found).all()
    assert (found[1] > 0).all()
