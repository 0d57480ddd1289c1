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
from audiocycle.spec import Encoded, FloatArray

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


class CropSampler:
    """Random crops of all domains, in O(1) each, as a pure function of (seed, step).

    Every crop position of every item is equally likely. Because a batch follows from its step alone, a resumed run
    sees exactly the data that an uninterrupted one would have seen.

    Args:
        items: by domain, normalised features (..., T_i) with T_i >= crop.
        crop: frames.
        batch_size: crops of each domain in a batch.
    """

    def __init__(self, items: Mapping[str, Sequence[FloatArray]], crop: int, batch_size: int, seed: int) -> None:
        self.crop, self.batch_size, self.seed = crop, batch_size, seed
        self.joined = {domain: np.concatenate(list(arrays), axis=-1) for domain, arrays in items.items()}
        self.starts = {domain: crop_starts([a.shape[-1] for a in arrays], crop) for domain, arrays in items.items()}

    def batch(self, step: int) -> dict[str, FloatArray]:
        """By domain, (batch_size, ..., crop) float32."""
        random = np.random.default_rng([self.seed, step])
        crops = {}
        for domain, joined in self.joined.items():
            starts = random.choice(self.starts[domain], self.batch_size)
            crops[domain] = np.stack([joined[..., a : a + self.crop] for a in starts])
        return crops


def crop_starts(lengths: Sequence[int], crop: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Start frames, in the concatenation of items of these lengths, whose crops stay inside one item."""
    ends = np.cumsum(lengths)
    ranges = [np.arange(end - length, end - crop + 1) for end, length in zip(ends, lengths, strict=True)]
    return np.concatenate(ranges).astype(np.int64)
