"""A model that changes nothing, made once for all tests of music."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_bundle import UNCHANGING_MUSIC_MODEL, tiny_music_bundle
from two_genres import GENRES


@pytest.fixture(scope="session")
def unchanging(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose networks give their input back."""
    return tiny_music_bundle(tmp_path_factory.mktemp("bundles") / "unchanging", GENRES, model=UNCHANGING_MUSIC_MODEL)
