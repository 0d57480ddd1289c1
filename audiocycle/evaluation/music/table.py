"""What ``audiocycle evaluate`` prints: aligned tables for people, one object for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from audiocycle.evaluation.music.classifier import HOW_TO, untested
from audiocycle.evaluation.music.evaluate import DEFINITIONS, Evaluation
from audiocycle.evaluation.music.judge import GAIN, IDENTITY, MODEL, RANDOM, Direction, Row
from audiocycle.metrics.estimates import Estimate

WIDTH = 110
LABELS = {MODEL: "model", IDENTITY: "identity", RANDOM: "random target phrase", GAIN: "model less identity"}
Columns = Mapping[str, tuple[str, int]]
"""Measure to heading and width."""
COLUMNS: Columns = {
    "strength": ("strength", 12),
    "accuracy_strength": ("by accuracy", 13),
    "chroma_similarity": ("chroma", 10),
    "groove_similarity": ("groove", 10),
    "note_f1": ("note F1", 10),
    "key_kept": ("key kept", 10),
    "style_time_pitch": ("style:pitch", 13),
    "style_onset_duration": ("rhythm", 10),
}
SHAPE_COLUMNS: Columns = {
    "in_notes_per_bar": ("notes per bar", 15),
    "in_polyphony": ("polyphony", 12),
    "in_note_length": ("note length", 13),
    "in_all_three": ("all three", 12),
}
PAIRED_COLUMNS: Columns = {"chroma_similarity": ("chroma", 18), "note_f1": ("note F1", 18)}
SHAPES = {"notes_per_bar": "notes per bar", "polyphony": "polyphony", "median_note_steps": "note length (steps)"}
FEWEST_SEEDS = 3
"""Fewer classifiers say too little of how much one differs from the next."""


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Everything, with the definitions."""

    def rows_of(rows: Mapping[str, Row]) -> dict[str, Any]:
        return {row: {measure: value.to_json() for measure, value in values.items()} for row, values in rows.items()}

    def direction_of(each: Direction) -> dict[str, Any]:
        return {
            "songs": each.songs,
            "phrases": each.phrases,
            "rows": rows_of(each.rows),
            "paired": rows_of(each.paired),
            "quality": rows_of(each.quality),
            "middles": {measure: list(ends) for measure, ends in each.middles.items()},
            "seams": rows_of(each.seams),
            "corpora": each.corpora,
            "knob": [{"setting": setting, **rows_of({"row": row})["row"]} for setting, row in each.knob.items()],
            "by_song": {"names": each.names, "rows": each.values},
        }

    return {
        "model": evaluation.model,
        "parallel": evaluation.parallel,
        "directions": {name: direction_of(each) for name, each in evaluation.directions.items()},
        "total": rows_of(evaluation.total),
        "skipped": evaluation.skipped,
        "classifier": evaluation.classifier,
        "definitions": DEFINITIONS,
    }


def to_text(evaluation: Evaluation) -> str:
    """Tables of at most 110 columns."""
    return "\n".join(lines(evaluation))


def lines(evaluation: Evaluation) -> Iterator[str]:
    """Directions, total, quality, then what is to be known of the classifier and the measures."""
    for name, each in evaluation.directions.items():
        yield from table(f"{name}: {each.songs} songs, {each.phrases} phrases", each.rows)
        yield from knob(each)
        yield ""
        yield from table(f"{name}, phrases in the middle 80 % of {each.target}", each.rows, SHAPE_COLUMNS)
        yield "  the middle is: " + ", ".join(f"{SHAPES[key]} {low:.2f}–{high:.2f}" for key, (low, high) in each.middles.items())
        yield ""
        if each.paired:
            yield from table(f"{name}, against the true counterparts", each.paired, PAIRED_COLUMNS)
            yield ""
    yield from table("total (mean of both directions)", evaluation.total)
    yield from table("total, phrases in the middle 80 % of the target", evaluation.total, SHAPE_COLUMNS)
    yield ""
    yield from seams(evaluation.directions)
    yield ""
    yield from quality(evaluation.directions)
    yield ""
    yield from about_classifier(evaluation)
    if evaluation.skipped:
        yield f"left out: {len(evaluation.skipped)} songs that training would refuse, too (--json names them)"
    yield ""
    for text in DEFINITIONS.values():
        yield from textwrap.wrap(text, WIDTH)


