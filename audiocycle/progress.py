"""The one look of all progress bars: on stderr, and only where somebody can see it move."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def console() -> Console:
    """Standard error, without guesses at what to colour."""
    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def counted(on: Console) -> Progress:
    """A bar for things that are counted: files, steps. Rate, elapsed and remaining time beside it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=on, disable=not on.is_terminal)
