"""Whether a person wants to see tracebacks."""

from __future__ import annotations

import sys


def debugging() -> bool:
    """True when the user asked for tracebacks."""
    return "--debug" in sys.argv
