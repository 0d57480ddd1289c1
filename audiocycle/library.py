"""Where models lie: ./models, the user's model folder, and those that came with the package."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audiocycle.bundle import CARD, CONFIG, GRAPHS, WEIGHTS, BundleConfig, read_config
from audiocycle.errors import BundleError, DomainError
from audiocycle.hub import HubId, fetch, hint


@dataclass(frozen=True)
class Model:
    """An installed bundle."""

    path: Path
    config: BundleConfig


def model_folders() -> tuple[Path, ...]:
    """Folders that hold bundles, searched in this order. ``AUDIOCYCLE_MODELS`` replaces the user's folder."""
    data_home = os.environ.get("XDG_DATA_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".local" / "share"
    users = os.environ.get("AUDIOCYCLE_MODELS") or Path(data_home) / "audiocycle" / "models"
    return Path("models"), Path(users), Path(__file__).parent / "pretrained"


def installed_models() -> Iterator[Model]:
    """All bundles in the model folders that can be read; one that cannot is passed over."""
    for folder in model_folders():
        if folder.is_dir():
            for path in sorted(p for p in folder.iterdir() if (p / CONFIG).is_file()):
                try:
                    yield Model(path, read_config(path))
                except BundleError:
                    continue


def find_for_target(target: str, source: str | None = None) -> list[Model]:
    """The installed models that convert to ``target``, from ``source`` if it is named, in the order of :func:`installed_models`.

    Raises:
        DomainError: none does; the message lists what the installed ones convert to.
    """
    models = list(installed_models())
    if found := [m for m in models if any(t == target and source in (None, s) for s, t in m.config.pairs)]:
        return found
    given = "" if source is None else f"from '{source}' "
    known = "; ".join(f"{m.config.name}: {', '.join(m.config.directions if source else m.config.targets)}" for m in models)
    raise DomainError(f"no installed model converts {given}to '{target}' ({known or 'no model is installed'}); name one with --model BUNDLE")


def locate(name: str | Path) -> Path:
    """A bundle's folder from a path, an installed model's name, or a model on the hub, ``hf:owner/name[@revision]``.

    Raises:
        BundleError: there is none. ConfigError: ``hf:`` and something else.
    """
    if hub_id := HubId.parse(str(name)):
        return fetch(hub_id, [CONFIG, WEIGHTS, CARD, GRAPHS])
    path = Path(name).expanduser()
    if path.exists():
        return path if path.is_dir() else path.parent
    for model in installed_models():
        if str(name) in (model.config.name, model.path.name):
            return model.path
    names = ", ".join(model.config.name for model in installed_models()) or "none"
    raise BundleError(f"{name}: no such bundle here; installed models: {names}{hint(str(name))}")
