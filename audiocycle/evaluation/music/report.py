"""The report of a music evaluation: tables, phrases to see and to hear, strength against content, and what the judges are worth.

The same evaluation gives the same page, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isnan
from pathlib import Path
from typing import Any

from audiocycle.evaluation.measure import Place
from audiocycle.evaluation.music.classifier import HOW_TO, untested
from audiocycle.evaluation.music.measures import (
    CLASSES,
    DEFINITIONS,
    IDENTITY,
    LABELS,
    LAYOUT,
    MEANINGS,
    MIDDLE,
    MUSICIAN_MEASURES,
    PAIRED_LAYOUT,
    QUALITY_LAYOUT,
    RANDOM,
    ROWS,
    SEAMS_LAYOUT,
    by_row,
    shape_in_words,
)
from audiocycle.evaluation.music.players import legend, listening
from audiocycle.evaluation.music.results import MusicDirectionResult, MusicEvaluation
from audiocycle.evaluation.music.table import about_judge, extremes, kind_of
from audiocycle.evaluation.page.charts import plane_chart
from audiocycle.evaluation.page.frame import document, small_print, write_page
from audiocycle.evaluation.page.markup import Markup, element
from audiocycle.evaluation.page.strips import strip
from audiocycle.evaluation.page.tables import arrowed, explained, tables
from audiocycle.evaluation.page.training import Losses, training

LIMITS = (
    "Listeners have the last word. Strength is a classifier's opinion, and within one corpus a genre a classifier mostly knows the corpus: "
    "see how often it is right on corpora that it was not trained on.",
    "The 95 % intervals are over songs (of style: over the source's songs). They do not say how another training or another corpus would do.",
    "A measure alone misleads: a random phrase of the target has all the strength, the source all the content. Read the rows together.",
    "By definition some 80 % of the target's own phrases lie in its middle 80 %, and fewer in all three at once: the random phrase's row says how many.",
)
SPREAD = "±: standard deviation over the classifier's seeds."


def write_report(evaluation: MusicEvaluation, folder: Path, training_log: Path | None = None) -> Path:
    """Write ``folder/index.html``, whole or not at all.

    Args:
        training_log: the training's ``log.jsonl``; its losses are drawn.

    Raises:
        InputError: the log cannot be read. OutputError: the page cannot be written.
    """
    return write_page(lambda losses: page(evaluation, losses), folder, training_log)


def page(evaluation: MusicEvaluation, losses: Losses) -> str:
    """The document.

    Args:
        losses: see :func:`~audiocycle.evaluation.page.training.read_losses`.
    """
    ways = ", ".join(arrowed(each) for each in evaluation.directions.values())
    songs = sum(each.songs for each in evaluation.directions.values())
    phrases = sum(each.phrases for each in evaluation.directions.values())
    pairs = "; songs of one name are the same tune" if evaluation.parallel else ""
    summary = f"{ways}: {songs} songs with {phrases} phrases that the model was not trained on{pairs}."
    links = [("#total", "Both directions")]
    links += [(f"#direction-{i}", arrowed(each)) for i, each in enumerate(evaluation.directions.values(), 1)]
    links += [("#classifier", "The classifier"), ("#judge", "The judge of songs")]
    links += [("#training", "Training")] if losses or evaluation.training else []
    links += [("#meaning", "What the figures mean")]
    return document(f"Music evaluation: {evaluation.model}", summary, links, sections(evaluation, losses))


def sections(evaluation: MusicEvaluation, losses: Losses) -> Iterator[Markup]:
    """From the result to the small print."""
    yield element("h2", "Both directions", id="total")
    yield element("p", f"Means over the directions, with 95 % intervals over songs. {SPREAD if evaluation.classifier else ''}")
    yield tables(evaluation.total, "Both directions", LAYOUT)
    for i, each in enumerate(evaluation.directions.values(), 1):
        yield element("section", *direction(each, i), aria_labelledby=f"direction-{i}")
    yield element("section", *classifier(evaluation), aria_labelledby="classifier")
    yield element("section", *song_judge(evaluation), aria_labelledby="judge")
    if losses or evaluation.training:
        yield element("section", *training(evaluation.training, losses), aria_labelledby="training")
    yield element("section", *meaning(evaluation), aria_labelledby="meaning")


def direction(each: MusicDirectionResult, number: int) -> Iterator[Markup]:
    """Everything about one direction."""
    name = arrowed(each)
    yield element("h2", name, id=f"direction-{number}")
    yield element("p", f"{each.songs} songs, {each.phrases} phrases. 95 % intervals over songs.")
    yield tables(each.rows, name, LAYOUT)
    ends = "; ".join(f"{shape_in_words(key)} {low:.1f} to {high:.1f}" for key, (low, high) in each.middles.items())
    yield element("p", f"The middle 80 % of {each.target}: {ends}.", class_="soft")
    for said in each.doubts:
        yield element("p", element("strong", said))
    yield element("p", f"{extremes(each)}.")
    yield element("h3", "A musician's list")
    yield musicians_table(each)
    if each.paired:
        yield tables(each.paired, name, PAIRED_LAYOUT)
    if each.examples:
        yield element("h3", "Listen")
        yield element(
            "p",
            "Source above transfer, lines are bars. Sound by a General MIDI synthesizer. A click into a roll plays from there.",
            class_="soft",
        )
        yield legend()
        yield listening(each.examples)
    if each.knob:
        yield from plane(each)
    yield from strips(each)
    yield element("h3", "What the music is like")
    yield tables(by_row(each.quality), name, QUALITY_LAYOUT)
    if each.seams:
        yield tables(each.seams, name, SEAMS_LAYOUT)


def musicians_table(each: MusicDirectionResult) -> Markup:
    """What a listener objects to: source, result and target, how many songs lie where the target's own do, and the worst of them."""
    body = []
    for measure in MUSICIAN_MEASURES:
        line = each.musician[measure.name]
        ends = "" if line.ends is None else " … ".join(map(measure.text, line.ends))
        shares = ("–" if isnan(share) else f"{share:.0%}" for share in (line.within, line.below, line.above))
        figures = (*map(measure.text, (line.source, line.converted, line.target)), ends, *shares, str(line.songs))
        cells = (element("td", text) for text in figures)
        name = element("th", measure.axis, scope="row", title=measure.meaning)
        body.append(element("tr", name, *cells, element("td", line.worst, class_="words")))
    columns = (each.source, "converted", each.target, "its middle 80 %", "within", "below", "above", "songs", "worst")
    headings = (element("th", text, scope="col") for text in columns)
    inside = element("table", element("thead", element("tr", element("td"), *headings)), element("tbody", *body))
    return element("div", inside, class_="scroll corpora", role="region", aria_label="A musician's list", tabindex="0")


