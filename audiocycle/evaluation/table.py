"""Evaluations as text: aligned tables of at most 110 columns, rendered from the declarations of measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
    intervals = {row: {m.name: m.interval(rows[row][m.name]) for m in measures if m.name in rows[row]} for row in layout.with_intervals if row in rows}
    widths = {m.name: width(m, rows, intervals) for m in measures}
    for place, columns in enumerate(side_by_side(measures, widths, WIDTH - label)):

        def line(first: str, cell: Callable[[Measure], str], columns: Sequence[Measure] = columns) -> str:
            return f"{first:{label}}" + "".join(f"{cell(measure):>{widths[measure.name]}}" for measure in columns)

        if place:
            yield ""
        yield title
        yield line("", lambda measure: measure.heading)
        for row in layout.in_order(rows):
            yield line(layout.label(row), lambda m, values=rows[row]: number(m, values.get(m.name)))  # type: ignore[misc]
            if any(intervals.get(row, {}).get(measure.name) for measure in columns):
                yield line(note, lambda m, texts=intervals[row]: texts.get(m.name, ""))  # type: ignore[misc]


def side_by_side(measures: Sequence[Measure], widths: Mapping[str, int], room: int) -> Iterator[Sequence[Measure]]:
    """As many columns at a time as there is room for."""
    while measures:
        count = max(1, int((np.cumsum([widths[measure.name] for measure in measures]) <= room).sum()))
        yield measures[:count]
        measures = measures[count:]


def width(measure: Measure, rows: Mapping[str, Row], intervals: Mapping[str, Mapping[str, str]]) -> int:
    """Of a column that holds heading, numbers and intervals, and a space before them."""
    numbers = [number(measure, row.get(measure.name)) for row in rows.values()]
    texts = [measure.heading, *numbers, *(each.get(measure.name, "") for each in intervals.values())]
    return max(NARROWEST, *map(len, texts)) + 1


def number(measure: Measure, value: Estimate | None) -> str:
    """``0.62 ±0.03``, the spread over seeds where there is one; a dash where the row has no such measure."""
    if value is None:
        return "–"
    spread = "" if value.spread is None else f" ±{measure.short(value.spread)}"
    return measure.short(value.mean) + spread


def rows_to_json(rows: Mapping[str, Mapping[str, Estimate]]) -> dict[str, Any]:
    """Means with intervals and spread, by row and measure, not scaled."""
    return {row: {name: value.to_json() for name, value in values.items()} for row, values in rows.items()}
