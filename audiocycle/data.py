"""Training data: which files, which of their features, which crops of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np

from audiocycle.errors import DataError
from audiocycle.names import normal_name
from audiocycle.scan import scan, several
from audiocycle.spec import MIXED, Encoded, FloatArray, source_of


@dataclass
class DomainData:
    """One domain's training items.

    Attributes:
        items: normalisation statistics are fitted on all of them.
        paths: of the items, in the same order.
        skipped: path -> reason, for files that cannot be used.
        keys: of the items, in the same order; equal keys, equal items.
        copies: path -> the first one whose item has the same features.
    """

    items: list[Encoded]
    paths: list[Path]
    skipped: dict[Path, str]
    keys: list[str]
    copies: dict[Path, Path]

    def without(self, reasons: Mapping[Path, str]) -> DomainData:
        """Without the items of these paths, which are skipped."""
        kept = [place for place, path in enumerate(self.paths) if path not in reasons]
        items, paths, keys = [self.items[i] for i in kept], [self.paths[i] for i in kept], [self.keys[i] for i in kept]
        return DomainData(items, paths, self.skipped | dict(reasons), keys, self.copies)


def without_short(data: DomainData, crop: int) -> DomainData:
    """Without the items that are shorter than a training crop."""
    lengths = {path: item.features.shape[-1] for item, path in zip(data.items, data.paths, strict=True)}
    return data.without({path: f"shorter than a training crop ({n} of {crop} frames)" for path, n in lengths.items() if n < crop})


def without_copies(data: DomainData) -> DomainData:
    """Without the items whose features another item has already: a copy would only be seen more often."""
    here = set(data.paths)
    return data.without({path: f"has the same content as {first}" for path, first in data.copies.items() if path in here})


def tell_shared(data: Mapping[str, DomainData], tell: Callable[[str], None]) -> None:
    """Say which domains have files of the same content: what is both says nothing of how they differ.

    Args:
        tell: called with a line for two domains that share some.
    """
    for one, other in combinations(data, 2):
        theirs = set(data[other].keys)
        shared = [path for path, key in zip(data[one].paths, data[one].keys, strict=True) if key in theirs]
        if shared and len(shared) in (len(data[one].keys), len(theirs)):
            tell(f"warning: {one} and {other} hold the same files, e.g. {shared[0]}: there is nothing to learn between them; give each its own")
        elif shared:
            tell(f"warning: {one} and {other} have {len(shared)} {several('file', len(shared))} in common, e.g. {shared[0]}; keep each in one folder")


def aligned_items(data: Mapping[str, DomainData], roots: Mapping[str, Path], window: int) -> dict[str, DomainData]:
    """Items that every domain has under the same name, cut to the frames that they share, in the same order.

    Where the adapter says at which ``places`` the windows of an item begin, windows are matched by them.

    Raises:
        DataError: no name is in all domains.
    """
    named = {
        domain: {row[1].relative_to(roots[domain]).with_suffix(""): row for row in zip(x.items, x.paths, x.keys, strict=True)}
        for domain, x in data.items()
    }
    common = sorted(set.intersection(*(set(names) for names in named.values())))
    kept: dict[str, DomainData] = {d: DomainData([], [], dict(x.skipped), [], {}) for d, x in data.items()}
    for domain, names in named.items():
        kept[domain].skipped.update({path: "has no counterpart" for name, (_, path, _) in names.items() if name not in common})
    for name in common:
        items = {domain: names[name][0] for domain, names in named.items()}
        all_keys = " ".join(names[name][2] for names in named.values())
        for domain, features in shared_frames(items, window).items():
            if features.shape[-1]:
                kept[domain].items.append(Encoded(features, items[domain].side))
                kept[domain].paths.append(named[domain][name][1])
                kept[domain].keys.append(f"{named[domain][name][2]} cut to {window} frames of {all_keys}")
    if not all(x.items for x in kept.values()):
        raise DataError(f"{', '.join(map(str, roots.values()))}: no pairs; the same tune needs the same file name in each folder")
    return kept


def shared_frames(items: Mapping[str, Encoded], window: int) -> dict[str, FloatArray]:
    """Features of counterparts, frame by frame: windows at the places that all have, or the length of the shortest."""
    places = {domain: item.side.get("places") for domain, item in items.items()}
    if any(place is None for place in places.values()):
        shortest = min(item.features.shape[-1] for item in items.values())
        return {domain: item.features[..., :shortest] for domain, item in items.items()}
    common = sorted(set.intersection(*(set(np.asarray(place).tolist()) for place in places.values())))
    cut = {}
    for domain, item in items.items():
        index = [np.asarray(places[domain]).tolist().index(place) for place in common]
        chosen = [item.features[..., i * window : (i + 1) * window] for i in index]
        cut[domain] = np.concatenate([item.features[..., :0], *chosen], axis=-1)
    return cut


def domain_folder(root: Path, domain: str) -> Path:
    """``root/domain``, whichever way its name is spelled on the disk: composed, or not, as macOS does.

    Raises:
        DataError: two folders have this name, in two spellings.
    """
    named = [path for path in root.iterdir() if normal_name(path.name) == domain and path.is_dir()]  # macOS finds either spelling by the other
    if len(named) > 1:
        raise DataError(f"{root}: two folders are called {domain}, one with composed and one with separate accents; put them into one")
    return named[0] if named else root / domain


def domain_files(root: Path, domain: str, accept: Callable[[Path], bool], tell: Callable[[str], None] = lambda line: None) -> list[Path]:
    """All usable files below ``root/domain``, sorted.

    Args:
        tell: called with a line on what is passed over, where there is anything.

    Raises:
        DataError: the folder is missing or holds no such file; the message lists the folders that there are.
    """
    if not root.is_dir():
        raise DataError(f"data.root={root}: no such folder; it must hold one folder of recordings for each domain")
    folder = domain_folder(root, domain)
    if not folder.is_dir():
        there = ", ".join(sorted(p.name for p in root.iterdir() if p.is_dir())) or "none"
        raise DataError(f"{folder}: no such folder; data.root has: {there}")
    found = scan(folder, accept)
    if not found.files:
        there = f"it holds {found.told}" if found.told else "it is empty"
        raise DataError(f"{folder}: no usable files in it ({there}; hidden files and unknown endings are ignored)")
    if found.told:
        tell(f"{folder}: passed over {found.told}")
    return found.files


Drawn = Sequence[tuple[int, int, Sequence[tuple[int, int]]]]
"""A batch of crops, by their pieces: the piece's first frame in the crop, the one behind its last, and of each crop the item and frame at
which a whole crop would begin."""
Augment = Callable[[FloatArray, np.random.Generator], FloatArray]
"""(raw crops, random) to crops that are varied at random. Equal draws, equal changes: a guide is changed as its crop is."""
Normalize = Callable[[str, FloatArray], FloatArray]
"""(domain, raw crops) to what the networks see."""


def not_augmented(crops: FloatArray, random: np.random.Generator) -> FloatArray:
    """The :data:`Augment` that leaves crops alone."""
    return crops


def ready(domain: str, crops: FloatArray) -> FloatArray:
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
        mixture: domains of which a further entry, :data:`~audiocycle.spec.MIXED`, is drawn; none leaves it out.
        aligned: item i of one domain is the counterpart of item i of every other, frame by frame, and crops are drawn
            together (for training on pairs).
        guides: by direction ``s->t``, what goes with the items of s frame by frame, ready for the networks: crops of it are
            an entry of the batch, cut where those of s are, and augmented as they are.
    """

    def __init__(
        self,
        items: Mapping[str, Sequence[FloatArray]],
        crop: int,
        batch_size: int,
        seed: int,
        *,
        domains: Sequence[str] = (),
        hop: int = 1,
        pieces: int = 1,
        augment: Augment = not_augmented,
        normalize: Normalize = ready,
        mixture: Sequence[str] = (),
        aligned: bool = False,
        guides: Mapping[str, Sequence[FloatArray]] | None = None,
    ) -> None:
        self.crop, self.batch_size, self.seed, self.pieces = crop, batch_size, seed, pieces
        self.augment, self.normalize, self.mixture, self.aligned = augment, normalize, tuple(mixture), aligned
        self.guides = dict(guides or {})
        self.domains = tuple(domains or items)
        self.items, self.hop = {domain: list(arrays) for domain, arrays in items.items()}, hop
        self.ends = {d: np.cumsum([max(0, (a.shape[-1] - crop) // hop + 1) for a in arrays]) for d, arrays in self.items.items()}
        first = next(iter(self.ends.values()))
        assert not aligned or all(np.array_equal(first, ends) for ends in self.ends.values())

    def batch(self, step: int) -> dict[str, FloatArray]:
        """By domain, (batch_size, ..., crop), of the type that ``normalize`` makes of the items'."""
        random = np.random.default_rng([self.seed, step])
        crops = {}
        for domain in self.domains:
            if self.aligned:  # the same draw, and the same augmentation, for each
                random = np.random.default_rng([self.seed, step])
            drawn = self._drawn(domain, self.batch_size, random)
            for name, items in self.guides.items():
                if source_of(name) == domain:
                    crops[name] = self.augment(self._cut(items, drawn), deepcopy(random)).astype(np.float32)
            crops[domain] = self._seen(domain, drawn, random)
        if self.mixture:
            counts = random.multinomial(self.batch_size, np.full(len(self.mixture), 1 / len(self.mixture)))
            parts = [
                self._seen(d, self._drawn(d, n, random), random)
                for d, n in zip(self.mixture, counts, strict=True)
                if n
            ]
            crops[MIXED] = np.concatenate(parts)
        return crops

    def _seen(self, domain: str, drawn: Drawn, random: np.random.Generator) -> FloatArray:
        return self.normalize(domain, self.augment(self._cut(self.items[domain], drawn), random))

    def _drawn(self, domain: str, count: int, random: np.random.Generator) -> Drawn:
        cuts = np.sort(random.choice(np.arange(1, self.crop), self.pieces - 1, replace=False)).tolist() if self.pieces > 1 else []
        return [(a, b, self._places(domain, count, random)) for a, b in pairwise([0, *cuts, self.crop])]

    def _places(self, domain: str, count: int, random: np.random.Generator) -> list[tuple[int, int]]:
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
