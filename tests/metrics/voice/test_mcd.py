"""Mel-cepstral distortion: hand-computed values, properties, and the known values of VCC2016."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError, InputError
from audiocycle.metrics.voice import mcd
from audiocycle.metrics.voice.mcd import aligned_distortion, frame_distortion, mel_cepstral_distortion

DATA = Path(os.environ.get("AUDIOCYCLE_DATA", Path(__file__).parents[4] / "shared" / "data"))


def walk(n_frames: int, seed: int, order: int = 34) -> np.ndarray:
    """A mel-cepstrum that moves slowly, as speech does."""
    return np.cumsum(np.random.default_rng(seed).normal(scale=0.1, size=(n_frames, order + 1)), axis=0)


def every(mcep: np.ndarray) -> np.ndarray:
    return np.ones(len(mcep), bool)


def test_one_coefficient_off_by_one_is_6_14_db() -> None:
    other = np.zeros((1, 35))
    other[0, 3] = 1.0
    assert frame_distortion(np.zeros((1, 35)), other)[0] == pytest.approx(6.141851463713754)


@given(offset=st.floats(-3, 3), n_frames=st.integers(1, 20), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_constant_offset_gives_the_formula_on_equal_frames(offset: float, n_frames: int, seed: int) -> None:
    mcep = walk(1, seed).repeat(n_frames, axis=0)  # standing still: no alignment can make it cheaper
    result = aligned_distortion(mcep, mcep + offset, every(mcep), every(mcep))
    assert result.db == pytest.approx(10 / np.log(10) * np.sqrt(2 * 34 * offset**2), abs=1e-9)


@given(n_frames=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_zero_to_itself_even_with_another_gain(n_frames: int, seed: int) -> None:
    mcep = walk(n_frames, seed)
    louder = mcep + 2.0 * (np.arange(35) == 0)
    assert aligned_distortion(mcep, louder, every(mcep), every(mcep)).db == 0.0


@given(lengths=st.tuples(st.integers(1, 30), st.integers(1, 30)), seed=st.integers(0, 2**31))
@settings(max_examples=30)
def test_symmetric(lengths: tuple[int, int], seed: int) -> None:
    first, second = walk(lengths[0], seed), walk(lengths[1], seed + 1)
    there = aligned_distortion(first, second, every(first), every(second))
    back = aligned_distortion(second, first, every(second), every(first))
    assert there.db == pytest.approx(back.db)
    np.testing.assert_array_equal(there.path, back.path[:, ::-1])
    assert there.db == pytest.approx(there.frame_db.mean())


def test_path_indexes_whole_recordings_and_skips_quiet_frames() -> None:
    mcep = walk(30, 0)
    frames = every(mcep)
    frames[[0, 1, 2, 12, 29]] = False
    quiet_changed = np.where(frames[:, None], mcep, 99.0)
    result = aligned_distortion(mcep, quiet_changed, frames, frames)
    assert result.db == 0.0
    np.testing.assert_array_equal(result.path[:, 0], np.flatnonzero(frames))


def test_quiet_frames_of_an_envelope_do_not_count() -> None:
    sp = np.exp(np.random.default_rng(0).normal(size=(40, 129)))
    noisy = sp.copy()
    sp[:10] *= 1e-6
    noisy[:10] = 1e-6 * np.exp(np.random.default_rng(1).normal(size=(10, 129)))
    assert mel_cepstral_distortion(sp, noisy).db == 0.0
    assert mel_cepstral_distortion(sp, noisy, range_db=90.0).db > 0.0


def test_definition_states_the_defaults() -> None:
    assert f"order {mcd.ORDER}, alpha {mcd.ALPHA}" in mcd.DEFINITION
    assert f"within {mcd.RANGE_DB:.0f} dB" in mcd.DEFINITION


def test_user_errors_are_named() -> None:
    mcep = walk(3, 0)
    with pytest.raises(InputError, match="silent"):
        aligned_distortion(mcep, mcep, ~every(mcep), every(mcep))
    with pytest.raises(ConfigError, match="shape"):
        frame_distortion(mcep, mcep[:, :-1])


@pytest.mark.filterwarnings("ignore")  # pyworld 0.3.5 warns of pkg_resources
@pytest.mark.parametrize(
    ("source", "target", "known_db"),
    [("SF1", "TF2", 8.75), ("SF1", "TM3", 9.53), ("SM1", "TF2", 8.91), ("SM1", "TM3", 8.44)],
)
def test_unconverted_vcc2016_speakers_have_the_known_distance(
    source: str, target: str, known_db: float
) -> None:
    """Mean over the first 16 evaluation sentences."""
    pyworld, soundfile = pytest.importorskip("pyworld"), pytest.importorskip("soundfile")
    root = DATA / "voice" / "vcc2016" / "eval"
    if not root.is_dir():
        pytest.skip("VCC2016 not found: set AUDIOCYCLE_DATA")

    def envelope(path: Path) -> np.ndarray:
        samples, rate = soundfile.read(path)
        f0, times = pyworld.dio(samples, rate, frame_period=5.0)
        return pyworld.cheaptrick(samples, pyworld.stonemask(samples, f0, times, rate), times, rate)

    stems = sorted(p.name for p in (root / source).glob("*.flac"))[:16]
    distances = [
        mel_cepstral_distortion(envelope(root / target / s), envelope(root / source / s)).db for s in stems
    ]
    assert np.mean(distances) == pytest.approx(known_db, abs=0.02)
