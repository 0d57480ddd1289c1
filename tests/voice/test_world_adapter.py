"""WORLD analysis against pyworld itself, statistics of speech, transfer to another voice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny_bundle import vowel

from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import Encoded, FloatArray, Signal, Stats
from audiocycle.system import threads
from audiocycle.system.limits import hold_statistics
from audiocycle.voice import world_adapter
from audiocycle.voice.liveliness import log_power
from audiocycle.voice.options import VoiceOptions
from audiocycle.voice.world_adapter import GATE_DB, WorldAdapter, pyworld, speech_frames, track_f0

ADAPTER = WorldAdapter()
RATE = ADAPTER.sample_rate


def stats(log_f0: tuple[float, float]) -> Stats:
    return {
        "mean": np.zeros((36, 1), dtype=np.float32),
        "std": np.ones((36, 1), dtype=np.float32),
        "log_f0": np.array(log_f0, dtype=np.float32),
    }


@settings(max_examples=20, deadline=None)
@given(n_samples=st.integers(5000, 40000), sample_rate=st.sampled_from([16000, 22050, 48000]), period=st.sampled_from([5.0, 4.0, 5.8]))
@example(n_samples=16080, sample_rate=16000, period=5.0)  # n / 16000 * 1000 / 5 falls just short of a whole number
@example(n_samples=32480, sample_rate=16000, period=5.0)
@example(n_samples=88641, sample_rate=22050, period=5.0)
def test_frames_is_how_many_frames_world_makes(n_samples: int, sample_rate: int, period: float) -> None:
    adapter = WorldAdapter(sample_rate=sample_rate, frame_period=period)
    _, times = pyworld.dio(np.zeros(n_samples), sample_rate, frame_period=period)
    assert adapter.frames(n_samples) == len(times)


@pytest.mark.parametrize(
    ("n_samples", "method"),
    [(n, "dio") for n in (1, 2, 79, 80, 81, 500, 4095, 4096, 4097, 16080)] + [(1, "harvest"), (500, "harvest")],
)
def test_every_length_has_frames(n_samples: int, method: str) -> None:
    adapter = replace(ADAPTER, f0_method=method)
    n_frames = adapter.frames(n_samples)
    encoded = adapter.analyze(vowel(1.5)[4000 : 4000 + n_samples])
    assert encoded.features.shape == (36, n_frames)
    assert encoded.features.dtype == np.float32
    assert encoded.side["f0"].shape == (n_frames,)
    assert encoded.side["ap"].shape == (n_frames, adapter.fft_size // 2 + 1)
    assert encoded.side["n_samples"] == len(encoded.side["samples"]) == n_samples
    assert np.isfinite(encoded.features).all()


@pytest.mark.parametrize("sample_rate", [16000, 22050, 44100])
def test_features_are_pyworlds(sample_rate: int) -> None:
    samples = vowel(0.6, sample_rate)
    adapter = WorldAdapter(sample_rate=sample_rate, n_mcep=24)
    x = samples.astype(np.float64)
    raw, times = pyworld.dio(x, sample_rate)
    f0 = pyworld.stonemask(x, raw, times, sample_rate)
    sp = pyworld.cheaptrick(x, f0, times, sample_rate)
    encoded = adapter.analyze(samples)
    np.testing.assert_allclose(encoded.side["f0"], f0)
    borders = (f0 > 0) & ((np.roll(f0, 1) == 0) | (np.roll(f0, -1) == 0))  # of voiced stretches: no frame beside to take it from
    full = pyworld.d4c(x, f0, times, sample_rate)
    np.testing.assert_allclose(20 * np.log10(encoded.side["ap"] / full)[(f0 == 0) | borders], 0.0, atol=0.3)  # WORLD adds its own noise
    np.testing.assert_allclose(encoded.features, pyworld.code_spectral_envelope(sp, sample_rate, 24).T, atol=1e-5)


def speech_like(seconds: float) -> FloatArray:
    """Vowels with some breath in them, and a hiss after each."""
    random = np.random.default_rng(0)
    sounds = [random.normal(scale=1e-3, size=round(seconds * RATE))]
    while sum(map(len, sounds[1:])) < len(sounds[0]):
        sounds += [vowel(0.5, f0=random.uniform(90, 250)), random.normal(scale=0.003, size=round(random.uniform(0.05, 0.3) * RATE))]
    return sounds[0] + np.concatenate(sounds[1:])[: len(sounds[0])]


@pytest.mark.parametrize("method", ["dio", "harvest"])
def test_pieces_are_analysed_as_the_whole(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    samples, adapter = speech_like(9.0 if method == "dio" else 4.0), replace(ADAPTER, f0_method=method)
    if method == "harvest":
        monkeypatch.setattr(world_adapter, "F0_SECONDS", 2.0)
    pieces = adapter.analyze(samples)
    monkeypatch.setattr(world_adapter, "F0_SECONDS", 1e6)
    monkeypatch.setattr(world_adapter, "BLOCK_FRAMES", 10**6)
    whole = adapter.analyze(samples)
    voiced = [each.side["f0"] > 0 for each in (pieces, whole)]
    assert 0.3 < voiced[0].mean() < 0.95
    assert (voiced[0] != voiced[1]).sum() <= 2
    both = voiced[0] & voiced[1]
    np.testing.assert_allclose(pieces.side["f0"][both], whole.side["f0"][both], rtol=1e-3)
    alike = voiced[0] == voiced[1]
    np.testing.assert_allclose(pieces.features[:, alike], whole.features[:, alike], atol=2e-3)
    coded = [20 * np.log10(each.side["ap"][alike, 192]) for each in (pieces, whole)]  # dB at 3 kHz
    assert np.sqrt(np.square(coded[0] - coded[1]).mean()) < 1.0


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    samples, made = speech_like(8.0), []
    for count in (1, 2, 5):
        monkeypatch.setattr(threads, "_limit", count)
        made.append(ADAPTER.analyze(samples))
    for other in made[1:]:
        np.testing.assert_array_equal(other.features, made[0].features)
        for name in ("f0", "ap"):
            np.testing.assert_array_equal(other.side[name], made[0].side[name])


def test_aperiodicity_of_every_second_frame_is_the_whole_ones() -> None:
    x = speech_like(3.0)
    f0, times = ADAPTER.f0_track(x)
    made, full = ADAPTER.aperiodicity(x, f0, times), pyworld.d4c(x, f0, times, RATE, fft_size=ADAPTER.fft_size)
    assert ((made[:, 0] > 0.5) == (full[:, 0] > 0.5)).mean() > 0.99  # noise is noise, never half
    assert ((made[:, 0] > 0.99) | (made[:, 0] < 0.0011)).all()
    difference = 20 * np.log10(made[:, 192] / full[:, 192])
    assert np.sqrt(np.square(difference).mean()) < 4.0
    assert (np.abs(difference) < 0.01).mean() > 0.5


@settings(max_examples=30, deadline=None)
@given(voiced=st.lists(st.booleans(), min_size=1, max_size=30))
def test_aperiodicity_is_shared_only_between_voiced_frames(voiced: list[bool]) -> None:
    """D4C is replaced by the frame's number, so that what comes from which frame can be seen."""
    asked: list[int] = []

    def d4c(x: FloatArray, f0: FloatArray, times: FloatArray, rate: int, fft_size: int) -> FloatArray:
        asked.extend(map(int, times))
        level = np.where(f0 > 0, 1e-3 * 1.01**times, 1.0)
        return np.repeat(level[:, None], fft_size // 2 + 1, axis=1)

    f0, times = np.where(voiced, 100.0, 0.0), np.arange(len(voiced)).astype(float)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyworld, "d4c", d4c)
        made = ADAPTER.aperiodicity(np.zeros(1), f0, times)
    np.testing.assert_allclose(made[:, 7], np.where(voiced, 1e-3 * 1.01**times, 1.0))  # a geometric series is its own mean
    for frame in set(range(len(voiced))) - set(asked):
        assert voiced[frame - 1 : frame + 2] == [True] * 3
    if all(voiced) and len(voiced) > 2:
        assert len(asked) == len(voiced) // 2 + 1


