"""The one look of all progress bars: on stderr, and only where somebody can see it move; a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import Any

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

from audiocycle.errors import printable, worded


class PlainConsole(Console):
    """What is printed is text, and does nothing else to a terminal, whoever wrote the names in it."""

    def print(self, *objects: Any, **options: Any) -> None:
        """As a console's, with strings made printable; line breaks stay. Options are written as flags where there is a command line."""
        super().print(*(printable(worded(x), lines=True) if isinstance(x, str) else x for x in objects), **options)


def console() -> Console:
    """Standard error, without guesses at what to colour."""
    return PlainConsole(stderr=True, highlight=False, soft_wrap=True, emoji=False)


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


class Seldom:
    """True when some seconds have gone by since it last was: when to write a line where nobody sees a bar.

    Args:
        at_once: the first call is True, too.
    """

    def __init__(self, seconds: float, at_once: bool = True) -> None:
        self.seconds = seconds
        self.last = float("-inf") if at_once else time.monotonic()

    def __call__(self) -> bool:
        now = time.monotonic()
        due = now - self.last >= self.seconds
        self.last = now if due else self.last
        return due
