"""Songs of two genres, a classifier of them and a model that changes nothing: made once for all tests of music."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_bundle import UNCHANGING_MUSIC_MODEL, tiny_music_bundle
from two_genres import GENRES, small_classifier, write_genres

from audiocycle.classifier import Classifier


@pytest.fixture(scope="session")
def genres(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return write_genres(tmp_path_factory.mktemp("genres"))


@pytest.fixture(scope="session")
def classifier(genres: Path) -> Classifier:
    return small_classifier(genres)


@pytest.fixture(scope="session")
def unchanging(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose networks give their input back."""
    return tiny_music_bundle(tmp_path_factory.mktemp("bundles") / "unchanging", GENRES, model=UNCHANGING_MUSIC_MODEL)
