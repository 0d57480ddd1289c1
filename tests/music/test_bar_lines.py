"""Where bars begin, told from the notes: tunes over chords whose bars are known, moved and in threes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from songs import TPQ, tune

from audiocycle.music.bar_lines import Suspicion, accents, change, harmonies, suspicion
from audiocycle.music.notes import empty


@pytest.mark.parametrize("upbeat", [0, 1, 2, 3])
def test_an_upbeat_is_found(upbeat: int) -> None:
    found = suspicion(tune(16, upbeat=upbeat), TPQ, says_metre=True)
    assert found == (Suspicion(4, (upbeat,), certain=True) if upbeat else None)


def test_threes_are_found_where_the_file_says_nothing() -> None:
    found = suspicion(tune(16, beats=3), TPQ, says_metre=False)
    assert found is not None
    assert (found.beats, found.first) == (3, (0,))
    assert suspicion(tune(16), TPQ, says_metre=False) is None


def test_little_says_nothing() -> None:
    assert suspicion(empty(), TPQ, says_metre=False) is None
    assert suspicion(tune(7, upbeat=1), TPQ, says_metre=True) is None
    assert (
        suspicion(
            replace(tune(16), start=np.zeros(128, np.int64), end=np.full(128, 32 * TPQ)), TPQ, says_metre=True
        )
        is None
    )


def test_what_sounds_in_each_beat() -> None:
    found = harmonies(np.array([60, 67]), np.array([0, 6]), np.array([4, 6]), 3)
    assert found[0, 0] == 4  # four steps of C
    assert (found[1, 7], found[2].sum()) == (1, 0)  # at least one step of G


def test_change_is_none_where_all_is_the_same_and_whole_where_nothing_is() -> None:
    sounding = np.zeros((6, 12))
    sounding[:3, 0], sounding[3:, 7] = 2, 5
    np.testing.assert_allclose(change(sounding, 1), [0, 0, 0, 1, 0, 0], atol=1e-12)
    two = (
        2 / np.sqrt(2**2 + 5**2),
        5 / np.sqrt(2**2 + 5**2),
    )  # one beat of each: how much it has in common with either
    np.testing.assert_allclose(change(sounding, 2), [0, 0, 1 - two[0], 1, 1 - two[1], 0], atol=1e-12)


def test_accents_are_zero_on_average() -> None:
    assert accents(tune(8), TPQ).mean() == pytest.approx(0, abs=1e-9)
