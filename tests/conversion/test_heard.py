"""What is known of a source that nobody was trained on: chunk by chunk more of it, and each recording by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tiny_bundle import vowel

from audiocycle.conversion.heard import CHUNKS, Heard
from audiocycle.spec import ANYONE, Direction, Domain, Encoded, FloatArray, NoSide
from audiocycle.voice.content.adapter import USUAL, ContentAdapter

DIRECTION = Direction(ANYONE, Domain("anna"), np.ones((2, 1)))


class Means:
    """An adapter whose statistics are the mean of all that it is given."""

    def fit(self, items: Any) -> dict[str, FloatArray]:
        return {"mean": np.concatenate([item.features for item in items], axis=-1).mean(axis=-1)}


def chunk(value: float, frames: int = 2) -> Encoded[NoSide]:
    return Encoded(np.full((1, frames), value), NoSide())


def test_each_chunk_is_converted_by_what_was_heard_up_to_it() -> None:
    adapter: Any = Means()
    heard = Heard(adapter)
    means = [float(heard.direction(DIRECTION, chunk(value)).source.stats["mean"][0]) for value in range(CHUNKS)]
    assert means == [0.0, 0.5, 1.0, 1.5]
    assert float(heard.direction(DIRECTION, chunk(100.0)).source.stats["mean"][0]) == (1 + 2 + 3 + 100) / 4, "the first is forgotten"


def test_all_else_of_a_direction_stays() -> None:
    adapter: Any = Means()
    known = Heard(adapter).direction(DIRECTION, chunk(1.0))
    assert known == DIRECTION
    assert known.source.name == "anyone"
    assert known.target is DIRECTION.target
    assert known.output_deviation is DIRECTION.output_deviation
    assert DIRECTION.source.stats == {}


def test_the_statistics_are_those_of_the_voice() -> None:
    adapter = ContentAdapter()
    encoded = adapter.analyze(vowel(1.0, f0=210.0))
    stats = Heard(adapter).direction(DIRECTION, encoded).source.stats
    expected = adapter.fit([encoded])
    assert stats.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(stats[name], value)
    assert float(np.exp(stats["log_f0"][0])) == pytest.approx(210.0, rel=0.05)


@pytest.mark.parametrize("first", [np.zeros(8000, np.float32), np.full(8000, 1e-12, np.float32), vowel(0.5, level=1e-6)], ids=["zeros", "nearly", "very quiet"])
def test_silence_before_speech_does_no_harm(first: FloatArray) -> None:
    adapter = ContentAdapter()
    heard = Heard(adapter)
    for samples in (first, vowel(0.5)):
        encoded = adapter.analyze(samples)
        stats = heard.direction(DIRECTION, encoded).source.stats
        assert all(np.isfinite(value).all() for value in stats.values())
        assert np.isfinite(adapter.normalize(encoded.features, stats)).all()
    assert float(np.exp(stats["log_f0"][0])) == pytest.approx(155.0, rel=0.05)


def test_a_whisper_has_a_pitch_that_nothing_is_converted_with() -> None:
    adapter = ContentAdapter()
    encoded = adapter.analyze((0.1 * np.random.default_rng(3).standard_normal(300)).astype(np.float32))
    encoded.side.f0[:] = 0.0
    stats = Heard(adapter).direction(DIRECTION, encoded).source.stats
    np.testing.assert_allclose(stats["log_f0"], USUAL)