def table(title: str, rows: Mapping[str, Row], columns: Columns = COLUMNS) -> Iterator[str]:
    """One line a row, and one for the 95 % intervals of the model, or of what it gains."""
    there = [(measure, width) for measure, (_, width) in columns.items() if measure in next(iter(rows.values()))]

    def line(label: str, cells: Callable[[str], str]) -> str:
        return f"  {label:20}" + "".join(f"{cells(measure):>{width}}" for measure, width in there)

    yield title
    yield line("", lambda measure: columns[measure][0])
    for row, values in rows.items():
        yield line(LABELS[row], lambda measure, values=values: number(values[measure]))  # type: ignore[misc]
        if row in (MODEL, GAIN) and any(values[measure].interval for measure, _ in there):
            yield line("  95 % over songs", lambda measure, values=values: interval(values[measure]))  # type: ignore[misc]


def knob(each: Direction) -> Iterator[str]:
    """What less strength gives."""
    for setting, row in each.knob.items():
        told = ", ".join(f"{name} {row[key].mean:.2f}" for key, (name, _) in COLUMNS.items() if key in row)
        yield f"  --strength {setting:<4g}  {told}"


def seams(directions: Mapping[str, Direction]) -> Iterator[str]:
    """Whether notes break where windows meet."""
    yield "seams: broken notes a bar" + f"{'at borders':>23}{'inside':>18}{'difference':>14}"
    for name, each in directions.items():
        for measure in next(iter(each.seams.values()), {}):
            cells = (
                f"{row[measure].mean:{width}.3f} {f'({interval(row[measure], 3)})' if row[measure].interval else '':16}"
                for row, width in zip(each.seams.values(), (10, 0, 0), strict=True)
            )
            yield f"  {name:18} {measure.removesuffix('_notes'):8} " + " ".join(cells).rstrip()
        if not each.seams:
            yield f"  {name:18} no song is long enough: windows have to meet in two ways (six bars of 4/4 in a row with four-bar windows)"


def number(value: Estimate) -> str:
    """``0.62 ±0.03``, the spread over seeds where there is one."""
    spread = "" if value.spread is None else f" ±{value.spread:.2f}"
    return f"{value.mean:.2f}{spread}"


def interval(value: Estimate, digits: int = 2) -> str:
    """``0.58–0.66``, and ``-0.02 to 0.03`` where a minus is in it."""
    if value.interval is None:
        return ""
    return ("–" if value.interval[0] >= 0.0 else " to ").join(f"{end:.{digits}f}" for end in value.interval)


def quality(directions: Mapping[str, Direction]) -> Iterator[str]:
    """Of the transfers beside the genres' own."""
    (there, first), (back, second) = directions.items()
    source, target = there.split("->")
    columns = [(source, first, "source"), (there, first, "transfer"), (target, first, "target"), (back, second, "transfer")]
    widths = [max(12, len(heading) + 2) for heading, _, _ in columns]
    yield "quality of phrases" + " " * 4 + "".join(f"{heading:>{w}}" for (heading, _, _), w in zip(columns, widths, strict=True))
    for measure in first.quality:
        cells = (f"{each.quality[measure][kind].mean:>{w}.2f}" for (_, each, kind), w in zip(columns, widths, strict=True))
        yield f"  {measure.replace('_', ' '):20}" + "".join(cells)


def about_classifier(evaluation: Evaluation) -> Iterator[str]:
    """What its opinion is worth: on these songs, on others of the corpora that it knows, on corpora that it does not know."""
    if evaluation.classifier is None:
        yield "no strength without a classifier: train one, and add --classifier CLASSIFIER:"
        yield f"  {HOW_TO}"
        return
    known = evaluation.classifier
    yield f"classifier: {', '.join(known['genres'])}; {known['seeds']} seeds; accuracy by corpus:"
    told: list[tuple[str, Mapping[str, Any], str]] = []
    for each in evaluation.directions.values():
        for corpus, facts in each.corpora.items():
            told.append((corpus, facts, f"these songs, {'others' if facts['seen'] else 'NONE'} of the corpus in training"))
    told += [(test["corpus"], test, kind_of(test)) for test in known["tests"]]
    width = max(len(corpus) for corpus, _, _ in told)
    for corpus, result, kind in told:
        yield f"  {corpus:{width}} {result['accuracy']:7.1%} of {result['songs']:4} songs, {result['phrases']:5} phrases: {kind}"
    if known["seeds"] < FEWEST_SEEDS:
        yield f"  fewer than {FEWEST_SEEDS} seeds: how far the strength depends on the classifier is not known; train more"
    for genre in untested(known["genres"], [test["corpus"] for test in known["tests"] if not test["seen"]]):
        yield f"  never tested on a corpus of {genre} that it does not know: it may know that corpus rather than the genre"


def kind_of(test: Mapping[str, Any]) -> str:
    """What a classifier was tested on."""
    if test["seen"]:
        return "held out, others of the corpus in training"
    if not test["left_out"]:
        return "UNSEEN"
    more = f" and {len(test['left_out']) - 1} more" if len(test["left_out"]) > 1 else ""
    return f"UNSEEN (another training, without it{more})"
