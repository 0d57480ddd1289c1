"""Tables of the report: what was measured, in families of measures, with what each measure is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Protocol

from audiocycle.evaluation.page.markup import Markup, element, joined
from audiocycle.evaluation.voice.evaluate import (
    CONVERTED,
    MATCHED,
    ROWS,
    SOURCE_COPY,
    TARGET,
    TARGET_COPY,
    UNCONVERTED,
)
from audiocycle.metrics.estimates import Estimate

CONVERSIONS = (CONVERTED, UNCONVERTED, MATCHED)
"""What a user could have; the best of them is marked. The other rows are what the vocoder and a perfect conversion would reach."""
CLASSES = {CONVERTED: "r0", UNCONVERTED: "r1", MATCHED: "r2", SOURCE_COPY: "r3", TARGET_COPY: "r4", TARGET: "r5"}
"""Colours and dashes of the rows, see report.css."""
FEWER, MORE, NEITHER = "lower is better", "higher is better", ""


class OneWay(Protocol):
    """Results of one direction, of whatever kind."""

    @property
    def source(self) -> str: ...

    @property
    def target(self) -> str: ...


@dataclass(frozen=True)
class Measure:
    """How a measure is shown.

    Attributes:
        better: :data:`FEWER`, :data:`MORE`, the value that is best, or :data:`NEITHER`.
        scale: factor to the unit shown, 100 for shares shown in %.
    """

    heading: str
    unit: str
    digits: int
    better: str | float
    meaning: str
    scale: float = 1.0

    def text(self, value: float) -> str:
        """Rounded; a dash for no number."""
        return f"{value * self.scale:z.{self.digits}f}".replace("-", "−") if isfinite(value) else "–"

    def cost(self, value: float) -> float:
        """Lower is better, whatever the measure."""
        if isinstance(self.better, float):
            return abs(value - self.better)
        return value if self.better == FEWER else -value

    @property
    def direction(self) -> str:
        """What is better, in a word."""
        return f"best is {self.better * self.scale:g}" if isinstance(self.better, float) else self.better

    @property
    def axis(self) -> str:
        """Name and unit."""
        return f"{self.heading}, {self.unit}" if self.unit else self.heading


FAMILIES: dict[str, dict[str, Measure]] = {
    "Envelope": {
        "mcd_sptk": Measure(
            "MCD (SPTK)", "dB", 2, FEWER, "Mel-cepstral distortion to the target's recording of the sentence."
        ),
        "mcd_world": Measure(
            "MCD (WORLD)", "dB", 2, FEWER, "The same with WORLD's coded envelope; not to be compared with the SPTK one."
        ),
        "modulation_distance": Measure(
            "modulation spectrum", "dB", 2, FEWER, "How differently the envelope moves: smeared speech moves too little."
        ),
        "global_variance_ratio": Measure(
            "global variance", "ratio", 2, 1.0, "How lively the envelope is, beside the target; below 1 it is over-smoothed."
        ),
    },
    "Pitch, time and level": {
        "log_f0_rmse_cents": Measure("F0 error", "cents", 0, FEWER, "Root mean square difference of pitch."),
        "log_f0_correlation": Measure("F0 correlation", "", 2, MORE, "Whether the melody goes the target's way."),
        "vuv_error": Measure("voicing error", "%", 1, FEWER, "Share of frames voiced in one and not in the other.", 100.0),
        "duration_error": Measure(
            "duration error", "%", 1, FEWER, "Difference of the lengths of speech, beside the target's.", 100.0
        ),
        "loudness_difference": Measure("loudness", "LU", 1, 0.0, "How much louder than the recording that it was made of."),
    },
    "Speaker": {
        "similarity_target": Measure(
            "like the target", "cosine", 2, MORE, "Similarity of a speaker encoder's opinion to the target's."
        ),
        "similarity_source": Measure("like the source", "cosine", 2, FEWER, "The same to the source speaker."),
        "similarity_share": Measure(
            "share of own", "%", 0, MORE, "Likeness to the target, as a share of what its own other recordings reach.", 100.0
        ),
        "nearer_target": Measure(
            "nearer the target", "% of files", 0, MORE, "Nearer the target speaker than the source.", 100.0
        ),
    },
    "Words and naturalness": {
        "wer": Measure("word errors", "%", 1, FEWER, "Words that the recogniser got wrong.", 100.0),
        "cer": Measure("letter errors", "%", 1, FEWER, "The same in letters.", 100.0),
        "p808": Measure("DNSMOS P808", "1–5", 2, MORE, "Predicted naturalness. The figure to read."),
        "ovrl": Measure("DNSMOS OVRL", "1–5", 2, MORE, "Predicted quality; hardly notices over-smoothing."),
        "p808_drop": Measure("P808 lost", "", 2, FEWER, "Less than the copy-synthesis of the source."),
    },
}
"""Family to measure to how it is shown."""
MEASURES = {name: shown for members in FAMILIES.values() for name, shown in members.items()}
OTHERS = "Other measures"
STRIPS = ("mcd_sptk", "similarity_target", "wer", "p808")
"""The main measures: drawn file by file."""


@dataclass(frozen=True)
class Layout:
    """How the rows and measures of a kind of evaluation are shown.

    Attributes:
        rows: in the order in which they are listed.
        classes: row to its colour and dash.
        families: as :data:`FAMILIES`.
        kinds: row to ``model``, ``baseline`` or ``ceiling``.
        contenders: of which the best is marked; of fewer than two none is.
        labels: what rows are called; their own names where nothing is said.
    """

    rows: Sequence[str]
    classes: Mapping[str, str]
    families: Mapping[str, Mapping[str, Measure]]
    kinds: Mapping[str, str]
    contenders: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


VOICE = Layout(
    ROWS,
    CLASSES,
    FAMILIES,
    {row: "model" if row == CONVERTED else "baseline" if row in CONVERSIONS else "ceiling" for row in ROWS},
    CONVERSIONS,
)


def families(measured: Sequence[str], layout: Layout = VOICE) -> dict[str, dict[str, Measure]]:
    """Those families and measures that there are; a measure without a place here is shown under its own name."""
    there = {
        family: {name: shown for name, shown in members.items() if name in measured}
        for family, members in layout.families.items()
    }
    placed = {name for members in layout.families.values() for name in members}
    there[OTHERS] = {name: Measure(name.replace("_", " "), "", 3, FEWER, "") for name in measured if name not in placed}
    return {family: members for family, members in there.items() if members}


def tables(rows: Mapping[str, Mapping[str, Estimate]], title: str, layout: Layout = VOICE) -> Markup:
    """One table for each family, each in a frame that scrolls on its own where the screen is too narrow."""
    measured = list(dict.fromkeys(name for row in rows.values() for name in row))
    made = (table(rows, family, members, title, layout) for family, members in families(measured, layout).items())
    return element("div", *made, class_="tables")


def table(
    rows: Mapping[str, Mapping[str, Estimate]], family: str, members: Mapping[str, Measure], title: str, layout: Layout = VOICE
) -> Markup:
    """Rows that were compared, by measures of one family; 95 % intervals below the means, the best conversion marked."""
    winners = {name: best(rows, name, shown, layout) for name, shown in members.items()}
    corner = element("td")
    headings = (
        element(
            "th",
            shown.heading,
            element("small", f"{shown.unit} " if shown.unit else None, arrow(shown)),
            scope="col",
            title=shown.meaning,
        )
        for shown in members.values()
    )
    body = (
        element(
            "tr",
            element("th", layout.labels.get(row, row), scope="row", class_=f"key {layout.classes.get(row, '')}"),
            *(cell(rows[row].get(name), shown, row == winners[name]) for name, shown in members.items()),
            class_=layout.kinds.get(row),
        )
        for row in in_order(rows, layout)
    )
    inside = element(
        "table",
        element("caption", family),
        element("thead", element("tr", corner, *headings)),
        element("tbody", *body),
    )
    return element("div", inside, class_="scroll", role="region", aria_label=f"{title}: {family}", tabindex="0")


def cell(value: Estimate | None, shown: Measure, wins: bool) -> Markup:
    """Mean over interval; a dash where the measure does not exist for the row."""
    if value is None or not isfinite(value.mean):
        return element("td", element("span", "–", aria_label="does not apply"), class_="none")
    interval = None if value.interval is None else "…".join(shown.text(end) for end in value.interval)
    spread = None if value.spread is None else f"± {shown.text(value.spread)}"
    mark = element(
        "span", "✓", class_="best", title="best of the conversions", role="img", aria_label="best of the conversions"
    )
    below = (element("small", text) for text in (interval, spread) if text)
    return element("td", mark if wins else None, shown.text(value.mean), *below)


def arrow(shown: Measure) -> Markup:
    """What is better, as a sign with its words."""
    if not shown.direction:
        return Markup("")
    sign = {FEWER: "↓", MORE: "↑"}.get(str(shown.better), f"→ {shown.direction.removeprefix('best is ')}")
    return element("span", sign, role="img", aria_label=shown.direction, title=shown.direction)


def best(rows: Mapping[str, Mapping[str, Estimate]], name: str, shown: Measure, layout: Layout = VOICE) -> str | None:
    """Which of the contenders did best; None where fewer than two were measured."""
    costs = {row: shown.cost(rows[row][name].mean) for row in layout.contenders if row in rows and name in rows[row]}
    costs = {row: cost for row, cost in costs.items() if isfinite(cost)}
    return min(costs, key=lambda row: costs[row]) if len(costs) > 1 else None


def in_order(rows: Mapping[str, object], layout: Layout = VOICE) -> list[str]:
    """Rows as they are always listed."""
    return [row for row in layout.rows if row in rows] + [row for row in rows if row not in layout.rows]


def explained(measured: Sequence[str], layout: Layout = VOICE) -> Iterator[Markup]:
    """Each measure in plain words."""
    for members in families(measured, layout).values():
        for shown in members.values():
            yield element("dt", shown.axis, f": {shown.direction}" if shown.direction else None)
            yield element("dd", shown.meaning or "–")


def legend(rows: Sequence[str]) -> Markup:
    """Which row is which colour and dash."""
    lines = (
        element(
            "li",
            element(
                "svg",
                element("line", x1=0.0, x2=28.0, y1=5.0, y2=5.0, class_=f"line {CLASSES.get(row, '')}"),
                viewBox="0 0 28 10",
                aria_hidden="true",
            ),
            row,
        )
        for row in rows
    )
    return element("ul", joined(*lines), class_="legend")


def arrowed(each: OneWay) -> str:
    """``SF1 → TM3``."""
    return f"{each.source} → {each.target}"
