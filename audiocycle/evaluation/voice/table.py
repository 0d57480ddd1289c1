"""What ``audiocycle evaluate`` prints of voices: aligned tables for people, one object for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from audiocycle.evaluation.voice import judge as judging
from audiocycle.evaluation.voice import recordings
from audiocycle.evaluation.voice.evaluate import CONVERTED, ROWS, Direction, Row, VoiceEvaluation
from audiocycle.evaluation.voice.listeners import NATURALNESS, SPEAKER, WORDS
from audiocycle.metrics.voice import (
    duration,
    loudness,
    mcd,
    modulation,
    naturalness,
    pitch,
    recognition,
    speaker,
)

WIDTH, LABEL = 110, 25


@dataclass(frozen=True)
class Column:
    """How a measure is printed: its heading, decimals, and the factor to the unit shown (100 for %)."""

    heading: str
    decimals: int
    factor: int = 1

    def text(self, value: float) -> str:
        """A number, never ``-0.0``."""
        return f"{value * self.factor:z.{self.decimals}f}"


TABLES = (
    {
        "mcd_sptk": Column("MCD dB", 2),
        "mcd_world": Column("WORLD-MCD", 2),
        "modulation_distance": Column("mod. dB", 2),
        "global_variance_ratio": Column("GV ratio", 2),
        "log_f0_rmse_cents": Column("F0 cents", 0),
        "log_f0_correlation": Column("F0 corr.", 2),
        "vuv_error": Column("V/UV %", 0, 100),
        "duration_error": Column("time %", 0, 100),
        "loudness_difference": Column("LU", 1),
    },
    {
        "similarity_target": Column("to target", 2),
        "similarity_source": Column("to source", 2),
        "similarity_share": Column("share %", 0, 100),
        "nearer_target": Column("nearer %", 0, 100),
        "wer": Column("WER %", 0, 100),
        "cer": Column("CER %", 0, 100),
        "p808": Column("P808", 2),
        "p808_drop": Column("drop", 2),
        "ovrl": Column("OVRL", 2),
    },
)
DEFINITIONS = {
    "rows": recordings.DEFINITION,
    "mcd_sptk": mcd.DEFINITION,
    "mcd_world": mcd.CODED_DEFINITION,
    "modulation_distance": modulation.DEFINITION,
    "global_variance": judging.GLOBAL_VARIANCE_DEFINITION,
    "pitch": pitch.DEFINITION,
    "duration": duration.DEFINITION,
    "loudness": loudness.DEFINITION,
    SPEAKER: f"{speaker.DEFINITION} {judging.SPEAKER_DEFINITION}",
    WORDS: f"{recognition.DEFINITION} {judging.WORDS_DEFINITION}",
    NATURALNESS: f"{naturalness.DEFINITION} {judging.DROP_DEFINITION}",
    "intervals": judging.INTERVALS_DEFINITION,
}
NEED_COUNTERPARTS = ("mcd_sptk", "mcd_world", "modulation_distance", "pitch", "duration")


def to_json(evaluation: VoiceEvaluation) -> dict[str, Any]:
    """Everything but the sounds, with the definitions; null where there is nothing to measure."""
    directions = {name: direction_to_json(each) for name, each in evaluation.directions.items()}
    rest = {"directions": directions, "total": rows_to_json(evaluation.total), "definitions": definitions(evaluation)}
    return vars(evaluation) | rest


def direction_to_json(each: Direction) -> dict[str, Any]:
    """See :func:`to_json`."""
    values = {
        row: {measure: [value if isfinite(value) else None for value in column] for measure, column in columns.items()}
        for row, columns in each.values.items()
    }
    variance = {row: coefficients.tolist() for row, coefficients in each.global_variance.items()}
    kept = {name: value for name, value in vars(each).items() if name != "examples"}
    return kept | {"values": values, "rows": rows_to_json(each.rows), "global_variance": variance}


def rows_to_json(rows: Mapping[str, Row]) -> dict[str, Any]:
    """Means with intervals."""
    return {row: {measure: value.to_json() for measure, value in values.items()} for row, values in rows.items()}


def definitions(evaluation: VoiceEvaluation) -> dict[str, str]:
    """Of everything that was measured."""
    left_out = set(evaluation.missing) | (set() if evaluation.parallel else set(NEED_COUNTERPARTS))
    weights = {WORDS: f" Weights: {evaluation.recognizer}."} if evaluation.recognizer else {}
    return {name: text + weights.get(name, "") for name, text in DEFINITIONS.items() if name not in left_out}


def to_text(evaluation: VoiceEvaluation) -> str:
    """Tables of at most 110 columns."""
    return "\n".join(lines(evaluation))


def lines(evaluation: VoiceEvaluation) -> Iterator[str]:
    """Directions, total, what was left out and why, definitions."""
    for name, each in evaluation.directions.items():
        others = "" if evaluation.parallel else f", {len(each.target_files)} of the target"
        yield from tables(f"{name}: {len(each.files)} files{others}", each.rows)
    if len(evaluation.directions) > 1:
        yield from tables("total (mean of both directions)", evaluation.total)
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


def tables(title: str, rows: Mapping[str, Row]) -> Iterator[str]:
    """All tables of some rows, with an empty line after each; one that would be too wide goes on in another."""
    for columns in TABLES:
        there = {measure: column for measure, column in columns.items() if any(measure in row for row in rows.values())}
        ends = {measure: interval(column, rows[CONVERTED], measure) for measure, column in there.items()}
        widths = {measure: max(len(column.heading), len(ends[measure]), 6) + 1 for measure, column in there.items()}
        while widths:
            ends_at = np.cumsum(list(widths.values())) + LABEL
            shown = {measure: widths.pop(measure) for measure in list(widths)[: max(1, int((ends_at <= WIDTH).sum()))]}
            yield title
            yield from table({measure: there[measure] for measure in shown}, shown, ends, rows)
            yield ""


def table(columns: Mapping[str, Column], widths: Mapping[str, int], ends: Mapping[str, str], rows: Mapping[str, Row]) -> Iterator[str]:
    """One line a row, and one for the converted's 95 % intervals (``ends``)."""

    def line(label: str, cell: Callable[[str], str]) -> str:
        return f"{label:{LABEL}}" + "".join(f"{cell(measure):>{width}}" for measure, width in widths.items())

    yield line("", lambda measure: columns[measure].heading)
    for name in ROWS:
        means = {m: column.text(rows[name][m].mean) if m in rows[name] else "–" for m, column in columns.items()}
        yield line(name, means.__getitem__)
        if name == CONVERTED and any(ends[measure] for measure in columns):
            yield line("  95 % over files", ends.__getitem__)


def interval(column: Column, row: Row, measure: str) -> str:
    """``8.14–8.53``; two dots where an end is negative."""
    ends = row[measure].interval if measure in row else None
    if ends is None:
        return ""
    low, high = map(column.text, ends)
    return f"{low}..{high}" if "-" in low + high else f"{low}–{high}"
