"""The streaming synthesis beside pyworld's, and fed in pieces beside fed at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfiltfilt

from audiocycle.spec import FloatArray
from audiocycle.voice.pulse_synthesis import PulseSynthesizer, arcs, minimum_phase
from audiocycle.voice.world_adapter import pyworld

FFT = 1024


def frames(n_frames: int, unvoiced: slice = slice(0, 0), sample_rate: int = 16000) -> tuple[FloatArray, FloatArray, FloatArray]:
    """F0 that glides between 90 and 210 Hz, an envelope whose formants move, and almost no noise."""
    t = np.arange(n_frames) * 0.005
    f0 = 150.0 + 60.0 * np.sin(2 * np.pi * 0.9 * t)
    f0[unvoiced] = 0.0
    hertz = np.arange(FFT // 2 + 1) * sample_rate / FFT
    centre = 700.0 + 200.0 * np.sin(2 * np.pi * 1.3 * t)[:, None]
    envelope = 1e-3 / (1 + ((hertz - centre) / 150) ** 2) + 1e-4 / (1 + ((hertz - 2500) / 300) ** 2) + 1e-7
    return f0, envelope, np.full_like(envelope, 0.001)


def error_db(wanted: FloatArray, given_: FloatArray, low: float, sample_rate: int) -> float:
    """Energy of the difference above ``low`` Hz beside the wanted signal's."""
    sos = butter(4, low, "high", fs=sample_rate, output="sos")
    wanted, given_ = sosfiltfilt(sos, wanted), sosfiltfilt(sos, given_)
    return float(10 * np.log10(np.square(wanted - given_).sum() / np.square(wanted).sum()))


@pytest.mark.parametrize("sample_rate", [16000, 22050])
def test_pulses_are_pyworlds(sample_rate: int) -> None:
    f0, envelope, quiet = frames(300, sample_rate=sample_rate)
    wanted = pyworld.synthesize(f0, envelope, quiet, sample_rate, 5.0)
    made = PulseSynthesizer(sample_rate, 5.0, FFT).push(f0, envelope, quiet)
    late = np.concatenate([np.zeros(1), made[:-1]])
    end = len(wanted) - sample_rate // 20  # pyworld leaves the last pulse out
    wanted, made, late = wanted[:end], made[:end], late[:end]
    assert error_db(wanted, made, 60.0, sample_rate) < -35.0
    assert error_db(wanted, late, 60.0, sample_rate) > -15.0, "the measure does not see one sample of delay"


def test_noise_has_pyworlds_energy_in_every_band() -> None:
    f0, envelope, _ = frames(1200, unvoiced=slice(0, 1200))
    wanted = pyworld.synthesize(f0, envelope, np.ones_like(envelope), 16000, 5.0)
    made = PulseSynthesizer(16000, 5.0, FFT).push(f0, envelope, np.ones_like(envelope))
    wanted = wanted[: len(made)]
    hertz = np.fft.rfftfreq(len(made), 1 / 16000)
    for low, high in ((50, 300), (300, 800), (800, 1600), (1600, 3200), (3200, 8000)):
        energy, of_world = (np.square(np.abs(np.fft.rfft(x)[(hertz >= low) & (hertz < high)])).sum() for x in (made, wanted))
        assert abs(10 * np.log10(energy / of_world)) < 0.8, (low, high)


def test_a_voiced_frame_of_noise_has_no_pulse() -> None:
    f0, envelope, _ = frames(200)
    noise = np.ones_like(envelope)
    buzz, hiss = (PulseSynthesizer(16000, 5.0, FFT).push(f0, envelope, ap) for ap in (np.full_like(noise, 0.001), noise))
    peaky = [float(np.mean(x**4) / np.mean(x**2) ** 2) for x in (buzz, hiss)]
    assert peaky[0] > 5.0
    assert peaky[1] == pytest.approx(3.0, abs=0.6)  # of Gaussian noise


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.sampled_from([16000, 22050]))
def test_pieces_give_what_all_at_once_gives(sizes: list[int], sample_rate: int) -> None:
    total = sum(sizes)
    f0, envelope, aperiodicity = frames(total, slice(total // 3, total // 2), sample_rate)
    aperiodicity = aperiodicity + 0.3
    synthesizer, made, at = PulseSynthesizer(sample_rate, 5.0, FFT), [], 0
    for size in sizes:
        piece = slice(at, at + size)
        made.append(synthesizer.push(f0[piece], envelope[piece], aperiodicity[piece]))
        at += size
        assert sum(map(len, made)) == int((at - 1) * sample_rate * 0.005) + 1
    whole = PulseSynthesizer(sample_rate, 5.0, FFT).push(f0, envelope, aperiodicity)
    # Not less: a pulse that falls on a sample takes its envelope from there or from the sample before, as the last bit says.
    np.testing.assert_allclose(np.concatenate(made), whole, atol=2e-6)


def test_samples_depend_on_nothing_that_comes_later() -> None:
    f0, envelope, aperiodicity = frames(60)
    short = PulseSynthesizer(16000, 5.0, FFT).push(f0[:30], envelope[:30], aperiodicity[:30])
    f0[30:], envelope[30:] = 0.0, 1.0
    long = PulseSynthesizer(16000, 5.0, FFT).push(f0, envelope, aperiodicity)
    np.testing.assert_allclose(long[: len(short)], short, atol=1e-9)


def test_minimum_phase_of_one_pole() -> None:
    # 1 / (1 - 0.5 z^-1) is minimum-phase: its amplitude must give back its own phase.
    wanted = 1.0 / (1.0 - 0.5 * np.exp(-2j * np.pi * np.arange(129) / 256))
    np.testing.assert_allclose(minimum_phase(np.log(np.abs(wanted))[None])[0], wanted, atol=1e-10)


def test_a_train_of_arcs_is_a_constant() -> None:
    window = arcs(np.array([64.0]), 256)[0]
    train = np.convolve(np.tile([1.0] + [0.0] * 31, 20), window)[64:500]
    assert window.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(train, 1.0 / 32, rtol=1e-3)
