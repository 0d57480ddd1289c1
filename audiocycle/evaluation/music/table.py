"""What ``audiocycle evaluate`` prints: aligned tables for people, one object for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from audiocycle.evaluation.measure import Measure, Place, Row
from audiocycle.evaluation.music import musician
from audiocycle.evaluation.music.classifier import HOW_TO, untested
from audiocycle.evaluation.music.measures import (
    CONTENT,
    DEFINITIONS,
    GENRE,
    LAYOUT,
    MIDDLE,
    MODEL,
    PAIRED_LAYOUT,
    QUALITY_LAYOUT,
    SEAMS_LAYOUT,
    SOURCE,
    TARGET,
    TRANSFER,
    by_row,
    shape_in_words,
)
from audiocycle.evaluation.music.results import MusicDirectionResult, MusicEvaluation
from audiocycle.evaluation.music.song_judge import HOW_TO as HOW_TO_JUDGE
from audiocycle.evaluation.table import WIDTH, number, rows_to_json, tables
from audiocycle.metrics.estimates import Estimate

FEWEST_SEEDS = 3
"""Fewer classifiers say too little of how much one differs from the next."""


def to_json(evaluation: MusicEvaluation) -> dict[str, Any]:
    """Everything, with the definitions."""
    return {
        "model": evaluation.model,
        "parallel": evaluation.parallel,
        "directions": {name: direction_to_json(each) for name, each in evaluation.directions.items()},
        "total": rows_to_json(evaluation.total),
        "skipped": evaluation.skipped,
        "classifier": evaluation.classifier,
        "judge": evaluation.judge,
        "definitions": DEFINITIONS,
    }


def direction_to_json(each: MusicDirectionResult) -> dict[str, Any]:
    """See :func:`to_json`."""
    return {
        "songs": each.songs,
        "phrases": each.phrases,
        "rows": rows_to_json(each.rows),
        "paired": rows_to_json(each.paired),
        "quality": rows_to_json(each.quality),
        "middles": {measure: list(ends) for measure, ends in each.middles.items()},
        "seams": rows_to_json(each.seams),
        "corpora": each.corpora,
        "musician": musician.to_json(each.musician),
        "doubts": each.doubts,
        "knob": [{"setting": setting, **rows_to_json({"row": row})["row"]} for setting, row in each.knob.items()],
        "by_song": {"names": each.names, "rows": each.values},
    }


def to_text(evaluation: MusicEvaluation) -> str:
    """Tables of at most 110 columns."""
    return "\n".join(lines(evaluation))


def lines(evaluation: MusicEvaluation) -> Iterator[str]:
    """Directions, total, quality, then what is to be known of the classifier and the measures."""
    for name, each in evaluation.directions.items():
        yield from table(f"{name}: {each.songs} songs, {each.phrases} phrases", each.rows, GENRE, CONTENT)
        yield from knob(each)
        for said in (*each.doubts, extremes(each)):
            yield from textwrap.wrap(said, WIDTH, initial_indent="  ", subsequent_indent="  ")
        yield ""
        yield from musician.text("musician's list", each.musician)
        yield ""
        yield from table(f"{name}, phrases in the middle 80 % of {each.target}", each.rows, MIDDLE)
        ends = (f"{shape_in_words(key)} {low:.2f}–{high:.2f}" for key, (low, high) in each.middles.items())
        yield "  the middle is: " + ", ".join(ends)
        yield ""
        if each.paired:
            yield from tables(f"{name}, against the true counterparts", each.paired, PAIRED_LAYOUT.measured(each.paired), PAIRED_LAYOUT)
            yield ""
    yield from table("total (mean of both directions)", evaluation.total, GENRE, CONTENT)
    yield from table("total, phrases in the middle 80 % of the target", evaluation.total, MIDDLE)
    yield ""
    yield from seams(evaluation.directions)
    yield ""
    yield from quality(evaluation.directions)
    yield ""
    yield from about_classifier(evaluation)
    yield from about_judge(evaluation)
    if evaluation.skipped:
        yield f"left out: {len(evaluation.skipped)} songs that training would refuse, too (--json names them)"
    yield ""
    for text in DEFINITIONS.values():
        yield from textwrap.wrap(text, WIDTH)


def table(title: str, rows: Mapping[str, Row], *families: str) -> Iterator[str]:
    """The model and the controls, by the measures of some families."""
    yield from tables(title, rows, [m for m in LAYOUT.shown(rows, Place.TABLE) if m.family in families], LAYOUT)


def knob(each: MusicDirectionResult) -> Iterator[str]:
    """What less strength gives."""
    for setting, row in each.knob.items():
        measures = LAYOUT.shown({MODEL: row}, Place.TABLE)
        figures = ", ".join(measure.in_words(row[measure.name].mean) for measure in measures)
        yield f"  --strength {setting:<4g}  {figures}"


def seams(directions: Mapping[str, MusicDirectionResult]) -> Iterator[str]:
    """Whether notes break where windows meet."""
    yield "seams: broken notes a bar" + f"{'at borders':>23}{'inside':>18}{'difference':>14}"
    for name, each in directions.items():
        for measure in SEAMS_LAYOUT.measured(each.seams):
            cells = (seam(measure, row[measure.name], width) for row, width in zip(each.seams.values(), (10, 0, 0), strict=True))
            yield f"  {name:18} {measure.label:8} " + " ".join(cells).rstrip()
        if not each.seams:
            yield f"  {name:18} no song is long enough: windows have to meet in two ways (six bars of 4/4 in a row with four-bar windows)"


def seam(measure: Measure, value: Estimate, width: int) -> str:
    """A rate and its interval."""
    ends = measure.interval(value)
    return f"{measure.short(value.mean):>{width}} {f'({ends})' if ends else '':16}"


def quality(directions: Mapping[str, MusicDirectionResult]) -> Iterator[str]:
    """Of the transfers beside the genres' own."""
    (there, first), (back, second) = directions.items()
    columns = [(first.source, first, SOURCE), (there, first, TRANSFER), (first.target, first, TARGET), (back, second, TRANSFER)]
    widths = [max(12, len(heading) + 2) for heading, _, _ in columns]
    yield "quality of phrases" + " " * 4 + "".join(f"{heading:>{w}}" for (heading, _, _), w in zip(columns, widths, strict=True))
    for measure in QUALITY_LAYOUT.measured(by_row(first.quality)):
        cells = (f"{number(measure, each.quality[measure.name][row]):>{w}}" for (_, each, row), w in zip(columns, widths, strict=True))
        yield f"  {measure.axis:20}" + "".join(cells)


