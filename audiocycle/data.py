"""Training data: folders of recordings to cached features to random crops.

The cache is keyed by the file's content and the adapter's settings, so that moving, renaming or adding files costs
nothing and a changed setting never meets stale features.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audiocycle.atomic import whole_file
from audiocycle.errors import AudioCycleError, DataError
from audiocycle.spec import MIXED, Encoded, FloatArray

Progress = Callable[[int, int], None]
"""Called with (files done, files in all)."""


@dataclass
class DomainData:
    """One domain's training items.

    Attributes:
        items: normalisation statistics are fitted on all of them.
        paths: of the items, in the same order.
        skipped: path -> reason, for files that cannot be used.
    """

    items: list[Encoded]
    paths: list[Path]
    skipped: dict[Path, str]


class FeatureCache:
    """Features on disk, one ``.npz`` a recording.

    Args:
        folder: where they lie; made when missing.
        encode: a file to features, with a light side (see ``media`` in :mod:`audiocycle.build`).
        settings: the adapter's configuration, part of the key.
    """

    def __init__(self, folder: Path, encode: Callable[[Path], Encoded], settings: Mapping[str, Any]) -> None:
        self.folder = folder
        self.encode = encode
        self.salt = repr(sorted(settings.items())).encode()

    def get(self, path: Path) -> Encoded:
        """The features of a file, computed at most once."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.blake2b(self.salt, digest_size=16))
        stored = self.folder / f"{digest.hexdigest()}.npz"
        if stored.exists():
            try:
                with stored.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                    return Encoded(arrays["features"], {k: arrays[k] for k in arrays.files if k != "features"})
            except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile):
                stored.unlink(missing_ok=True)  # cut off by a crash of an older file system: make it again
        encoded = self.encode(path)
        with whole_file(stored) as temporary:
            np.savez(temporary, features=encoded.features, **encoded.side)
        return encoded

    def load(self, paths: Sequence[Path], progress: Progress, jobs: int = 0) -> DomainData:
        """Features of many files, in parallel (the analysis releases the GIL), bad files skipped and named."""
        found: dict[Path, Encoded] = {}
        skipped: dict[Path, str] = {}
        with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
            futures = {pool.submit(self.get, path): path for path in paths}
            try:
                for done, future in enumerate(as_completed(futures), 1):
                    path = futures[future]
                    try:
                        found[path] = future.result()
                    except AudioCycleError as error:
                        skipped[path] = str(error)
                    progress(done, len(paths))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        ordered = [path for path in paths if path in found]
        return DomainData([found[path] for path in ordered], ordered, skipped)


def without_duplicates(data: DomainData) -> DomainData:
    """Without the items whose features another item has already: a copy would only be seen more often."""
    seen: dict[bytes, Path] = {}
    kept, skipped = [], dict(data.skipped)
    for item, path in zip(data.items, data.paths, strict=True):
        digest = hashlib.blake2b(item.features.tobytes(), digest_size=16).digest()
        if digest in seen:
            skipped[path] = f"has the same content as {seen[digest]}"
        else:
            seen[digest] = path
            kept.append((item, path))
    return DomainData([item for item, _ in kept], [path for _, path in kept], skipped)


def aligned_items(data: Mapping[str, DomainData], roots: Mapping[str, Path], window: int) -> dict[str, DomainData]:
    """Items that every domain has under the same name, cut to the frames that they share, in the same order.

    Where the adapter says at which ``places`` the windows of an item begin, windows are matched by them.

    Raises:
        DataError: no name is in all domains.
    """
    named = {
        domain: {path.relative_to(roots[domain]).with_suffix(""): (item, path) for item, path in zip(x.items, x.paths, strict=True)}
        for domain, x in data.items()
    }
    common = sorted(set.intersection(*(set(names) for names in named.values())))
    kept: dict[str, DomainData] = {d: DomainData([], [], dict(x.skipped)) for d, x in data.items()}
    for domain, names in named.items():
        kept[domain].skipped.update({path: "has no counterpart" for name, (_, path) in names.items() if name not in common})
    for name in common:
        items = {domain: names[name][0] for domain, names in named.items()}
        for domain, features in shared_frames(items, window).items():
            if features.shape[-1]:
                kept[domain].items.append(Encoded(features, items[domain].side))
                kept[domain].paths.append(named[domain][name][1])
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


