"""WORLD features with what is said beside them: what the rows are, what a network is shown of them, and what comes back."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bundle import vowel

from audiocycle.build import build_adapter
from audiocycle.spec import ANYONE, Direction, Domain, Encoded, FloatArray
from audiocycle.voice.content import encoder
from audiocycle.voice.content.adapter import (
    FURTHEST,
    KNOWN_FRAMES,
    QUIETEST,
    SCALE,
    USUAL,
    ContentAdapter,
    by_themselves,
    contour,
    deviations,
    middles,
    register,
)
from audiocycle.voice.options import VoiceOptions
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.world_adapter import WorldAdapter

ADAPTER, N, STATES = ContentAdapter(), 36, encoder.ENCODERS[encoder.ENGLISH].states
SPEECH, VOICED, PITCH, LEVEL, CONTENT = range(N, N + 5)


def whisper(seconds: float) -> FloatArray:
    """Noise that comes and goes as syllables do."""
    n = round(16000 * seconds)
    noise = np.random.default_rng(1).standard_normal(n) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * np.arange(n) / 16000))
    return np.asarray(0.05 * np.convolve(noise, [0.5, 0.3, 0.2], "same"), np.float32)


@cache
def voice() -> Encoded[VoiceSide]:
    """A second of a voice between two pauses."""
    pause = (1e-5 * np.random.default_rng(0).standard_normal(4800)).astype(np.float32)
    return ADAPTER.analyze(np.concatenate([pause, vowel(1.0), pause]))


def test_the_rows_are_those_of_world_and_what_is_said() -> None:
    encoded = voice()
    world = WorldAdapter().analyze(np.asarray(encoded.side.samples))
    assert encoded.features.shape == (*ADAPTER.spec.shape, 321)
    assert encoded.features.dtype == np.float32
    np.testing.assert_array_equal(encoded.features[:N], world.features)
    np.testing.assert_array_equal(encoded.side.f0, world.side.f0)
    np.testing.assert_array_equal(encoded.features[SPEECH], WorldAdapter().speech(world.features))
    np.testing.assert_array_equal(encoded.features[VOICED], world.side.f0 > 0)
    np.testing.assert_allclose(np.linalg.norm(encoded.features[CONTENT:], axis=0), SCALE, rtol=0.3)


def test_spec_says_what_is_made_and_what_is_told() -> None:
    spec = build_adapter({"name": "content"}).spec
    assert (spec.shape, spec.made, spec.condition, spec.any_source) == ((N + 4 + STATES,), N, 2 * N + 2, True)
    assert spec.network_shape == (spec.shape[0] + spec.condition,)
    few = build_adapter({"name": "content", "n_mcep": 24}).spec
    assert (few.shape, few.made, few.condition) == ((24 + 4 + STATES,), 24, 50)


def test_level_and_pitch_say_nothing_of_the_speaker() -> None:
    low, high = voice(), ADAPTER.analyze(np.concatenate([np.zeros(4800), 0.1 * vowel(1.0, f0=280.0), np.zeros(4800)]).astype(np.float32))
    for encoded in (low, high):
        speech, voiced = encoded.features[SPEECH] > 0.5, encoded.features[VOICED] > 0.5
        assert encoded.features[LEVEL, speech].mean() == pytest.approx(0.0, abs=1e-3)
        assert encoded.features[LEVEL, speech].std() == pytest.approx(1.0, abs=0.05)
        assert encoded.features[PITCH, voiced].mean() == pytest.approx(0.0, abs=0.05)
        assert encoded.features[LEVEL].min() == QUIETEST
        assert np.abs(encoded.features[PITCH]).max() <= FURTHEST
    both = (low.features[VOICED] > 0.5) & (high.features[VOICED] > 0.5)
    assert np.corrcoef(low.features[PITCH, both], high.features[PITCH, both])[0, 1] > 0.9


@pytest.mark.parametrize("n_samples", [1, 2, 79, 80, 320, 321, 2000, 4800, 16080])
def test_every_length_has_frames(n_samples: int) -> None:
    encoded = ADAPTER.analyze(vowel(1.5)[4000 : 4000 + n_samples])
    assert encoded.features.shape == (ADAPTER.spec.shape[0], ADAPTER.frames(n_samples))
    stats = ADAPTER.fit([encoded])
    assert np.isfinite(ADAPTER.normalize(encoded.features, stats)).all()
    assert np.isfinite(ADAPTER.condition(stats)).all()


@pytest.mark.parametrize("samples", [np.zeros(4800), np.full(4800, 0.5), whisper(0.3), 1e-9 * whisper(0.3)], ids=["silence", "constant", "whisper", "nothing much"])
def test_sound_without_voice_is_known_by_statistics_too(samples: FloatArray) -> None:
    encoded = ADAPTER.analyze(samples)
    encoded.side.f0[:] = 0.0
    stats = ADAPTER.fit([encoded])
    np.testing.assert_allclose(stats["log_f0"], USUAL)
    for made in (encoded.features, ADAPTER.normalize(encoded.features, stats), *stats.values()):
        assert np.isfinite(made).all()


def test_a_sample_rate_of_its_own_changes_what_is_heard_little() -> None:
    adapter = ContentAdapter(sample_rate=22050)
    made, before = adapter.analyze(vowel(1.0, 22050)).features, ADAPTER.analyze(vowel(1.0)).features
    frames = slice(20, 180)
    cosines = (made[CONTENT:, frames] * before[CONTENT:, frames]).sum(axis=0) / SCALE**2
    assert cosines.mean() > 0.5


def test_fit_is_worlds_but_for_the_pitch() -> None:
    encoded = voice()
    expected = WorldAdapter().fit([Encoded(encoded.features[:N], encoded.side)])
    made = ADAPTER.fit([encoded])
    assert made.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(made[name], register(np.log(encoded.side.f0[encoded.side.f0 > 0])) if name == "log_f0" else value, rtol=1e-6)
    assert made["log_f0"].dtype == np.float32
    made |= ADAPTER.learned([encoded])
    assert {name: table.shape for name, table in ADAPTER.known_statistics.items()} == {name: value.shape for name, value in made.items()}


def test_a_network_is_shown_coefficients_where_somebody_speaks_and_all_else_as_it_is() -> None:
    encoded = voice()
    normal = ADAPTER.normalize(encoded.features, ADAPTER.fit([encoded]))
    speech = encoded.features[SPEECH] > 0.5
    assert normal.dtype == np.float32
    assert 0 < speech.sum() < len(speech)
    np.testing.assert_array_equal(normal[N:], encoded.features[N:])
    np.testing.assert_allclose(normal[:N, speech].mean(axis=1), 0.0, atol=1e-3)
    np.testing.assert_allclose(normal[:N, speech].std(axis=1), 1.0, atol=1e-3)
    assert not normal[1:N, ~speech].any()
    assert (normal[0, ~speech] < -1.0).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), frames=st.integers(1, 40), scale=st.floats(0.01, 10.0))
def test_what_normalising_did_is_undone(seed: int, frames: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    features = random.standard_normal((ADAPTER.spec.shape[0], frames)).astype(np.float32)
    features[SPEECH] = random.integers(0, 2, frames)
    stats = {"mean": random.normal(scale=3.0, size=(N, 1)).astype(np.float32), "std": (scale * random.uniform(0.5, 2.0, (N, 1))).astype(np.float32)}
    before = features.copy()
    back = ADAPTER.denormalize(ADAPTER.normalize(features, stats), stats)
    np.testing.assert_array_equal(features, before)
    speech = features[SPEECH] > 0.5
    np.testing.assert_allclose(back[:N, speech], features[:N, speech], atol=1e-4 * (1 + scale))
    np.testing.assert_allclose(back[0], features[0], atol=1e-4 * (1 + scale))
    np.testing.assert_array_equal(back[1:N, ~speech], np.broadcast_to(stats["mean"][1:], (N - 1, (~speech).sum())))
    np.testing.assert_array_equal(back[N:], features[N:])


def test_batches_are_normalised_as_their_items() -> None:
    features, stats = voice().features, ADAPTER.fit([voice()])
    batch = np.stack([features, features[..., ::-1]])
    np.testing.assert_array_equal(ADAPTER.normalize(batch, stats)[1], ADAPTER.normalize(features[..., ::-1], stats))


def test_what_is_transferred_is_worlds() -> None:
    encoded = voice()
    source = Domain(ANYONE.name, ADAPTER.fit([encoded]))
    target = Domain("ben", ADAPTER.fit([ADAPTER.analyze(vowel(1.0, f0=90.0))]))
    direction = Direction(source, target, np.full((ADAPTER.spec.shape[0], 1), 0.5, np.float32))
    converted = encoded.features + 0.1
    made = ADAPTER.transfer(encoded, converted, direction, VoiceOptions())
    of_cepstrum = replace(direction, output_deviation=np.full((N, 1), 0.5, np.float32))
    expected = WorldAdapter().transfer(Encoded(encoded.features[:N], encoded.side), converted[:N], of_cepstrum, VoiceOptions())
    np.testing.assert_allclose(made.features, expected.features, rtol=1e-5)  # the level is the source's by another way
    np.testing.assert_array_equal(made.side.f0, expected.side.f0)
    assert made.features.shape == encoded.features[:N].shape
    voiced = made.side.f0 > 0
    assert np.median(made.side.f0[voiced]) < 0.8 * np.median(encoded.side.f0[voiced])


def test_missing_bands_are_not_for_it() -> None:
    assert ADAPTER.completing(3400.0, ADAPTER.fit([voice()])) is None


def test_a_stream_is_analysed_quickly() -> None:
    streaming = ContentAdapter(f0_method="harvest").for_stream({})
    assert isinstance(streaming, ContentAdapter)
    assert (streaming.f0_method, streaming.low_voice) == ("dio", False)


def test_a_state_belongs_to_the_frame_at_its_middle() -> None:
    np.testing.assert_array_equal(middles(3, 200.0), [2, 6, 10])


@given(st.lists(st.floats(0.0, 500.0), min_size=1, max_size=50))
def test_a_contour_is_drawn_through_what_is_unvoiced(values: list[float]) -> None:
    f0 = np.where(np.array(values) > 40.0, values, 0.0)
    made = contour(f0)
    assert made.shape == f0.shape
    assert np.isfinite(made).all()
    assert np.abs(made).max() <= FURTHEST
    if not f0.any():
        assert not made.any()


def test_between_two_pitches_lies_their_middle() -> None:
    made = contour(np.array([100.0, 0.0, 400.0]))
    np.testing.assert_allclose(made, [-made[2], 0.0, made[2]], atol=1e-9)
    assert made[2] == pytest.approx(1.0, abs=0.02)


@given(st.lists(st.floats(3.0, 8.0), max_size=40))
def test_a_register_is_one_that_a_bundle_may_hold(log_f0: list[float]) -> None:
    mean, deviation = register(np.array(log_f0))
    assert 3.0 <= mean <= 8.0
    assert 0.0 < deviation <= 2.0
    if not log_f0:
        assert (mean, deviation) == USUAL


def test_octave_errors_are_not_in_a_register() -> None:
    log_f0 = np.random.default_rng(0).normal(5.0, 0.1, 10 * KNOWN_FRAMES)
    wrong = np.concatenate([log_f0, log_f0[: KNOWN_FRAMES // 2] + np.log(2.0)])
    np.testing.assert_allclose(register(wrong), register(log_f0), atol=0.01)
    assert register(log_f0)[1] == pytest.approx(0.1, abs=0.02)
    assert register(log_f0[:2])[1] == pytest.approx(USUAL[1], abs=0.01), "two frames say nothing of a deviation"


def test_where_nothing_is_judged_all_is() -> None:
    values = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(deviations(values, np.zeros(3, bool)), deviations(values, np.ones(3, bool)))
    states = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    made = by_themselves(states, np.zeros(5, bool))
    np.testing.assert_array_equal(made, by_themselves(states, np.ones(5, bool)))
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(by_themselves(np.ones((3, 4), np.float32), np.ones(3, bool)), np.zeros((3, 4)))
