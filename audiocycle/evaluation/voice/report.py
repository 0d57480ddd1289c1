"""The report of an evaluation: one HTML page with tables, recordings, pictures, texts and training curves, and nothing outside it.

The same evaluation gives the same page, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from audiocycle.evaluation.measure import Measure, Place
from audiocycle.evaluation.page.charts import variance_chart
from audiocycle.evaluation.page.frame import described, document, small_print, write_page
from audiocycle.evaluation.page.markup import Markup, element
from audiocycle.evaluation.page.strips import strip
from audiocycle.evaluation.page.tables import arrowed, explained, legend, tables
from audiocycle.evaluation.page.training import Losses, training
from audiocycle.evaluation.voice.measures import LAYOUT, OF_TARGET, ROWS, TARGET
from audiocycle.evaluation.voice.players import listening
from audiocycle.evaluation.voice.results import VoiceDirectionResult, VoiceEvaluation
from audiocycle.evaluation.voice.table import definitions
from audiocycle.evaluation.voice.texts import texts

NO_COUNTERPARTS = "the recordings are not of the same sentences; add --parallel if those of one name are."
LIMITS = (
    "Listeners have the last word: recogniser, speaker encoder and naturalness are models that were trained for other ends, and can be "
    "wrong in the same way for all files. Trust differences between rows more than single figures, and your ears more than both.",
    "The 95 % intervals are over files. They do not say how another training, another speaker or another text would do.",
    "A measure alone misleads: a blurred envelope has a low distortion, an unconverted voice perfect words. Read the rows together.",
)


def write_report(evaluation: VoiceEvaluation, folder: Path, training_log: Path | None = None) -> Path:
    """Write ``folder/index.html``, whole or not at all.

    Args:
        training_log: the training's ``log.jsonl``; its losses are drawn.

    Raises:
        InputError: the log cannot be read. OutputError: the page cannot be written.
    """
    return write_page(lambda losses: page(evaluation, losses), folder, training_log)


def page(evaluation: VoiceEvaluation, losses: Losses) -> str:
    """The document.

    Args:
        losses: see :func:`~audiocycle.evaluation.page.training.read_losses`.
    """
    title = f"Voice evaluation: {evaluation.model}"
    return document(title, in_short(evaluation), links(evaluation, bool(losses)), sections(evaluation, losses))


def in_short(evaluation: VoiceEvaluation) -> str:
    """What was measured, in a sentence."""
    count = sum(len(each.files) for each in evaluation.directions.values())
    pairs = "files of one name are the same sentence" if evaluation.parallel else "sentences of the speakers differ"
    directions = ", ".join(arrowed(each) for each in evaluation.directions.values())
    return f"{directions}: {count} recordings at {evaluation.sample_rate / 1000:g} kHz that the model was not trained on; {pairs}."


def links(evaluation: VoiceEvaluation, curves: bool) -> list[tuple[str, str]]:
    """The parts of the page."""
    found = [("#total", "All directions")] if len(evaluation.directions) > 1 else []
    found += [(f"#direction-{i}", arrowed(each)) for i, each in enumerate(evaluation.directions.values(), 1)]
    found += [("#training", "Training")] if curves or evaluation.training else []
    return [*found, ("#meaning", "What the figures mean")]


def sections(evaluation: VoiceEvaluation, losses: Losses) -> Iterator[Markup]:
    """From the result to the small print."""
    if len(evaluation.directions) > 1:
        yield element("h2", "All directions", id="total")
        yield element("p", "Means over the directions, with 95 % intervals over files. ✓ marks the best of the conversions.")
        yield tables(evaluation.total, "All directions", LAYOUT)
    for i, each in enumerate(evaluation.directions.values(), 1):
        yield element("section", *direction(each, i), aria_labelledby=f"direction-{i}")
    if losses or evaluation.training:
        yield element("section", *training(evaluation.training, losses), aria_labelledby="training")
    yield element("section", *meaning(evaluation), aria_labelledby="meaning")


def direction(each: VoiceDirectionResult, number: int) -> Iterator[Markup]:
    """Everything about one direction."""
    name = arrowed(each)
    yield element("h2", name, id=f"direction-{number}")
    yield element("p", f"{len(each.files)} files. 95 % intervals over files; ✓ marks the best of the conversions.")
    yield tables(each.rows, name, LAYOUT)
    if each.examples:
        yield element("h3", "Listen")
        yield element(
            "p",
            "Spectrograms over 80 dB with the F0 track (cyan, axis at the right). A click into a picture plays from there.",
            class_="soft",
        )
        yield listening(each)
    yield from charts(each)
    if any(each.texts.values()):
        yield texts(each)


def charts(each: VoiceDirectionResult) -> Iterator[Markup]:
    """File by file, and global variance."""
    strips = [one_strip(each, measure) for measure in LAYOUT.shown(each.rows, Place.CHART)]
    if strips:
        yield element("h3", "File by file")
        yield element("p", "A dot is a file, the stroke the mean, the bar its 95 % interval.", class_="soft")
        yield element("div", *strips, class_="charts")
    if each.global_variance:
        yield element("h3", "Global variance")
        note = "How far each coefficient moves within a file. Below the target's line, speech is over-smoothed."
        yield element("p", note, class_="soft")
        yield legend(LAYOUT.in_order(each.global_variance), LAYOUT.classes)
        yield element("div", *variance(each), class_="charts")


def one_strip(each: VoiceDirectionResult, measure: Measure) -> Markup:
    """One measure, a dot for each file."""
    values = {row: each.values[row][measure.name] for row in LAYOUT.in_order(each.values) if measure.name in each.values[row]}
    values = {row: column for row, column in values.items() if np.isfinite(column).any()}
    estimates = {row: each.rows[row][measure.name] for row in values}
    files = {row: each.target_files if row in OF_TARGET else each.files for row in values}
    return strip(arrowed(each), measure, values, estimates, files, LAYOUT, "file")


def variance(each: VoiceDirectionResult) -> Iterator[Markup]:
    """Global variance of each coefficient, and beside the target's own, where the rows can be told apart."""
    rows = {row: np.asarray(each.global_variance[row], np.float64) for row in LAYOUT.in_order(each.global_variance)}
    label = f"{arrowed(each)}: global variance of each coefficient. {variance_in_words(each)}"
    yield element("figure", element("figcaption", "as it is"), variance_chart(rows, LAYOUT.classes, label))
    own = rows.get(TARGET)
    if own is not None and (own > 0.0).all():
        ratios = {row: values / own for row, values in rows.items()}
        label = f"{arrowed(each)}: the same, divided by the target's own."
        yield element("figure", element("figcaption", "divided by the target's own"), variance_chart(ratios, LAYOUT.classes, label))


def variance_in_words(each: VoiceDirectionResult) -> str:
    """For those who do not see the lines: each row beside the target's own."""
    own = each.global_variance.get(TARGET)
    if own is None:
        return ""
    ratios = {
        row: float(np.exp(np.nanmean(np.log(np.asarray(v) / own))))
        for row, v in each.global_variance.items()
        if row != TARGET
    }
    return "Beside the target's, on the average: " + ", ".join(f"{row} {ratio:.2f}" for row, ratio in ratios.items()) + "."


def meaning(evaluation: VoiceEvaluation) -> Iterator[Markup]:
    """What rows and measures are, what was left out, and what no figure here can say."""
    yield element("h2", "What the figures mean", id="meaning")
    left_out = evaluation.missing | ({} if evaluation.parallel else {"distances to the target's recording": NO_COUNTERPARTS})
    if left_out:
        yield element("h3", "Left out")
        yield described(left_out)
    if evaluation.notes:
        yield element("h3", "Unusual recordings")
        yield described(evaluation.notes)
    measures = explained(evaluation.total, LAYOUT)
    yield from small_print(ROWS, measures, definitions(evaluation).values(), evaluation.skipped, "Files", LIMITS)
