"""Bars of beats, by their accents: in twos, threes and fours, from an upbeat on, over a beat too few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from audiocycle.music.downbeats import PROFILES, walk


def accents(metres: Sequence[int], seed: int = 0) -> NDArray[np.float64]:
    """Of bars with so many beats each."""
    ideal = np.concatenate([PROFILES[metre] for metre in metres])
    return np.asarray(1.5 * ideal + np.random.default_rng(seed).normal(0, 0.3, len(ideal)))


@pytest.mark.parametrize("metre", [2, 3, 4])
@pytest.mark.parametrize("upbeat", [0, 1])
def test_bars_are_found(metre: int, upbeat: int) -> None:
    given = np.concatenate([accents([metre])[metre - upbeat :], accents([metre] * (150 if metre == 2 else 40))])
    place, metres = walk(given)
    assert (metres == metre).all()
    assert ((np.arange(len(given)) - upbeat) % metre == place).mean() > 0.95


def test_a_missing_beat_moves_what_follows() -> None:
    given = accents([4] * 20 + [3] + [4] * 20)
    place, _ = walk(given)
    assert (place[:72] == np.arange(72) % 4).all()
    assert (place[92:] == np.arange(92 - 83, 163 - 83) % 4).all()


def test_metres_change_once() -> None:
    place, metres = walk(accents([4] * 20 + [3] * 30))
    assert (metres[:76] == 4).all()
    assert (metres[84:] == 3).all()
    assert place[80] == 0


def test_without_accents_bars_have_four_beats() -> None:
    place, metres = walk(np.zeros(16))
    assert (metres == 4).all()
    assert ((place[1:] - place[:-1]) % 4 == 1).all()
    assert len(walk(np.zeros(1))[0]) == 1
