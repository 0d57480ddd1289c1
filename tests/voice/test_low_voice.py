"""Voices below the usual floor keep their voicing; others keep the track that they had; hum is no voice."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_bundle import vowel

import audiocycle
from audiocycle.build import build_adapter
from audiocycle.bundles.format import read_config
from audiocycle.spec import Encoded, FloatArray, Signal
from audiocycle.voice import low_voice
from audiocycle.voice.low_voice import least_share, lower_floor, repeats
from audiocycle.voice.sides import RecordingSide
from audiocycle.voice.world_adapter import WorldAdapter, track_f0

PRETRAINED = Path(audiocycle.__file__).parent / "pretrained"
ADAPTER = WorldAdapter()
USUAL, LOW = replace(ADAPTER, low_voice=False), replace(ADAPTER, low_voice=True)
RATE = ADAPTER.sample_rate


def found(track: FloatArray, f0: float) -> float:
    """The share of frames that have the F0 of a :func:`tiny_bundle.vowel`, within a semitone."""
    truth = f0 * (1 + 0.15 * np.sin(2 * np.pi * 0.7 * 0.005 * np.arange(len(track))))
    return float((np.abs(12 * np.log2(np.maximum(track, 1.0) / truth)) < 1.0).mean())


@pytest.mark.parametrize("f0", [62.0, 66.0, 74.0])
def test_a_low_voice_keeps_its_voicing(f0: float) -> None:
    x = vowel(2.0, f0=f0)
    assert found(USUAL.f0_track(x.astype(np.float64))[0], f0) < 0.7, "or there is nothing to mend"
    encoded = ADAPTER.analyze(x, side=False)
    assert found(encoded.side.f0, f0) > 0.95
    assert encoded.side.f0_floor < 55
    assert found(track_f0(Signal(x, RATE)), f0) > 0.95


@pytest.mark.parametrize("f0", [90.0, 110.0, 140.0, 210.0, 300.0])
def test_other_voices_keep_the_track_that_they_had(f0: float) -> None:
    x = vowel(2.0, f0=f0).astype(np.float64)
    track, _, floor = ADAPTER.searched_f0(x)
    assert floor == ADAPTER.f0_floor
    np.testing.assert_array_equal(track, USUAL.f0_track(x)[0])


@pytest.mark.parametrize("hertz", [50.0, 60.0])
def test_hum_is_no_voice(hertz: float) -> None:
    """In pauses, and beside a voice; also for a speaker who is known to be low."""
    pause = 0.0005 * np.random.default_rng(0).normal(size=RATE)
    x = np.concatenate([pause, vowel(2.0, f0=100.0), pause])
    hum = x + 0.004 * np.sin(2 * np.pi * hertz * np.arange(len(x)) / RATE)
    plain, _, _ = replace(USUAL, f0_floor=50.0 * 0.9).searched_f0(hum)
    assert ((plain > 0) & (plain < 71)).mean() > 0.2, "or the hum is not heard at all"
    track, _, floor = ADAPTER.searched_f0(hum)
    assert floor == ADAPTER.f0_floor
    assert not ((track > 0) & (track < 71)).any()
    low = LOW.f0_track(hum)[0]
    assert ((low > 0) & (low < 71)).mean() < 0.02


def test_the_floor_of_a_speaker_is_that_of_most_of_the_voice() -> None:
    deep, other = (ADAPTER.analyze(vowel(1.0, f0=f0), side=False) for f0 in (64.0, 110.0))
    for items, low in (([deep], True), ([other], False), ([deep, deep, other], True), ([other, other, deep], False)):
        stats = ADAPTER.fit(items)
        assert (stats["f0_floor"][0] < 71.0) == low
        assert ADAPTER.for_voice(stats).low_voice is low, "known from training, and not searched for twice"
        assert USUAL.for_voice(stats) is USUAL, "what a configuration says holds"
    old = {name: array for name, array in ADAPTER.fit([deep]).items() if name != "f0_floor"}
    assert ADAPTER.for_voice(old) is ADAPTER


@pytest.mark.parametrize("usual", [71.1, 50.3, 60.7])
def test_a_floor_that_float32_rounds_makes_no_voice_low(usual: float) -> None:
    adapter = replace(ADAPTER, f0_floor=usual)
    item = adapter.analyze(vowel(1.0, f0=140.0), side=False)
    stats = adapter.fit([item, Encoded(item.features, RecordingSide(f0=item.side.f0, f0_floor=np.float32(usual)))])
    assert stats["f0_floor"][0] == pytest.approx(usual)
    assert adapter.for_voice(stats).low_voice is False


def test_a_file_of_a_speaker_who_is_not_low_is_analysed_as_a_stream_is() -> None:
    """Also where this recording alone would be taken for a low voice's."""
    deep, stats = vowel(2.0, f0=62.0), ADAPTER.fit([ADAPTER.analyze(vowel(1.0, f0=110.0), side=False)])
    assert ADAPTER.analyze(deep, side=False).side.f0_floor < 55
    encoded = ADAPTER.for_voice(stats).analyze(deep, side=False)
    assert encoded.side.f0_floor == ADAPTER.f0_floor
    np.testing.assert_array_equal(encoded.side.f0, USUAL.f0_track(deep.astype(np.float64))[0])


