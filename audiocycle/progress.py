"""The one look of all progress bars: on stderr, and only where somebody can see it move; a line now and then elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text


def console() -> Console:
    """Standard error, without guesses at what to colour."""
    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


class Rate(ProgressColumn):
    """How many a second, over the last half minute."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        """``3.2 files/s``."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.{1 if speed >= 1 else 2}f} {self.unit}/s")


def counted(on: Console, unit: str = "") -> Progress:
    """A bar for things that are counted: files, steps. Elapsed and remaining time beside it, and how many ``unit`` a second."""
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()]
    columns += [Rate(unit)] if unit else []
    return Progress(*columns, console=on, disable=not on.is_terminal)


class PlainLines:
    """Says how far something is, every half minute, where there is no terminal for a bar: in a log file, or a pipe.

    Args:
        what: ``"evaluating"``.
        every: seconds from one line to the next.
    """

    def __init__(self, on: Console, what: str, every: float = 30.0) -> None:
        self.on, self.what, self.every = on, what, every
        self.last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if not self.on.is_terminal and now - self.last >= self.every:
            self.last = now
            self.on.print(f"{self.what}: {done} of {total}")
