"""A domain's features joined into one memory-mapped corpus, made once: a start on many hours only opens it.

``FOLDER/joined/KEY`` holds one file of raw numbers for each track (the features, F0, ...), time first, so that a crop is one
contiguous read; items are views with time last. ``index.json``, written last, says what lies where and which recordings were
refused or are copies. KEY is made of the recordings' keys in order. Folders that are no longer wanted may be deleted.
"""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from audiocycle.atomic import whole_file, write_text
from audiocycle.data import DomainData
from audiocycle.errors import InputError
from audiocycle.features import FeatureCache, Progress
from audiocycle.spec import Adapter, Encoded, Stats

INDEX = "index.json"
ABANDONED_SECONDS = 3600
STATISTICS = 4
"""Raised whenever an adapter's ``fit`` gives other statistics of the same items than before, so that those in caches are made again."""


def open_corpus(cache: FeatureCache, paths: Sequence[Path], progress: Progress) -> DomainData:
    """The features of these files, mapped; joined first, if they have not been. What is not in the cache yet is analysed, one
    file after the other: call :meth:`FeatureCache.analyse` first. Of several processes let one come here before the others.
    """
    keys = [readable_key(cache, path) for path in paths]
    folder = cache.folder / "joined" / combined(keys)
    try:
        return opened(folder, paths, keys)
    except (OSError, ValueError, KeyError):  # not made yet, or damaged
        join(cache, paths, folder, progress)
        return opened(folder, paths, keys)
    finally:
        progress(len(paths), len(paths))


def fitted(adapter: Adapter, data: DomainData, cache: Path) -> Stats:
    """Statistics of a domain's items, computed once and kept in the cache's folder.

    Raises:
        InputError: the items hold nothing that statistics could be made of.
    """
    stored = cache / "statistics" / f"{combined(data.keys)}-{STATISTICS}.npz"
    with suppress(OSError, ValueError, EOFError, zipfile.BadZipFile):  # not made yet, or damaged
        with stored.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    stats: dict[str, Any] = dict(adapter.fit(data.items))
    with whole_file(stored) as temporary:
        np.savez(temporary, **stats)
    return stats


class Track:
    """One kind of array of all recordings on its way to disk, joined along time, the last axis; numbers count as arrays (1,)."""

    def __init__(self, file: BinaryIO, first: NDArray[Any]) -> None:
        self.file = file
        self.dtype, self.shape, self.numbers = first.dtype.str, list(first.shape[:-1]), not first.ndim
        self.lengths: list[int] = []

    def add(self, values: NDArray[Any]) -> None:
        values = np.atleast_1d(values)
        self.lengths.append(values.shape[-1])
        self.file.write(np.moveaxis(values, -1, 0).astype(self.dtype, copy=False).tobytes())

    def entry(self) -> dict[str, Any]:
        return {"dtype": self.dtype, "shape": self.shape, "numbers": self.numbers, "lengths": self.lengths}


def join(cache: FeatureCache, paths: Sequence[Path], folder: Path, progress: Progress) -> None:
    """Write the corpus of these files, a recording in memory at a time."""
    tracks: dict[str, Track] = {}
    refused: dict[int, str] = {}
    copies: dict[int, int] = {}
    first_with: dict[bytes, int] = {}
    remove_leftovers(folder.parent)
    with ExitStack() as files:
        for place, path in enumerate(paths):
            progress(place, len(paths))
            try:
                encoded = cache.get(path)
            except InputError as error:
                refused[place] = str(error).removeprefix(f"{path}: ")
                continue
            for name, values in {"features": encoded.features, **encoded.side}.items():
                if name not in tracks:
                    file = files.enter_context(whole_file(folder / f"{name}.raw"))
                    tracks[name] = Track(files.enter_context(file.open("wb")), values)
                tracks[name].add(values)
            content = hashlib.blake2b(encoded.features.tobytes(), digest_size=16).digest()
            if (first := first_with.setdefault(content, place)) != place:
                copies[place] = first
    entries = {name: track.entry() for name, track in tracks.items()}
    index = {"tracks": entries, "refused": list(refused.items()), "copies": list(copies.items())}
    write_text(folder / INDEX, json.dumps(index))


def remove_leftovers(folder: Path) -> None:
    """Remove what joins that were killed have left half-written; those at work write to theirs all the time."""
    for part in folder.glob("*/.*.part.raw"):
        with suppress(OSError):  # another process removed it
            if time.time() - part.stat().st_mtime > ABANDONED_SECONDS:
                part.unlink()


def opened(folder: Path, paths: Sequence[Path], keys: Sequence[str]) -> DomainData:
    """A corpus of these files that has been joined.

    Raises:
        OSError, ValueError, KeyError: it has not, or is damaged.
    """
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    refused = dict(index["refused"])
    used = [place for place in range(len(paths)) if place not in refused]
    tracks = {name: views(folder / f"{name}.raw", **entry) for name, entry in index["tracks"].items()}
    features = tracks.pop("features", [])
    sides = [dict(zip(tracks, values, strict=True)) for values in zip(*tracks.values(), strict=True)] or [{} for _ in features]
    return DomainData(
        [Encoded(item, side) for item, side in zip(features, sides, strict=True)],
        [paths[place] for place in used],
        {paths[place]: f"{paths[place]}: {reason}" for place, reason in refused.items()},
        [keys[place] for place in used],
        {paths[place]: paths[first] for place, first in index["copies"]},
    )


def views(path: Path, dtype: str, shape: Sequence[int], numbers: bool, lengths: Sequence[int]) -> list[NDArray[Any]]:
    """Each recording's part of a track, time last, without a copy; nothing is read before it is used.

    Plain arrays: slicing 30,000 ``np.memmap`` takes ten times as long.

    Raises:
        OSError, ValueError: the file is missing, or too short.
    """
    ends = [0, *np.cumsum(lengths).tolist()]
    whole = np.asarray(np.memmap(path, dtype, "r", shape=(ends[-1], *shape)) if ends[-1] else np.zeros((0, *shape), dtype))
    joined = np.moveaxis(whole, 0, -1)
    return [joined[..., begin] if numbers else joined[..., begin:end] for begin, end in pairwise(ends)]


def readable_key(cache: FeatureCache, path: Path) -> str:
    """A file's key; a file that cannot be read now has another each time, so that it is tried again."""
    try:
        return cache.key(path)
    except InputError as error:
        return f"{path}: {error}"


def combined(keys: Iterable[str]) -> str:
    """One key for many, in this order."""
    return hashlib.blake2b("\n".join(keys).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
