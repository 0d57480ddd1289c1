"""The words that every layer shares: what features look like, what an adapter does, what a renderer does.

Time is always the last axis, so crop, pad and chunk are ``x[..., a:b]`` for every modality. Domains (speakers,
genres) go by name; a direction is written ``"spk1->spk2"``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from audiocycle.system.limits import Table

FloatArray = NDArray[np.floating[Any]]
Stats = Mapping[str, FloatArray]
"""What normalisation and transfer need to know of one domain: named float arrays, fitted by an adapter."""

MIXED = "*"
"""In a training batch: crops drawn from several domains alike. No domain can have this name."""

DEVIATION = "made_deviation"
"""Among a target's statistics in conversion: the deviation of what the network makes, normalised, so that 1 is the target's own."""

PRECISIONS = ("auto", "bf16", "fp32")
"""Of a network's products, in training and in conversion; auto is bf16 where it is native."""


@dataclass(frozen=True)
class FeatureSpec:
    """The shape of what a network sees.

    Attributes:
        modality: ``"voice"`` or ``"music"``; picks the medium, which reads and writes files.
        shape: all axes but time, e.g. ``(36,)`` for 36 coefficients.
        frame_rate: frames per second.
        window: frames that a network sees at a time, for training crops (which begin at its multiples) and in conversion
            (overlapping windows); 0 where any length will do.
    """

    modality: str
    shape: tuple[int, ...]
    frame_rate: float
    window: int = 0


@dataclass
class Encoded:
    """One recording as features and side information.

    Attributes:
        features: ``(*spec.shape, T)``, not normalised; float32, or uint8 where that holds all there is.
        side: what the network does not touch (F0, aperiodicity, the source waveform, a tempo map, ...).
    """

    features: FloatArray
    side: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Signal:
    """A mono waveform: ``samples`` (N,) float in [-1, 1] at ``sample_rate`` Hz. What people give may have other types and more channels."""

    samples: FloatArray
    sample_rate: int


@dataclass(frozen=True)
class Outcome:
    """What came of converting one file.

    Attributes:
        seconds: how long the file plays.
        details: counts for the report, e.g. ``{"phrases": 12, "phrases_unchanged": 2}``.
        note: what people should know of how it came about, in one line; empty where all was as usual.
    """

    seconds: float
    details: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Translation:
    """What a conversion does with features: (source features with side) to converted ones with theirs.

    Attributes:
        function: does it.
        of_source: the source's statistics, for those who have to guess what a recording of it does not hold.
    """

    function: Callable[[Encoded], Encoded]
    of_source: Stats

    def __call__(self, encoded: Encoded) -> Encoded:
        return self.function(encoded)


class Adapter(Protocol):
    """Turns a domain's files into features and back into something that a renderer understands."""

    @property
    def spec(self) -> FeatureSpec: ...

    @property
    def known_statistics(self) -> Mapping[str, Table]:
        """What :meth:`fit` makes, by name, and within which limits: bundles, which strangers may have made, are held to them."""

    def fit(self, items: Sequence[Encoded]) -> Stats:
        """Statistics of one domain from all its training items."""

    def normalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        """(..., T) as the network sees it, float32."""

    def denormalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        """What :meth:`normalize` did, undone."""

    def augment(self, crops: FloatArray, random: np.random.Generator) -> FloatArray:
        """Training crops (B, *shape, T), not normalised, varied in ways that leave them items of their domain."""

    def transfer(
        self, encoded: Encoded, converted: FloatArray, source: Stats, target: Stats, options: Any
    ) -> Encoded:
        """Join converted features (denormalised, ``(*shape, T)``) with the source's transferred side.

        Args:
            options: the modality's (see its medium).
        """


def source_of(name: str) -> str:
    """The source of a :func:`direction`."""
    return name.partition("->")[0]


def ordered_pairs(domains: Sequence[str], one_way: bool = False) -> tuple[tuple[str, str], ...]:
    """(source, target) of every direction, or of those from the first domain only."""
    return tuple(pair for pair in permutations(domains, 2) if not one_way or pair[0] == domains[0])


def direction(source: str, target: str) -> str:
    """The name of an ordered pair: ``direction("a", "b") == "a->b"``."""
    return f"{source}->{target}"


