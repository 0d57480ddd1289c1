"""What a model card says of an evaluation of voices."""

from __future__ import annotations

from audiocycle.evaluation.card import table
from audiocycle.evaluation.voice.measures import LAYOUT
from audiocycle.evaluation.voice.results import VoiceEvaluation


def markdown(evaluation: VoiceEvaluation) -> str:
    """A heading, a table for each direction, and how to read them."""
    parts = ["## Evaluation", "On recordings that were not trained on, by `audiocycle evaluate`, which prints all definitions. Means over files, 95 % intervals in brackets."]
    parts += [table(f"{name}, {len(each.files)} files", each.rows, LAYOUT) for name, each in evaluation.directions.items()]
    recognizer = f" Words lost (WER): by {evaluation.recognizer}." if evaluation.recognizer else ""
    parts.append(
        "MCD: to the target's recording of the sentence. GV: variance of the envelope over time, 1 is natural. Share: cosine to the "
        f"target speaker as a speaker encoder hears it, as a share of the target's own recordings'. P808: predicted naturalness.{recognizer}"
    )
    return "\n\n".join(parts)
