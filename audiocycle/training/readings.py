"""Terms and gradient norms of steps: they stay on the device until somebody looks, and are finite or end the run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from audiocycle.errors import TrainingError


class Readings:
    """Figures of the steps since the last look.

    Reading a number of a GPU makes the processor wait until the GPU has computed it, so all of them are read together,
    when they are logged or before a checkpoint is written. On a processor each is read, and judged, as soon as it is there.

    Args:
        at_once: read at each :meth:`note`.
        advice: how the message on a figure that is not finite ends.

    Attributes:
        newest: figures of the newest step that was read, by name.
    """

    def __init__(self, at_once: bool, advice: Callable[[], str]) -> None:
        self.at_once, self.advice = at_once, advice
        self.newest: dict[str, float] = {}
        self._step = -1
        self._unread: list[tuple[int, dict[str, Tensor]]] = []

    def note(self, step: int, figures: Mapping[str, Tensor]) -> None:
        """Keep scalars of a step.

        Raises:
            TrainingError: as :meth:`read`, if it is done at once.
        """
        self._unread.append((step, dict(figures)))
        if self.at_once:
            self.read()

    def read(self) -> dict[str, float]:
        """All figures of the newest step, after a look at those of all others since the last reading.

        Raises:
            TrainingError: one is not a finite number; names the first such step and its figures.
        """
        unread, self._unread = self._unread, []
        if unread:
            values = iter(torch.stack([value for _, figures in unread for value in figures.values()]).tolist())
        for step, figures in unread:
            if step != self._step:
                self._step, self.newest = step, {}
            read = {name: next(values) for name in figures}
            bad = [name for name, value in read.items() if not math.isfinite(value)]
            if bad:
                raise TrainingError(f"step {step}: {', '.join(bad)} is not a finite number; {self.advice()}")
            self.newest |= read
        return self.newest
