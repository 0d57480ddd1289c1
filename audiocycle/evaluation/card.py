"""The results of an evaluation in a bundle's model card: Markdown between two comments, so that the next evaluation replaces it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from audiocycle.bundles.format import CARD
from audiocycle.errors import OutputError
from audiocycle.evaluation.measure import Place, Row, TableLayout
from audiocycle.system.atomic import write_text

BEGIN, END = "<!-- evaluation -->", "<!-- end of evaluation -->"


def write_card(bundle: Path, results: str) -> Path:
    """Put results (Markdown) into the bundle's card, in place of those of an earlier evaluation, or at its end; the card's path comes back.

    Raises:
        OutputError: it cannot be written.
    """
    path = bundle / CARD
    if path.is_symlink():  # in a stranger's bundle it may point at what is private, and would be copied into what is shared
        raise OutputError(f"{path}: is a link; put a copy in its place, and evaluate again")
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    section = f"{BEGIN}\n{results}\n{END}"
    old = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    whole = old.sub(lambda _: section, before) if old.search(before) else f"{before.rstrip()}\n\n{section}\n"
    write_text(path, whole)
    return path


def table(title: str, rows: Mapping[str, Row], layout: TableLayout) -> str:
    """Rows by the measures for which a card has room, in Markdown: the model's in bold, intervals in brackets."""
    measures = layout.shown(rows, Place.CARD)

    def cell(row: str, name: str) -> str:
        if name not in rows[row]:
            return "–"
        measure, value = columns[name], rows[row][name]
        ends = measure.interval(value) if row in layout.with_intervals else ""
        return f"{measure.short(value.mean)} ({ends})" if ends else measure.short(value.mean)

    columns = {measure.name: measure for measure in measures}
    lines = [[title, *(measure.heading for measure in measures)]]
    for row in layout.in_order(rows):
        label = layout.label(row)
        lines.append([f"**{label}**" if layout.roles.get(row) == "model" else label, *(cell(row, name) for name in columns)])
    heading, *body = (f"| {' | '.join(cells)} |" for cells in lines)
    return "\n".join([heading, "|---" * len(lines[0]) + "|", *body])
