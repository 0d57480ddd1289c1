"""The 24 keys."""

from __future__ import annotations

import numpy as np

from audiocycle.metrics.music.keys import PROFILES, SCALES


def test_scales_have_seven_classes_and_begin_at_their_tonic() -> None:
    assert SCALES.shape == (24, 12)
    assert (SCALES.sum(axis=1) == 7).all()
    assert SCALES[[*range(12), *range(12, 24)], [*range(12), *range(12)]].all()
    assert np.flatnonzero(SCALES[7]).tolist() == [0, 2, 4, 6, 7, 9, 11], "G major"
    assert np.flatnonzero(SCALES[12 + 9]).tolist() == [0, 2, 4, 5, 8, 9, 11], "A harmonic minor"


def test_a_scale_alone_is_taken_for_its_key() -> None:
    assert np.allclose(PROFILES.mean(axis=1), 0)
    assert np.allclose(PROFILES.std(axis=1), 1)
    assert ((SCALES.astype(float) @ PROFILES.T).argmax(axis=1) == np.arange(24)).all()
