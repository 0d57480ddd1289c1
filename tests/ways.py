"""Directions between names."""

from __future__ import annotations

from audiocycle.spec import Direction, Domain


def way(source: str, target: str) -> Direction:
    """The direction between two domains of which only the names are known."""
    return Direction(Domain(source), Domain(target))
