"""Two groups of parts of one recording: how far apart they are, beyond chance."""

from __future__ import annotations

import numpy as np
import pytest

from audiocycle.spec import Encoded, FloatArray
from audiocycle.voice.content.adapter import ContentAdapter
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.turns import APART, DEVIATIONS, ROWS, VOICED_SECONDS, Turns, distance

ADAPTER = ContentAdapter()
FRAMES = round(VOICED_SECONDS * ADAPTER.spec.frame_rate)


def chunk(parts: FloatArray) -> Encoded[VoiceSide]:
    """Frames whose parts have these means, (N, ROWS) in deviations: of coefficients 1 ..., and log F0 about that of 150 Hz."""
    frames = np.repeat(parts * DEVIATIONS, FRAMES, axis=0)
    features = np.zeros((ADAPTER.spec.shape[0], len(frames)), np.float32)
    features[0], features[1:ROWS] = -8.0, frames[:, :-1].T
    return Encoded(features, VoiceSide(f0=150.0 * np.exp(frames[:, -1])))


def people(apart: float, first: int, second: int) -> FloatArray:
    """Parts of two people, by chance as far from their means as is usual; the second's pitch is higher."""
    parts = np.random.default_rng(0).normal(size=(first + second, ROWS))
    parts[first:] += apart / np.sqrt(ROWS)
    return parts


@pytest.mark.parametrize(("first", "second"), [(2, 2), (20, 3), (6, 6)])
def test_two_are_told_with_their_registers(first: int, second: int) -> None:
    parts = people(1.5 * APART, first, second)
    turns = Turns(ADAPTER)
    turns.add(chunk(parts))
    found = turns.registers()
    assert found is not None
    expected = [150.0 * np.exp(DEVIATIONS[-1] * side[:, -1].mean()) for side in (parts[first:], parts[:first])]
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize("n", [1, 3, 4, 8, 40])
def test_one_is_not(n: int) -> None:
    turns = Turns(ADAPTER)
    turns.add(chunk(people(0.0, n, 0)))
    assert turns.registers() is None


def test_chunks_do_not_matter() -> None:
    whole, cut = Turns(ADAPTER), Turns(ADAPTER)
    encoded = chunk(people(1.5 * APART, 4, 4))
    whole.add(encoded)
    for begin, end in ((0, 500), (500, 501), (501, 3000), (3000, 3200)):
        f0 = encoded.side.f0
        assert f0 is not None
        cut.add(Encoded(encoded.features[:, begin:end], VoiceSide(f0=f0[begin:end])))
    np.testing.assert_allclose(cut.parts, whole.parts)


def test_distance_is_that_of_the_means_without_chance() -> None:
    group = np.arange(400) < 100
    random = np.random.default_rng(0)
    for apart in (0.0, 12.0):
        found = []
        for _ in range(20):
            points = random.normal(size=(400, ROWS))
            points[group, 0] += apart
            found.append(distance(points, group) ** 2)
        assert np.mean(found) == pytest.approx(apart**2, rel=0.05, abs=0.5)


def test_other_features_are_not_asked() -> None:
    turns = Turns(ContentAdapter(sample_rate=24000))
    turns.add(chunk(people(3 * APART, 5, 5)))
    assert turns.registers() is None
