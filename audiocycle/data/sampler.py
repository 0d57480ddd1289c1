"""Random crops as a pure function of seed and step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from itertools import pairwise

import numpy as np

from audiocycle.spec import ANYONE, Batch, Direction, Domain, FloatArray

Drawn = Sequence[tuple[int, int, Sequence[tuple[int, int]]]]
"""A batch of crops, by their pieces: the piece's first frame in the crop, the one behind its last, and of each crop the item and frame at
which a whole crop would begin."""
Augment = Callable[[FloatArray, np.random.Generator], FloatArray]
"""(raw crops, random) to crops that are varied at random. Equal draws, equal changes: a guide is changed as its crop is."""
Normalize = Callable[[Domain, FloatArray], FloatArray]
"""(domain, raw crops) to what the networks see."""


def not_augmented(crops: FloatArray, random: np.random.Generator) -> FloatArray:
    """The :data:`Augment` that leaves crops alone."""
    return crops


def ready(domain: Domain, crops: FloatArray) -> FloatArray:
    """The :data:`Normalize` of features that are as networks see them."""
    return crops


class CropSampler:
    """Random crops of all domains as a pure function of (seed, step); items may be mapped files of any size.

    Every crop position of every item is equally likely. Because a batch follows from its step alone, a resumed run
    sees exactly the data that an uninterrupted one would have seen.

    Args:
        items: by domain, features (..., T_i) with T_i >= crop.
        crop: frames.
        batch_size: crops of each domain in a batch.
        domains: that have an entry in a batch; all, by default. The others are for the mixture.
        hop: crops begin at multiples of this many frames of their item.
        pieces: each crop is put together of so many, from anywhere where a whole crop would fit, all of a batch at the same places. What is around a
            sound then tells nothing about it, and there are many times as many crops to learn by heart.
        augment, normalize: applied to each domain's crops, in this order.
        mixture: domains of which :attr:`Batch.mixed <audiocycle.spec.Batch.mixed>` is drawn; none leaves it out.
        anyone: the mixture is a domain of its own, :data:`~audiocycle.spec.ANYONE`, and nothing beside.
        aligned: item i of one domain is the counterpart of item i of every other, frame by frame, and crops are drawn
            together (for training on pairs).
        guides: by direction, what goes with the items of its source frame by frame, ready for the networks: crops of it are cut where
            those of the source are, and augmented as they are.
    """

    def __init__(
        self,
        items: Mapping[Domain, Sequence[FloatArray]],
        crop: int,
        batch_size: int,
        seed: int,
        *,
        domains: Sequence[Domain] = (),
        hop: int = 1,
        pieces: int = 1,
        augment: Augment = not_augmented,
        normalize: Normalize = ready,
        mixture: Sequence[Domain] = (),
        anyone: bool = False,
        aligned: bool = False,
        guides: Mapping[Direction, Sequence[FloatArray]] | None = None,
    ) -> None:
        self.crop, self.batch_size, self.seed, self.pieces = crop, batch_size, seed, pieces
        self.augment, self.normalize, self.mixture, self.aligned = augment, normalize, tuple(mixture), aligned
        self.guides, self.anyone = dict(guides or {}), anyone
        self.domains = tuple(domains or items)
        self.items, self.hop = {domain: list(arrays) for domain, arrays in items.items()}, hop
        self.ends = {d: np.cumsum([max(0, (a.shape[-1] - crop) // hop + 1) for a in arrays]) for d, arrays in self.items.items()}
        first = next(iter(self.ends.values()))
        assert not aligned or all(np.array_equal(first, ends) for ends in self.ends.values())

    def batch(self, step: int) -> Batch[FloatArray]:
        """Crops (batch_size, ..., crop), of the type that ``normalize`` makes of the items'."""
        random = np.random.default_rng([self.seed, step])
        crops, guides, mixed = {}, {}, None
        for domain in self.domains:
            if self.aligned:  # the same draw, and the same augmentation, for each
                random = np.random.default_rng([self.seed, step])
            drawn = self._drawn(domain, self.batch_size, random)
            for direction, items in self.guides.items():
                if direction.source == domain:
                    guides[direction] = self.augment(self._cut(items, drawn), deepcopy(random)).astype(np.float32)
            crops[domain] = self._seen(domain, drawn, random)
        if self.mixture:
            counts = random.multinomial(self.batch_size, np.full(len(self.mixture), 1 / len(self.mixture)))
            parts = [
                self._seen(d, self._drawn(d, n, random), random)
                for d, n in zip(self.mixture, counts, strict=True)
                if n
            ]
            mixed = np.concatenate(parts)
        if self.anyone:
            assert mixed is not None
            return Batch(crops | {ANYONE: mixed}, guides)
        return Batch(crops, guides, mixed)

    def _seen(self, domain: Domain, drawn: Drawn, random: np.random.Generator) -> FloatArray:
        return self.normalize(domain, self.augment(self._cut(self.items[domain], drawn), random))

    def _drawn(self, domain: Domain, count: int, random: np.random.Generator) -> Drawn:
        cuts = np.sort(random.choice(np.arange(1, self.crop), self.pieces - 1, replace=False)).tolist() if self.pieces > 1 else []
        return [(a, b, self._places(domain, count, random)) for a, b in pairwise([0, *cuts, self.crop])]

    def _places(self, domain: Domain, count: int, random: np.random.Generator) -> list[tuple[int, int]]:
        """Item and first frame of crops. They are counted through all items: item i has those from ``ends[i - 1]`` to below
        ``ends[i]``."""
        ends = self.ends[domain]
        positions = random.integers(0, ends[-1], count)
        indices = np.searchsorted(ends, positions, side="right")
        firsts = np.concatenate([[0], ends[:-1]])[indices]
        return [(int(index), int(begin)) for index, begin in zip(indices, (positions - firsts) * self.hop, strict=True)]

    def _cut(self, items: Sequence[FloatArray], drawn: Drawn) -> FloatArray:
        pieces = [np.stack([items[index][..., begin + a : begin + b] for index, begin in places]) for a, b, places in drawn]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=-1)
