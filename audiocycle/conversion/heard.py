"""What is known of a source that nobody was trained on: the statistics of what was heard of it so far."""

from __future__ import annotations

from collections import deque
from typing import Any

from audiocycle.spec import Adapter, Direction, Encoded

CHUNKS = 4
"""The last so many chunks of a recording count: about a minute and a half of it."""


class Heard:
    """The source of one recording. Its chunks come in order, and each is converted by the statistics of those up to it."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.chunks: deque[Encoded[Any]] = deque(maxlen=CHUNKS)

    def direction(self, direction: Direction, encoded: Encoded[Any]) -> Direction:
        """A direction from anyone, with what is known of this one now that another chunk was heard."""
        self.chunks.append(encoded)
        return direction.of(self.adapter.fit(list(self.chunks)))
