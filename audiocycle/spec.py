"""The words that every layer shares: domains and directions, features and what an adapter does with them. Start reading here.

Time is always the last axis, so crop, pad and chunk are ``x[..., a:b]`` for every modality. A domain (a speaker, a genre) and a direction
are values: they are keys, they carry what is known of a domain, and networks read from them what they are conditioned on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import permutations
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from audiocycle.system.limits import Table

FloatArray = NDArray[np.floating[Any]]
Stats = Mapping[str, FloatArray]
"""What normalisation and transfer need to know of one domain: named float arrays, fitted by an adapter."""
Side = TypeVar("Side")
Array = TypeVar("Array")
Other = TypeVar("Other")

PRECISIONS = ("auto", "bf16", "fp32")
"""Of a network's products, in training and in conversion; auto is bf16 where it is native."""
WINDOWS_AT_ONCE = 16
"""Windows that go through a network in one batch."""


class Values(Enum):
    """What the numbers of features are, which decides how far two of them are apart (:func:`audiocycle.objectives.losses.distance`)."""

    REAL = "real"
    PROBABILITIES = "probabilities"
    """From 0 to 1."""


@dataclass(frozen=True)
class FeatureSpec:
    """What a network sees.

    Attributes:
        modality: which kind of files it is made of (:mod:`audiocycle.modality`).
        shape: all axes but time, e.g. ``(36,)`` for 36 coefficients.
        frame_rate: frames per second.
        window: frames that a network sees at a time, for training crops (which begin at its multiples) and in conversion
            (overlapping windows); 0 where any length will do.
        values: what its numbers are.
        steps_per_beat: frames of a beat; 0 where there are no beats.
        made: of the rows of features (P,), the first so many are what a network makes; those behind them tell it what is said, whoever says it,
            and stay as they are. 0: it makes all, of a source that it was trained on.
        condition: how many numbers a network is told of its target (:attr:`Domain.condition`).
        copies: how many times a training item holds its file, one copy behind the other, each heard otherwise.
        remark: what people should know of models of such features, a sentence; empty: nothing.
    """

    modality: str
    shape: tuple[int, ...]
    frame_rate: float
    window: int = 0
    values: Values = Values.REAL
    steps_per_beat: int = 0
    made: int = 0
    condition: int = 0
    copies: int = 1
    remark: str = ""

    @property
    def training_rate(self) -> float:
        """Frames of training items for a second of their files."""
        return self.copies * self.frame_rate

    @property
    def any_source(self) -> bool:
        """Whether such features of anybody can be converted."""
        return self.made > 0

    @property
    def network_shape(self) -> tuple[int, ...]:
        """What a network is given at a time: features, and behind them what it is told of the target."""
        return (self.shape[0] + self.condition, *self.shape[1:])


@dataclass(frozen=True)
class Domain:
    """One side of a conversion: a speaker, a genre. Domains of one name are equal.

    Attributes:
        name: as people write it.
        stats: what an adapter knows of it; empty until that is asked for.
        condition: what a network that serves many domains is told of this one, (C,) (:meth:`Adapter.condition`); None: nothing.
    """

    name: str
    stats: Stats = field(default_factory=dict, compare=False, repr=False)
    condition: FloatArray | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.name


ANYONE = Domain("anyone")
"""The source of models that convert everybody. Its statistics are those of the recording that is converted."""


@dataclass(frozen=True)
class Direction:
    """From one domain to another. Directions between equal domains are equal.

    Attributes:
        output_deviation: of what the network makes in this direction, normalised, (*shape, 1): 1 is the target's own, less is flatter. None: not known.
    """

    source: Domain
    target: Domain
    output_deviation: FloatArray | None = field(default=None, compare=False, repr=False)

    @property
    def back(self) -> Direction:
        """The other way."""
        return Direction(self.target, self.source)

    def of(self, stats: Stats) -> Direction:
        """The same, of a source with these statistics."""
        return replace(self, source=replace(self.source, stats=stats))

    @property
    def file_stem(self) -> str:
        """As names of files say it: ``anna-to-ben``."""
        return f"{self.source.name}-to-{self.target.name}"

    def __str__(self) -> str:
        """As it is written in logs, and the name of its network: ``anna->ben``."""
        return f"{self.source.name}->{self.target.name}"


def directions(domains: Sequence[Domain], one_way: bool = False, any_source: bool = False) -> tuple[Direction, ...]:
    """All ordered pairs, or those from the first domain only, or from anyone to each."""
    if any_source:
        return tuple(Direction(ANYONE, domain) for domain in domains)
    return tuple(Direction(*pair) for pair in permutations(domains, 2) if not one_way or pair[0] == domains[0])


