"""A folder ``in`` that toys convert to ``out``, and what is there afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from toy_converter import toy_bundle, use_toys

from audiocycle.conversion.library.batch import convert_jobs
from audiocycle.conversion.library.ledger import REPORT
from audiocycle.conversion.library.plan import plan
from audiocycle.conversion.library.worker import Task
from audiocycle.conversion.record import Record


def toy_library(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """``in/a.txt`` and ``in/sub/b.txt`` in the working folder, and a model that converts text."""
    patch.chdir(folder)
    use_toys(patch)
    toy_bundle(folder / "model")
    (folder / "in/sub").mkdir(parents=True)
    (folder / "in/a.txt").write_text("first")
    (folder / "in/sub/b.txt").write_text("second")
    return folder


def run(**changes: Any) -> dict[str, Record]:
    """Convert ``in`` to ``out``; records by the input's name."""
    return {Path(record.input).name: record for record in records(**changes)}


def records(**changes: Any) -> list[Record]:
    task = Task(**{"bundle": Path("model"), "target": "ben"} | changes)
    out = Path("out")
    return list(convert_jobs(task, plan(["in"], out, ".txt", lambda path: path.suffix == ".txt"), folder=out))


def statuses(**changes: Any) -> dict[str, str]:
    return {name: record.status for name, record in run(**changes).items()}


def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("out", REPORT).read_text(encoding="utf-8").splitlines()]


def files() -> list[str]:
    return sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*") if path.is_file())
