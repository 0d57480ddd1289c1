"""MCD of WORLD's own coefficients: decibels worked out on the mel axis, without the coefficients."""

import numpy as np
import pytest

from audiocycle.errors import ConfigError
from audiocycle.metrics.voice import mcd
from audiocycle.metrics.voice.mcd import coded_distortion, mel_cepstral_distortion
from audiocycle.system.compat import import_pyworld

N_BINS, RATE = 513, 16000


def mel(hertz: np.ndarray | float) -> np.ndarray:
    return np.asarray(1127.01048 * np.log(1 + np.asarray(hertz) / 700.0))


def mel_place() -> np.ndarray:
    """Of each bin on WORLD's axis: 0 at 40 Hz, 1 at the Nyquist frequency."""
    hertz = np.linspace(0, RATE / 2, N_BINS)
    return (mel(hertz) - mel(40.0)) / (mel(RATE / 2) - mel(40.0))


def coded(log_power: np.ndarray, dimensions: int = 36) -> np.ndarray:
    pyworld = import_pyworld()
    return np.asarray(pyworld.code_spectral_envelope(np.ascontiguousarray(np.exp(log_power)), RATE, dimensions))


def distance(first: np.ndarray, second: np.ndarray, dimensions: int = 36) -> float:
    every = np.ones(len(first), bool)
    return coded_distortion(coded(first, dimensions), coded(second, dimensions), every, every).db


def test_a_ripple_counts_its_root_mean_square_in_db() -> None:
    ripple = np.cos(np.pi * 5 * mel_place())[None]  # of 1 Np of power: 4.34 dB up and down
    assert distance(np.zeros((1, N_BINS)), ripple) == pytest.approx(10 / np.log(10) / np.sqrt(2), rel=1e-3)


def test_with_enough_coefficients_it_is_the_rms_difference_along_the_mel_axis() -> None:
    knots = np.random.default_rng(0).normal(size=20)
    log_power = np.interp(mel_place(), np.linspace(0, 1, 20), knots)[None]
    on_axis = np.interp(np.arange(512) / 512, mel_place(), 10 / np.log(10) * log_power[0])  # WORLD's points
    # The mean is left out as d_0 is.
    assert distance(np.zeros((1, N_BINS)), log_power, 200) == pytest.approx(on_axis.std(), rel=3e-3)


def test_gain_does_not_count_and_alignment_does() -> None:
    moving = np.cumsum(np.random.default_rng(1).normal(scale=0.2, size=(30, N_BINS)), axis=1)
    assert distance(moving, moving + 3.0) == pytest.approx(0.0, abs=1e-9)
    slower = coded(moving).repeat(2, axis=0)
    result = coded_distortion(coded(moving), slower, np.ones(30, bool), np.ones(60, bool))
    assert result.db == 0.0
    assert len(result.path) == 60


def test_near_the_sptk_one_for_smooth_envelopes() -> None:
    """Two axes bent alike and the same decibels: within a tenth, which a wrong factor of sqrt(2) is not."""
    knots = np.random.default_rng(2).normal(size=(2, 40, 12))
    place = np.linspace(0, 11, N_BINS)
    first, second = ([np.interp(place, np.arange(12), row) for row in rows] for rows in knots)
    one, other = np.array(first), np.array(second)
    sptk = mel_cepstral_distortion(np.exp(one), np.exp(other)).db
    assert distance(one, other) == pytest.approx(sptk, rel=0.1)


def test_the_definition_tells_them_apart() -> None:
    assert "WORLD-coded" in mcd.CODED_DEFINITION
    assert "SPTK mel-cepstrum" in mcd.DEFINITION
    with pytest.raises(ConfigError, match="one D"):
        coded_distortion(np.zeros((2, 36)), np.zeros((2, 24)), np.ones(2, bool), np.ones(2, bool))
