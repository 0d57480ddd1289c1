"""The next batch, drawn by a thread while the present step runs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class DrawnAhead(Generic[T]):
    """Batches of consecutive steps, each drawn while its predecessor is used. A context manager, which ends the thread.

    Args:
        draw: the batch of a step, which must follow from the step alone.
        last: steps from this one on are not drawn ahead.
    """

    def __init__(self, draw: Callable[[int], T], last: int) -> None:
        self.draw, self.last = draw, last
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._drawn: dict[int, Future[T]] = {}

    def take(self, step: int) -> T:
        """The batch of a step; what drawing it raised is raised here."""
        mine = self._drawn.pop(step, None) or self._thread.submit(self.draw, step)
        if step + 1 < self.last:
            self._drawn[step + 1] = self._thread.submit(self.draw, step + 1)
        return mine.result()

    def __enter__(self) -> DrawnAhead[T]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._thread.shutdown(cancel_futures=True)
