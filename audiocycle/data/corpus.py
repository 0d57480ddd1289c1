"""A domain's features joined into one memory-mapped corpus, made once: a start on many hours only opens it.

``FOLDER/joined/KEY`` holds one file of raw numbers for each track (the features, F0, ...), time first, so that a crop is one
contiguous read; items are views with time last. ``index.json``, written last, says what lies where and which recordings were
refused or are copies. KEY is made of the recordings' keys in order. Folders that are no longer wanted may be deleted.

Only finite numbers are joined, and the index has digests of the files. Reading forty hours to compare them would take longer than the
start: that is done once, and again when a file's size or time stamps are not those in ``looked_at.json``.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from audiocycle.data.cache import FeatureCache, OnCount, arrays_of, stamp_of
from audiocycle.data.domains import DomainData
from audiocycle.errors import InputError, OutputError
from audiocycle.spec import Adapter, Encoded, NoSide, Stats
from audiocycle.system.array_files import NUMBERS, read_arrays
from audiocycle.system.atomic import whole_file, write_text

INDEX = "index.json"
LOOKED_AT = "looked_at.json"
LARGEST_INDEX = 1 << 28
"""Bytes; a million recordings take a tenth of it."""
DIGEST = "digest"
"""Among stored statistics: of all the others. In an index: of the rest."""
ABANDONED_SECONDS = 3600
STATISTICS = 5
"""Raised whenever an adapter's ``fit`` or ``learned`` gives other statistics of the same items than before, so that those in caches are made again."""


def open_corpus(cache: FeatureCache, paths: Sequence[Path], progress: OnCount) -> DomainData:
    """The features of these files, mapped; joined first, if they have not been. What is not in the cache yet is analysed, one
    file after the other: call :meth:`FeatureCache.analyse` first. Of several processes let one come here before the others.
    """
    keys = [readable_key(cache, path) for path in paths]
    folder = cache.folder / "joined" / combined(keys)
    try:
        return opened(folder, paths, keys, cache.shape, cache.side)
    except Exception:  # not made yet; or whatever a damaged one raises
        join(cache, paths, folder, progress)
        return opened(folder, paths, keys, cache.shape, cache.side)
    finally:
        progress(len(paths), len(paths))


def fitted(adapter: Adapter, data: DomainData, cache: Path) -> Stats:
    """Statistics of a domain's items, computed once and kept in the cache's folder.

    Raises:
        InputError: the items hold nothing that statistics could be made of.
    """
    stored = cache / "statistics" / f"{combined(data.keys)}-{STATISTICS}.npz"
    kept = read_arrays(stored) or {}
    digest = kept.pop(DIGEST, None)
    if digest is not None and np.array_equal(digest, digest_of(kept)):
        return kept
    stats: dict[str, Any] = {**adapter.fit(data.items), **adapter.learned(data.items)}
    sealed: dict[str, Any] = stats | {DIGEST: digest_of(stats)}
    with whole_file(stored) as temporary:
        np.savez(temporary, **sealed)
    return stats


