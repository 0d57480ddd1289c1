"""Guides of voices, made for training: what the target makes of what a recogniser's encoder hears."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from audiocycle.data.cache import FeatureCache
from audiocycle.data.sampler import CropSampler
from audiocycle.spec import Domain, FloatArray, Signal
from audiocycle.voice import guide
from audiocycle.voice.adapter import VoiceAdapter
from audiocycle.voice.guide import FEATURES, SPEECH, STATES, TargetVoice
from audiocycle.voice.phonetics import PhoneticEncoder, at_frames, moments, standardised

if TYPE_CHECKING:
    from audiocycle.data.domains import DomainData
    from audiocycle.data.guides import ProgressOf


def load_encoder(recognizer: str | None) -> PhoneticEncoder:
    """What hears what is said.

    Args:
        recognizer: folder, size or ``hf:owner/name`` of a Whisper model; None: the one that is installed.

    Raises:
        ConfigError: faster-whisper is not installed, or there is no such model.
    """
    threads = torch.get_num_threads()
    try:
        return PhoneticEncoder(recognizer)
    finally:
        torch.set_num_threads(threads)  # CTranslate2 sets OpenMP's number for the whole process: training would use one core


@dataclass(eq=False)
class Speaker:
    """What guides need to know of a speaker.

    Attributes:
        name: of the domain.
        features: of each recording, (P, T), normalised.
        speech: (T,) where there is speech.
        states: (T, D) what is said, standardised by the speaker's own moments.
        progress: takes what is going on, and gives what is to be called with how much of it is done.
    """

    name: str
    features: list[FloatArray]
    speech: list[NDArray[np.bool_]]
    states: list[FloatArray]
    progress: ProgressOf

    @classmethod
    def of(
        cls, name: str, features: list[FloatArray], speech: list[NDArray[np.bool_]], states: list[FloatArray], progress: ProgressOf
    ) -> Self:
        """From states as the recogniser gives them, which are standardised in their place: those of an hour fill a gigabyte."""
        own = moments(states, speech)
        for place, x in enumerate(states):
            states[place] = standardised(x, *own)
        return cls(name, features, speech, states, progress)

    @cached_property
    def voice(self) -> TargetVoice:
        """What the speaker sounds like when saying something; learned when it is asked for."""
        together: dict[str, list[Any]] = {STATES: [x.T for x in self.states], FEATURES: self.features, SPEECH: self.speech}
        crop = min(guide.CROP, *map(len, self.speech))  # so that none is left out; with half of CROP a guide is as good
        sampler = CropSampler({Domain(row): arrays for row, arrays in together.items()}, crop, guide.BATCH, seed=0, aligned=True)

        def crops(step: int) -> dict[str, FloatArray]:
            return {row.name: values for row, values in sampler.batch(step).items.items()}

        return TargetVoice(crops, self.progress(f"the voice of {self.name}"))


class SpokenGuides:
    """Makes guides of voices (see :class:`~audiocycle.data.guides.GuideMaker`).

    Args:
        recognizer: its name; None: the one that is installed.
        encoder: of that recogniser.
        adapter: of the features.
        read: a recording.
        cache: where states are kept.
    """

    def __init__(
        self, recognizer: str | None, encoder: PhoneticEncoder, adapter: VoiceAdapter, read: Callable[[Path], Signal], cache: Path
    ) -> None:
        self.adapter = adapter
        self.recipe = repr((encoder.key, guide.RECIPE))
        self.by = recognizer or "Whisper tiny.en"
        self.phonetic = FeatureCache(cache, lambda path: encoder.encode(read(path)), {"recognizer": encoder.key})

    def study(self, domain: Domain, data: DomainData, progress: ProgressOf) -> Speaker:
        """Listen to a speaker's recordings."""
        self.phonetic.analyse(data.paths, progress(f"what is said by {domain}"))
        features = [self.adapter.normalize(np.asarray(item.features, np.float32), domain.stats) for item in data.items]
        speech = [self.adapter.speech(item.features) for item in data.items]
        rate = self.adapter.spec.frame_rate
        said = (self.phonetic.get(path).features.astype(np.float32) for path in data.paths)
        states = [at_frames(x, len(mask), rate) for x, mask in zip(said, speech, strict=True)]
        return Speaker.of(domain.name, features, speech, states, progress)

    def guides(self, source: Speaker, target: Speaker) -> Iterator[FloatArray]:
        """What the target's features are like, (P, T) normalised by its statistics, for each recording of the source."""
        return map(target.voice.guide, source.states, source.features, source.speech)
