"""Charts of the page: everything that is a line or a dot, as SVG.

SVG takes its colours from the page, light or dark, stays sharp, and weighs little. All charts are drawn for a width of some 400
pixels, so that their letters can be read on a phone.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import numpy as np

from audiocycle.evaluation.page.markup import Markup, element
from audiocycle.spec import FloatArray

LEFT, RIGHT, TOP, BOTTOM = 46, 10, 8, 34
"""Margins of a chart, for its ticks and the name of its axis."""

Point = tuple[float, float]
Interval = tuple[float, float] | None


def data_uri(content: bytes, kind: str) -> str:
    """A file inside the page; ``kind`` is its MIME type."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


class Chart:
    """Axes on which lines and dots are drawn.

    Args:
        x, y: (low, high) of the axes; a range of no width is widened.
        log_y: the y axis is logarithmic; its range is positive.
        left: room at the left for names of rows.
    """

    def __init__(self, width: int, height: int, x: Point, y: Point, *, log_y: bool = False, left: int = LEFT) -> None:
        self.width, self.height, self.left, self.log_y = width, height, left, log_y
        self.x_range, self.y_range = widened(x), widened(y)
        self.parts: list[Markup] = []

    def x(self, value: float) -> float:
        """Pixels of a value."""
        low, high = self.x_range
        return self.left + (value - low) / (high - low) * (self.width - self.left - RIGHT)

    def y(self, value: float) -> float:
        """Pixels of a value, from the top."""
        low, high = np.log(self.y_range) if self.log_y else self.y_range
        share = ((np.log(value) if self.log_y else value) - low) / (high - low)
        return float(self.height - BOTTOM - share * (self.height - TOP - BOTTOM))

    def draw(self, name: str, *children: Markup | str, **attributes: str | float | None) -> None:
        """An element at pixels."""
        self.parts.append(element(name, *children, **attributes))

    def x_axis(self, label: str) -> None:
        """Ticks, their numbers, faint upright lines, and what the axis is."""
        foot = self.height - BOTTOM
        for value in ticks(*self.x_range, 5):
            at = self.x(value)
            self.draw("line", x1=at, x2=at, y1=float(TOP), y2=float(foot), class_="grid")
            self.draw("text", f"{value:g}", x=at, y=float(foot + 14), text_anchor="middle")
        middle = (self.left + self.width - RIGHT) / 2
        self.draw("text", label, x=middle, y=float(self.height - 4), text_anchor="middle", class_="axis")

    def y_axis(self) -> None:
        """Ticks, their numbers, and faint level lines."""
        for value in decades(*self.y_range) if self.log_y else ticks(*self.y_range, 4):
            at = self.y(value)
            self.draw("line", x1=float(self.left), x2=float(self.width - RIGHT), y1=at, y2=at, class_="grid")
            self.draw("text", f"{value:g}", x=float(self.left - 5), y=at + 4, text_anchor="end")

    def line(self, x: Sequence[float], y: Sequence[float], class_: str) -> None:
        """A line through points; values outside the y axis lie on its edge, others that are no numbers are left out."""
        low, high = self.y_range
        points = [
            f"{self.x(a):.1f},{self.y(min(high, max(low, b))):.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b)
        ]
        self.draw("polyline", points=" ".join(points), class_=f"line {class_}")

    def svg(self, label: str) -> Markup:
        """The picture; ``label`` says in words what it shows."""
        return element(
            "svg", *self.parts, viewBox=f"0 0 {self.width} {self.height}", role="img", aria_label=label, class_="chart"
        )


def variance_chart(rows: Mapping[str, FloatArray], classes: Mapping[str, str], label: str) -> Markup:
    """Global variance, or its ratios, over coefficients 1, 2, ... for each row, on a logarithmic axis.

    Args:
        rows: ``(order,)`` for coefficients from 1 on.
        classes: of each row's line.
    """
    shown = {row: np.asarray(values, np.float64) for row, values in rows.items()}
    positive = np.concatenate([v[np.isfinite(v) & (v > 0.0)] for v in shown.values()] or [np.ones(0)])
    low, high = (float(positive.min()), float(positive.max())) if len(positive) else (0.1, 1.0)
    longest = max((len(values) for values in shown.values()), default=1)
    chart = Chart(440, 300, (1.0, float(longest)), (low / 1.2, high * 1.2), log_y=True)
    chart.x_axis("coefficient of the mel-cepstrum")
    chart.y_axis()
    for row, values in reversed(shown.items()):  # the first row, the model's, on top
        chart.line(
            [float(i) for i in range(1, len(values) + 1)], np.where(values > 0.0, values, np.nan).tolist(), classes[row]
        )
    return chart.svg(label)


