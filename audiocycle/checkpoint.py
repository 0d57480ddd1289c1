"""The resumable training state: one file, written atomically, a few kept.

Loaded with ``weights_only=True``: tensors and plain values, never code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from audiocycle.atomic import whole_file
from audiocycle.errors import OutputError, TrainingError

FORMAT = 3


@dataclass
class TrainState:
    """Everything that a resumed run must restore. Data and random draws need nothing: they follow from seed and step."""

    step: int
    seconds: float
    """Training time so far, for ``max_minutes``."""
    translator: dict[str, Any]
    critics: dict[str, Any]
    average: dict[str, Any]
    """Exponential moving average of the translator; empty when off."""
    generator_optimizer: dict[str, Any]
    critic_optimizer: dict[str, Any]
    pools: dict[str, Any]
    settings: dict[str, Any]
    """The configuration that made it, compared on resume."""
    format: int = FORMAT


def save_state(folder: Path, state: TrainState, keep: int) -> Path:
    """Write ``folder/step-N.pt`` whole or not at all, then remove all but the newest ``keep``.

    Checkpoints of later steps go too: they are the damaged ones that the run fell back from.

    Raises:
        OutputError: no space, or no permission.
    """
    path = folder / f"step-{state.step:08d}.pt"
    for left in folder.glob(".step-*.part.pt"):  # a run that was killed could not remove what it was writing
        left.unlink(missing_ok=True)
    try:
        with whole_file(path) as temporary:
            torch.save({f.name: getattr(state, f.name) for f in fields(state)}, temporary)
    except RuntimeError as error:  # what torch's archive writer makes of a failed write
        raise OutputError(f"{path}: cannot be written; free some disk space, then resume=true") from error
    found = checkpoints(folder)
    place = found.index(path)
    for other in found[: max(0, place + 1 - keep)] + found[place + 1 :]:
        other.unlink(missing_ok=True)
    return path


def checkpoints(folder: Path) -> list[Path]:
    """All checkpoints of a run, oldest first."""
    return sorted(p for p in folder.glob("step-*.pt") if re.fullmatch(r"step-\d+\.pt", p.name))


def load_newest(folder: Path) -> TrainState | None:
    """The newest checkpoint that can be read; None when there is none.

    Raises:
        TrainingError: there are checkpoints, and none can be read.
    """
    found = checkpoints(folder)
    for path in reversed(found):
        try:
            raw = torch.load(path, map_location="cpu", weights_only=True)
            if raw["format"] != FORMAT:
                made_by = "a newer" if raw["format"] > FORMAT else "an older"
                raise TrainingError(f"{path}: from {made_by} audiocycle; resume with that one, or start again with another run_dir")
            return TrainState(**raw)
        except TrainingError:
            raise
        except Exception as error:  # whatever a damaged archive raises: fall back to the one before
            last = error
    if found:
        raise TrainingError(f"{folder}: no checkpoint can be read ({last}); start again with another run_dir")
    return None
