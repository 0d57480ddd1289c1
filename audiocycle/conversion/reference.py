"""A target that no model was trained on: the voice in a recording of it."""

from __future__ import annotations

import filecmp
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from audiocycle.errors import InputError
from audiocycle.modality import Modality
from audiocycle.spec import Direction, Domain, Encoded, FloatArray

LEAST_SECONDS = 5.0
"""Of speech: statistics of less say more of the sentence than of the voice."""


def is_reference(target: str) -> bool:
    """Whether a target is a path. Names of domains, and blends of them, hold no slash, and no dot but that of a number."""
    return "/" in target or "\\" in target or ("=" not in target and "." in target)


def refuse_itself(path: Path, target: str) -> None:
    """See that a recording is not to be converted to the voice in itself, or in a copy of it.

    Raises:
        InputError: it is.
    """
    if is_reference(target) and path.is_file() and Path(target).is_file() and (path.samefile(target) or filecmp.cmp(path, target, shallow=False)):
        raise InputError(f"{path}: is the reference itself, there is nothing to convert; give a recording of another voice as one of the two")


def referred(path: Path, modality: Modality, way: Direction, translate: Callable[[FloatArray, Direction], FloatArray]) -> Domain:
    """The voice in a recording, as a domain that is called by the file's name and content.

    The network makes the recording, too, by what it was told of the voice: what it misses there it is told of from then on.

    Args:
        way: from anyone to any domain.
        translate: features in a direction to those that the network makes, neither of them normalised.

    Raises:
        InputError: it cannot be read, or has too little speech, or none.
    """
    encoded = modality.encode(path)
    adapter = modality.adapter
    judged = adapter.judged_frames(encoded.features)
    seconds = 0.0 if judged is None else float(judged.sum()) / adapter.spec.training_rate
    if seconds < LEAST_SECONDS:
        raise InputError(f"{path}: {seconds:.1f} s of speech are too few to know a voice by; give 10 to 60 s")
    if why := modality.none_of_its_kind(encoded):
        raise InputError(f"{path}: {why}; give 10 to 60 s of one person who speaks")
    stats = adapter.fit([encoded])
    told = Domain(path.stem, stats, adapter.condition(stats))
    once = Encoded(encoded.features[..., : encoded.features.shape[-1] // adapter.spec.copies], encoded.side)
    stats = adapter.corrected(once, translate(once.features, replace(way, target=told).of(stats)), stats)
    with path.open("rb") as file:
        content = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()
    return Domain(f"{path.stem} ({content})", stats, told.condition)