def strip_chart(
    rows: Mapping[str, Sequence[float]],
    means: Mapping[str, tuple[float, Interval]],
    names: Mapping[str, Sequence[str]],
    classes: Mapping[str, str],
    axis: str,
    label: str,
) -> Markup:
    """A dot for each file in each row, and the row's mean with its interval.

    Args:
        rows: row to one value a file; NaN is left out.
        means: row to mean and interval.
        names: of each row's files; a dot tells its own when the mouse rests on it.
        axis: what the values are, with their unit.
    """
    band = 30
    values = np.array([v for row in rows.values() for v in row if np.isfinite(v)] or [0.0, 1.0])
    margin = 0.03 * float(np.ptp(values))
    chart = Chart(
        440,
        TOP + BOTTOM + band * len(rows),
        (float(values.min()) - margin, float(values.max()) + margin),
        (0.0, 1.0),
        left=162,
    )
    chart.x_axis(axis)
    for i, (row, values_) in enumerate(rows.items()):
        middle = TOP + band * (i + 0.5)
        chart.draw("text", row, x=float(chart.left - 8), y=middle + 4, text_anchor="end", class_="row")
        for j, (name, value) in enumerate(zip(names[row], values_, strict=True)):
            if np.isfinite(value):
                offset = (j * 0.618034 % 1.0 - 0.5) * 14.0  # spread evenly, the same in every row and every run
                title = element("title", f"{name}: {value:.4g}")
                chart.draw("circle", title, cx=chart.x(value), cy=middle + offset, r=2.6, class_=f"dot {classes[row]}")
        mean, interval = means[row]
        if np.isfinite(mean):
            if interval is not None:
                chart.draw("line", x1=chart.x(interval[0]), x2=chart.x(interval[1]), y1=middle, y2=middle, class_="interval")
            chart.draw("line", x1=chart.x(mean), x2=chart.x(mean), y1=middle - 10, y2=middle + 10, class_="mean")
    return chart.svg(label)


def plane_chart(
    curve: Sequence[tuple[str, float, float]],
    spans: Sequence[tuple[Interval, Interval]],
    controls: Mapping[str, tuple[float, float, str]],
    axes: tuple[str, str],
    label: str,
) -> Markup:
    """Points (name, x, y) joined in their order, with their intervals, and single points (x, y, class) beside them; y is at most 1."""
    places = [(x, y) for _, x, y in curve] + [(x, y) for x, y, _ in controls.values()]
    x, y = (np.array(column) for column in zip(*places, strict=True))
    floor = max(0.0, float(np.floor(10.0 * y.min() - 1.0)) / 10.0) if y.min() >= 0.0 else float(y.min())
    chart = Chart(440, 320, (min(0.0, float(x.min())), max(1.0, float(x.max()))), (floor, 1.05))
    chart.x_axis(f"{axes[0]} (up: {axes[1]})")
    chart.y_axis()
    for (_, px, py), (over_x, over_y) in zip(curve, spans, strict=True):
        if over_x is not None:
            chart.draw("line", x1=chart.x(over_x[0]), x2=chart.x(over_x[1]), y1=chart.y(py), y2=chart.y(py), class_="whisker r0")
        if over_y is not None:
            chart.draw("line", x1=chart.x(px), x2=chart.x(px), y1=chart.y(over_y[0]), y2=chart.y(over_y[1]), class_="whisker r0")
    chart.line([px for _, px, _ in curve], [py for _, _, py in curve], "r0")
    for i, (name, px, py) in enumerate(curve):
        chart.draw("circle", element("title", name), cx=chart.x(px), cy=chart.y(py), r=4.0, class_="point r0")
        below = chart.y(py) + (-9.0 if i % 2 else 19.0)  # above and below by turns: neighbours may lie close together
        chart.draw("text", name, x=chart.x(px), y=below, text_anchor="middle", class_="row")
    for name, (px, py, class_) in controls.items():
        end = px > 0.5 * sum(chart.x_range)
        chart.draw("rect", x=chart.x(px) - 4.5, y=chart.y(py) - 4.5, width=9.0, height=9.0, class_=f"point {class_}")
        chart.draw("text", name, x=chart.x(px), y=chart.y(py) - 9.0, text_anchor="end" if end else "start", class_="row")
    return chart.svg(label)


def curve_chart(steps: Sequence[float], values: Sequence[float], label: str) -> Markup:
    """One loss over training steps, with 0 on its axis; spikes far beyond the others are cut off."""
    high, low = np.percentile(values, (95.0, 5.0))
    top, bottom = min(max(values), 2.0 * max(0.0, float(high))), max(min(values), 2.0 * min(0.0, float(low)))
    chart = Chart(360, 180, (0.0, max(steps)), (1.05 * min(0.0, bottom), 1.05 * max(0.0, top)), left=40)
    chart.x_axis("step")
    chart.y_axis()
    chart.line(steps, values, "r0")
    return chart.svg(label)


def widened(ends: Point) -> Point:
    """A range that has some width."""
    low, high = ends
    return (low, high) if high > low else (low - 0.5, low + 0.5) if low > 0.5 else (low, low + 1.0)


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) within a range."""
    rough = (high - low) / about
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [float(np.round(i * step, 12)) for i in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def decades(low: float, high: float) -> list[float]:
    """Powers of ten within a range; with 2 and 5 times them where there are fewer than three."""
    powers = [10.0**i for i in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)]
    for factors in ((1,), (1, 2, 5)):
        found = [float(np.round(f * power, 12)) for power in powers for f in factors if low <= f * power <= high]
        if len(found) >= 3:
            break
    return found
