"""What settings and statistics may be, and how a wrong one is told."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.errors import ConfigError, printable
from audiocycle.system.limits import (
    OTHER_NUMBERS,
    OneOf,
    Range,
    Switch,
    Table,
    as_numbers,
    hold,
    hold_statistics,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(value=ANYTHING)
def test_a_range_holds_numbers_within_it_and_nothing_else(value: Any) -> None:
    whole, real = Range(1, 9).holds(value), Range(1, 9, whole=False).holds(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    assert real == (number and 1 <= value <= 9)
    assert whole == (real and isinstance(value, int))


@pytest.mark.parametrize("value", [np.int64(4), np.float32(4.0), 4, 4.0])
def test_numbers_of_numpy_are_numbers(value: Any) -> None:
    assert Range(1, 9, whole=False).holds(value)


@given(value=ANYTHING)
def test_a_wrong_setting_is_one_short_line(value: Any) -> None:
    for limit in (Range(1, 9), OneOf(("dio", "harvest")), Switch()):
        told = ""
        try:
            hold("adapter.", {"thing": value, "other": 1}, {"thing": limit, "absent": limit})
        except ConfigError as error:
            told = str(error)
        assert limit.holds(value) == (not told)
        assert told.startswith("adapter.thing=" if told else "")
        assert told == printable(told)
        assert len(told) < 300


KNOWN = {"mean": Table((2, 1), -9.0, 9.0), "f0": Table((2,), (3.0, 0.0), (8.0, 2.0)), "usual": Table((1,), 0.0, 1.0, required=False)}
GOOD: dict[str, Any] = {"mean": [[1.0], [-9]], "f0": [5.0, 0.3]}


@pytest.mark.parametrize("more", [{}, {"usual": [0.5]}, {"unheard_of": [[1, 2], [3, 4]]}, {"mean": np.zeros((2, 1))}], ids=str)
def test_statistics_within_their_limits_are_taken(more: dict[str, Any]) -> None:
    hold_statistics("anna", GOOD | more, KNOWN)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"mean": None}, "mean among its statistics is not made of numbers"),
        ({"mean": [[1.0], [math.nan]]}, "mean among its statistics is not made of numbers"),
        ({"mean": [[1.0], [math.inf]]}, "not made of numbers"),
        ({"mean": "ab"}, "not made of numbers"),
        ({"mean": [[1.0], []]}, "not made of numbers"),
        ({"mean": [1.0, 2.0]}, "has the shape (2,), where (2, 1) belongs"),
        ({"mean": [[1.0], [9.1]]}, "from -9.0 to 9.0"),
        ({"f0": [2.9, 0.3]}, "from (3.0, 0.0) to (8.0, 2.0)"),
        ({"f0": [5.0, 2.1]}, "from (3.0, 0.0)"),
        ({"usual": [2]}, "usual"),
        ({"new": [0] * (OTHER_NUMBERS + 1)}, "new among its statistics is unknown, and has 4097 numbers"),
        ({"a\x1b[31m": "x"}, "a\\x1b[31m"),
    ],
)
def test_other_statistics_are_refused_by_name(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        hold_statistics("anna", GOOD | more, KNOWN)
    assert said in str(caught.value)
    assert str(caught.value).startswith("anna: ")


def test_a_statistic_that_is_needed_is_missed() -> None:
    with pytest.raises(ConfigError, match="anna: no f0 among its statistics"):
        hold_statistics("anna", {"mean": GOOD["mean"]}, KNOWN)


@pytest.mark.parametrize(("value", "plain", "between"), [(True, True, True), (None, False, True), (0, False, False), ("true", False, False)])
def test_switches(value: Any, plain: bool, between: bool) -> None:
    assert (Switch().holds(value), Switch(between=True).holds(value)) == (plain, between)


@given(value=ANYTHING)
def test_numbers_are_finite_or_none_at_all(value: Any) -> None:
    numbers = as_numbers(value)
    assert numbers is None or (numbers.dtype == np.float64 and np.isfinite(numbers).all())
