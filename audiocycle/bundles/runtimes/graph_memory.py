"""How much memory a graph takes at a time, counted while its sizes are followed (:mod:`audiocycle.bundles.runtimes.graph_shapes`).

A value is alive from the operation that makes it to the last one that reads it. What is made of weights alone is alive throughout:
libraries compute it when they load a graph, and keep it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audiocycle.bundles.runtimes.graph_rules import INPUT, OUTPUT

MAX_ALIVE_BYTES = 5 << 28
"""1.25 GiB: three times of what our widest preset takes for 31 s of sound (0.40 GB, ``gated_212d``)."""
FLOAT_BYTES = 4


class Alive:
    """What is alive while the operations of a graph are done in their order.

    Attributes:
        bytes: at this moment.
    """

    def __init__(self, graph: Any, elements_in: int) -> None:
        self._last = {name: place for place, node in enumerate(graph.node) for name in node.input}
        self._last[OUTPUT] = len(graph.node)
        self._constant = {tensor.name for tensor in graph.initializer}
        self._elements = {INPUT: elements_in}
        self._place = 0
        self.bytes = FLOAT_BYTES * elements_in

    def made(self, node: Any, elements: Sequence[int]) -> bool:
        """Count what the next operation makes, with all that it reads; then let go of what nothing reads any more.

        Returns:
            Whether that was within :data:`MAX_ALIVE_BYTES`.
        """
        self._elements |= zip(node.output, elements, strict=True)
        self.bytes += FLOAT_BYTES * sum(elements)
        within = self.bytes <= MAX_ALIVE_BYTES
        if all(name in self._constant for name in node.input):
            self._constant.update(node.output)
        for name in {*node.input, *node.output} - self._constant:
            if self._last.get(name, -1) <= self._place:
                self.bytes -= FLOAT_BYTES * self._elements.pop(name)
        self._place += 1
        return within
