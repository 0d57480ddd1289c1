"""Accompaniments of a genre's own bars: :mod:`audiocycle.music.texture`."""

from __future__ import annotations

import numpy as np
import pytest

from audiocycle.music.example_bars import BARS, NOTES, TABLES, textures
from audiocycle.music.piano_roll import drawn
from audiocycle.music.texture import accompanied, arrangement, beat_groups, in_its_manner, weight
from audiocycle.music.tune import split
from audiocycle.system.limits import hold_statistics

BAR = 16
C, F, G = (0, 4, 7), (5, 9, 12), (7, 11, 14)


def walking(chords: list[tuple[int, int, int]]) -> np.ndarray:
    """A genre: a bass note on each beat, the chord on the first, a tune on top; (2, 84, T)."""
    table = []
    for place, (root, third, fifth) in enumerate(chords):
        begin = place * BAR
        table += [(12 + note, begin + 4 * beat, 4) for beat, note in enumerate((root, third, fifth, third))]
        table += [(36 + note, begin, BAR) for note in (root, third, fifth)]
        table += [(60 + note, begin + 4 * beat, 4) for beat, note in enumerate((fifth, third, root, third))]
    return drawn(np.array(table), len(chords) * BAR)


def plain(chords: list[tuple[int, int, int]]) -> np.ndarray:
    """A source: a held bass note and a tune."""
    table = []
    for place, (root, third, fifth) in enumerate(chords):
        table += [(12 + root, place * BAR, BAR), (24 + third, place * BAR, BAR)]
        table += [(60 + note, place * BAR + 8 * half, 8) for half, note in enumerate((third, fifth))]
    return drawn(np.array(table), len(chords) * BAR)


@pytest.fixture(scope="module")
def stats() -> dict[str, np.ndarray]:
    return textures([walking([C, F, G, C] * 4)], 4)


def test_statistics_are_as_bundles_hold_them(stats: dict[str, np.ndarray]) -> None:
    hold_statistics("jazz", stats, TABLES)
    assert stats["texture"].shape == (BARS, NOTES, 3)
    assert (stats["texture"][..., 2] > 0).any(axis=1).sum() == 16
    assert stats["texture_follows"][:16].sum() == 15


def test_an_accompaniment_is_the_targets_and_fits_the_harmony(stats: dict[str, np.ndarray]) -> None:
    source = plain([C, F, G, C])
    made = arrangement(stats, source, 4) > 0
    bass = made[0].argmax(axis=0).reshape(4, 4, 4)[..., 0]
    assert ((bass - 12) % 12 == np.array([[0, 4, 7, 4], [5, 9, 0, 9], [7, 11, 2, 11], [0, 4, 7, 4]])).all()


def test_any_key(stats: dict[str, np.ndarray]) -> None:
    low, high = (arrangement(stats, np.roll(plain([C, F, G, C]), key, axis=1), 4) for key in (0, 3))
    assert np.array_equal(np.roll(low, 3, axis=1), high)


def test_the_tune_stays_and_is_on_top(stats: dict[str, np.ndarray]) -> None:
    source = plain([C, F, G, C])
    tune, _ = split(source)
    made, _ = split(arrangement(stats, source, 4))
    assert set(map(tuple, tune.tolist())) <= set(map(tuple, made.tolist()))


@pytest.mark.parametrize("sizes", [(4, 4, 4), (6, 6), (4, 4, 4, 4, 4), (6, 6, 6, 6)])
def test_every_metre(stats: dict[str, np.ndarray], sizes: tuple[int, ...]) -> None:
    steps = np.concatenate([[0], np.cumsum(sizes * 3)])
    bars = steps[:: len(sizes)]
    source = np.concatenate([plain([C, F]), plain([G, C]), plain([C])], axis=-1)[..., : steps[-1]]
    found = accompanied(stats, source, split(source)[0], source.astype(np.float32), (bars, steps), 4)
    assert found is not None
    assert set(steps[:-1]) <= set(found[:, 1].tolist())
    assert (found[:, 1] + found[:, 2] <= steps[-1]).all()
    assert (found[:, 2] > 0).all()


def test_silence_stays_silent(stats: dict[str, np.ndarray]) -> None:
    source = np.concatenate([plain([C]), np.zeros((2, 84, 2 * BAR), bool), plain([C])], axis=-1)
    made = arrangement(stats, source, 4)
    assert not made[..., BAR : 3 * BAR].any()
    assert not arrangement(stats, np.zeros((2, 84, BAR), bool), 4).any()


def test_the_network_says_which_notes_of_the_tune_stay(stats: dict[str, np.ndarray]) -> None:
    source = plain([C, F, G, C])
    tune, _ = split(source)
    opinion = 0.9 * source.astype(np.float32)
    opinion[1, tune[1, 0], tune[1, 1]] = 0.1
    lines = np.arange(0, 65, 16), np.arange(0, 65, 4)
    made = in_its_manner(stats, source, opinion, lines, 4, 0.5, 0.3)
    begun = made[1, tune[:, 0], tune[:, 1]] >= 0.5
    assert not begun[1]
    assert begun.sum() == len(tune) - 1


def test_a_genre_without_bars_leaves_the_network_alone(stats: dict[str, np.ndarray]) -> None:
    source = plain([C]).astype(np.float32)
    lines = np.array([0, 16]), np.arange(0, 17, 4)
    for none in ({}, textures([], 4)):
        assert in_its_manner(none, source, source, lines, 4, 0.5, 0.3) is source


def test_bars_are_split_into_groups_of_four_beats_at_most() -> None:
    assert beat_groups(np.array([0, 4, 7, 12, 20])).tolist() == [
        [0, 4],
        [4, 7],
        [7, 10],
        [10, 12],
        [12, 16],
        [16, 20],
    ]


def test_weight_reaches_what_is_wanted() -> None:
    random = np.random.default_rng(0)
    score, values = random.normal(0, 0.1, (200, 50)), random.uniform(0, 4, (200, 50))
    by = weight(score, values, 3.0, 3.5)
    best = (score + by * values).argmax(axis=1)
    assert values[np.arange(200), best].mean() == pytest.approx(3.0, abs=0.1)
    assert weight(score, values, 0.0, 4.0) == 0.0


def test_a_bar_begins_with_the_sources_bass(stats: dict[str, np.ndarray]) -> None:
    """Of two bars of one harmony, the one is chosen that begins with the note of the source, however it goes on."""
    low, high = walking([C] * 8), walking([C] * 8)
    high[:, :24] = np.roll(high[:, :24], 4, axis=-1)  # the same bass notes, beginning with the third
    both = textures([low, high], 4)
    source = plain([C, C])
    for root in (0, 4):
        asked = source.copy()
        asked[:, 12] = False
        asked[0, 12 + root], asked[1, 12 + root, ::BAR] = True, True
        made = arrangement(both, asked, 4) > 0
        assert (made[0].argmax(axis=0)[::BAR] % 12 == root).all()
