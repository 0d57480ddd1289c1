"""Evaluations as text: aligned tables of at most 110 columns, rendered from the declarations of measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from audiocycle.evaluation.measure import Measure, Row, TableLayout
from audiocycle.metrics.estimates import Estimate

WIDTH = 110
NARROWEST = 6
"""Of a column, without the space before it."""


def tables(title: str, rows: Mapping[str, Row], measures: Sequence[Measure], layout: TableLayout) -> Iterator[str]:
    """Rows by measures; a table that would be too wide goes on in another one, after an empty line."""
    note = f"  95 % over {layout.over}"
    label = max(map(len, [note, *map(layout.label, layout.rows)])) + 1
    lines = [("", {measure.name: measure.heading for measure in measures})]
    for row in layout.in_order(rows):
        values = rows[row]
        lines.append((layout.label(row), {measure.name: number(measure, values.get(measure.name)) for measure in measures}))
        if row in layout.with_intervals:
            lines.append((note, {m.name: m.interval(values[m.name]) for m in measures if m.name in values}))
    widths = {m.name: 1 + max(NARROWEST, *(len(cells.get(m.name, "")) for _, cells in lines)) for m in measures}
    for place, columns in enumerate(side_by_side(measures, widths, WIDTH - label)):
        if place:
            yield ""
        yield title
        for name, cells in lines:
            texts = {column.name: cells.get(column.name, "") for column in columns}
            if any(texts.values()):
                yield f"{name:{label}}" + "".join(f"{text:>{widths[column]}}" for column, text in texts.items())


def side_by_side(measures: Sequence[Measure], widths: Mapping[str, int], room: int) -> Iterator[Sequence[Measure]]:
    """As many columns at a time as there is room for."""
    while measures:
        count = max(1, int((np.cumsum([widths[measure.name] for measure in measures]) <= room).sum()))
        yield measures[:count]
        measures = measures[count:]


def number(measure: Measure, value: Estimate | None) -> str:
    """``0.62 ±0.03``, the spread over seeds where there is one; a dash where the row has no such measure."""
    if value is None:
        return "–"
    spread = "" if value.spread is None else f" ±{measure.short(value.spread)}"
    return measure.short(value.mean) + spread


def rows_to_json(rows: Mapping[str, Mapping[str, Estimate]]) -> dict[str, Any]:
    """Means with intervals and spread, by row and measure, not scaled."""
    return {row: {name: value.to_json() for name, value in values.items()} for row, values in rows.items()}
