"""Windows of a stream for networks that need nothing beside what was analysed."""

from __future__ import annotations

import numpy as np

from audiocycle.spec import Encoded
from audiocycle.voice.ear import WINDOW_FRAMES, Ear, mirrored_before
from audiocycle.voice.sides import VoiceSide


def test_a_window_ends_with_what_is_newest() -> None:
    features, f0 = np.arange(2 * 200.0).reshape(2, 200), np.arange(200.0)
    made = Ear().window(Encoded(features, VoiceSide(f0=f0)), np.zeros(0), 0.01, slice(150, 170))
    np.testing.assert_array_equal(made.features, features[:, -WINDOW_FRAMES:])
    np.testing.assert_array_equal(made.side.f0, f0[-WINDOW_FRAMES:])


def test_short_histories_are_mirrored() -> None:
    assert mirrored_before(np.array([1.0, 2.0, 3.0]), 5).tolist() == [2, 1, 1, 2, 3]
    assert mirrored_before(np.array([[1.0, 2.0, 3.0]]), 2).tolist() == [[2, 3]]
