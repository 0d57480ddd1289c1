"""Live conversion as the modality opens it: which adapter, tried out, and norms that listen to speech."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tiny_bundle import vowel

from audiocycle.errors import ConfigError
from audiocycle.modality import Norms, Stream
from audiocycle.spec import Direction, Domain, Encoded, FloatArray, Translation
from audiocycle.voice.ear import Ear
from audiocycle.voice.live import LEAST_WEIGHT, WHOLE_SHARE, LiveTranslation
from audiocycle.voice.modality import VoiceModality
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.stream import StreamAtRate
from audiocycle.voice.world_adapter import CompletingAdapter, WorldAdapter

WORLD = WorldAdapter(f0_method="harvest")
ANNA, BEN = (Domain(name, replace(WORLD, f0_method="dio").fit([WORLD.analyze(vowel(0.5, f0=f0))])) for name, f0 in (("anna", 210.0), ("ben", 120.0)))


class Memory:
    """Norms of a network, with the weights of the windows that it saw."""

    def __init__(self) -> None:
        self.weight, self.forgotten = 1.0, 0

    def forget(self) -> None:
        self.forgotten += 1


class Network:
    """Gives back what it sees."""

    def __init__(self) -> None:
        self.windows = 0

    def __call__(self, encoded: Encoded[VoiceSide]) -> Encoded[VoiceSide]:
        self.windows += 1
        return encoded

    def translation(self, source: Domain = ANNA) -> Translation:
        return Translation(self, Direction(source, BEN))


def opened(network: Network, norms: Norms, source: Domain = ANNA, **settings: Any) -> StreamAtRate:
    given: dict[str, Any] = {"sample_rate": None, "block_seconds": 0.1, "band_limit": None} | settings
    stream = VoiceModality(WORLD).stream(network.translation(source), norms, **given)
    assert stream is not None
    return stream


def test_it_is_tried_out_and_begins_anew() -> None:
    network, norms = Network(), Memory()
    stream: Stream = opened(network, norms)
    assert network.windows >= 10, "a second of noise"
    assert norms.forgotten == 2, "before the trial, and behind it"
    assert (stream.sample_rate, stream.block) == (16000, 1600)
    voice = vowel(1.0)
    first = np.concatenate([stream.push(voice), stream.finish()])
    again = opened(Network(), Memory())
    np.testing.assert_array_equal(np.concatenate([again.push(voice), again.finish()]), first)


def test_the_analysis_is_quick_and_asks_the_statistics_how_low_the_voice_is() -> None:
    adapter = opened(Network(), Memory()).inner.adapter
    assert (adapter.f0_method, adapter.low_voice) == ("dio", False)
    low = Domain("anna", {**ANNA.stats, "f0_floor": np.array([50.0], np.float32)})
    assert opened(Network(), Memory(), low).inner.adapter.low_voice is True


@pytest.mark.parametrize(("rate", "limit", "filled"), [(8000, None, True), (16000, None, False), (44100, None, False), (48000, 3800.0, True)])
def test_a_missing_band_is_filled(rate: int, limit: float | None, filled: bool) -> None:
    stream = opened(Network(), Memory(), sample_rate=rate, band_limit=limit)
    assert isinstance(stream.inner.adapter, CompletingAdapter) == filled


@pytest.mark.parametrize("rate", [0, 300, 999, 2_000_000])
def test_a_stream_has_a_rate_of_sound(rate: int) -> None:
    with pytest.raises(ConfigError, match=rf"^rate={rate}: choose between 1000 and 1000000 Hz$"):
        opened(Network(), Memory(), sample_rate=rate)


@pytest.mark.parametrize("seconds", [0.0, 0.5, float("nan")])
def test_a_stream_has_blocks_of_a_length(seconds: float) -> None:
    with pytest.raises(ConfigError, match=rf"^block={1000 * seconds:g}: choose between 20 and 180 ms$"):
        opened(Network(), Memory(), block_seconds=seconds)


def window(levels: FloatArray) -> Encoded[VoiceSide]:
    features = np.zeros((36, len(levels)), dtype=np.float32)
    features[0] = levels
    return Encoded(features, VoiceSide(f0=np.zeros(len(levels))))


def test_norms_remember_speech_rather_than_pauses() -> None:
    norms = Memory()
    live = LiveTranslation(Network().translation(), norms, 0.1, Ear())
    for level, frames, weight in ((-9.0, 128, 1.0), (-40.0, 128, LEAST_WEIGHT), (-10.0, 128, 1.0), (-10.0, 16, 0.125 / WHOLE_SHARE)):
        live(window(np.where(np.arange(128) < frames, level, -40.0)))
        assert norms.weight == pytest.approx(weight)
    live.clear()
    for level in (-9.0, *[-19.0] * 30):  # 43 dB softer: a bump is no measure of what follows
        live(window(np.full(128, level)))
    assert norms.weight == pytest.approx(1.0)


def test_a_source_that_nobody_knows_is_told_by_the_ear() -> None:
    told: list[Any] = []

    def knowing(encoded: Encoded[VoiceSide], stats: Any) -> Encoded[VoiceSide]:
        told.append(stats)
        return encoded

    ear, network = Ear(), Network()
    live = LiveTranslation(replace(network.translation(), knowing=knowing), Memory(), 0.1, ear)
    live(window(np.full(128, -9.0)))
    assert (network.windows, told) == (1, []), "nothing was heard yet"
    ear.stats = ANNA.stats
    live(window(np.full(128, -9.0)))
    assert (network.windows, told) == (1, [ANNA.stats])
