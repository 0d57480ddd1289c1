"""The report of a music evaluation: tables, phrases to see and to hear, strength against content, and what the judges are worth.

The same evaluation gives the same page, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audiocycle.evaluation.music import rolls as report_rolls
from audiocycle.evaluation.music.classifier import HOW_TO, untested
from audiocycle.evaluation.music.evaluate import DEFINITIONS, Evaluation
from audiocycle.evaluation.music.judge import GAIN, IDENTITY, MODEL, RANDOM, ROWS, Direction
from audiocycle.evaluation.music.table import LABELS, SHAPES, kind_of
from audiocycle.evaluation.page.charts import plane_chart, strip_chart
from audiocycle.evaluation.page.frame import document, small_print, write_page
from audiocycle.evaluation.page.markup import Markup, element
from audiocycle.evaluation.page.tables import (
    FEWER,
    MORE,
    NEITHER,
    Layout,
    Measure,
    arrowed,
    explained,
    tables,
)
from audiocycle.evaluation.page.training import Losses, training
from audiocycle.metrics.estimates import Estimate

CLASSES = {MODEL: "r0", IDENTITY: "r1", RANDOM: "r3", GAIN: "r0"}
FAMILIES = {
    "Genre": {
        "strength": Measure("strength", "", 2, MORE, "How far the classifier's opinion moves to the other genre: 0 nothing, 1 all of it."),
        "accuracy_strength": Measure("by accuracy", "", 2, MORE, "The same of its decisions."),
        "style_time_pitch": Measure("style: pitch", "", 2, MORE, "Which intervals follow which, and when: likeness to the target's songs."),
        "style_onset_duration": Measure("style: rhythm", "", 2, MORE, "Where in the bar notes begin, and how long they are."),
    },
    "Content": {
        "chroma_similarity": Measure("chroma", "", 2, MORE, "How much of the harmony is left: cosine of pitch classes over half bars."),
        "groove_similarity": Measure("groove", "", 2, MORE, "How many steps have, or lack, an onset in both."),
        "note_f1": Measure("note F1", "", 2, MORE, "Notes with the same pitch and onset, to a step."),
        "key_kept": Measure("key kept", "%", 0, MORE, "Phrases that are not transposed.", 100.0),
        "tonnetz_distance": Measure("tonnetz", "", 2, FEWER, "How far the harmony moved; a fifth is 1.74."),
    },
    "Phrases in the target's middle 80 %": {
        "in_notes_per_bar": Measure("notes per bar", "%", 0, MORE, "As dense as phrases of the target are.", 100.0),
        "in_polyphony": Measure("polyphony", "%", 0, MORE, "As many notes at once.", 100.0),
        "in_note_length": Measure("note length", "%", 0, MORE, "As long notes.", 100.0),
        "in_all_three": Measure("all three", "%", 0, MORE, "All of it at once.", 100.0),
    },
}
MUSIC = Layout(ROWS, CLASSES, FAMILIES, {MODEL: "model", IDENTITY: "baseline", RANDOM: "baseline"}, labels=LABELS)
PAIRED = Layout(
    (MODEL, IDENTITY, GAIN),
    CLASSES,
    {"Likeness to the true counterparts": {name: FAMILIES["Content"][name] for name in ("note_f1", "chroma_similarity")}},
    {MODEL: "model", IDENTITY: "baseline", GAIN: "baseline"},
    labels=LABELS,
)
QUALITY = Layout(
    ("source", "transfer", "target"),
    {"source": "r1", "transfer": "r0", "target": "r5"},
    {
        "Quality: what phrases are like": {
            "pitch_class_entropy": Measure("pitch classes", "bits", 2, NEITHER, "Entropy: how evenly the twelve are used."),
            "scale_consistency": Measure("in scale", "%", 0, NEITHER, "Notes in the best of the 24 scales.", 100.0),
            "polyphony": Measure("polyphony", "", 2, NEITHER, "Notes that sound at once, where anything does."),
            "notes_per_bar": Measure("notes per bar", "", 1, NEITHER, ""),
        },
        "Quality: what notes are like": {
            "median_note_steps": Measure("note length", "steps", 1, NEITHER, "Median."),
            "empty_beat_rate": Measure("empty beats", "%", 1, NEITHER, "Beats in which nothing sounds.", 100.0),
            "qualified_note_rate": Measure("long enough", "%", 0, NEITHER, "Notes of two steps or more.", 100.0),
            "fragmentation": Measure("fragments", "%", 0, NEITHER, "Notes that resume a pitch that has just ended.", 100.0),
        },
    },
    {"source": "baseline", "transfer": "model", "target": "baseline"},
)
SEAMS = Layout(
    ("borders", "inside", "difference"),
    {"borders": "r0", "inside": "r1"},
    {
        "Seams: notes that break, each bar": {
            "cut_notes": Measure("cut", "", 2, FEWER, "The source holds the pitch on."),
            "doubled_notes": Measure("doubled", "", 2, FEWER, "The pitch begins again at once, and the source's does not."),
            "broken_notes": Measure("both", "", 2, FEWER, "Cut or doubled."),
        }
    },
    {"borders": "model", "inside": "baseline", "difference": "baseline"},
    labels={"borders": "where windows meet", "inside": "inside windows"},
)
STRIPS = ("strength", "chroma_similarity", "note_f1", "in_all_three")
"""Drawn song by song."""
ROWS_EXPLAINED = {
    LABELS[MODEL]: "what the model makes of the source's songs, with the default options.",
    LABELS[IDENTITY]: "the source as it is: what doing nothing would score.",
    LABELS[RANDOM]: "any phrase of the target's held-out songs: all style and no content, and as far as strength can go.",
    LABELS[GAIN]: "what the model adds to doing nothing, over the same songs.",
}
LIMITS = (
    "Listeners have the last word. Strength is a classifier's opinion, and within one corpus a genre a classifier mostly knows the corpus: "
    "see how often it is right on corpora that it was not trained on.",
    "The 95 % intervals are over songs (of style: over the source's songs). They do not say how another training or another corpus would do.",
    "A measure alone misleads: a random phrase of the target has all the strength, the source all the content. Read the rows together.",
    "By definition some 80 % of the target's own phrases lie in its middle 80 %, and fewer in all three at once: the random phrase's row says how many.",
)
SPREAD = "±: standard deviation over the classifier's seeds."


def write_report(evaluation: Evaluation, folder: Path, training_log: Path | None = None) -> Path:
    """Write ``folder/index.html``, whole or not at all.

    Args:
        training_log: the training's ``log.jsonl``; its losses are drawn.

    Raises:
        InputError: the log cannot be read. OutputError: the page cannot be written.
    """
    return write_page(lambda losses: page(evaluation, losses), folder, training_log)


def page(evaluation: Evaluation, losses: Losses) -> str:
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
    links += [("#classifier", "The classifier")]
    links += [("#training", "Training")] if losses or evaluation.training else []
    links += [("#meaning", "What the figures mean")]
    return document(f"Music evaluation: {evaluation.model}", summary, links, sections(evaluation, losses))


def sections(evaluation: Evaluation, losses: Losses) -> Iterator[Markup]:
    """From the result to the small print."""
    yield element("h2", "Both directions", id="total")
    yield element("p", f"Means over the directions, with 95 % intervals over songs. {SPREAD if evaluation.classifier else ''}")
    yield tables(evaluation.total, "Both directions", MUSIC)
    for i, each in enumerate(evaluation.directions.values(), 1):
        yield element("section", *direction(each, i), aria_labelledby=f"direction-{i}")
    yield element("section", *classifier(evaluation), aria_labelledby="classifier")
    if losses or evaluation.training:
        yield element("section", *training(evaluation.training, losses), aria_labelledby="training")
    yield element("section", *meaning(evaluation), aria_labelledby="meaning")


def direction(each: Direction, number: int) -> Iterator[Markup]:
    """Everything about one direction."""
    name = arrowed(each)
    yield element("h2", name, id=f"direction-{number}")
    yield element("p", f"{each.songs} songs, {each.phrases} phrases. 95 % intervals over songs.")
    yield tables(each.rows, name, MUSIC)
    ends = "; ".join(f"{SHAPES[key]} {low:.1f} to {high:.1f}" for key, (low, high) in each.middles.items())
    yield element("p", f"The middle 80 % of {each.target}: {ends}.", class_="soft")
    if each.paired:
        yield tables(each.paired, name, PAIRED)
    if each.examples:
        yield element("h3", "Listen")
        yield element(
            "p",
            "Source above transfer, lines are bars. Sound by a plain synthesis. A click into a roll plays from there.",
            class_="soft",
        )
        yield report_rolls.legend()
        yield report_rolls.listening(each.examples)
    if each.knob:
        yield from plane(each)
    yield from strips(each)
    yield element("h3", "What the music is like")
    yield tables(by_kind(each.quality), name, QUALITY)
    if each.seams:
        yield tables(each.seams, name, SEAMS)


def by_kind(quality: Mapping[str, Mapping[str, Estimate]]) -> dict[str, dict[str, Estimate]]:
    """Rows of a table, from columns."""
    kinds = dict.fromkeys(kind for values in quality.values() for kind in values)
    return {kind: {name: values[kind] for name, values in quality.items()} for kind in kinds}


def plane(each: Direction) -> Iterator[Markup]:
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
    told = "; ".join(f"--strength {setting}: strength {x:.2f}, chroma {y:.2f}" for setting, x, y in curve)
    label = f"{arrowed(each)}: chroma similarity against strength. {told}."
    yield element("div", element("figure", plane_chart(curve, spans, controls, ("strength", "chroma similarity"), label)), class_="charts")


def strips(each: Direction) -> Iterator[Markup]:
    """Song by song."""
    measures = {name: shown for members in FAMILIES.values() for name, shown in members.items()}
    figures = []
    for name in (name for name in STRIPS if name in each.values[MODEL]):
        shown = measures[name]
        values = {LABELS[row]: [shown.scale * v for v in each.values[row][name]] for row in ROWS}
        means = {}
        for row in ROWS:
            value = each.rows[row][name]
            ends = value.interval and (shown.scale * value.interval[0], shown.scale * value.interval[1])
            means[LABELS[row]] = (shown.scale * value.mean, ends)
        told = "; ".join(f"{row} {mean:.{shown.digits}f}" for row, (mean, _) in means.items())
        label = f"{arrowed(each)}, {shown.axis}, one dot a song. Means: {told}."
        classes = {LABELS[row]: CLASSES[row] for row in ROWS}
        chart = strip_chart(values, means, dict.fromkeys(values, each.names), classes, shown.axis, label)
        heading = "in the target's middle: all three" if name == "in_all_three" else shown.heading
        figures.append(element("figure", element("figcaption", heading), chart))
    yield element("h3", "Song by song")
    yield element("p", "A dot is a song, the stroke the mean over phrases, the bar its 95 % interval.", class_="soft")
    yield element("div", *figures, class_="charts")


def classifier(evaluation: Evaluation) -> Iterator[Markup]:
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


def meaning(evaluation: Evaluation) -> Iterator[Markup]:
    """What rows and measures are, what was left out, and what no figure here can say."""
    yield element("h2", "What the figures mean", id="meaning")
    measured = list(dict.fromkeys(name for row in evaluation.total.values() for name in row))
    yield from small_print(ROWS_EXPLAINED, explained(measured, MUSIC), DEFINITIONS.values(), evaluation.skipped, "Songs", LIMITS)
