"""Which files a domain has, and which of their features training uses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import DataError
from audiocycle.spec import Domain, Encoded, FloatArray
from audiocycle.system.names import normal_name
from audiocycle.system.scan import scan, several

FEW = 5
"""Recordings, of fewer than which none is held out: each is needed to learn from."""
Places = Callable[[Encoded[Any]], NDArray[Any] | None]
"""Of a training item, (N,) where each of its windows begins in its piece."""


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

    items: list[Encoded[Any]]
    paths: list[Path]
    skipped: dict[Path, str]
    keys: list[str]
    copies: dict[Path, Path]

    @property
    def frames(self) -> int:
        """Of all items."""
        return sum(item.features.shape[-1] for item in self.items)

    def seconds(self, frame_rate: float) -> float:
        """Of all items."""
        return self.frames / frame_rate

    def without(self, reasons: Mapping[Path, str]) -> DomainData:
        """Without the items of these paths, which are skipped."""
        kept = self.only([place for place, path in enumerate(self.paths) if path not in reasons])
        return replace(kept, skipped=self.skipped | dict(reasons))

    def only(self, places: Sequence[int]) -> DomainData:
        """These of the items."""
        return replace(self, items=[self.items[i] for i in places], paths=[self.paths[i] for i in places], keys=[self.keys[i] for i in places])


def without_short(data: DomainData, crop: int) -> DomainData:
    """Without the items that are shorter than a training crop."""
    lengths = {path: item.features.shape[-1] for item, path in zip(data.items, data.paths, strict=True)}
    return data.without({path: f"shorter than a training crop ({n} of {crop} frames)" for path, n in lengths.items() if n < crop})


def without_copies(data: DomainData) -> DomainData:
    """Without the items whose features another item has already: a copy would only be seen more often."""
    here = set(data.paths)
    return data.without({path: f"has the same content as {first}" for path, first in data.copies.items() if path in here})


def held_out(data: DomainData, share: float) -> tuple[DomainData, DomainData]:
    """What is learned from, and a share of the recordings that is not: at least one, none of fewer than :data:`FEW`.

    Which ones, their content decides: names do not, and of a folder to which recordings are added nearly the same are held out.
    """
    count = max(1, round(share * len(data.keys))) if share and len(data.keys) >= FEW else 0
    places = sorted(range(len(data.keys)), key=lambda place: hashlib.blake2b(data.keys[place].encode()).digest())
    return data.only(sorted(places[count:])), data.only(sorted(places[:count]))


def tell_shared(data: Mapping[Domain, DomainData], tell: Callable[[str], None]) -> None:
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


def aligned_items(data: Mapping[Domain, DomainData], roots: Mapping[Domain, Path], window: int, places: Places) -> dict[Domain, DomainData]:
    """Items that every domain has under the same name, cut to the frames that they share, in the same order.

    Args:
        places: of an item, where each of its windows begins: windows are matched by them. None: frames are.

    Raises:
        DataError: no name is in all domains.
    """
    named = {
        domain: {row[1].relative_to(roots[domain]).with_suffix(""): row for row in zip(x.items, x.paths, x.keys, strict=True)}
        for domain, x in data.items()
    }
    common = sorted(set.intersection(*(set(names) for names in named.values())))
    kept: dict[Domain, DomainData] = {d: DomainData([], [], dict(x.skipped), [], {}) for d, x in data.items()}
    for domain, names in named.items():
        kept[domain].skipped.update({path: "has no counterpart" for name, (_, path, _) in names.items() if name not in common})
    for name in common:
        items = {domain: names[name][0] for domain, names in named.items()}
        all_keys = " ".join(names[name][2] for names in named.values())
        for domain, features in shared_frames(items, window, places).items():
            if features.shape[-1]:
                kept[domain].items.append(Encoded(features, items[domain].side))
                kept[domain].paths.append(named[domain][name][1])
                kept[domain].keys.append(f"{named[domain][name][2]} cut to {window} frames of {all_keys}")
    if not all(x.items for x in kept.values()):
        raise DataError(f"{', '.join(map(str, roots.values()))}: no pairs; the same tune needs the same file name in each folder")
    return kept


def shared_frames(items: Mapping[Domain, Encoded[Any]], window: int, places: Places) -> dict[Domain, FloatArray]:
    """Features of counterparts, frame by frame: windows at the places that all have, or the length of the shortest."""
    begun = {domain: places(item) for domain, item in items.items()}
    found = {domain: place.tolist() for domain, place in begun.items() if place is not None}
    if len(found) < len(items):
        shortest = min(item.features.shape[-1] for item in items.values())
        return {domain: item.features[..., :shortest] for domain, item in items.items()}
    common = sorted(set.intersection(*map(set, found.values())))
    cut = {}
    for domain, item in items.items():
        index = [found[domain].index(place) for place in common]
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
        there = f"it holds {found.passed_over}" if found.passed_over else "it is empty"
        raise DataError(f"{folder}: no usable files in it ({there}; hidden files and unknown endings are ignored)")
    if found.passed_over:
        tell(f"{folder}: passed over {found.passed_over}")
    return found.files