def digest_of(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    """Of names, types, shapes and numbers, (16,): what has another one was not written here."""
    found = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        found.update(repr((name, arrays[name].dtype.str, arrays[name].shape)).encode())
        found.update(arrays[name].tobytes())
    return np.frombuffer(found.digest(), np.uint8)


class Track:
    """One kind of array of all recordings on its way to disk, joined along time, the last axis; numbers count as arrays (1,)."""

    def __init__(self, file: BinaryIO, first: NDArray[Any]) -> None:
        self.file = file
        self.dtype, self.shape, self.numbers = first.dtype.str, list(first.shape[:-1]), not first.ndim
        self.lengths: list[int] = []
        self.digest = hashlib.blake2b(digest_size=16)

    def add(self, values: NDArray[Any]) -> None:
        values = np.atleast_1d(values)
        self.lengths.append(values.shape[-1])
        content = np.moveaxis(values, -1, 0).astype(self.dtype, copy=False).tobytes()
        self.digest.update(content)
        self.file.write(content)

    def entry(self) -> dict[str, Any]:
        kind = {"dtype": self.dtype, "shape": self.shape, "numbers": self.numbers}
        return kind | {"lengths": self.lengths, "content": self.digest.hexdigest()}


def join(cache: FeatureCache, paths: Sequence[Path], folder: Path, progress: OnCount) -> None:
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
            for name, values in {"features": encoded.features, **arrays_of(encoded.side)}.items():
                if name not in tracks:
                    file = files.enter_context(whole_file(folder / f"{name}.raw"))
                    tracks[name] = Track(files.enter_context(file.open("wb")), values)
                tracks[name].add(values)
            content = hashlib.blake2b(encoded.features.tobytes(), digest_size=16).digest()
            if (first := first_with.setdefault(content, place)) != place:
                copies[place] = first
    entries = {name: track.entry() for name, track in tracks.items()}
    index = {"tracks": entries, "refused": list(refused.items()), "copies": list(copies.items())}
    write_text(folder / LOOKED_AT, json.dumps(stamps(folder, tracks)))
    write_text(folder / INDEX, json.dumps(index | {DIGEST: digest_of_index(index)}))


def stamps(folder: Path, tracks: Iterable[str]) -> dict[str, list[int]]:
    """Size and times of each track's file."""
    return {name: stamp_of(os.stat(folder / f"{name}.raw")) for name in tracks}


def digest_of_index(index: Mapping[str, Any]) -> str:
    """Of an index without its own digest."""
    rest = {key: value for key, value in index.items() if key != DIGEST}
    return hashlib.blake2b(json.dumps(rest, sort_keys=True).encode(), digest_size=16).hexdigest()


def read_index(path: Path) -> dict[str, Any]:
    """What a small JSON file holds.

    Raises:
        OSError, ValueError, RecursionError: there is none, or it is damaged, or no file of ours.
    """
    if not path.is_file() or path.stat().st_size > LARGEST_INDEX:
        raise ValueError(f"{path}: no index")
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError(f"{path}: no index")
    return found


def look_at(folder: Path, tracks: Mapping[str, Any]) -> None:
    """Compare the tracks' files with their digests, unless that was done and they have not changed since.

    Raises:
        OSError, ValueError: a file is not what was joined.
    """
    here = stamps(folder, tracks)
    with suppress(OSError, ValueError, RecursionError):
        if read_index(folder / LOOKED_AT) == here:
            return
    for name, entry in tracks.items():
        if not (folder / f"{name}.raw").is_file():  # a pipe would be waited for
            raise ValueError(f"{folder / name}.raw: is no file")
        with (folder / f"{name}.raw").open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        if found != entry["content"]:
            raise ValueError(f"{folder / name}.raw: is not what was joined")
    with suppress(OutputError):  # a cache that may only be read serves as well
        write_text(folder / LOOKED_AT, json.dumps(here))


def remove_leftovers(folder: Path) -> None:
    """Remove what joins that were killed have left half-written; those at work write to theirs all the time."""
    for part in folder.glob("*/.*.part.raw"):
        with suppress(OSError):  # another process removed it
            if time.time() - part.stat().st_mtime > ABANDONED_SECONDS:
                part.unlink()


def opened(
    folder: Path, paths: Sequence[Path], keys: Sequence[str], shape: Sequence[int] | None = None, side: type = NoSide
) -> DomainData:
    """A corpus of these files that has been joined, of features of this shape (time left out; None: any).

    Raises:
        Exception: it has not, or is damaged.
    """
    index = read_index(folder / INDEX)
    if index[DIGEST] != digest_of_index(index):
        raise ValueError(f"{folder / INDEX}: is not what was written")
    look_at(folder, index["tracks"])
    refused = dict(index["refused"])
    used = [place for place in range(len(paths)) if place not in refused]
    tracks = {name: views(folder / f"{name}.raw", **{key: value for key, value in entry.items() if key != "content"}) for name, entry in index["tracks"].items()}
    features = tracks.pop("features", [])
    if len(features) != len(used) or any(shape is not None and item.shape[:-1] != tuple(shape) for item in features):
        raise ValueError(f"{folder}: other features than these recordings have")
    sides = [dict(zip(tracks, values, strict=True)) for values in zip(*tracks.values(), strict=True)] or [{} for _ in features]
    return DomainData(
        [Encoded(item, side(**arrays)) for item, arrays in zip(features, sides, strict=True)],
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
    if np.dtype(dtype).kind not in NUMBERS:
        raise ValueError(f"{path}: {dtype} is no type of numbers")
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
