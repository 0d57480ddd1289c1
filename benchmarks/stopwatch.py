"""When each stage of a conversion is at work, seen from outside of the package."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from audiocycle.conversion.converter import Converter
from audiocycle.voice import renderers
from audiocycle.voice.world_adapter import WorldAdapter, pyworld

STAGES = ("F0", "envelope", "aperiodicity", "network", "synthesis")


@dataclass
class Stopwatch:
    """When each stage was at work: (stage, begin, end). Spans overlap, for threads share the work of a stage, and stages run side
    by side."""

    spans: list[tuple[str, float, float]] = field(default_factory=list)

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, with its calls noted."""

        def call(*args: Any, **options: Any) -> Any:
            begin = time.perf_counter()
            result = function(*args, **options)
            self.spans.append((stage, begin, time.perf_counter()))
            return result

        return call

    def by_stage(self) -> dict[str, float]:
        """Seconds by stage, all threads together."""
        seconds = dict.fromkeys(STAGES, 0.0)
        for stage, begin, end in self.spans:
            seconds[stage] += end - begin
        return seconds

    def busy(self) -> float:
        """Seconds in which at least one stage was at work."""
        total, until = 0.0, 0.0
        for _, begin, end in sorted(self.spans, key=lambda span: span[1]):
            total += max(0.0, end - max(begin, until))
            until = max(until, end)
        return total


@contextmanager
def watched(converter: Converter) -> Iterator[Stopwatch]:
    """Time the stages of all that ``converter`` does inside the with-block."""
    watch = Stopwatch()
    places = (
        ("F0", WorldAdapter, "_f0"),
        ("envelope", pyworld, "cheaptrick"),
        ("envelope", pyworld, "code_spectral_envelope"),
        ("aperiodicity", pyworld, "d4c"),
        ("network", type(converter.network), "__call__"),
        ("synthesis", pyworld, "decode_spectral_envelope"),
        ("synthesis", pyworld, "synthesize"),
        ("synthesis", renderers, "filter_by_frames"),
    )
    with ExitStack() as stack:
        for stage, owner, name in places:
            stack.enter_context(mock.patch.object(owner, name, watch.timed(stage, getattr(owner, name))))
        yield watch
