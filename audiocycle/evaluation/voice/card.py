"""What a model card says of an evaluation of voices."""

from __future__ import annotations

from audiocycle.evaluation.page.card import markdown_table
from audiocycle.evaluation.voice.evaluate import CONVERTED, ROWS, Direction, VoiceEvaluation
from audiocycle.evaluation.voice.table import TABLES, interval

LEFT_OUT = ("mcd_world", "vuv_error", "duration_error", "loudness_difference", "similarity_target", "similarity_source", "cer", "ovrl")
"""Measures for which a card has no room."""


def markdown(evaluation: VoiceEvaluation) -> str:
    """A heading, a table for each direction, and how to read them."""
    parts = ["## Evaluation", "On recordings that were not trained on, by `audiocycle evaluate`, which prints all definitions. Means over files, 95 % intervals in brackets."]
    parts += [table(name, each) for name, each in evaluation.directions.items()]
    recognizer = f" Words lost (WER): by {evaluation.recognizer}." if evaluation.recognizer else ""
    parts.append(
        "MCD: to the target's recording of the sentence. GV: variance of the envelope over time, 1 is natural. Share: cosine to the "
        f"target speaker as a speaker encoder hears it, as a share of the target's own recordings'. P808: predicted naturalness.{recognizer}"
    )
    return "\n\n".join(parts)


def table(name: str, each: Direction) -> str:
    """A direction's rows."""
    columns = {
        measure: column
        for one in TABLES
        for measure, column in one.items()
        if measure not in LEFT_OUT and any(measure in row for row in each.rows.values())
    }
    rows: dict[str, list[str]] = {row: [] for row in ROWS}
    for row, cells in rows.items():
        for measure, column in columns.items():
            value = column.text(each.rows[row][measure].mean) if measure in each.rows[row] else "–"
            ends = interval(column, each.rows[row], measure) if row == CONVERTED else ""
            cells.append(f"{value} ({ends})" if ends else value)
    return markdown_table(f"{name}, {len(each.files)} files", (column.heading for column in columns.values()), rows, CONVERTED)
