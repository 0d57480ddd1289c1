"""Where a target's states are, and what is made of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bundle import vowel

from audiocycle.spec import Encoded, FloatArray
from audiocycle.voice.content import english
from audiocycle.voice.content.adapter import SCALE, ContentAdapter
from audiocycle.voice.content.places import (
    NEAREST,
    PLACES,
    missed,
    moved,
    nearest,
    of_length_one,
    places_of,
)

ADAPTER, N, CONTENT = ContentAdapter(), 36, 40


def states(count: int, size: int = 16, seed: int = 0) -> FloatArray:
    return of_length_one(np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32))


def test_few_states_are_their_own_places() -> None:
    given_ = states(7)
    made = places_of(given_)
    assert made.shape == (PLACES, 16)
    np.testing.assert_array_equal(made[:7], given_)
    assert {row.tobytes() for row in made} == {row.tobytes() for row in given_}


def test_many_states_have_a_place_nearby() -> None:
    centres = states(40, 32)
    many = of_length_one(np.repeat(centres, 50, axis=0) + np.random.default_rng(1).normal(0.0, 0.02, (2000, 32)).astype(np.float32))
    made = places_of(many)
    assert made.shape == (PLACES, 32)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1.0, rtol=1e-5)
    assert (centres @ made.T).max(axis=1).min() > 0.98
    np.testing.assert_array_equal(made, places_of(many), err_msg="the same each time")


@given(count=st.integers(1, 6), places=st.integers(1, 30), share=st.floats(0.0, 1.0), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_state_lies_between_where_it_was_and_the_nearest_places(count: int, places: int, share: float, seed: int) -> None:
    source, known = states(count, seed=seed), states(places, seed=seed + 100)
    for before, after in zip(source, moved(source, known, share), strict=True):
        goal = known[np.argsort(-(known @ before))[:NEAREST]].mean(axis=0)
        mixed = share * goal / np.linalg.norm(goal) + (1.0 - share) * before
        np.testing.assert_allclose(after, mixed / np.linalg.norm(mixed), atol=2e-4)


def test_of_all_places_the_nearest_are_taken() -> None:
    known = np.eye(5, dtype=np.float32)
    near, likeness = nearest(of_length_one(np.array([[0.0, 3.0, 0.0, 1.0, 0.0]], np.float32)), known, 2)
    assert sorted(near[0].tolist()) == [1, 3]
    np.testing.assert_allclose(np.sort(likeness[0]), np.array([1.0, 3.0]) / np.sqrt(10.0), rtol=1e-5)


def test_what_is_missed_is_a_mean_over_neighbours_and_the_places_own_where_it_stands_alone() -> None:
    known = np.eye(4, dtype=np.float32)
    misses = np.arange(8, dtype=np.float32).reshape(4, 2)
    made = missed(known, known, misses)
    np.testing.assert_allclose(made, misses, atol=2e-3)  # the others weigh exp(-10)
    np.testing.assert_allclose(missed(known[:1], known, np.full((4, 2), 3.0, np.float32)), 3.0, rtol=1e-6)


def item(f0: float = 120.0) -> Encoded[object]:
    return ADAPTER.analyze(vowel(1.0, f0=f0))


def test_a_source_is_moved_to_where_the_target_is_and_all_else_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(english, "share", lambda likeness: 1.0)  # a vowel is no English
    source, target = item(), item(200.0)
    stats = {**ADAPTER.fit([target]), **ADAPTER.learned([target])}
    normal = ADAPTER.normalize(source.features, ADAPTER.fit([source]))
    made = ADAPTER.towards(normal, stats)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made[:CONTENT], normal[:CONTENT])

    def likeness(rows: FloatArray) -> float:
        return float((of_length_one(rows[CONTENT:, 2::4].T) @ stats["places"].T).max(axis=1).mean())

    assert likeness(made) > likeness(normal) + 0.05
    assert np.linalg.norm(made[CONTENT:], axis=0).max() < SCALE * 1.001
    np.testing.assert_array_equal(ADAPTER.towards(normal, ADAPTER.fit([target])), normal, err_msg="an older bundle knows no places")
    monkeypatch.setattr(english, "share", lambda likeness: 0.0)
    np.testing.assert_array_equal(ADAPTER.towards(normal, stats), normal, err_msg="what is foreign stays")


@pytest.mark.parametrize(("likeness", "share"), [(None, 0.0), (0.3, 0.0), (english.FOREIGN, 0.0), (english.FAMILIAR, 1.0), (0.5, 1.0)])
def test_what_is_foreign_or_not_known_has_no_share(likeness: float | None, share: float) -> None:
    assert english.share(likeness) == pytest.approx(share)


def test_a_network_that_misses_something_everywhere_is_corrected_by_it() -> None:
    target = item(200.0)
    stats = ADAPTER.fit([target])
    made = target.features.copy()
    made[3] -= 2.0 * stats["std"][3]
    known = ADAPTER.corrected(target, made, stats)
    assert known["misses"].shape == (len(known["places"]), N)
    source = item()
    normal = ADAPTER.normalize(source.features, ADAPTER.fit([source]))
    plain, corrected = ADAPTER.denormalize(normal, stats), ADAPTER.denormalize(normal, known)
    spoken = normal[N] > 0.5
    np.testing.assert_allclose((corrected - plain)[3, spoken], 2.0 * stats["std"][3, 0], rtol=1e-3)
    np.testing.assert_allclose((corrected - plain)[5], 0.0, atol=1e-4)
    np.testing.assert_allclose((corrected - plain)[3, ~spoken], 0.0, atol=1e-6)


def test_of_training_items_the_first_copy_is_learned() -> None:
    sound = vowel(1.0)
    training, plain = ADAPTER.analyze(sound, side=False), ADAPTER.analyze(sound)
    assert training.features.shape[1] == ADAPTER.spec.copies * plain.features.shape[1]
    places = ADAPTER.learned([training])["places"]
    expected, _ = ADAPTER.spoken(plain.features)
    np.testing.assert_allclose(places[: len(expected)], expected, atol=1e-5)


@pytest.mark.parametrize("seconds", [0.01, 0.05])
def test_a_moment_has_a_state_too(seconds: float) -> None:
    source = ADAPTER.analyze(vowel(seconds))
    target = item()
    stats = {**ADAPTER.fit([target]), **ADAPTER.learned([target])}
    made = ADAPTER.towards(ADAPTER.normalize(source.features, stats), stats)
    assert made.shape == source.features.shape
    assert np.isfinite(made).all()
