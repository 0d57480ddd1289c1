"""Resampling block by block, beside soxr's of the whole."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError
from audiocycle.spec import FloatArray
from audiocycle.voice.stream_resampler import StreamResampler

RATES = [(48000, 16000), (16000, 48000), (44100, 16000), (16000, 44100), (22050, 16000), (16000, 16000)]


def sweep(rate: int, seconds: float = 0.5) -> FloatArray:
    """From 50 Hz to 6 kHz."""
    hertz = np.linspace(50.0, 6000.0, round(rate * seconds))
    return np.asarray(0.5 * np.sin(2 * np.pi * np.cumsum(hertz) / rate), dtype=np.float32)


@pytest.mark.parametrize(("source", "target"), RATES)
def test_it_is_soxrs(source: int, target: int) -> None:
    x = sweep(source)
    stream = StreamResampler(source, target)
    made = np.concatenate([stream.push(x), stream.finish()])
    wanted = soxr.resample(x, source, target, quality="VHQ")
    assert len(made) == pytest.approx(len(x) * target / source, abs=1)
    inner = slice(300, min(len(made), len(wanted)) - 300)
    np.testing.assert_allclose(made[inner], wanted[inner], atol=3e-4)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 900), min_size=1, max_size=8), st.sampled_from(RATES))
def test_any_blocks_give_the_same_samples_in_time(sizes: list[int], rates: tuple[int, int]) -> None:
    x = sweep(rates[0])[: sum(sizes)]
    whole, pieces = StreamResampler(*rates), StreamResampler(*rates)
    made, at = [], 0
    for size in sizes:
        made.append(pieces.push(x[at : at + size]))
        at = min(len(x), at + size)
        assert at / rates[0] - sum(map(len, made)) / rates[1] <= pieces.delay + 1.0 / min(rates), "later than its delay"
    made.append(pieces.finish())
    np.testing.assert_array_equal(np.concatenate(made), np.concatenate([whole.push(x), whole.finish()]))


def test_what_the_lower_rate_cannot_hold_is_gone() -> None:
    x = np.sin(2 * np.pi * 9000.0 * np.arange(48000) / 48000)
    assert np.abs(StreamResampler(48000, 16000).push(x)[500:]).max() < 1e-4


def test_rates_without_a_ratio_are_refused() -> None:
    with pytest.raises(ConfigError, match="48000"):
        StreamResampler(44101, 16000)
