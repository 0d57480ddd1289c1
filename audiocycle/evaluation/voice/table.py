"""What ``audiocycle evaluate`` prints of voices: aligned tables for people, one object for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from audiocycle.evaluation.measure import Place, Row
from audiocycle.evaluation.table import WIDTH, rows_to_json, tables
from audiocycle.evaluation.voice.listeners import WORDS
from audiocycle.evaluation.voice.measures import COUNTERPARTS, DEFINITIONS, LAYOUT, MEASURES, TEXT_TABLES
from audiocycle.evaluation.voice.results import VoiceDirectionResult, VoiceEvaluation


def to_json(evaluation: VoiceEvaluation) -> dict[str, Any]:
    """Everything but the sounds, with the definitions; null where there is nothing to measure."""
    directions = {name: direction_to_json(each) for name, each in evaluation.directions.items()}
    rest = {"directions": directions, "total": rows_to_json(evaluation.total), "definitions": definitions(evaluation)}
    return vars(evaluation) | rest


def direction_to_json(each: VoiceDirectionResult) -> dict[str, Any]:
    """See :func:`to_json`."""
    values = {
        row: {measure: [value if isfinite(value) else None for value in column] for measure, column in columns.items()}
        for row, columns in each.values.items()
    }
    variance = {row: coefficients.tolist() for row, coefficients in each.global_variance.items()}
    kept = {name: value for name, value in vars(each).items() if name != "examples"}
    return kept | {"values": values, "rows": rows_to_json(each.rows), "global_variance": variance}


def definitions(evaluation: VoiceEvaluation) -> dict[str, str]:
    """Of everything that was measured."""
    lacking = set(evaluation.missing) | (set() if evaluation.parallel else {COUNTERPARTS})
    left_out = {measure.definition for measure in MEASURES if measure.needs in lacking}
    weights = {WORDS: f" Weights: {evaluation.recognizer}."} if evaluation.recognizer else {}
    return {name: text + weights.get(name, "") for name, text in DEFINITIONS.items() if name not in left_out}


def to_text(evaluation: VoiceEvaluation) -> str:
    """Tables of at most 110 columns."""
    return "\n".join(lines(evaluation))


def lines(evaluation: VoiceEvaluation) -> Iterator[str]:
    """Directions, total, what was left out and why, definitions."""
    for name, each in evaluation.directions.items():
        others = "" if evaluation.parallel else f", {len(each.target_files)} of the target"
        yield from all_tables(f"{name}: {len(each.files)} files{others}", each.rows)
    if len(evaluation.directions) > 1:
        yield from all_tables("total (mean of both directions)", evaluation.total)
    for family, reason in evaluation.missing.items():
        yield f"left out: {family} ({reason})"
    if not evaluation.parallel:
        yield "left out: distances to the target's recording of the sentence; add --parallel if files of one name are one"
    if evaluation.skipped:
        yield f"left out: {len(evaluation.skipped)} recordings; the first: {next(iter(evaluation.skipped.values()))}"
    if evaluation.notes:
        yield f"unusual: {len(evaluation.notes)} recordings; the first: {next(iter(evaluation.notes.values()))}"
    if evaluation.missing or evaluation.skipped or evaluation.notes or not evaluation.parallel:
        yield ""
    for text in definitions(evaluation).values():
        yield from textwrap.wrap(text, WIDTH)


def all_tables(title: str, rows: Mapping[str, Row]) -> Iterator[str]:
    """One table for each group of families."""
    for families in TEXT_TABLES:
        measures = [measure for measure in LAYOUT.shown(rows, Place.TABLE) if measure.family in families]
        if measures:
            yield from tables(title, rows, measures, LAYOUT)
            yield ""
