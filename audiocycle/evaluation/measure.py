"""What a measure is and how the rows of an evaluation are shown: declared once, rendered as text, as HTML and as Markdown.

The declarations are in ``measures.py`` of voices and of music; :mod:`audiocycle.evaluation.table`, :mod:`audiocycle.evaluation.page` and
:mod:`audiocycle.evaluation.card` render them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Flag, auto
from math import isfinite

from audiocycle.metrics.estimates import Estimate

LOWER, HIGHER, NEITHER = "lower is better", "higher is better", ""
OTHERS = "Other measures"
"""Family of measures that nobody declared."""

Row = dict[str, Estimate]
"""What one row of a table says, by name of the measure."""


class Place(Flag):
    """Where a measure is shown beside the page and the JSON, which hold all."""

    PAGE = 0
    TABLE = auto()
    CARD = auto()
    CHART = auto()
    """Of the page, file by file."""


EVERYWHERE = Place.TABLE | Place.CARD


@dataclass(frozen=True)
class Measure:
    """One figure of an evaluation.

    Attributes:
        name: in results and JSON.
        family: the table of the page that it is in.
        label: what people call it.
        unit: of what is shown, such as ``dB``; empty for a number without one.
        digits: decimals that are shown.
        better: :data:`LOWER`, :data:`HIGHER`, :data:`NEITHER`, or the value that is best.
        meaning: what it is, in a sentence.
        scale: factor to the unit shown, 100 for shares in %.
        definition: the key of its exact definition.
        needs: what it cannot be measured without, such as a listener; empty if that is always there.
        heading: of a narrow column, with its unit; by default made of label and unit.
        places: where it is shown.
    """

    name: str
    family: str
    label: str
    unit: str
    digits: int
    better: str | float
    meaning: str
    scale: float = 1.0
    definition: str = ""
    needs: str = ""
    heading: str = ""
    places: Place = EVERYWHERE

    def __post_init__(self) -> None:
        if not self.heading:
            object.__setattr__(self, "heading", f"{self.label} %" if self.unit == "%" else self.label)

    def text(self, value: float) -> str:
        """A number of the page: rounded, with a real minus; a dash for no number."""
        return f"{value * self.scale:z.{self.digits}f}".replace("-", "−") if isfinite(value) else "–"

    def short(self, value: float) -> str:
        """A number of a narrow column, never ``-0.0``: percents are whole there."""
        return f"{value * self.scale:z.{0 if self.unit == '%' else self.digits}f}"

    def in_words(self, value: float) -> str:
        """``key kept 95 %``: a number of a line of them."""
        return f"{self.label} {self.short(value)}{' %' if self.unit == '%' else ''}"

    def interval(self, value: Estimate) -> str:
        """``8.14–8.53`` in a narrow column; two dots where an end is negative, nothing where there is no interval."""
        if value.interval is None:
            return ""
        low, high = map(self.short, value.interval)
        return f"{low}..{high}" if "-" in low + high else f"{low}–{high}"

    def scaled(self, value: Estimate) -> tuple[float, tuple[float, float] | None]:
        """Mean and interval in the unit shown."""
        ends = value.interval
        return value.mean * self.scale, None if ends is None else (ends[0] * self.scale, ends[1] * self.scale)

    def cost(self, value: float) -> float:
        """Lower is better, whatever the measure."""
        if isinstance(self.better, float):
            return abs(value - self.better)
        return value if self.better == LOWER else -value

    @property
    def direction(self) -> str:
        """What is better, in a word."""
        return f"best is {self.better * self.scale:g}" if isinstance(self.better, float) else self.better

    @property
    def axis(self) -> str:
        """Label and unit."""
        return f"{self.label}, {self.unit}" if self.unit else self.label


def undeclared(name: str) -> Measure:
    """A measure of which only the name is known."""
    return Measure(name, OTHERS, name.replace("_", " "), "", 3, LOWER, "", places=Place.PAGE)


@dataclass(frozen=True)
class TableLayout:
    """Which measures and rows a kind of evaluation has, and how rows are shown.

    Attributes:
        measures: in the order of columns; a family is one table of the page.
        rows: in the order in which they are listed, the model's first.
        classes: row to its colour and dash in the page, see report.css.
        roles: row to ``model``, ``baseline`` or ``ceiling``.
        contenders: rows of which the best is marked in the page; of fewer than two none is.
        labels: what rows are called; their own names where nothing is said.
        with_intervals: rows whose intervals are shown in narrow tables, too.
        over: what means and intervals are over, such as ``files``.
    """

    measures: Sequence[Measure]
    rows: Sequence[str]
    classes: Mapping[str, str]
    roles: Mapping[str, str]
    contenders: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    with_intervals: Sequence[str] = ()
    over: str = "files"

    def label(self, row: str) -> str:
        """What a row is called."""
        return self.labels.get(row, row)

    def in_order(self, rows: Iterable[str]) -> list[str]:
        """Rows as they are always listed."""
        found = list(rows)
        return [row for row in self.rows if row in found] + [row for row in found if row not in self.rows]

    def measured(self, rows: Mapping[str, Mapping[str, object]]) -> list[Measure]:
        """Those that some row has, then the undeclared ones."""
        names = dict.fromkeys(name for row in rows.values() for name in row)
        declared = [measure for measure in self.measures if measure.name in names]
        known = {measure.name for measure in self.measures}
        return declared + [undeclared(name) for name in names if name not in known]

    def families(self, rows: Mapping[str, Mapping[str, object]]) -> dict[str, list[Measure]]:
        """The measures that some row has by family, in the order of declaration."""
        families: dict[str, list[Measure]] = {measure.family: [] for measure in self.measures}
        for measure in self.measured(rows):
            families.setdefault(measure.family, []).append(measure)
        return {family: members for family, members in families.items() if members}

    def shown(self, rows: Mapping[str, Mapping[str, object]], place: Place) -> list[Measure]:
        """Those that some row has and that are shown in a place."""
        return [measure for measure in self.measured(rows) if place in measure.places]