def test_training_features_are_the_same_without_what_only_rendering_needs() -> None:
    whole, lean = ADAPTER.analyze(vowel(0.5)), ADAPTER.analyze(vowel(0.5), side=False)
    np.testing.assert_array_equal(whole.features, lean.features)
    assert set(lean.side) == {"f0", "f0_floor", "n_samples"}


@pytest.mark.parametrize("samples", [np.zeros(8000), np.full(8000, 0.5), 0.1 * np.random.default_rng(0).normal(size=8000)])
def test_sound_without_voice_is_analysed_too(samples: np.ndarray) -> None:
    encoded = ADAPTER.analyze(samples)
    assert np.isfinite(encoded.features).all()
    assert np.isfinite(encoded.side["ap"]).all()


@pytest.mark.parametrize("method", ["dio", "harvest"])
def test_f0_is_found_within_a_few_cents(method: str) -> None:
    t = np.arange(RATE // 2) / RATE
    samples = sum(0.1 / k * np.sin(2 * np.pi * 150 * k * t) for k in range(1, 20))
    f0 = replace(ADAPTER, f0_method=method).analyze(np.asarray(samples)).side["f0"][20:-20]
    assert np.abs(1200 * np.log2(f0 / 150)).max() < 5


def test_pauses_do_not_enter_the_statistics() -> None:
    samples = vowel(1.0)
    alone = ADAPTER.fit([ADAPTER.analyze(samples)])
    pause = 1e-6 * np.random.default_rng(0).normal(size=RATE // 2)
    padded = ADAPTER.fit([ADAPTER.analyze(np.concatenate([pause, samples, pause]))])
    for name, tolerance in (("mean", 0.15), ("std", 0.15), ("log_f0", 0.02)):
        np.testing.assert_allclose(padded[name], alone[name], atol=tolerance, err_msg=name)


def test_speech_is_what_is_near_the_loudest_frame() -> None:
    natural_log_power = np.array([0.0, -GATE_DB + 0.1, -GATE_DB - 0.1, -100.0]) / (10 / np.log(10))
    features = np.stack([natural_log_power, np.zeros(4)])
    assert speech_frames(features).tolist() == [True, True, False, False]


def test_statistics_normalise_speech_and_denormalise_back() -> None:
    encoded = ADAPTER.analyze(vowel(1.0))
    fitted = ADAPTER.fit([encoded])
    normal = ADAPTER.normalize(encoded.features, fitted)
    speech = normal[:, speech_frames(encoded.features)]
    assert normal.dtype == np.float32
    np.testing.assert_allclose(speech.mean(axis=1), 0.0, atol=1e-4)
    np.testing.assert_allclose(speech.std(axis=1), 1.0, atol=1e-3)
    np.testing.assert_allclose(ADAPTER.denormalize(normal, fitted), encoded.features, atol=1e-4)


def test_fit_needs_a_voiced_frame() -> None:
    noise = ADAPTER.analyze(np.zeros(8000))
    with pytest.raises(InputError, match="no voiced frame"):
        ADAPTER.fit([noise])


def test_transfer_moves_f0_and_keeps_aperiodicity_and_level() -> None:
    encoded = ADAPTER.analyze(vowel(0.5, f0=150.0))
    converted = encoded.features + 1.0
    moved = ADAPTER.transfer(encoded, converted, stats((np.log(150.0), 0.1)), stats((np.log(300.0), 0.1)), VoiceOptions())
    np.testing.assert_allclose(moved.side["f0"], 2 * encoded.side["f0"], rtol=1e-5)
    np.testing.assert_array_equal(moved.side["ap"], encoded.side["ap"])
    np.testing.assert_array_equal(moved.side["source_features"], encoded.features)
    np.testing.assert_allclose(log_power(moved.features, RATE), log_power(encoded.features, RATE), atol=1e-4)
    np.testing.assert_array_equal(moved.features[1:], converted[1:])
    loose = replace(ADAPTER, keep_energy=False).transfer(
        encoded, converted, stats((5.0, 0.1)), stats((5.0, 0.1)), VoiceOptions()
    )
    np.testing.assert_array_equal(loose.features, converted)


def test_f0_stays_below_the_nyquist_frequency() -> None:
    encoded = Encoded(np.zeros((36, 3), dtype=np.float32), {"f0": np.array([0.0, 100.0, 400.0])})
    options = VoiceOptions(pitch_shift=36.0)
    moved = ADAPTER.transfer(encoded, encoded.features, stats((4.0, 0.01)), stats((9.0, 3.0)), options)
    assert moved.side["f0"].tolist() == [0.0, 7200.0, 7200.0]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"f0_method": "yin"}, "dio, harvest"),
        ({"sample_rate": 8000}, "16000 to 96000"),
        ({"n_mcep": 600}, "n_mcep=600"),
        ({"f0_floor": 1e-6}, "f0_floor=1e-06"),
        ({"frame_period": float("nan")}, "frame_period=nan"),
        ({"f0_floor": 300.0, "n_mcep": 128}, "choose 64 or fewer"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        WorldAdapter(**wrong)  # type: ignore[arg-type]


def test_what_is_fitted_is_within_the_limits_of_bundles() -> None:
    fitted = ADAPTER.fit([ADAPTER.analyze(vowel(1.0, 16000))])
    hold_statistics("anna", fitted, ADAPTER.known_statistics)
    assert fitted.keys() <= ADAPTER.known_statistics.keys()


@pytest.mark.parametrize("sample_rate", [4000, 8000, 16000, 44100])
@pytest.mark.parametrize("seconds", [0.001, 1.0])
def test_track_f0_works_at_any_rate_and_length(sample_rate: int, seconds: float) -> None:
    f0 = track_f0(Signal(vowel(seconds, sample_rate, f0=150.0), sample_rate))
    assert len(f0) == round(seconds * 200) + 1
    if seconds == 1.0:
        assert 130 < np.median(f0[f0 > 0]) < 175