def about_classifier(evaluation: MusicEvaluation) -> Iterator[str]:
    """What its opinion is worth: on these songs, on others of the corpora that it knows, on corpora that it does not know."""
    if evaluation.classifier is None:
        yield "no strength without a classifier: train one, and add --classifier CLASSIFIER:"
        yield f"  {HOW_TO}"
        return
    known = evaluation.classifier
    yield f"classifier: {', '.join(known['genres'])}; {known['seeds']} seeds; accuracy by corpus:"
    tests: list[tuple[str, Mapping[str, Any], str]] = []
    for each in evaluation.directions.values():
        for corpus, facts in each.corpora.items():
            tests.append((corpus, facts, f"these songs, {'others' if facts['seen'] else 'NONE'} of the corpus in training"))
    tests += [(test["corpus"], test, kind_of(test)) for test in known["tests"]]
    width = max(len(corpus) for corpus, _, _ in tests)
    for corpus, result, kind in tests:
        yield f"  {corpus:{width}} {result['accuracy']:7.1%} of {result['songs']:4} songs, {result['phrases']:5} phrases: {kind}"
    if known["seeds"] < FEWEST_SEEDS:
        yield f"  fewer than {FEWEST_SEEDS} seeds: how far the strength depends on the classifier is not known; train more"
    for genre in untested(known["genres"], [test["corpus"] for test in known["tests"] if not test["seen"]]):
        yield f"  never tested on a corpus of {genre} that it does not know: it may know that corpus rather than the genre"


def about_judge(evaluation: MusicEvaluation) -> Iterator[str]:
    """What the opinion of the judge of songs is worth."""
    if evaluation.judge is None:
        yield "no second judge: make one, of sources that the model was not trained on, and add --judge JUDGE.json:"
        yield f"  {HOW_TO_JUDGE}"
        return
    known = evaluation.judge
    yield f"judge of songs: {', '.join(known['genres'])}; {known['seeds']} resamples; accuracy by corpus:"
    width = max((len(test["corpus"]) for test in known["tests"]), default=0)
    for test in known["tests"]:
        yield f"  {test['corpus']:{width}} {test['accuracy']:7.1%} of {test['songs']:4} songs: {kind_of(test)}"
    for genre in untested(known["genres"], [test["corpus"] for test in known["tests"] if not test["seen"]]):
        yield f"  never tested on a corpus of {genre} that it does not know"
    same = sorted({corpus for each in evaluation.directions.values() for corpus in each.corpora} & set(known["trained_on"]))
    if same:
        known_songs = f"it learnt from corpora of the songs that are judged, and may know those rather than the genre: {', '.join(same)}"
        yield from textwrap.wrap(known_songs, WIDTH, initial_indent="  ", subsequent_indent="  ")


def extremes(each: MusicDirectionResult) -> str:
    """The worst and the best song."""
    name, (worst, low), (best, high) = each.extremes
    measure = next(measure for measure in LAYOUT.measures if measure.name == name)
    return f"worst: {worst} ({measure.in_words(low)}); best: {best} ({measure.in_words(high)})"


def kind_of(test: Mapping[str, Any]) -> str:
    """What a classifier was tested on."""
    if test["seen"]:
        return "held out, others of the corpus in training"
    if not test["left_out"]:
        return "UNSEEN"
    more = f" and {len(test['left_out']) - 1} more" if len(test["left_out"]) > 1 else ""
    return f"UNSEEN (another training, without it{more})"
