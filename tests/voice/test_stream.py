"""Live conversion: as much out as in and in time, no seams, and what the offline path would have made."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bundle import vowel

from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import Encoded, FloatArray
from audiocycle.voice.ear import WINDOW_FRAMES
from audiocycle.voice.renderers import WorldRenderer
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.stream import GRID_FRAMES, RunningGain, StreamAtRate, StreamConverter
from audiocycle.voice.world_adapter import WorldAdapter, pyworld

WORLD = WorldAdapter()
VOICE = vowel(1.5)


def unchanged(encoded: Encoded[VoiceSide]) -> Encoded[VoiceSide]:
    return encoded


def fed(stream: StreamConverter | StreamAtRate, samples: FloatArray, size: int) -> FloatArray:
    made = [stream.push(samples[at : at + size]) for at in range(0, len(samples), size)]
    return np.concatenate([*made, stream.finish()])


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=8))
def test_any_blocks_give_the_same_samples_within_the_latency(sizes: list[int]) -> None:
    samples = np.resize(VOICE, sum(sizes))
    stream, made, at = StreamConverter(WORLD, unchanged), [], 0
    for size in sizes:
        made.append(stream.push(samples[at : at + size]))
        at += size
        assert at - sum(map(len, made)) < stream.latency * WORLD.sample_rate, "later than it says"
    made.append(stream.finish())
    result = np.concatenate(made)
    assert len(result) == len(samples)
    np.testing.assert_array_equal(result, fed(StreamConverter(WORLD, unchanged), samples, max(1, len(samples))))


@pytest.mark.parametrize("gain", [np.nan, 1e30])
def test_what_a_model_makes_is_looked_at_before_it_is_heard(gain: float) -> None:
    def nonsense(encoded: Encoded[VoiceSide]) -> Encoded[VoiceSide]:
        features = encoded.features.copy()
        features[0] += np.float32(gain)
        return Encoded(features, encoded.side)

    stream = StreamConverter(replace(WORLD, keep_energy=False), nonsense)
    with np.errstate(all="ignore"), pytest.raises(InputError, match="stream: the model turns it into "):
        fed(stream, VOICE, 1600)


@pytest.mark.parametrize("seconds", [0.0, float("nan"), float("inf"), -0.1, 0.019, 0.181])
def test_blocks_have_a_length(seconds: float) -> None:
    with pytest.raises(ConfigError, match="between 20 and 180 ms"):
        StreamConverter(WORLD, unchanged, seconds)


def bumps(samples: FloatArray, places: FloatArray) -> FloatArray:
    """The largest second difference within 3 samples of each place, beside that of the 10 ms around it."""
    bent = np.abs(np.diff(samples, 2))
    return np.array([bent[at - 4 : at + 3].max() / np.sqrt(np.square(bent[at - 80 : at + 80]).mean()) for at in places])


def flux(samples: FloatArray, places: FloatArray) -> FloatArray:
    """How much the log spectrum of 10 ms changes from before to behind each place."""
    window = np.hanning(160)
    before, behind = (
        np.log(np.abs(np.fft.rfft(np.stack([samples[at + shift : at + shift + 160] for at in places]) * window)) + 1e-4) for shift in (-160, 0)
    )
    return np.asarray(np.abs(behind - before).mean(axis=1))


def test_borders_of_blocks_are_like_any_other_place() -> None:
    voice, block = vowel(6.0), 1600
    made = fed(StreamConverter(WORLD, unchanged), voice, 1600)
    borders = np.arange(block, len(made) - block, block)
    elsewhere = np.random.default_rng(0).integers(block, len(made) - block, 600)
    for measure in (bumps, flux):
        at_borders, usual = measure(made, borders), measure(made, elsewhere)
        assert at_borders.mean() < 1.25 * usual.mean(), measure.__name__
        assert at_borders.max() < 1.1 * usual.max(), measure.__name__
    # Made block by block with pyworld, which begins anew each time, the borders show.
    encoded = WORLD.analyze(voice)
    envelope, f0, ap = WORLD.envelope(encoded.features), encoded.side.f0.astype(float), encoded.side.ap
    parts = [pyworld.synthesize(f0[a:b], envelope[a:b], ap[a:b], 16000, 5.0) for a, b in pairwise(range(0, len(f0), 20))]
    broken = np.concatenate(parts)
    places = np.arange(block, len(broken) - block, block)
    assert max(m(broken, places).mean() / m(broken, elsewhere[elsewhere < len(broken) - block]).mean() for m in (bumps, flux)) > 1.25


def test_a_network_that_jumps_is_faded() -> None:
    made: list[FloatArray] = []

    def jumpy(encoded: Encoded[VoiceSide]) -> Encoded[VoiceSide]:
        features = encoded.features.copy()
        features[1] += 1.0 if len(made) % 2 else -1.0
        made.append(features)
        return Encoded(features, encoded.side)

    stream = StreamConverter(WORLD, jumpy)
    shown: list[FloatArray] = []
    synthesize = stream.synthesizer.push

    def watch(f0: FloatArray, envelope: FloatArray, ap: FloatArray) -> FloatArray:
        shown.append(pyworld.code_spectral_envelope(envelope, 16000, WORLD.n_mcep)[:, 1])
        return synthesize(f0, envelope, ap)

    stream.synthesizer.push = watch  # type: ignore[method-assign]
    fed(stream, VOICE, 1600)
    source = WORLD.analyze(VOICE).features[1]
    offset = np.concatenate(shown)[20:200] - source[20:200]
    assert offset.max() > 0.8
    assert offset.min() < -0.8
    assert np.abs(np.diff(offset)).max() < 0.5, "2 units within 8 frames"


def test_it_is_near_what_the_offline_path_makes() -> None:
    voice = vowel(3.0)
    made = fed(StreamConverter(WORLD, unchanged), voice, 1600)
    offline = WorldRenderer(WORLD).render(WORLD.analyze(voice)).samples
    first, second = WORLD.analyze(made), WORLD.analyze(offline)
    inner = slice(20, -20)
    both = (first.side.f0[inner] > 0) & (second.side.f0[inner] > 0)
    assert both.mean() > 0.9
    cents = 1200 * np.log2(first.side.f0[inner][both] / second.side.f0[inner][both])
    assert np.median(np.abs(cents)) < 5.0
    assert np.abs(first.features[1:, inner] - second.features[1:, inner]).mean() < 0.1
    assert abs(20 * np.log10(made.std() / offline.std())) < 1.0


def test_the_network_sees_windows_of_the_recording() -> None:
    """Always as long, beginning where the network's strides do, with the features of the whole recording."""
    windows: list[Encoded[VoiceSide]] = []
    voice, whole = vowel(3.0), WORLD.analyze(vowel(3.0)).features

    def keep(encoded: Encoded[VoiceSide]) -> Encoded[VoiceSide]:
        windows.append(encoded)
        return encoded

    fed(StreamConverter(WORLD, keep), voice, 800)
    assert {w.features.shape for w in windows} == {(WORLD.n_mcep, WINDOW_FRAMES)}
    assert {len(w.side.f0) for w in windows} == {WINDOW_FRAMES}
    for number in (10, 15, 20):
        settled = windows[number].features[:, :64]
        errors = [np.abs(whole[:, at : at + 64] - settled).mean() for at in range(whole.shape[1] - 64)]
        assert min(errors) < 0.02
        assert int(np.argmin(errors)) % GRID_FRAMES == 0


