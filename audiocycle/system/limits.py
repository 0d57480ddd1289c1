"""What a setting, or a table of numbers, may be: declared beside what it sets, and held to before anything is built of it.

Settings come from people's configurations and from strangers' bundles alike, and reach native code, which does not ask.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError, printable

SHOWN = 60
"""Characters of a wrong value that an error repeats."""
OTHER_NUMBERS = 4096
"""At most so many are passed over in a table of statistics that nobody knows (a newer version's)."""


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; whole ones, unless ``whole`` is False. A bool is no number."""

    low: float
    high: float
    whole: bool = True

    def holds(self, value: object) -> bool:
        """Whether ``value`` is one of them; NaN never is."""
        kind = Integral if self.whole else Real
        return isinstance(value, kind) and not isinstance(value, bool) and self.low <= value <= self.high  # type: ignore[operator]

    def __str__(self) -> str:
        return f"choose a {'whole ' if self.whole else ''}number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class OneOf:
    """Some words."""

    words: tuple[str, ...]

    def holds(self, value: object) -> bool:
        """Whether ``value`` is one of them."""
        return isinstance(value, str) and value in self.words

    def __str__(self) -> str:
        return f"choose one of {', '.join(self.words)}"


@dataclass(frozen=True)
class Switch:
    """True or False; or None, where there is something ``between``."""

    between: bool = False

    def holds(self, value: object) -> bool:
        """Whether ``value`` is one of them."""
        return isinstance(value, bool) or (self.between and value is None)

    def __str__(self) -> str:
        return "choose true, false or null" if self.between else "choose true or false"


Limit = Range | OneOf | Switch


def hold(what: str, values: Mapping[str, Any], limits: Mapping[str, Limit]) -> None:
    """Settings, by name, must be within the limits that are known by these names.

    Args:
        what: they are settings of, as errors call it.

    Raises:
        ConfigError: names the first that is not, its value, and what it may be.
    """
    for name, limit in limits.items():
        if name in values and not limit.holds(values[name]):
            raise ConfigError(f"{what}{name}={shown(values[name])}: {limit}")


def shown(value: object) -> str:
    """A wrong value, short enough for an error of one line."""
    text = printable(value if isinstance(value, str | int | float) else repr(value)[: 2 * SHOWN])
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


@dataclass(frozen=True)
class Table:
    """An array of statistics.

    Attributes:
        shape: of the array.
        low, high: of its numbers, both included; several are for the places of its last axis.
        required: a domain without it cannot be converted.
        listed: its rows are a list, and mean nothing by their place in it.
    """

    shape: tuple[int, ...]
    low: float | tuple[float, ...]
    high: float | tuple[float, ...]
    required: bool = True
    listed: bool = False

    def holds(self, numbers: NDArray[np.float64]) -> bool:
        """Whether finite numbers of this shape are within the limits."""
        return bool((np.asarray(self.low) <= numbers).all() and (numbers <= np.asarray(self.high)).all())


def hold_statistics(what: str, statistics: Mapping[str, Any], known: Mapping[str, Table]) -> None:
    """Arrays (or nested lists) of statistics, by name, must have the shapes that are known, and numbers within their limits.

    What is not known is passed over if it is made of a few numbers: a newer version's.

    Args:
        what: whose they are, as errors call it.

    Raises:
        ConfigError: names the first that is missing, or is none.
    """
    for name, table in known.items():
        if name not in statistics and table.required:
            raise ConfigError(f"{what}: no {name} among its statistics")
    for name, value in statistics.items():
        numbers = as_numbers(value)
        if numbers is None:
            raise ConfigError(f"{what}: {shown(name)} among its statistics is not made of numbers")
        wanted = known.get(name)
        if wanted is None:
            if numbers.size > OTHER_NUMBERS:
                raise ConfigError(f"{what}: {shown(name)} among its statistics is unknown, and has {numbers.size} numbers")
        elif numbers.shape != wanted.shape:
            raise ConfigError(f"{what}: {name} among its statistics has the shape {numbers.shape}, where {wanted.shape} belongs")
        elif not wanted.holds(numbers):
            raise ConfigError(f"{what}: {name} among its statistics must be from {wanted.low} to {wanted.high}, and is not")


def as_numbers(value: object) -> NDArray[np.float64] | None:
    """Nested lists, or an array, as finite float64; None where they are no such thing."""
    if not isinstance(value, Sequence | np.ndarray | int | float) or isinstance(value, str):
        return None
    try:
        array = np.asarray(value)
        numbers: NDArray[np.float64] = array.astype(np.float64) if array.dtype.kind in "iuf" else np.full(1, math.nan)
    except (ValueError, TypeError, OverflowError):
        return None
    return numbers if np.isfinite(numbers).all() else None
