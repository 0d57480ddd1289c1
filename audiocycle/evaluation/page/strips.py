"""Charts of single files: a dot for each file in each row, with the rows' means and intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audiocycle.evaluation.measure import Measure, TableLayout
from audiocycle.evaluation.page.charts import strip_chart
from audiocycle.evaluation.page.markup import Markup, element
from audiocycle.metrics.estimates import Estimate


def strip(
    name: str,
    measure: Measure,
    values: Mapping[str, Sequence[float]],
    estimates: Mapping[str, Estimate],
    files: Mapping[str, Sequence[str]],
    layout: TableLayout,
    what: str,
    caption: str = "",
) -> Markup:
    """One measure of one direction.

    Args:
        name: of the direction, to people.
        values: row to one value for each of its files; NaN where there is none.
        estimates: of each row's mean.
        files: names of each row's files.
        what: a dot is called, such as ``file``.
        caption: the measure's label unless said.
    """
    numbers = {
        layout.label(row): [value * measure.scale for value in column] for row, column in values.items()
    }
    means = {layout.label(row): measure.scaled(estimates[row]) for row in values}
    words = "; ".join(f"{row} {mean:.{measure.digits}f}" for row, (mean, _) in means.items())
    chart = strip_chart(
        numbers,
        means,
        {layout.label(row): files[row] for row in values},
        {layout.label(row): layout.classes[row] for row in values},
        measure.axis,
        f"{name}, {measure.axis}, one dot a {what}. Means: {words}.",
    )
    return element("figure", element("figcaption", caption or measure.label), chart)