def test_digital_silence_stays_silence_and_costs_nothing() -> None:
    calls = []

    def count(encoded: Encoded[VoiceSide]) -> Encoded[VoiceSide]:
        calls.append(encoded)
        return encoded

    stream = StreamConverter(WORLD, count)
    assert not stream.push(np.zeros(16000)).any()
    assert not calls
    samples = np.concatenate([VOICE, np.zeros(16000, dtype=np.float32), VOICE])
    made = fed(stream, samples, 1600)
    offset = len(made) - len(samples)
    assert not made[offset + len(VOICE) : offset + len(VOICE) + 16000].any()
    assert np.abs(made[offset + len(VOICE) + 17000 :]).max() > 0.1
    assert np.isfinite(made).all()


def test_nothing_in_gives_nothing() -> None:
    stream = StreamConverter(WORLD, unchanged)
    assert len(stream.push(np.zeros(0))) == 0
    assert len(stream.finish()) == 0
    assert len(fed(StreamConverter(WORLD, unchanged), np.ones(1, dtype=np.float32), 1)) == 1


def test_cleared_it_begins_anew() -> None:
    stream = StreamConverter(WORLD, unchanged)
    first = fed(stream, VOICE, 1600)
    stream.clear()
    np.testing.assert_array_equal(fed(stream, VOICE, 1600), first)


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_at_another_rate_it_is_as_long_and_in_time(rate: int) -> None:
    voice = vowel(1.2, rate)
    stream = StreamAtRate(StreamConverter(WORLD, unchanged), rate)
    assert stream.latency <= 0.3
    made, at = [], 0
    while at < len(voice):
        made.append(stream.push(voice[at : at + 700]))
        at = min(len(voice), at + 700)
        assert at - sum(map(len, made)) <= stream.latency * rate + 10
    made.append(stream.finish())
    result = np.concatenate(made)
    assert len(result) == len(voice)
    loud = [np.convolve(np.abs(x[rate // 5 : -rate // 5]), np.ones(rate // 50), "valid") for x in (voice, result)]
    loud = [x - x.mean() for x in loud]
    lag = np.argmax(np.correlate(loud[0], loud[1], "same")) - len(loud[0]) // 2
    assert abs(lag) < 0.005 * rate, "syllables lie elsewhere"


def test_a_voice_at_22050_hz_has_frames_between_samples() -> None:
    voice = vowel(1.0, 22050)
    assert len(fed(StreamConverter(WorldAdapter(sample_rate=22050), unchanged), voice, 999)) == len(voice)


@pytest.mark.parametrize("block", [0.0, 0.01, 0.19, 5.0])
def test_blocks_that_cannot_be_are_refused(block: float) -> None:
    with pytest.raises(ConfigError, match="between 20 and 180 ms"):
        StreamConverter(WORLD, unchanged, block)
    with pytest.raises(ConfigError, match="frame_period"):
        StreamConverter(WorldAdapter(frame_period=1.0), unchanged)


def test_the_gain_follows_slowly_and_arrives() -> None:
    gain, speech, pause = RunningGain(0.1), np.full(10, 0.01), np.full(10, 1e-9)
    lines = [gain.follow(speech, speech / 4.0, 1600) for _ in range(300)]
    track = np.concatenate(lines)
    assert track[0] == pytest.approx(1.0, abs=1e-3)
    assert track[-1] == pytest.approx(2.0, rel=0.02)
    assert np.abs(np.diff(20 * np.log10(track))).max() * 16000 < 1.1 * RunningGain.DB_PER_SECOND
    before = gain.gain
    for _ in range(50):
        gain.follow(pause, speech, 1600)
    assert gain.gain == pytest.approx(before, rel=0.02), "pauses count for nothing"


@pytest.mark.parametrize("becomes", [1e-3, 30.0])
def test_one_bump_does_not_decide_the_gain(becomes: float) -> None:
    """Neither at the beginning, before anything is known of the voice, nor later."""
    speech, bump = np.full(10, 1e-5), np.full(2, 0.5)
    for bumps in ({0}, {200}):
        gain = RunningGain(0.1)
        for block in range(400):
            source, converted = speech.copy(), speech / 4.0
            if block in bumps:
                source[:2], converted[:2] = bump, becomes * bump
            gain.follow(source, converted, 1600)
            if block >= 60:
                assert gain.gain == pytest.approx(2.0, rel=0.2)
    assert gain.gain == pytest.approx(2.0, rel=0.02)


def test_an_offset_is_not_heard_at_any_rate() -> None:
    for rate in (8000, 16000, 44100):
        voice = vowel(0.8, rate)
        clean, moved = (fed(StreamAtRate(StreamConverter(WORLD, unchanged), rate), voice + offset, 999) for offset in (0.0, 0.25))
        np.testing.assert_allclose(moved, clean, atol=0.01 * np.abs(clean).max())
        assert not fed(StreamAtRate(StreamConverter(WORLD, unchanged), rate), np.full(rate, 0.25, np.float32), 999).any()
