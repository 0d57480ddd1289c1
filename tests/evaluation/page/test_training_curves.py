"""The training's curves: every kind of term that a log holds, whatever it is called."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_page import Page

from audiocycle.errors import InputError
from audiocycle.evaluation.page.charts import curve_chart
from audiocycle.evaluation.page.training import means_by_kind, read_losses, training

KINDS = st.text("abcdefgh_", min_size=1, max_size=12).filter(lambda kind: kind not in ("rate", "norm"))
VALUES = st.floats(-1e6, 1e6)


def written(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_terms_that_nobody_knew_are_shown_in_order_of_appearance(tmp_path: Path) -> None:
    log = written(
        tmp_path / "log.jsonl",
        {"step": 1, "seconds": 9.0, "wasserstein/a->b": 4.0, "wasserstein/b->a": 2.0, "cycle/a->b": 1.0, "rate/generator": 1e-4, "norm/critic": 5.0},
        {"step": 2, "cycle/a->b": 0.5, "gradient_penalty/a->b": 7.0, "wasserstein/a->b": -4.0, "wasserstein/b->a": -3.0},
    )
    losses = read_losses(log)
    assert losses == {
        "wasserstein": ([1.0, 2.0], [3.0, -3.5]),
        "cycle": ([1.0, 2.0], [1.0, 0.5]),
        "gradient_penalty": ([2.0], [7.0]),
    }
    assert list(losses) == ["wasserstein", "cycle", "gradient_penalty"]
    parsed = Page(f"<div>{''.join(training({}, losses))}</div>")
    assert [data for path, data in parsed.texts if path[-1:] == ("figcaption",)] == ["wasserstein", "cycle", "gradient penalty"]
    assert [chart["aria-label"] for chart in parsed.of("svg")] == [
        "wasserstein loss: 3 at first, -3.5 at last",
        "cycle loss: 1 at first, 0.5 at last",
        "gradient penalty loss: 7 at first, 7 at last",
    ]


@given(st.dictionaries(KINDS, st.lists(VALUES, min_size=1, max_size=4), max_size=6))
def test_each_kind_is_the_mean_of_its_directions(terms: dict[str, list[float]]) -> None:
    record = {f"{kind}/{i}->x": value for kind, values in terms.items() for i, value in enumerate(values)}
    means = means_by_kind({"step": 1, "seconds": 2.0, "rate/generator": 3.0} | record | {"norm/critic": 4.0})
    assert list(means) == list(terms)
    for kind, values in terms.items():
        assert means[kind] == pytest.approx(sum(values) / len(values))


def test_a_term_that_is_no_number_is_no_training_log(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 1 is not a training's log"):
        read_losses(written(tmp_path / "log.jsonl", {"step": 1, "term/a->b": "much"}, {"step": 2}))


@given(st.lists(VALUES, min_size=1, max_size=40))
def test_curves_have_zero_on_their_axis_and_stay_inside(values: list[float]) -> None:
    chart = curve_chart([float(step) for step in range(1, len(values) + 1)], values, "label")
    points = re.search(r'points="([^"]*)"', chart)
    assert points is not None
    heights = [float(point.split(",")[1]) for point in points[1].split()]
    assert len(heights) == len(values)
    assert all(8 - 0.1 <= height <= 180 - 34 + 0.1 for height in heights)
    assert re.search(r'text-anchor="end">-?0<', chart)


def test_curves_of_negative_values_fall() -> None:
    points = re.search(r'points="([^"]*)"', curve_chart([1.0, 2.0, 3.0], [1.0, 0.0, -1.0], "label"))
    assert points is not None
    heights = [float(point.split(",")[1]) for point in points[1].split()]
    assert heights[0] < heights[1] < heights[2]
    assert heights[2] - heights[1] == pytest.approx(heights[1] - heights[0], abs=0.2)