def plane(each: MusicDirectionResult) -> Iterator[Markup]:
    """Strength against content, for settings of the knob, with the controls."""
    yield element("h3", "Strength against content")
    note = (
        "A dot for each setting of --strength, with 95 % intervals over songs. Up and to the right is better: another genre, and the same piece. "
        "Doing nothing is at the upper left, any phrase of the target below at the right."
    )
    yield element("p", note, class_="soft")
    row = each.rows[RANDOM]
    controls = {
        LABELS[IDENTITY]: (each.rows[IDENTITY]["strength"].mean, each.rows[IDENTITY]["chroma_similarity"].mean, CLASSES[IDENTITY]),
        LABELS[RANDOM]: (row["strength"].mean, row["chroma_similarity"].mean, CLASSES[RANDOM]),
    }
    curve = [
        (f"{setting:g}", point["strength"].mean, point["chroma_similarity"].mean) for setting, point in each.knob.items()
    ]
    spans = [(point["strength"].interval, point["chroma_similarity"].interval) for point in each.knob.values()]
    words = "; ".join(f"--strength {setting}: strength {x:.2f}, chroma {y:.2f}" for setting, x, y in curve)
    label = f"{arrowed(each)}: chroma similarity against strength. {words}."
    yield element("div", element("figure", plane_chart(curve, spans, controls, ("strength", "chroma similarity"), label)), class_="charts")


def strips(each: MusicDirectionResult) -> Iterator[Markup]:
    """Song by song."""
    figures = []
    for measure in LAYOUT.shown(each.values, Place.CHART):
        values = {row: each.values[row][measure.name] for row in ROWS}
        means = {row: each.rows[row][measure.name] for row in ROWS}
        caption = f"in the target's middle: {measure.label}" if measure.family == MIDDLE else ""
        figures.append(strip(arrowed(each), measure, values, means, dict.fromkeys(ROWS, each.names), LAYOUT, "song", caption))
    yield element("h3", "Song by song")
    yield element("p", "A dot is a song, the stroke the mean over phrases, the bar its 95 % interval.", class_="soft")
    yield element("div", *figures, class_="charts")


def classifier(evaluation: MusicEvaluation) -> Iterator[Markup]:
    """What its opinion is worth."""
    yield element("h2", "The classifier", id="classifier")
    known = evaluation.classifier
    if known is None:
        yield element("p", "There was none, and so there is no strength. Train one, and add --classifier: ", element("code", HOW_TO))
        return
    seeds = f"{known['seeds']} network{'s' * (known['seeds'] != 1)} that differ in their seed"
    yield element("p", f"Tells {', '.join(known['genres'])} apart: {seeds}. How often it is right:")
    for genre in untested(known["genres"], [test["corpus"] for test in known["tests"] if not test["seen"]]):
        yield element("p", f"Never tested on a corpus of {genre} that it does not know: it may know that corpus rather than the genre.")
    lines: list[tuple[str, Mapping[str, Any], str]] = [
        (corpus, facts, f"these songs, {'others' if facts['seen'] else 'none'} of the corpus in training")
        for each in evaluation.directions.values()
        for corpus, facts in each.corpora.items()
    ]
    lines += [(test["corpus"], test, kind_of(test)) for test in known["tests"]]
    body = (
        element(
            "tr",
            element("th", corpus, scope="row"),
            element("td", f"{100 * facts['accuracy']:.1f}"),
            element("td", f"{facts['songs']}"),
            element("td", f"{facts['phrases']}"),
            element("td", kind, class_="words"),
        )
        for corpus, facts, kind in lines
    )
    headings = (element("th", text, scope="col") for text in ("right, %", "songs", "phrases", ""))
    inside = element("table", element("thead", element("tr", element("td"), *headings)), element("tbody", *body))
    yield element("div", inside, class_="scroll corpora", role="region", aria_label="Accuracy by corpus", tabindex="0")


def song_judge(evaluation: MusicEvaluation) -> Iterator[Markup]:
    """What the second opinion is worth."""
    yield element("h2", "The judge of songs", id="judge")
    for text in about_judge(evaluation):
        yield element("p", text.strip(), class_="soft")


def meaning(evaluation: MusicEvaluation) -> Iterator[Markup]:
    """What rows and measures are, what was left out, and what no figure here can say."""
    yield element("h2", "What the figures mean", id="meaning")
    measures = explained(evaluation.total, LAYOUT)
    yield from small_print(MEANINGS, measures, DEFINITIONS.values(), evaluation.skipped, "Songs", LIMITS)
