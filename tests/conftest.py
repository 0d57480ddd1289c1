"""What several test files share: a voice that needs no recording, and a training run that takes milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import settings
from time_limit import pytest_timeout_set_timer

from audiocycle.spec import FloatArray

if TYPE_CHECKING:
    from audiocycle.evaluation.music.classifier import Classifier
    from audiocycle.training.trainer import Trainer

__all__ = ["pytest_timeout_set_timer"]  # a hook

settings.register_profile("any clock", deadline=None)  # no test asserts time: a busy machine takes as long as it takes
settings.load_profile("any clock")

FORMANTS = ((700.0, 130.0), (1200.0, 150.0), (2600.0, 250.0))  # centre and bandwidth in Hz: an [a]


@pytest.fixture
def synthetic_voice() -> Callable[..., FloatArray]:
    """``synthetic_voice(seconds, f0, sample_rate)``: a vowel with vibrato, (N,) float32 within (-1, 1)."""

    def make(seconds: float = 1.0, f0: float = 120.0, sample_rate: int = 16000) -> FloatArray:
        time = np.arange(round(seconds * sample_rate)) / sample_rate
        phase = 2 * np.pi * f0 * (time - 0.02 / (2 * np.pi * 5) * np.cos(2 * np.pi * 5 * time))
        sound = np.zeros(len(time))
        for harmonic in range(1, int(0.45 * sample_rate / f0)):
            frequency = harmonic * f0
            level = sum(1 / (1 + ((frequency - centre) / width) ** 2) for centre, width in FORMANTS)
            sound += level / harmonic**0.5 * np.sin(harmonic * phase)
        return np.asarray(0.5 * sound / np.abs(sound).max(), dtype=np.float32)

    return make


@pytest.fixture
def make_trainer(tmp_path: Path) -> Callable[..., Trainer]:
    """``make_trainer(max_steps=3, ...)``: :func:`tiny_trainer.tiny_trainer`, in a folder of the test's own."""
    from tiny_trainer import tiny_trainer

    def make(folder: Path = tmp_path / "checkpoints", **options: Any) -> Trainer:
        return tiny_trainer(folder, **options)

    return make


@pytest.fixture
def little_space() -> Callable[[int], AbstractContextManager[None]]:
    """``with little_space(4000):`` no file can grow beyond 4000 bytes, as on a full disk.

    Only inside the block: pytest's own output may be a long file already.
    """
    resource = pytest.importorskip("resource", reason="no file size limits on this system")

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited


@pytest.fixture(scope="session")
def genres(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Songs of two genres, train/ and eval/; no test may change them."""
    import torch
    from two_genres import write_genres

    torch.set_num_threads(1)
    return write_genres(tmp_path_factory.mktemp("genres"))


@pytest.fixture(scope="session")
def classifier(genres: Path) -> Classifier:
    """A classifier of them, trained once for all tests."""
    from two_genres import small_classifier

    return small_classifier(genres)
