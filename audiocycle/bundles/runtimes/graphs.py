"""A bundle's networks as ONNX graphs: one file for each direction, tied to the weights that they read.

A graph (``anna-to-ben.onnx``) holds the operations only. Its weights are ONNX external data that point into the bundle's own
``model.safetensors``, so that nothing is stored twice. Weights of another training have the same shapes at the same places, and
would be read without a word: every graph names the hash of the weights, and its direction, in its metadata.

Graphs of strangers are programs. No library gets a bundle's file: graphs and weights are read here, once, held to
:mod:`audiocycle.bundles.runtimes.graph_rules`, and handed on as one model in memory that was written anew and opens nothing.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

from audiocycle.build import build_adapter
from audiocycle.bundles.format import WEIGHTS, BundleConfig
from audiocycle.bundles.runtimes.graph_rules import (
    INPUT,
    MAX_BYTES,
    OUTPUT,
    GraphError,
    check_model,
    read_model,
    with_weights,
)
from audiocycle.bundles.runtimes.graph_shapes import LEAST_FRAMES, follow
from audiocycle.errors import BundleError, one_line
from audiocycle.spec import Direction

__all__ = [
    "INPUT",
    "MADE_FOR",
    "OUTPUT",
    "SUFFIX",
    "Graphs",
    "graph_path",
    "seal",
    "unreadable",
    "weights_hash",
]

SUFFIX = ".onnx"
MADE_FOR = "made for"
"""The key of a graph's metadata whose value is :func:`seal`."""
MAX_WEIGHTS = 2 << 30
"""Bytes of weights that graphs can be used with; protobuf holds no more."""
SNAPSHOTS, BLOBS = "snapshots", "blobs"
"""In the model hub's cache: a bundle's folder is ``NAME/snapshots/REVISION``, and its files are links into ``NAME/blobs``."""


def graph_path(folder: Path, direction: Direction) -> Path:
    """Where the graph of a direction lies. In the bundle's folder: external data may not lie above a graph."""
    return folder / f"{direction.file_stem}{SUFFIX}"


def digest(weights: bytes) -> str:
    """32 hexadecimal digits (BLAKE2b)."""
    return hashlib.blake2b(weights, digest_size=16).hexdigest()


def weights_hash(folder: Path) -> str:
    """The :func:`digest` of the bundle's weights.

    Raises:
        BundleError: they cannot be read.
    """
    return digest(content_of(folder, folder / WEIGHTS, MAX_WEIGHTS))


def seal(weights: str, direction: Direction) -> str:
    """What a graph says that it was made for."""
    return f"{weights} {direction}"


class Graphs:
    """The graphs of all directions of a bundle, read and checked.

    Raises:
        BundleError: one is missing, cut off, not what ``audiocycle export`` writes, or made for other weights.
    """

    def __init__(self, folder: Path, config: BundleConfig) -> None:
        self.folder, self._any_source, self._first = folder, config.any_source, config.directions[0]
        weights = content_of(folder, folder / WEIGHTS, MAX_WEIGHTS)
        self._weights = digest(weights)
        self._models: dict[Direction, Any] = {}
        self._sizes: set[tuple[Direction, tuple[int, ...]]] = set()
        shape = build_adapter(config.adapter).spec.network_shape
        for direction in config.directions:
            path = graph_path(folder, direction)
            if not path.exists():
                raise BundleError(
                    f"{path}: no such graph; make it: audiocycle export {folder}, or convert with `runtime=torch`"
                )
            try:
                model = read_model(content_of(folder, path, MAX_BYTES))
                made_for = [entry.value for entry in model.metadata_props if entry.key == MADE_FOR]
                if made_for and made_for != [seal(self._weights, direction)]:
                    raise BundleError(
                        f"{path}: not made for these weights; make it again: audiocycle export {folder}"
                    )
                if not made_for:
                    raise GraphError("it does not say for which weights it was made")
                check_model(model, shape, len(weights))
            except GraphError as error:
                raise refused(path, error) from error
            self._models[direction] = model
            self.check_size(direction, (1, *shape, LEAST_FRAMES))

    def serving(self, direction: Direction) -> Direction:
        """The direction whose graph serves another: the first, where one network makes every voice, blends and references included."""
        return self._first if self._any_source else direction

    def model(self, direction: Direction) -> bytes:
        """The graph of a direction with its weights inside, for a library to read.

        Raises:
            BundleError: the weights cannot be read any more, or changed meanwhile.
        """
        weights = content_of(self.folder, self.folder / WEIGHTS, MAX_WEIGHTS)
        if digest(weights) != self._weights:
            raise BundleError(
                f"{self.folder / WEIGHTS}: was changed meanwhile; start again when nobody writes there"
            )
        try:
            return with_weights(self._models[direction], weights)
        except GraphError as error:
            raise refused(graph_path(self.folder, direction), error) from error

    def check_size(self, direction: Direction, shape: tuple[int, ...]) -> None:
        """See what the graph of a direction makes of an input (B, \\*shape, T), before a library does; each shape once.

        Raises:
            BundleError: it would take more memory or time than any network of ours.
        """
        if (direction, shape) in self._sizes:
            return
        try:
            follow(self._models[direction], shape)
        except GraphError as error:
            raise refused(graph_path(self.folder, direction), error) from error
        self._sizes.add((direction, shape))


def content_of(folder: Path, path: Path, most: int) -> bytes:
    """What is in a file of a bundle. A link is followed within the folder, and in the model hub's cache.

    Raises:
        BundleError: it cannot be read, is too large, no regular file, or lies elsewhere.
    """
    try:
        home, real = folder.resolve(), path.resolve(strict=True)
        homes = [home, home.parent.parent / BLOBS] if home.parent.name == SNAPSHOTS else [home]
        if not any(real.is_relative_to(each) for each in homes):
            raise BundleError(f"{path}: a link out of the bundle's folder; put the file itself there")
        with open(
            os.open(real, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb"
        ) as file:  # a pipe would wait
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise BundleError(f"{path}: not a regular file; copy the bundle again")
            if found.st_size > most:
                raise BundleError(f"{path}: larger than {most >> 20} MiB; use `runtime=torch`")
            return file.read(most)
    except (OSError, RuntimeError) as error:  # the latter for links in a circle
        reason = getattr(error, "strerror", None) or one_line(error)
        raise BundleError(f"{path}: cannot be read ({reason}); copy the bundle again") from error


def refused(path: Path, error: GraphError) -> BundleError:
    """The error for a graph that is not what we export."""
    return BundleError(
        f"{path}: damaged, or not made by audiocycle export ({error}); make it again: audiocycle export {path.parent}"
    )


def unreadable(path: Path, error: Exception) -> BundleError:
    """The error for a graph that a runtime refuses."""
    reason = one_line(error)[:200] or type(error).__name__
    return BundleError(
        f"{path}: damaged, or too new for what reads it ({reason}); make it again: audiocycle export {path.parent}"
    )
