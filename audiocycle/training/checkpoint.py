"""The resumable training state: one file, written atomically, a few kept.

Loaded with ``weights_only=True``: tensors and plain values, never code. The file is torch's zip archive, with a digest of all that
torch wrote as the archive's comment: torch looks at no checksum, and trains on with whatever numbers a bad disk gives it.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from numbers import Real
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from audiocycle.errors import OutputError, TrainingError, one_line
from audiocycle.system.atomic import whole_file

FORMAT, BEFORE = 4, 3
"""What is written; and what is read, too: there the choice is missing."""
SEAL = b"audiocycle blake2b "
"""Begins an archive's comment; the digest in hexadecimal digits follows. Checkpoints of version 0.1.0 have none."""


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
    choice: dict[str, Any] = field(default_factory=dict)
    """What held-out items said of steps, and the best one's weights; empty where there are none."""
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
            seal(temporary)
    except RuntimeError as error:  # what torch's archive writer makes of a failed write
        raise OutputError(f"{path}: cannot be written; free some disk space, then resume=true") from error
    found = checkpoints(folder)
    place = found.index(path)
    for other in found[: max(0, place + 1 - keep)] + found[place + 1 :]:
        other.unlink(missing_ok=True)
    return path


def checkpoints(folder: Path) -> list[Path]:
    """All checkpoints of a run, oldest first."""
    return sorted(p for p in folder.glob("step-*.pt") if re.fullmatch(r"step-\d+\.pt", p.name) and p.is_file())


def seal(path: Path) -> None:
    """Give an archive that has no comment the digest of its bytes as one."""
    with path.open("r+b") as file:
        comment = SEAL + digest(file, path.stat().st_size).encode()
        file.seek(-2, os.SEEK_END)  # an archive ends in the length of its comment, two bytes, and the comment
        file.write(len(comment).to_bytes(2, "little") + comment)


def intact(path: Path) -> bool:
    """Whether an archive is what was sealed; of one that never was, whether the checksums of its parts agree.

    Raises:
        Exception: anything, where it is damaged too much to tell.
    """
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        if not archive.comment:
            return archive.testzip() is None
        size = path.stat().st_size - len(archive.comment)
        return archive.comment == SEAL + digest(file, size).encode()


def digest(file: IO[bytes], size: int) -> str:
    """BLAKE2b of the first ``size`` bytes of an archive, as they were when it had no comment."""
    file.seek(0)
    found, left = hashlib.blake2b(digest_size=16), size - 2
    while block := file.read(min(left, 1 << 20)):
        found.update(block)
        left -= len(block)
    found.update(bytes(2))
    return found.hexdigest()


class DamagedError(Exception):
    """A checkpoint cannot be used; the message says why, and fits behind its name."""


def load_newest(
    folder: Path, misfit: Callable[[TrainState], str] = lambda state: "", told: Callable[[str], None] = lambda text: None
) -> TrainState | None:
    """The newest checkpoint that is whole, and fits; None when there is none.

    Args:
        misfit: says of a state why it cannot be restored; nothing where it can.
        told: is called with a line for each checkpoint that was passed over for an older one.

    Raises:
        TrainingError: there are checkpoints, and none can be used; or the newest that is whole is another version's.
    """
    reasons: dict[Path, str] = {}
    for path in reversed(checkpoints(folder)):
        try:
            state = read_state(path)
            reasons[path] = misfit(state)
        except DamagedError as error:
            reasons[path] = str(error)
        if not reasons[path]:
            for passed_over, reason in reasons.items():
                if reason:
                    told(f"{passed_over}: {reason}; passed over for {path.name}")
            return state
    if reasons:
        first = next(iter(reasons.values()))
        raise TrainingError(f"{folder}: no checkpoint can be read ({first}); start again with another run_dir")
    return None


