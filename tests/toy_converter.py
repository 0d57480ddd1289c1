"""A converter of text files that behaves as their names say, and its bundle."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from audiocycle.conversion.library.worker import Task
from audiocycle.conversion.record import Record
from audiocycle.errors import ConfigError, InputError, OutputError
from audiocycle.spec import Direction, Domain
from audiocycle.system.atomic import write_text


@dataclass(frozen=True)
class ToyOptions:
    """Options of a conversion."""

    loud: bool = False


class ToyConverter:
    """Writes ``WEIGHTS TARGET: TEXT``. Files called ``bad*`` fail, ``deadly*`` kill their process (with ``crash`` in the name as native code does), ``slow*`` take a minute and
    ``short*`` a moment; ``odd*`` have a note."""

    adapter = SimpleNamespace(renderers=("plain",))
    renderer = None
    network = SimpleNamespace(runtime="torch", precision="fp32")

    def __init__(self, bundle: Path) -> None:
        self.weights = (bundle / "model.safetensors").read_text()

    @property
    def modality(self) -> SimpleNamespace:
        return SimpleNamespace(preview_suffix=".prv", score_suffix=".scr", chosen=lambda values, renderer: self.options(values))

    @property
    def config(self) -> SimpleNamespace:
        return SimpleNamespace(resolve=self.direction)

    @staticmethod
    def direction(target: str, source: str | None = None) -> Direction:
        return Direction(Domain(source or "anna"), Domain(target))

    def options(self, values: dict[str, Any]) -> ToyOptions:
        if unknown := set(values) - {"loud"}:
            raise ConfigError(f"{unknown}: unknown")
        return ToyOptions(**values)

    def translation(self, target: str, source: str | None = None, **options: Any) -> None:
        self.options(options)

    def text(self, source: str, target: str, **options: Any) -> str:
        said = f"{self.weights} {target}: {source}"
        return said.upper() if self.options(options).loud else said

    def convert_file(
        self, path: Path, output: Path, target: str, source: str | None = None, *, overwrite: bool = False, plot: bool = False,
        preview: bool = False, score: bool = False, progress: Callable[[float], None] = lambda share: None, **options: Any,
    ) -> Record:  # fmt: skip
        if output.exists() and not overwrite:
            raise OutputError(f"{output}: exists already")
        if path.name.startswith("bad"):
            raise InputError(f"{path}: bad")
        if path.name.startswith(("deadly", "slow")):
            output.parent.mkdir(parents=True, exist_ok=True)
            output.with_name(f".{output.stem}.0123abcd.part{output.suffix}").touch()
            if path.name.startswith("deadly"):
                faulthandler.disable()
                os.kill(os.getpid(), signal.SIGABRT if "crash" in path.name else signal.SIGKILL)
            time.sleep(60.0)
        if path.name.startswith("short"):
            time.sleep(0.05)
        write_text(output, self.text(path.read_text(), target, **options))
        if plot:
            write_text(output.with_suffix(".png"), f"picture of {path.read_text()}")
        note = "odd" if path.name.startswith("odd") else ""
        return Record(str(path), str(output), "converted", 1.0, 0.5, details={"words": 2}, note=note)


def toy_bundle(folder: Path, weights: str = "one") -> Path:
    """A folder that looks like a bundle."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_text(weights)
    return folder


def use_toys(patch: pytest.MonkeyPatch) -> None:
    """Make every task load a :class:`ToyConverter`."""
    patch.setattr(Task, "converter", lambda task: ToyConverter(task.bundle))
