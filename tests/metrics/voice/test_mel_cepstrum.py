"""spectrum_to_mel_cepstrum: against SPTK, and against what the mathematics says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.errors import ConfigError
from audiocycle.metrics.voice.mel_cepstrum import spectrum_to_mel_cepstrum, warping_matrix


def smooth_envelope(n_frames: int, n_fft: int, seed: int = 0) -> np.ndarray:
    """Power envelopes with formant-like peaks over 60 dB, as WORLD gives them."""
    rng = np.random.default_rng(seed)
    cepstrum = rng.normal(size=(n_frames, 30)) / (1 + np.arange(30))
    basis = np.cos(np.outer(np.arange(30), np.linspace(0, np.pi, n_fft // 2 + 1)))
    return np.exp(2 * cepstrum @ basis - 8)


@pytest.mark.parametrize(("order", "alpha", "n_fft"), [(34, 0.41, 1024), (24, 0.455, 1024), (39, 0.0, 512)])
def test_equals_sptk(order: int, alpha: float, n_fft: int) -> None:
    pysptk = pytest.importorskip("pysptk")
    sp = smooth_envelope(20, n_fft)
    np.testing.assert_allclose(
        spectrum_to_mel_cepstrum(sp, order, alpha), pysptk.sp2mc(sp, order, alpha), atol=1e-6, rtol=0
    )


def test_warping_equals_the_freqt_recursion() -> None:
    """SPTK's freqt written out: the cepstrum enters from its last term, each pass warps once."""
    order, alpha = 12, 0.41
    cepstrum = np.random.default_rng(1).normal(size=40)
    warped = np.zeros(order + 1)
    for value in cepstrum[::-1]:
        previous = warped.copy()
        warped[0] = value + alpha * previous[0]
        warped[1] = (1 - alpha**2) * previous[0] + alpha * previous[1]
        for m in range(2, order + 1):
            warped[m] = previous[m - 1] + alpha * (previous[m] - warped[m - 1])
    np.testing.assert_allclose(cepstrum @ warping_matrix(40, order, alpha), warped, atol=1e-12)


def test_flat_spectrum_is_c0_alone() -> None:
    mcep = spectrum_to_mel_cepstrum(np.full((3, 513), np.e**2))
    np.testing.assert_allclose(mcep[:, 0], 1.0)  # ln amplitude
    np.testing.assert_allclose(mcep[:, 1:], 0.0, atol=1e-12)


def test_unwarped_cosine_is_one_coefficient() -> None:
    frequency = np.linspace(0, np.pi, 513)
    mcep = spectrum_to_mel_cepstrum(np.exp(2 * 0.7 * np.cos(5 * frequency))[None], order=10, alpha=0.0)
    np.testing.assert_allclose(mcep[0], 0.7 * (np.arange(11) == 5), atol=1e-12)


def test_mel_cepstrum_evaluates_to_the_envelope_on_the_warped_axis() -> None:
    sp, alpha = smooth_envelope(4, 1024), 0.41
    frequency = np.linspace(0, np.pi, 513)
    warped = frequency + 2 * np.arctan(alpha * np.sin(frequency) / (1 - alpha * np.cos(frequency)))
    mcep = spectrum_to_mel_cepstrum(sp, order=150, alpha=alpha)
    np.testing.assert_allclose(mcep @ np.cos(np.outer(np.arange(151), warped)), 0.5 * np.log(sp), atol=1e-6)


@given(gain_db=st.floats(-60, 60))
def test_gain_moves_c0_only(gain_db: float) -> None:
    sp = smooth_envelope(2, 256)
    moved = spectrum_to_mel_cepstrum(sp * 10 ** (gain_db / 10)) - spectrum_to_mel_cepstrum(sp)
    np.testing.assert_allclose(moved[:, 0], gain_db * np.log(10) / 20, atol=1e-9)
    np.testing.assert_allclose(moved[:, 1:], 0.0, atol=1e-9)


def test_digital_silence_is_finite_and_float32_is_taken() -> None:
    assert np.isfinite(spectrum_to_mel_cepstrum(np.zeros((2, 513), np.float32))).all()


@pytest.mark.parametrize(
    ("shape", "order", "alpha", "message"),
    [((513,), 34, 0.41, "shape"), ((2, 513), -1, 0.41, "order"), ((2, 513), 34, 1.0, "alpha")],
)
def test_impossible_arguments_are_named(
    shape: tuple[int, ...], order: int, alpha: float, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        spectrum_to_mel_cepstrum(np.ones(shape), order, alpha)
