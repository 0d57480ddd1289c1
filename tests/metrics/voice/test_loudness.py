"""Loudness against what BS.1770 and EBU Tech 3341 demand: their table of coefficients, sines, gates."""

import numpy as np
import pytest

from audiocycle.errors import ConfigError
from audiocycle.metrics.voice.loudness import integrated_loudness, k_weighting, loudness_difference


def sine(dbfs: float, seconds: float, sample_rate: int = 48000, hertz: float = 997.0) -> np.ndarray:
    return 10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * np.arange(int(seconds * sample_rate)) / sample_rate)


def test_filters_are_those_of_the_recommendation() -> None:
    table = [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
    np.testing.assert_allclose(k_weighting(48000), table, atol=2e-7)


@pytest.mark.parametrize(("sample_rate", "tolerance"), [(48000, 0.001), (44100, 0.01), (22050, 0.05), (16000, 0.05)])
def test_full_scale_sine_of_997_hz_is_minus_3_01(sample_rate: int, tolerance: float) -> None:
    assert integrated_loudness(sine(0.0, 5.0, sample_rate), sample_rate) == pytest.approx(-3.01, abs=tolerance)


def test_low_frequencies_weigh_little() -> None:
    # The low cut lets 20 Hz through with w^2 / |w0^2 - w^2 + j w w0 / Q|; the table's (1, -2, 1) leaves out a division.
    ratio, q, k = 20.0 / 38.13547087602444, 0.5003270373238773, np.tan(np.pi * 38.13547087602444 / 48000)
    gain = ratio**2 / abs(1 - ratio**2 + 1j * ratio / q) * (1 + k / q + k * k)
    expected = -0.691 - 3.0103 + 20 * np.log10(gain)
    assert integrated_loudness(sine(0.0, 20.0, hertz=20.0), 48000) == pytest.approx(expected, abs=0.02)


def test_pauses_and_quiet_passages_do_not_count() -> None:
    """As in EBU Tech 3341, case 3: only the passage in the middle is above the relative gate."""
    loud = sine(-20.0, 30.0)
    gated = np.concatenate([sine(-36.0, 10.0), loud, np.zeros(480000), sine(-36.0, 10.0)])
    assert integrated_loudness(gated, 48000) == pytest.approx(-23.01, abs=0.1)
    between = np.concatenate([sine(-26.0, 30.0), loud])  # 6 dB below: counts, as energy does
    mean = 10 * np.log10((10**-2.6 + 10**-2.0) / 2)
    assert integrated_loudness(between, 48000) == pytest.approx(mean - 3.01, abs=0.05)


def test_difference_is_the_gain_in_db() -> None:
    speech = np.random.default_rng(0).normal(scale=0.05, size=32000) * np.repeat([1.0, 0.1, 0.0, 0.7], 8000)
    assert loudness_difference(speech, 0.5 * speech, 16000) == pytest.approx(-6.0206, abs=1e-3)
    assert loudness_difference(speech, speech, 16000) == 0.0


def test_silence_has_no_loudness_and_short_recordings_are_padded() -> None:
    assert integrated_loudness(np.zeros(16000), 16000) == -np.inf
    assert integrated_loudness(np.zeros(0), 16000) == -np.inf
    assert integrated_loudness(1e-5 * sine(0, 1.0), 48000) == -np.inf  # -103 dB: below the absolute gate
    assert np.isnan(loudness_difference(sine(0, 1.0), np.zeros(48000), 48000))
    half_a_block = integrated_loudness(sine(0.0, 0.2), 48000)
    assert half_a_block == pytest.approx(-6.02, abs=0.1)
    with pytest.raises(ConfigError, match="mono"):
        integrated_loudness(np.zeros((100, 2)), 16000)
