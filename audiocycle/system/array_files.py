"""Arrays that the program keeps for itself (.npz), read as finite numbers or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NUMBERS = "biuf"
"""Kinds of numpy's types: truth values, integers of either sign, floats."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]] | None:
    """The arrays of a file; None: there is none, or it is damaged, or holds something else than finite numbers."""
    if not path.is_file():  # a pipe would be waited for
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except Exception:  # whatever a damaged archive raises
        return None
    return found if all(map(finite, found.values())) else None


def finite(values: Any) -> bool:
    """Whether this is an array of numbers none of which is NaN or infinite."""
    return isinstance(values, np.ndarray) and values.dtype.kind in NUMBERS and (values.dtype.kind != "f" or bool(np.isfinite(values).all()))


def is_features(values: Any, shape: tuple[int, ...] | None) -> bool:
    """Whether this can be a recording's features: (\\*shape, T), T > 0, in half precision or as bytes; ``shape`` is that of the other axes, if it is known."""
    if not isinstance(values, np.ndarray) or values.dtype not in (np.float16, np.uint8) or not values.size:
        return False
    return values.ndim > 1 if shape is None else values.shape[:-1] == shape