def domain_files(root: Path, domain: str, accept: Callable[[Path], bool]) -> list[Path]:
    """All usable files below ``root/domain``, sorted.

    Raises:
        DataError: the folder is missing or holds no such file; the message lists the folders that there are.
    """
    folder = root / domain
    if not root.is_dir():
        raise DataError(f"data.root={root}: no such folder; it must hold one folder of recordings for each domain")
    if not folder.is_dir():
        there = ", ".join(sorted(p.name for p in root.iterdir() if p.is_dir())) or "none"
        raise DataError(f"{folder}: no such folder; data.root has: {there}")
    files = sorted(p for p in folder.rglob("*") if p.is_file() and accept(p))
    if not files:
        raise DataError(f"{folder}: no usable files in it (hidden files and unknown endings are ignored)")
    return files


Prepare = Callable[[str, FloatArray, np.random.Generator], FloatArray]
"""(domain, raw crops, random) to what the networks see: augmentation and normalisation."""


def unchanged(domain: str, crops: FloatArray, random: np.random.Generator) -> FloatArray:
    """The :data:`Prepare` of features that are ready."""
    return crops


class CropSampler:
    """Random crops of all domains, in O(1) each, as a pure function of (seed, step).

    Every crop position of every item is equally likely. Because a batch follows from its step alone, a resumed run
    sees exactly the data that an uninterrupted one would have seen.

    Args:
        items: by domain, features (..., T_i) with T_i >= crop.
        crop: frames.
        batch_size: crops of each domain in a batch.
        domains: that have an entry in a batch; all, by default. The others are for the mixture.
        hop: crops begin at multiples of this many frames of their item.
        prepare: applied to each domain's crops.
        mixture: domains of which a further entry, :data:`~audiocycle.spec.MIXED`, is drawn; none leaves it out.
        aligned: item i of one domain is the counterpart of item i of every other, frame by frame, and crops are drawn
            together (for training on pairs).
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
        prepare: Prepare = unchanged,
        mixture: Sequence[str] = (),
        aligned: bool = False,
    ) -> None:
        self.crop, self.batch_size, self.seed = crop, batch_size, seed
        self.prepare, self.mixture, self.aligned = prepare, tuple(mixture), aligned
        self.domains = tuple(domains or items)
        self.joined = {domain: np.concatenate(list(arrays), axis=-1) for domain, arrays in items.items()}
        self.starts = {d: crop_starts([a.shape[-1] for a in arrays], crop, hop) for d, arrays in items.items()}
        first = next(iter(self.starts.values()))
        assert not aligned or all(np.array_equal(first, starts) for starts in self.starts.values())

    def batch(self, step: int) -> dict[str, FloatArray]:
        """By domain, (batch_size, ..., crop) float32."""
        random = np.random.default_rng([self.seed, step])
        crops = {}
        for domain in self.domains:
            if self.aligned:  # the same draw, and the same augmentation, for each
                random = np.random.default_rng([self.seed, step])
            crops[domain] = self._draw(domain, self.batch_size, random)
        if self.mixture:
            counts = random.multinomial(self.batch_size, np.full(len(self.mixture), 1 / len(self.mixture)))
            drawn = [self._draw(d, n, random) for d, n in zip(self.mixture, counts, strict=True) if n]
            crops[MIXED] = np.concatenate(drawn)
        return crops

    def _draw(self, domain: str, count: int, random: np.random.Generator) -> FloatArray:
        starts = random.choice(self.starts[domain], count)
        crops = np.stack([self.joined[domain][..., a : a + self.crop] for a in starts])
        return self.prepare(domain, crops, random)


def crop_starts(lengths: Sequence[int], crop: int, hop: int = 1) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Start frames, in the concatenation of items of these lengths, whose crops stay inside one item."""
    ends = np.cumsum(lengths)
    ranges = [np.arange(end - length, end - crop + 1, hop) for end, length in zip(ends, lengths, strict=True)]
    return np.concatenate(ranges).astype(np.int64)
