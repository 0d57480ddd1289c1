"""What a model card says of an evaluation of genres."""

from __future__ import annotations

from collections.abc import Iterator

from audiocycle.evaluation.card import table
from audiocycle.evaluation.music.measures import FAULTS, LAYOUT, MUSICIAN_MEASURES
from audiocycle.evaluation.music.results import MusicDirectionResult, MusicEvaluation
from audiocycle.evaluation.music.table import extremes


def markdown(evaluation: MusicEvaluation) -> str:
    """A heading, a table for each direction and their mean, and how to read them."""
    parts = ["## Evaluation", "On songs that were not trained on, by `audiocycle evaluate`, which prints all definitions. Means over phrases, 95 % intervals over songs in brackets."]
    parts += [table(f"{name}, {each.songs} songs", each.rows, LAYOUT) for name, each in evaluation.directions.items()]
    parts.append(table("mean of both", evaluation.total, LAYOUT))
    parts += [f"{name}: {said}" for name, each in evaluation.directions.items() for said in about_songs(each)]
    parts.append(
        "Strength: how much of a classifier's opinion moves to the other genre, 0 to 1; songs, taken: the same of a judge of whole songs, and the songs it takes for the target's; chroma, groove, note F1: likeness to the source; style: "
        "likeness to the target's songs; the last three: share of phrases within the middle 80 % of the target's." + accuracy_in_words(evaluation)
    )
    return "\n\n".join(parts)


def about_songs(each: MusicDirectionResult) -> Iterator[str]:
    """Where the judges disagree, the worst song, and the musician's list in a line."""
    yield from each.doubts
    yield f"{extremes(each)}."
    shares = [
        f"{measure.label} {each.musician[measure.name].within:.0%}"
        for measure in MUSICIAN_MEASURES
        if measure.family == FAULTS and each.musician[measure.name].ends is not None
    ]
    kept = each.musician["top_line_kept"].converted
    yield f"Songs within the middle 80 % of {each.target}'s own: {', '.join(shares)}. Top line kept: {kept:.0%}."


def accuracy_in_words(evaluation: MusicEvaluation) -> str:
    """How well the classifier knows sources that it was not trained on."""
    if evaluation.classifier is None:
        return ""
    tests = {test["corpus"]: test["accuracy"] for test in evaluation.classifier["tests"] if not test["seen"]}
    if not tests:
        return " The classifier was tested on no source that it does not know."
    return " The classifier is right on sources that it was not trained on in " + ", ".join(f"{value:.0%} ({name})" for name, value in tests.items()) + " of phrases."
