"""Where models lie: ./models, the user's model folder, and those that came with the package."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audiocycle.bundles.format import CARD, CONFIG, GRAPHS, WEIGHTS, BundleConfig, read_config
from audiocycle.errors import BundleError, DomainError, printable
from audiocycle.system.hub import HubId, fetch, hint
from audiocycle.system.names import expanded

TOLD = 5
"""Bundles that cannot be read are named, up to so many."""


@dataclass(frozen=True)
class Model:
    """An installed bundle."""

    path: Path
    config: BundleConfig


def model_folders() -> tuple[Path, ...]:
    """Folders that hold bundles, searched in this order. ``AUDIOCYCLE_MODELS`` replaces the user's folder."""
    data_home = os.environ.get("XDG_DATA_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".local" / "share"
    users = os.environ.get("AUDIOCYCLE_MODELS") or Path(data_home) / "audiocycle" / "models"
    return Path("models"), Path(users), Path(__file__).parents[1] / "pretrained"


Refused = dict[Path, str]
"""Folders that look like bundles and cannot be read, and why."""


def installed_models(refused: Refused | None = None) -> Iterator[Model]:
    """All bundles in the model folders that can be read.

    Args:
        refused: gets those that cannot, which are passed over: one bad bundle must not disable the others.
    """
    refused = {} if refused is None else refused
    for folder in model_folders():
        for path in bundles_in(folder, refused):
            try:
                yield Model(path, read_config(path))
            except BundleError as error:
                refused[path] = str(error)


def bundles_in(folder: Path, refused: Refused) -> list[Path]:
    """The folders in a model folder that have settings, by name."""
    found = []
    try:
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        refused[folder] = f"{folder}: cannot be read ({error.strerror})"
        return []
    for path in inside:
        try:
            (path / CONFIG).lstat()
            found.append(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            refused[path] = f"{path}: cannot be read ({error.strerror})"
    return found


def passed_over(refused: Refused) -> Iterator[str]:
    """A line for each folder that was passed over, up to :data:`TOLD`."""
    for reason in list(refused.values())[:TOLD]:
        yield f"passed over: {printable(reason)}"
    if len(refused) > TOLD:
        yield f"passed over: {len(refused) - TOLD} more that cannot be read"


def find_for_target(target: str, source: str | None = None, refused: Refused | None = None) -> list[Model]:
    """The installed models that convert to ``target``, from ``source`` if it is named, in the order of :func:`installed_models`.

    Args:
        refused: see :func:`installed_models`.

    Raises:
        DomainError: none does; the message lists what the installed ones convert to.
    """
    models = list(installed_models(refused))
    if found := [m for m in models if m.config.converts(target, source)]:
        return found
    given = "" if source is None else f"from '{source}' "
    known = "; ".join(f"{m.config.name}: {', '.join(map(str, m.config.directions) if source else m.config.targets)}" for m in models)
    raise DomainError(f"no installed model converts {given}to '{target}' ({known or 'no model is installed'}); name one with `model=BUNDLE`")


def find_any_source(refused: Refused | None = None) -> list[Model]:
    """The installed models that convert everybody, in the order of :func:`installed_models`.

    Raises:
        DomainError: there is none.
    """
    if found := [model for model in installed_models(refused) if model.config.any_source]:
        return found
    raise DomainError("no installed model converts everybody, which a reference needs; name one with `model=BUNDLE`")


def locate(name: str | Path) -> Path:
    """A bundle's folder from a path, an installed model's name, or a model on the hub, ``hf:owner/name[@revision]``.

    Raises:
        BundleError: there is none. ConfigError: ``hf:`` and something else, or a home folder that is not known.
    """
    if hub_id := HubId.parse(str(name)):
        return fetch(hub_id, [CONFIG, WEIGHTS, CARD, GRAPHS])
    path = expanded(name)
    if path.exists():
        return path if path.is_dir() else folder_of(path)
    refused: Refused = {}
    for model in installed_models(refused):
        if str(name) in (model.config.name, model.path.name):
            return model.path
    for folder, reason in refused.items():
        if folder.name == str(name):
            raise BundleError(reason)
    names = ", ".join(model.config.name for model in installed_models()) or "none"
    raise BundleError(f"{name}: no such bundle here; installed models: {names}{hint(str(name))}")


def folder_of(path: Path) -> Path:
    """The bundle that a file belongs to.

    Raises:
        BundleError: it is no part of one, as checkpoints are not.
    """
    if (path.parent / CONFIG).is_file():
        return path.parent
    run = path.parent.parent / "bundle"
    hint = f"; did you mean {run}?" if (run / CONFIG).is_file() else "; weights of other programs (.pth, .ckpt, ...) cannot be used"
    raise BundleError(f"{path}: is a file, and a model is a folder with {CONFIG} and {WEIGHTS}{hint}")
