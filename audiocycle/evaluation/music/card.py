"""What a model card says of an evaluation of genres."""

from __future__ import annotations

from audiocycle.evaluation.card import table
from audiocycle.evaluation.music.measures import LAYOUT
from audiocycle.evaluation.music.results import MusicEvaluation


def markdown(evaluation: MusicEvaluation) -> str:
    """A heading, a table for each direction and their mean, and how to read them."""
    parts = ["## Evaluation", "On songs that were not trained on, by `audiocycle evaluate`, which prints all definitions. Means over phrases, 95 % intervals over songs in brackets."]
    parts += [table(f"{name}, {each.songs} songs", each.rows, LAYOUT) for name, each in evaluation.directions.items()]
    parts.append(table("mean of both", evaluation.total, LAYOUT))
    parts.append(
        "Strength: how much of a classifier's opinion moves to the other genre, 0 to 1; chroma, groove, note F1: likeness to the source; style: "
        "likeness to the target's songs; the last three: share of phrases within the middle 80 % of the target's." + accuracy_in_words(evaluation)
    )
    return "\n\n".join(parts)


def accuracy_in_words(evaluation: MusicEvaluation) -> str:
    """How well the classifier knows sources that it was not trained on."""
    if evaluation.classifier is None:
        return ""
    tests = {test["corpus"]: test["accuracy"] for test in evaluation.classifier["tests"] if not test["seen"]}
    if not tests:
        return " The classifier was tested on no source that it does not know."
    return " The classifier is right on sources that it was not trained on in " + ", ".join(f"{value:.0%} ({name})" for name, value in tests.items()) + " of phrases."
