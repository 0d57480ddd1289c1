"""The feature cache: each recording analysed once, whoever asks, wherever the file lies.

An entry is keyed by the file's content and the adapter's settings, so that moving, renaming or adding files costs nothing
and a changed setting never meets stale features. Entries appear whole or not at all: an analysis that is stopped or killed
goes on where it was, and several processes may fill one cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import InputError
from audiocycle.spec import Encoded, NoSide
from audiocycle.system import threads
from audiocycle.system.array_files import finite, is_features, read_arrays
from audiocycle.system.atomic import whole_file, write_text
from audiocycle.system.long_lines import short_lines

OnCount = Callable[[int, int], None]
"""Called with (files done, files in all)."""

FORMAT = 2
"""Of entries and of what is joined from them; raised whenever older ones cannot be read."""
LONGEST_REASON = 4096
"""Bytes of a refusal that are read."""
SETTLED_NS = 2_000_000_000
"""A file that changed less than this long ago may change again within the resolution of the file system's clock."""


class FeatureCache:
    """Features on disk, one ``.npz`` a recording, in half precision.

    A file that cannot be used leaves its reason in ``KEY.refused`` instead; delete those to have them tried again.

    Args:
        folder: where they lie; made when missing.
        encode: a file to features, with a light side; InputError: unusable.
        side: the dataclass of that side: its arrays and numbers are kept by the names of their fields.
        settings: the adapter's configuration, part of the key.
        shape: of features, without time; entries of another shape are made again. None: of any.
    """

    def __init__(
        self,
        folder: Path,
        encode: Callable[[Path], Encoded[Any]],
        settings: Mapping[str, Any],
        shape: tuple[int, ...] | None = None,
        side: type = NoSide,
    ) -> None:
        self.folder = folder
        self.encode, self.shape, self.side = encode, shape, side
        self.salt = repr((FORMAT, sorted(settings.items())))
        self.digests = Digests(folder / "digests.jsonl")

    def key(self, path: Path) -> str:
        """What names the entry of a file; equal keys, equal features.

        Raises:
            InputError: the file cannot be read.
        """
        return self._key(self.digests.get(path))

    def get(self, path: Path) -> Encoded[Any]:
        """The features of a file, analysed at most once, as :func:`compact` leaves them.

        Raises:
            InputError: the file cannot be used.
        """
        key = self.key(path)
        kept = self._kept(key)
        if kept is not None:
            return kept
        reason = self._reason(key)
        if reason:
            raise InputError(f"{path}: {reason}")
        try:
            encoded = compact(self.encode(path))
            if not all(map(finite, (encoded.features, *arrays_of(encoded.side).values()))):
                raise InputError(f"{path}: its features are not finite numbers; is it damaged?")
        except InputError as error:
            write_text(self._refusal(key), str(error).removeprefix(f"{path}: "))
            raise
        named: dict[str, Any] = {"features": encoded.features, **arrays_of(encoded.side)}
        with whole_file(self._entry(key)) as temporary:
            np.savez(temporary, **named)
        return encoded

    def _kept(self, key: str) -> Encoded[Any] | None:
        """What lies in an entry; None: there is none, or it is damaged, or nothing that was written here."""
        arrays = read_arrays(self._entry(key)) or {}
        features = arrays.pop("features", None)
        if features is None or not is_features(features, self.shape):
            return None
        try:
            return Encoded(features, self.side(**arrays))
        except TypeError:  # fields that another version had
            return None

    def _reason(self, key: str) -> str:
        """Why a file was refused, in one line; empty: it was not, or nobody can read why."""
        try:
            if not self._refusal(key).is_file():  # a pipe would be waited for
                return ""
            with self._refusal(key).open("rb") as file:
                return " ".join(file.read(LONGEST_REASON).decode("utf-8").split())
        except (OSError, UnicodeDecodeError):
            return ""

    def analyse(self, paths: Sequence[Path], progress: OnCount, jobs: int = 0) -> None:
        """Make sure that each file has its entry, or its refusal. Nothing stays in memory.

        Args:
            jobs: threads (the analysis releases the GIL); 0 is as many as this process may use.
        """
        there = {name.partition(".")[0] for name in os.listdir(self.folder)} if self.folder.is_dir() else set()
        missing = [path for path in paths if not self._has(path, there)]
        done = len(paths) - len(missing)
        progress(done, len(paths))
        with ThreadPoolExecutor(jobs or threads.available()) as pool:
            futures = [pool.submit(self._ensure, path) for path in missing]
            try:
                for future in as_completed(futures):
                    future.result()
                    done += 1
                    progress(done, len(paths))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _has(self, path: Path, keys: set[str]) -> bool:
        digest = self.digests.remembered(path)
        return digest is not None and self._key(digest) in keys

    def _ensure(self, path: Path) -> None:
        with suppress(InputError):  # it is written down, and told when the features are asked for
            key = self.key(path)
            if not (self._entry(key).exists() or self._refusal(key).exists()):  # as another process may have made it
                self.get(path)

    def _key(self, digest: str) -> str:
        return hashlib.blake2b(f"{self.salt} {digest}".encode(), digest_size=16).hexdigest()

    def _entry(self, key: str) -> Path:
        return self.folder / f"{key}.npz"

    def _refusal(self, key: str) -> Path:
        return self.folder / f"{key}.refused"


