"""Tables of the page, rendered from the declarations of measures: one for each family, with what each measure is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Protocol

from audiocycle.evaluation.measure import HIGHER, LOWER, Measure, TableLayout
from audiocycle.evaluation.page.markup import Markup, element, joined
from audiocycle.metrics.estimates import Estimate


class HasDirection(Protocol):
    """Results of one direction, of whatever kind."""

    @property
    def source(self) -> str: ...

    @property
    def target(self) -> str: ...


def tables(rows: Mapping[str, Mapping[str, Estimate]], title: str, layout: TableLayout) -> Markup:
    """One table for each family, each in a frame that scrolls on its own where the screen is too narrow."""
    each = (table(rows, family, members, title, layout) for family, members in layout.families(rows).items())
    return element("div", *each, class_="tables")


def table(
    rows: Mapping[str, Mapping[str, Estimate]], family: str, members: Sequence[Measure], title: str, layout: TableLayout
) -> Markup:
    """Rows that were compared, by measures of one family; 95 % intervals below the means, the best conversion marked."""
    winners = {measure.name: best(rows, measure, layout) for measure in members}
    corner = element("td")
    headings = (
        element(
            "th",
            measure.label,
            element("small", f"{measure.unit} " if measure.unit else None, arrow(measure)),
            scope="col",
            title=measure.meaning,
        )
        for measure in members
    )
    body = (
        element(
            "tr",
            element("th", layout.label(row), scope="row", class_=f"key {layout.classes.get(row, '')}"),
            *(cell(rows[row].get(measure.name), measure, row == winners[measure.name]) for measure in members),
            class_=layout.roles.get(row),
        )
        for row in layout.in_order(rows)
    )
    inside = element(
        "table",
        element("caption", family),
        element("thead", element("tr", corner, *headings)),
        element("tbody", *body),
    )
    return element("div", inside, class_="scroll", role="region", aria_label=f"{title}: {family}", tabindex="0")


def cell(value: Estimate | None, measure: Measure, wins: bool) -> Markup:
    """Mean over interval; a dash where the measure does not exist for the row."""
    if value is None or not isfinite(value.mean):
        return element("td", element("span", "–", aria_label="does not apply"), class_="none")
    interval = None if value.interval is None else "…".join(measure.text(end) for end in value.interval)
    spread = None if value.spread is None else f"± {measure.text(value.spread)}"
    mark = element(
        "span", "✓", class_="best", title="best of the conversions", role="img", aria_label="best of the conversions"
    )
    below = (element("small", text) for text in (interval, spread) if text)
    return element("td", mark if wins else None, measure.text(value.mean), *below)


def arrow(measure: Measure) -> Markup:
    """What is better, as a sign with its words."""
    if not measure.direction:
        return Markup("")
    sign = {LOWER: "↓", HIGHER: "↑"}.get(str(measure.better), f"→ {measure.direction.removeprefix('best is ')}")
    return element("span", sign, role="img", aria_label=measure.direction, title=measure.direction)


def best(rows: Mapping[str, Mapping[str, Estimate]], measure: Measure, layout: TableLayout) -> str | None:
    """Which of the contenders did best; None where fewer than two were measured."""
    found = {row: rows[row][measure.name].mean for row in layout.contenders if row in rows and measure.name in rows[row]}
    costs = {row: cost for row, mean in found.items() if isfinite(cost := measure.cost(mean))}
    return min(costs, key=lambda row: costs[row]) if len(costs) > 1 else None


def explained(rows: Mapping[str, Mapping[str, object]], layout: TableLayout) -> Iterator[Markup]:
    """Each measure in plain words, family by family."""
    for members in layout.families(rows).values():
        for measure in members:
            yield element("dt", measure.axis, f": {measure.direction}" if measure.direction else None)
            yield element("dd", measure.meaning or "–")


def legend(rows: Sequence[str], classes: Mapping[str, str]) -> Markup:
    """Which row is which colour and dash."""
    lines = (
        element(
            "li",
            element(
                "svg",
                element("line", x1=0.0, x2=28.0, y1=5.0, y2=5.0, class_=f"line {classes.get(row, '')}"),
                viewBox="0 0 28 10",
                aria_hidden="true",
            ),
            row,
        )
        for row in rows
    )
    return element("ul", joined(*lines), class_="legend")


def arrowed(each: HasDirection) -> str:
    """``SF1 → TM3``."""
    return f"{each.source} → {each.target}"
