"""Long tables of numbers in JSON: a byte each, where lists of digits would take eight."""

from __future__ import annotations

import base64
import binascii
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONG = 4096
"""Numbers from which on a table is packed."""


def packed(table: NDArray[Any]) -> dict[str, Any]:
    """An array of finite numbers as JSON holds it: whole multiples of a unit, from -127 to 127, as base64."""
    unit = max(float(np.abs(table).max(initial=0.0)), 1e-12) / 127.0
    steps = np.round(np.asarray(table, np.float64) / unit).astype(np.int8)
    return {"shape": list(table.shape), "unit": unit, "int8": base64.b64encode(steps.tobytes()).decode("ascii")}


def unpacked(value: object) -> object:
    """What :func:`packed` was given, float32, to half a unit; anything else as it is, what is only like it included."""
    match value:
        case {"shape": [*shape], "unit": float(unit), "int8": str(text)} if all(type(side) is int and side > 0 for side in shape):
            try:
                steps = np.frombuffer(base64.b64decode(text, validate=True), np.int8)
            except (binascii.Error, ValueError):
                return value
            return steps.reshape(shape).astype(np.float32) * np.float32(unit) if math.prod(shape) == len(steps) else value
    return value
