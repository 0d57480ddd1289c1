"""Guides of scores for a training: what is kept of a genre, what a guide is made by, and what cannot be guided."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from audiocycle.data.guides import GuideConfig
from audiocycle.errors import ConfigError
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.example_bars import textures
from audiocycle.music.guide import NearestBars
from audiocycle.music.modality import MusicModality
from audiocycle.music.texture import arrangement
from audiocycle.spec import Domain, Encoded, FloatArray, NoSide


def rolls(seed: int, grid: int = 16) -> list[FloatArray]:
    """Two songs of two and of one bar, in half precision, as a cache may give them back."""
    random = np.random.default_rng(seed)
    return [(random.random((2, 84, grid * bars)) < 0.03).astype(np.float16) for bars in (2, 1)]


@pytest.mark.parametrize(("grid", "steps"), [("straight", 4), ("triplet", 6)])
def test_each_item_gets_the_nearest_bars_of_the_other_genre(grid: str, steps: int, tmp_path: Path) -> None:
    source, target = rolls(0, 4 * steps), rolls(1, 4 * steps)
    maker = MusicModality(PianoRollAdapter(grid=grid)).guides(GuideConfig(neighbours=3), tmp_path)
    studied = [
        maker.study(Domain(name), SimpleNamespace(items=[Encoded(x, NoSide()) for x in these]), lambda what: lambda done, total: None)
        for name, these in (("folk", source), ("swing", target))
    ]
    nearest = NearestBars([x.astype(np.uint8) for x in target], steps, 3)
    for roll, guide in zip(source, maker.guides(*studied), strict=True):
        np.testing.assert_array_equal(guide, nearest.guide(roll.astype(np.uint8)))


def test_what_guides_depend_on_is_in_their_recipe(tmp_path: Path) -> None:
    few, many = (MusicModality(PianoRollAdapter()).guides(GuideConfig(neighbours=n), tmp_path) for n in (3, 16))
    assert few.by == many.by == "nearest bars"
    assert few.recipe != many.recipe
    assert many.recipe == "(16, (1.0, 1.0, 0.25, 0.03, (-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5), 20000))", "guides on disk are found by it"


def test_rolls_with_velocity_cannot_be_guided(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^objective\.guide: only voices .*, and piano rolls without velocity, can be guided; set it to 0$"):
        MusicModality(PianoRollAdapter(velocity=True)).guides(GuideConfig(), tmp_path)


def test_joined_bars_are_notes_of_the_other_genre_and_not_their_mean(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    source, target = ([(random.random((2, 84, 64)) < 0.05).astype(np.float16)] for _ in range(2))
    maker = MusicModality(PianoRollAdapter()).guides(GuideConfig(bars="joined"), tmp_path)
    assert maker.by == "joined bars"
    (guide,) = maker.guides(*([x.astype(np.uint8) for x in these] for these in (source, target)))
    stats = textures([x.astype(np.uint8) for x in target], 4)
    np.testing.assert_array_equal(guide, arrangement(stats, source[0].astype(np.uint8), 4))
    assert set(np.unique(guide)) <= {0.0, 1.0}