@dataclass
class Encoded(Generic[Side]):
    """One recording, or a part of one, as features and side information.

    Attributes:
        features: ``(*spec.shape, T)``, not normalised; float32, or uint8 where that holds all there is.
        side: what the network does not touch (F0, aperiodicity, notes, ...): a dataclass of the modality's.
        places: (n,) frames at which windows of :attr:`FeatureSpec.window` may begin, increasing from 0; None: at any.
    """

    features: FloatArray
    side: Side
    places: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class NoSide:
    """The side of features that need none."""


@dataclass(frozen=True)
class Batch(Generic[Array]):
    """What one step of a training sees, normalised.

    Attributes:
        items: crops of each domain, (B, *shape, T).
        guides: by direction, what the target is like where the source's crops are, of their shape.
        mixed: crops drawn from several domains alike; None where no critic asks for them.
    """

    items: Mapping[Domain, Array]
    guides: Mapping[Direction, Array] = field(default_factory=dict)
    mixed: Array | None = None

    def map(self, function: Callable[[Array], Other]) -> Batch[Other]:
        """The same with ``function`` of each array."""
        items = {domain: function(crops) for domain, crops in self.items.items()}
        guides = {direction: function(crops) for direction, crops in self.guides.items()}
        return Batch(items, guides, None if self.mixed is None else function(self.mixed))


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
        direction: from where to where, for those who have to guess what a recording of the source does not hold.
        begin: makes a function that knows nothing yet of the recording; None: nothing is remembered from chunk to chunk.
        knowing: of a source that is told by its statistics, which may be of more than these features; None: the source is known.
    """

    function: Callable[[Encoded[Any]], Encoded[Any]]
    direction: Direction
    begin: Callable[[], Callable[[Encoded[Any]], Encoded[Any]]] | None = None
    knowing: Callable[[Encoded[Any], Stats], Encoded[Any]] | None = None

    def anew(self) -> Translation:
        """The same for another recording."""
        return self if self.begin is None else replace(self, function=self.begin())

    def __call__(self, encoded: Encoded[Any]) -> Encoded[Any]:
        return self.function(encoded)


class InWeights:
    """Of adapters whose networks have their domains in their weights: nothing is told of them."""

    def condition(self, stats: Stats) -> FloatArray | None:
        return None

    def learned(self, items: Sequence[Encoded[Any]]) -> Stats:
        return {}

    def corrected(self, item: Encoded[Any], made: FloatArray, stats: Stats) -> Stats:
        return stats

    def towards(self, normal: FloatArray, stats: Stats) -> FloatArray:
        return normal


class Adapter(Protocol):
    """From features to what a network sees and back; how files become features is the modality's."""

    @property
    def renderers(self) -> tuple[str, ...]:
        """Short names of those that understand it, the usual one first."""

    @property
    def analysis(self) -> int:
        """Raised whenever the same file gives other features than before, so that caches are made again."""

    @property
    def spec(self) -> FeatureSpec: ...

    @property
    def known_statistics(self) -> Mapping[str, Table]:
        """What :meth:`fit` makes, by name, and within which limits: bundles, which strangers may have made, are held to them."""

    def fit(self, items: Sequence[Encoded[Any]]) -> Stats:
        """Statistics of one domain from all its training items."""

    def condition(self, stats: Stats) -> FloatArray | None:
        """What a network is told of a domain with these statistics, (C,); None: nothing."""

    def learned(self, items: Sequence[Encoded[Any]]) -> Stats:
        """What more is known of a domain that others are converted to, from its training items."""

    def corrected(self, item: Encoded[Any], made: FloatArray, stats: Stats) -> Stats:
        """``stats`` of a domain that no network was trained on, and with them what a network misses of it.

        Args:
            item: of the domain.
            made: what a network that was told of it made of the item's features, of their shape, not normalised.
        """

    def towards(self, normal: FloatArray, stats: Stats) -> FloatArray:
        """Normalised features (*shape, T) of a source, moved to where a network knows the domain with these statistics."""

    def normalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        """(..., T) as the network sees it, float32."""

    def denormalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        """What :meth:`normalize` did, undone."""

    def augment(self, crops: FloatArray, random: np.random.Generator) -> FloatArray:
        """Training crops (B, *shape, T), not normalised, varied in ways that leave them items of their domain."""

    def active_frames(self, features: FloatArray, stats: Stats) -> NDArray[np.bool_]:
        """Mask (T,) of the frames in which there is something: a network is not shown windows, or long stretches, without any."""

    def judged_frames(self, features: FloatArray) -> NDArray[np.bool_] | None:
        """Mask (T,) of the frames over which the deviation of a network's output is taken; None where :meth:`transfer` has no use for it."""

    def transfer(self, encoded: Encoded[Any], converted: FloatArray, direction: Direction, options: Any) -> Encoded[Any]:
        """Join converted features (denormalised, ``(*shape, T)``) with the source's transferred side.

        Args:
            options: the modality's.
        """


class Renderer(Protocol):
    """Turns converted features with their side into what can be heard or written."""

    def render(self, encoded: Encoded[Any]) -> Any:
        """Samples, or notes."""