def read_state(path: Path) -> TrainState:
    """The state in a file.

    Raises:
        DamagedError: it is not what was written.
        TrainingError: another version wrote it, or there is no permission to read it.
    """
    try:
        whole = intact(path)
        raw: Any = torch.load(path, map_location="cpu", weights_only=True) if whole else None
    except PermissionError as error:
        raise TrainingError(f"{path}: no permission to read it") from error
    except Exception as error:  # whatever a damaged archive raises
        raise DamagedError(f"damaged ({one_line(error).split('. ')[0][:100]})") from error
    if not whole:
        raise DamagedError("damaged (other bytes than were written)")
    version = raw.get("format") if isinstance(raw, dict) else None
    if not isinstance(version, int):
        raise DamagedError("not a checkpoint of a training")
    if version == BEFORE:
        raw = {"choice": {}} | raw | {"format": FORMAT}
    elif version != FORMAT:
        made_by = "a newer" if version > FORMAT else "an older"
        raise TrainingError(f"{path}: from {made_by} audiocycle; resume with that one, or start again with another run_dir")
    if raw.keys() != {each.name for each in fields(TrainState)}:
        raise DamagedError("not a checkpoint of a training")
    state = TrainState(**raw)
    numbers = isinstance(state.step, int) and isinstance(state.seconds, Real) and state.step >= 0 and 0 <= state.seconds < math.inf
    if not numbers or not all(isinstance(value, dict) for name, value in raw.items() if name not in ("format", "step", "seconds")):
        raise DamagedError("damaged (values of wrong types)")
    return state


def unlike(saved: Any, own: Mapping[str, Tensor]) -> str:
    """Why weights cannot take the place of a network's own; nothing where they can.

    Their names, shapes and types must agree, and all numbers be finite.
    """
    if not isinstance(saved, Mapping) or saved.keys() != own.keys():
        return "other weights than this network has"
    for name, tensor in own.items():
        found = saved[name]
        if not isinstance(found, Tensor) or (found.shape, found.dtype) != (tensor.shape, tensor.dtype):
            kind = f"{tuple(found.shape)}, {found.dtype}" if isinstance(found, Tensor) else type(found).__name__
            return f"{name} is {kind} where {tuple(tensor.shape)}, {tensor.dtype} is needed"
        if not torch.isfinite(found).all():
            return f"{name} is not finite"
    return ""


def unlike_adam(saved: Any, own: torch.optim.Adam) -> str:
    """Why a state dict cannot be given to an optimizer of one group of parameters; nothing where it can."""
    try:
        (group,), (mine,) = saved["param_groups"], own.state_dict()["param_groups"]
        parameters = dict(zip(mine["params"], own.param_groups[0]["params"], strict=True))
        alike = group["params"] == mine["params"] and all(same_kind(group[name], mine[name]) for name in ("lr", "betas", "eps"))
        states = saved["state"]
        if not alike or not states.keys() <= parameters.keys():
            return "an optimizer's state for other weights"
        for place, state in states.items():
            like = torch.zeros(())
            shape = parameters[place]
            if reason := unlike(state, {"step": like, "exp_avg": shape, "exp_avg_sq": shape}):
                return f"of an optimizer's state {reason}"
    except (TypeError, KeyError, ValueError, AttributeError):
        return "an optimizer's state of wrong types"
    return ""


def unlike_average(saved: Mapping[str, Any], own: Mapping[str, Tensor]) -> str:
    """Why a moving average cannot be restored; nothing where it can."""
    updates = saved.get("updates")
    if not isinstance(updates, int) or updates < 0:
        return "a moving average of wrong types"
    reason = unlike(saved.get("weights"), own)
    return f"of the moving average {reason}" if reason else ""


def unlike_pool(saved: Any) -> str:
    """Why earlier fakes cannot be restored; nothing where they can."""
    lists = list(saved.values()) if isinstance(saved, Mapping) else [None]
    for items in lists:
        if not isinstance(items, list) or not all(isinstance(x, Tensor) and x.dim() and x.is_floating_point() for x in items):
            return "a history of fakes of wrong types"
        if any(x.shape != items[0].shape or not torch.isfinite(x).all() for x in items):  # of any precision: a resume may change it
            return "a history of fakes of several shapes, or not finite"
    return ""


def same_kind(value: Any, other: Any) -> bool:
    """Whether both are numbers, or both tuples of as many numbers."""
    if isinstance(other, tuple):
        return isinstance(value, tuple) and len(value) == len(other) and all(map(same_kind, value, other))
    return isinstance(value, Real) and isinstance(other, Real)