@pytest.mark.parametrize("name", ["libri-40-78", "rendered-voices"])
def test_the_bundled_models_know_that_their_voices_are_not_low(name: str) -> None:
    """Or each recording would be searched twice."""
    config = read_config(PRETRAINED / name)
    adapter = build_adapter(config.adapter)
    assert [adapter.for_voice(config.domain(each).stats).low_voice for each in config.domains] == [False, False]


def test_a_foreign_floor_never_reaches_world() -> None:
    stats = ADAPTER.fit([ADAPTER.analyze(vowel(0.5), side=False)]) | {"f0_floor": np.array([1e-6], np.float32)}
    assert ADAPTER.for_voice(stats) == LOW
    assert lower_floor(71.0) == pytest.approx(50.2, abs=0.01)
    assert lower_floor(50.0) == 47.0
    assert lower_floor(47.0) is None
    assert lower_floor(40.0) is None


def test_statistics_of_tracks_without_a_floor_have_the_usual_one() -> None:
    item = Encoded(np.zeros((36, 20), np.float32), RecordingSide(f0=np.full(20, 100.0)))
    assert ADAPTER.fit([item])["f0_floor"].tolist() == [71.0]


@pytest.mark.parametrize("sample_rate", [16000, 22050, 24000, 48000])
def test_the_envelope_of_a_low_voice_follows_its_own_pitch(sample_rate: int) -> None:
    """Whatever FFT belongs to the usual floor: CheapTrick takes what does not fit into it for a voice of 500 Hz."""
    adapter = replace(LOW, sample_rate=sample_rate)
    x = vowel(0.8, sample_rate, f0=58.0).astype(np.float64)
    f0, times = adapter.f0_track(x)
    deep = replace(adapter, f0_floor=40.0)
    made, wanted = adapter.power_envelope(x, f0, times), deep.power_envelope(x, f0, times)
    assert made.shape == (len(f0), adapter.fft_size // 2 + 1)
    step = (wanted.shape[1] - 1) // (made.shape[1] - 1)
    decibels = 10 * np.log10(made / wanted[:, ::step])[f0 > 0]
    assert np.sqrt(np.square(decibels).mean()) < 0.5


@pytest.mark.parametrize(("period", "believed"), [(200, True), (100, False), (400, False), (130, False)])
def test_what_repeats_with_the_period_and_not_with_its_half(period: int, believed: bool) -> None:
    x = np.zeros(4000)
    x[::200] = 1.0
    x = np.convolve(x, np.exp(-np.arange(60) / 10.0) * np.cos(np.arange(60)))[:4000]
    assert repeats(x, 2000, period) == believed
    assert not repeats(np.zeros(4000), 2000, period)
    assert not repeats(x[:100], 50, period)


def test_who_is_asked() -> None:
    assert least_share(np.zeros(9), 71.0) == least_share(np.full(9, 80.0), 71.0) == 0.08
    assert least_share(np.full(9, 130.0), 71.0) == least_share(np.full(9, 700.0), 71.0) == 0.3
    assert least_share(np.full(9, 200.0), 71.0) is None


def believed(x: FloatArray) -> low_voice.Believed:
    low, times, _ = LOW.searched_f0(x)
    return low_voice.Believed(x, RATE, low, times, ADAPTER.f0_floor)


@pytest.mark.parametrize("seconds", [2.0, 2.5, 4.9])
def test_a_recording_is_looked_at_in_pieces_as_it_would_be_as_a_whole(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    x = np.concatenate([0.001 * np.random.default_rng(0).normal(size=RATE), vowel(4.0, f0=64.0), vowel(5.0, f0=120.0)])
    whole = believed(x)
    assert whole.voice.sum() > 400
    monkeypatch.setattr(low_voice, "PIECE_SECONDS", seconds)
    pieces = believed(x)
    for name in ("low", "voice", "loud"):
        assert np.mean(getattr(pieces, name) != getattr(whole, name)) < 0.003, "but for rounding"


def test_memory_does_not_grow_with_the_recording() -> None:
    minute = np.tile(vowel(1.0, f0=64.0).astype(np.float64), 60)
    peaks = []
    for x in (minute, np.tile(minute, 5)):
        times = np.arange(0, len(x) / RATE, 0.1)
        tracemalloc.start()
        found = low_voice.Believed(x, RATE, np.full(len(times), 64.0), times, ADAPTER.f0_floor)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.voice.any()
    assert peaks[1] < 1.3 * peaks[0]