class Digests:
    """Digests of files' contents, remembered so that a second start reads no recording.

    A file whose size or time stamps changed is read again. The memory is a text file to which lines are only ever appended,
    each by one write: any number of processes may share it, and a line that a crash cut off is no more than forgotten.

    Args:
        path: of the text file; a line is ``[path, size, modified, changed, digest]``, times in ns. The last one holds.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, tuple[list[int], str]] = {}
        if not path.is_file():
            return
        with path.open("rb") as file:
            for _, line in short_lines(file):
                with suppress(ValueError, TypeError, RecursionError):  # cut off, or not written here
                    name, *stamp, digest = json.loads(line)
                    if isinstance(digest, str):
                        self.known[name] = stamp, digest

    def get(self, path: Path) -> str:
        """The digest of a file's content.

        Raises:
            InputError: the file cannot be read.
        """
        digest = self.remembered(path)
        if digest is not None:
            return digest
        try:
            with path.open("rb") as file:
                stamp = stamp_of(os.fstat(file.fileno()))  # before it is read: a change while we read makes it outdated
                digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
        if min(abs(time.time_ns() - changed) for changed in stamp[1:]) > SETTLED_NS:
            self._remember(os.path.abspath(path), stamp, digest)
        return digest

    def remembered(self, path: Path) -> str | None:
        """The digest of a file that did not change since it was last read; None: it has to be read."""
        stamp, digest = self.known.get(os.path.abspath(path), (None, ""))
        try:
            return digest if stamp is not None and stamp_of(os.stat(path)) == stamp else None
        except OSError:
            return None

    def _remember(self, name: str, stamp: list[int], digest: str) -> None:
        self.known[name] = stamp, digest
        line = json.dumps([name, *stamp, digest])
        with suppress(OSError):  # a cache that may only be read serves as well, and reads recordings each time
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                os.write(file, f"\n{line}\n".encode())  # begins a line even where the last one was cut off
            finally:
                os.close(file)


def stamp_of(status: os.stat_result) -> list[int]:
    """What changes when a file does. Its time of change tells another file of the same size and date, moved to its place."""
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def arrays_of(side: Any) -> dict[str, NDArray[Any]]:
    """What a side holds, by the names of its fields; without those that it lacks."""
    named = {each.name: getattr(side, each.name) for each in fields(side)}
    return {name: np.asarray(values) for name, values in named.items() if values is not None}


def compact(encoded: Encoded[Any]) -> Encoded[Any]:
    """Features in half precision (rolls stay uint8), other floats in single.

    The 11 bits of float16 leave an error below 0.05 % of a value: of a level within ±32 log units, below 0.04 dB.
    """
    features = encoded.features.astype(np.float16) if encoded.features.dtype.kind == "f" else encoded.features
    singles = {name: values.astype(np.float32) if values.dtype.kind == "f" else values for name, values in arrays_of(encoded.side).items()}
    return Encoded(features, replace(encoded.side, **singles))
