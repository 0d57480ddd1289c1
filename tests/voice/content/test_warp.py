"""What is said, heard from another throat: frequencies move, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_bundle import vowel

from audiocycle.spec import Encoded
from audiocycle.voice.content.adapter import WARPS, ContentAdapter
from audiocycle.voice.content.encoder import power_spectra, states, warped
from audiocycle.voice.modality import first_copy
from audiocycle.voice.sides import RecordingSide


@pytest.mark.parametrize("warp", WARPS)
def test_a_tone_moves_by_the_factor(warp: float) -> None:
    tone = np.sin(2 * np.pi * 2000.0 * np.arange(8000) / 16000.0).astype(np.float32)
    power = warped(power_spectra(tone, 50), warp)
    assert power.shape == (201, 50)
    assert 40.0 * float(power[:, 25].argmax()) == pytest.approx(2000.0 * warp, abs=40.0)


def test_nothing_is_warped_by_one() -> None:
    power = np.random.default_rng(0).random((201, 7)).astype(np.float32)
    np.testing.assert_array_equal(warped(power, 1.0), power)


def test_another_throat_says_nearly_the_same() -> None:
    plain, other = states(vowel(2.0)), states(vowel(2.0), 1.15)
    likeness = (plain * other).sum(axis=1) / np.linalg.norm(plain, axis=1) / np.linalg.norm(other, axis=1)
    assert 0.7 < float(likeness.mean()) < 0.9999


def test_training_items_hold_each_recording_once_for_each_throat() -> None:
    adapter = ContentAdapter()
    learned, converted = adapter.analyze(vowel(1.0), side=False), adapter.analyze(vowel(1.0))
    n = converted.features.shape[1]
    assert adapter.spec.copies == len(WARPS) == 3
    assert adapter.spec.training_rate == 3 * adapter.spec.frame_rate
    assert learned.features.shape[1] == 3 * n
    np.testing.assert_array_equal(learned.features[:, :n], converted.features)
    for copy in range(3):
        np.testing.assert_array_equal(learned.features[:40, copy * n : (copy + 1) * n], converted.features[:40])
    assert learned.side.f0 is not None
    np.testing.assert_array_equal(learned.side.f0, np.tile(converted.side.f0, 3))


def test_remarks_are_made_of_the_first_copy() -> None:
    item = Encoded(np.arange(12.0).reshape(2, 6), RecordingSide(f0=np.arange(6.0)))
    first = first_copy(item, 3)
    assert first.features.tolist() == [[0.0, 1.0], [6.0, 7.0]]
    assert np.asarray(first.side.f0).tolist() == [0.0, 1.0]
    assert first_copy(item, 1) is item
