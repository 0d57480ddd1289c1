"""The training in the report: its losses over the steps, from the log that it kept, and its settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from audiocycle.errors import InputError
from audiocycle.evaluation.page.charts import curve_chart
from audiocycle.evaluation.page.markup import Markup, element

Losses = dict[str, tuple[list[float], list[float]]]
"""Kind of term, in order of appearance, to steps and values."""
NO_LOSSES = ("rate", "norm", "held_out")
"""What else is logged under ``kind/name``: learning rates, norms of gradients, measures of held-out items."""
MOST_POINTS = 300
"""Points of a training curve; of more steps, means over neighbours are shown."""


def training(settings: Mapping[str, Any], losses: Losses) -> Iterator[Markup]:
    """Curves and settings."""
    yield element("h2", "Training", id="training")
    if losses:
        last = max(steps[-1] for steps, _ in losses.values())
        yield element("p", f"Losses over {last:g} steps, means of all directions.", class_="soft")
        figures = (
            element(
                "figure",
                element("figcaption", kind.replace("_", " ")),
                curve_chart(
                    *thinned(steps, values),
                    f"{kind.replace('_', ' ')} loss: {values[0]:.3g} at first, {values[-1]:.3g} at last",
                ),
            )
            for kind, (steps, values) in losses.items()
        )
        yield element("div", *figures, class_="charts curves")
    if settings:
        text = json.dumps(settings, indent=1, default=str, ensure_ascii=False)
        yield element("details", element("summary", "Settings"), element("pre", text))


def read_losses(path: Path) -> Losses:
    """Steps and values of each kind of term, the mean over directions, from a training's ``log.jsonl``, whichever terms it holds.

    A training that was resumed wrote some steps twice: the later ones count. A last line cut short is left out.

    Raises:
        InputError: it cannot be read, or is no such log.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}); name a training's log.jsonl"
        ) from error
    by_step: dict[float, dict[str, float]] = {}
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            by_step[float(record["step"])] = means_by_kind(record)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
            if number == len(lines):
                break
            raise InputError(
                f"{path}: line {number} is not a training's log; name the log.jsonl beside its checkpoints"
            ) from error
    losses: Losses = {}
    for step in sorted(by_step):
        for kind, value in by_step[step].items():
            if np.isfinite(value):
                steps, values = losses.setdefault(kind, ([], []))
                steps.append(step)
                values.append(value)
    return losses


def means_by_kind(record: Mapping[str, Any]) -> dict[str, float]:
    """The mean over directions of each kind of term, logged as ``kind/direction``.

    Raises:
        TypeError: a term's value is no number.
    """
    groups: dict[str, list[float]] = {}
    for name, value in record.items():
        kind, slash, _ = name.partition("/")
        if slash and kind not in NO_LOSSES:
            groups.setdefault(kind, []).append(value)
    return {kind: sum(group) / len(group) for kind, group in groups.items()}


def thinned(steps: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    """At most :data:`MOST_POINTS` points: means over neighbours."""
    groups = min(MOST_POINTS, len(steps))
    parts = zip(np.array_split(np.array(steps), groups), np.array_split(np.array(values), groups), strict=True)
    points = [(float(x.mean()), float(y.mean())) for x, y in parts]
    return [x for x, _ in points], [y for _, y in points]
