"""The words that every layer shares: what features look like, what an adapter does, what a renderer does.

Time is always the last axis, so crop, pad and chunk are ``x[..., a:b]`` for every modality. Domains (speakers,
genres) go by name; a direction is written ``"spk1->spk2"``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Stats = Mapping[str, FloatArray]
"""What normalisation and transfer need to know of one domain: named float arrays, fitted by an adapter."""


@dataclass(frozen=True)
class FeatureSpec:
    """The shape of what a network sees.

    Attributes:
        modality: ``"voice"`` or ``"music"``; picks the medium, which reads and writes files.
        shape: all axes but time, e.g. ``(36,)`` for 36 coefficients.
        frame_rate: frames per second.
    """

    modality: str
    shape: tuple[int, ...]
    frame_rate: float


@dataclass
class Encoded:
    """One recording as features and side information.

    Attributes:
        features: ``(*spec.shape, T)`` float32, not normalised.
        side: what the network does not touch (F0, aperiodicity, the source waveform, a tempo map, ...).
    """

    features: FloatArray
    side: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Signal:
    """A mono waveform: ``samples`` (N,) float in [-1, 1] at ``sample_rate`` Hz."""

    samples: FloatArray
    sample_rate: int


class Adapter(Protocol):
    """Turns a domain's files into features and back into something that a renderer understands."""

    @property
    def spec(self) -> FeatureSpec: ...

    def fit(self, items: Sequence[Encoded]) -> Stats:
        """Statistics of one domain from all its training items."""

    def normalize(self, features: FloatArray, stats: Stats) -> FloatArray: ...

    def denormalize(self, features: FloatArray, stats: Stats) -> FloatArray: ...

    def transfer(self, encoded: Encoded, converted: FloatArray, source: Stats, target: Stats) -> Encoded:
        """Join converted features (denormalised, ``(*shape, T)``) with the source's transferred side."""


def direction(source: str, target: str) -> str:
    """The name of an ordered pair: ``direction("a", "b") == "a->b"``."""
    return f"{source}->{target}"


