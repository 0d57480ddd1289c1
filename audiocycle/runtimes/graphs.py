"""A bundle's networks as ONNX graphs: one file for each direction, tied to the weights that they read.

A graph (``anna-to-ben.onnx``) holds the operations only. Its weights are ONNX external data that point into the bundle's own
``model.safetensors``, so that nothing is stored twice. Weights of another training have the same shapes at the same places, and
would be read without a word: every graph names the hash of the weights, and its direction, in its metadata.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from audiocycle.bundle import WEIGHTS, graph_files
from audiocycle.errors import BundleError, one_line
from audiocycle.spec import direction

SUFFIX = ".onnx"
INPUT, OUTPUT = "features", "converted"
MADE_FOR = "made for"
"""The key of a graph's metadata whose value is :func:`seal`."""


def graph_path(folder: Path, source: str, target: str) -> Path:
    """Where the graph of a direction lies. In the bundle's folder: external data may not lie above a graph."""
    return folder / f"{source}-to-{target}{SUFFIX}"


def weights_hash(folder: Path) -> str:
    """32 hexadecimal digits (BLAKE2b) of the bundle's weights.

    Raises:
        BundleError: they cannot be read.
    """
    try:
        with (folder / WEIGHTS).open("rb", buffering=0) as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise BundleError(f"{folder / WEIGHTS}: cannot be read ({error.strerror}); copy the bundle again") from error


def seal(weights: str, source: str, target: str) -> str:
    """What a graph says that it was made for."""
    return f"{weights} {direction(source, target)}"


def has_graphs(folder: Path) -> bool:
    """Whether the bundle was exported."""
    return bool(graph_files(folder))


def check_graphs(folder: Path, pairs: Sequence[tuple[str, str]]) -> None:
    """See that there is a graph of each direction, made for the weights that lie beside it.

    The seal is looked for among a graph's bytes: metadata is plain text in there, and no library has to be loaded.

    Raises:
        BundleError: one is missing, cut off, or was made for other weights.
    """
    weights = weights_hash(folder)
    for source, target in pairs:
        path = graph_path(folder, source, target)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BundleError(f"{path}: no such graph; make it: audiocycle export {folder}, or convert with --runtime torch") from error
        if seal(weights, source, target).encode() not in content:
            reason = "not made for these weights" if MADE_FOR.encode() in content else "damaged, or not made by audiocycle export"
            raise BundleError(f"{path}: {reason}; make it again: audiocycle export {folder}")


def unreadable(path: Path, error: Exception) -> BundleError:
    """The error for a graph that a runtime refuses."""
    reason = one_line(error)[:200] or type(error).__name__
    return BundleError(f"{path}: damaged, or too new for what reads it ({reason}); make it again: audiocycle export {path.parent}")
