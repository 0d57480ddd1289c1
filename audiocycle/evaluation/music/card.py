"""What a model card says of an evaluation of genres."""

from __future__ import annotations

from collections.abc import Mapping

from audiocycle.evaluation.music.evaluate import Evaluation
from audiocycle.evaluation.music.judge import MODEL, Row
from audiocycle.evaluation.music.table import COLUMNS, LABELS, SHAPE_COLUMNS, interval
from audiocycle.evaluation.page.card import markdown_table
from audiocycle.metrics.estimates import Estimate

LEFT_OUT = ("key_kept", "in_all_three")
"""Measures for which a card has no room."""


def markdown(evaluation: Evaluation) -> str:
    """A heading, a table for each direction and their mean, and how to read them."""
    parts = ["## Evaluation", "On songs that were not trained on, by `audiocycle evaluate`, which prints all definitions. Means over phrases, 95 % intervals over songs in brackets."]
    parts += [table(f"{name}, {each.songs} songs", each.rows) for name, each in evaluation.directions.items()]
    parts.append(table("mean of both", evaluation.total))
    parts.append(
        "Strength: how much of a classifier's opinion moves to the other genre, 0 to 1; chroma, groove, note F1: likeness to the source; style: "
        "likeness to the target's songs; the last three: share of phrases within the middle 80 % of the target's." + heard(evaluation)
    )
    return "\n\n".join(parts)


def table(title: str, rows: Mapping[str, Row]) -> str:
    """The model and the controls."""
    headings = {key: text for columns in (COLUMNS, SHAPE_COLUMNS) for key, (text, _) in columns.items() if key not in LEFT_OUT and key in rows[MODEL]}
    headings |= {key: f"style, {text}" for key, text in (("style_time_pitch", "pitch"), ("style_onset_duration", "rhythm")) if key in headings}
    cells = {LABELS[row]: [cell(values[key], ends=row == MODEL) for key in headings] for row, values in rows.items()}
    return markdown_table(title, headings.values(), cells, LABELS[MODEL])


def cell(value: Estimate, ends: bool) -> str:
    """``0.71 (0.64–0.75)``."""
    between = interval(value) if ends else ""
    return f"{value.mean:.2f} ({between})" if between else f"{value.mean:.2f}"


def heard(evaluation: Evaluation) -> str:
    """How well the classifier knows sources that it was not trained on."""
    if evaluation.classifier is None:
        return ""
    tests = {test["corpus"]: test["accuracy"] for test in evaluation.classifier["tests"] if not test["seen"]}
    if not tests:
        return " The classifier was tested on no source that it does not know."
    return " The classifier is right on sources that it was not trained on in " + ", ".join(f"{value:.0%} ({name})" for name, value in tests.items()) + " of phrases."
