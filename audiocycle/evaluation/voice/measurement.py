"""What is measured of one recording and the sounds that are made of it; everything that needs no other recording's.

Means and intervals, and what takes all recordings together (centroids of speakers), are in :mod:`audiocycle.evaluation.voice.evaluate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiocycle.conversion.converter import Converter
from audiocycle.evaluation.voice.listeners import Listeners
from audiocycle.evaluation.voice.recordings import Item, copied, matched, rendered
from audiocycle.metrics.voice import mcd, pitch
from audiocycle.metrics.voice.alignment import loud_frames, speech_span
from audiocycle.metrics.voice.duration import duration_error
from audiocycle.metrics.voice.global_variance import global_variance
from audiocycle.metrics.voice.loudness import loudness_difference
from audiocycle.metrics.voice.mel_cepstrum import spectrum_to_mel_cepstrum
from audiocycle.metrics.voice.modulation import modulation_distance
from audiocycle.spec import FloatArray, Signal, Translation
from audiocycle.voice.analysis import SAMPLE_RATE, analyse, at_measured_rate

OWN, COPY, BY_NETWORK, BY_STATISTICS = "own", "copy", "by network", "by statistics"
"""Sounds of a recording: itself; rendered again; converted; with the target's means and deviations (matched)."""
Values = dict[str, float]
"""By name of the measure; NaN where there is nothing to measure."""
SoundKey = tuple[str, str]
"""A sound of an item: the domain of the recording that it is made of, and which of its sounds."""


@dataclass(frozen=True)
class AnalysedSound:
    """A sound and its analysis at 16 kHz, in frames of 5 ms.

    Attributes:
        signal: at the model's rate.
        samples: (N,) at 16 kHz.
        mel_cepstrum: (T, 35), SPTK's.
        coded: (T, 36), WORLD's.
        loud: (T,) frames that count for envelopes.
        f0: (T,) Hz.
    """

    signal: Signal
    samples: FloatArray
    mel_cepstrum: FloatArray
    coded: FloatArray
    loud: NDArray[np.bool_]
    f0: FloatArray

    @classmethod
    def of(cls, signal: Signal) -> AnalysedSound:
        """Analyse a signal."""
        found = analyse(signal)
        cepstrum = spectrum_to_mel_cepstrum(found.envelope)
        return cls(signal, at_measured_rate(signal), cepstrum, found.coded, loud_frames(found.envelope, mcd.RANGE_DB), found.f0)

    @property
    def speech(self) -> FloatArray:
        """(T, 35) mel-cepstrum from the first frame with speech to the last."""
        return self.mel_cepstrum[speech_span(self.loud)]


@dataclass(frozen=True)
class SoundMeasurement:
    """What is kept of a sound.

    Attributes:
        variance: (34,) global variance of the mel-cepstrum's coefficients.
        values: of the measures that need nothing but the sound and its recording.
        embedding: (256,) unit vector; None without a speaker encoder.
        text: what the recogniser heard; None without one.
    """

    variance: FloatArray
    values: Values
    embedding: FloatArray | None
    text: str | None


@dataclass(frozen=True)
class ItemMeasurement:
    """All about an item.

    Attributes:
        by_sound: what is kept of each sound.
        distances: direction to sound to values against the target's recording; empty where that says another sentence.
        kept: signals and F0 tracks to look at and to listen to; empty but for examples.
    """

    item: Item
    by_sound: dict[SoundKey, SoundMeasurement]
    distances: dict[str, dict[SoundKey, Values]]
    kept: dict[SoundKey, tuple[Signal, FloatArray]]


@dataclass(frozen=True)
class DirectionNetwork:
    """One direction, and the network that takes it."""

    name: str
    source: str
    target: str
    translation: Translation


def measure_item(
    item: Item,
    signals: Mapping[str, Signal],
    networks: Sequence[DirectionNetwork],
    converter: Converter,
    listeners: Listeners,
    keep: bool,
) -> ItemMeasurement:
    """Make all sounds of an item and measure them.

    Args:
        signals: the item's recordings at the model's rate, by domain.
        keep: it is an example, to be looked at and listened to.

    Raises:
        InputError: a sound of the item cannot be measured; left out, such files would flatter the model.
    """
    sounds: dict[SoundKey, AnalysedSound] = {}
    for domain, signal in signals.items():
        sounds[domain, OWN] = AnalysedSound.of(signal)
        sounds[domain, COPY] = AnalysedSound.of(copied(signal, converter))
        for each in networks:
            if each.source == domain:
                sounds[domain, BY_NETWORK] = AnalysedSound.of(rendered(signal, converter, each.translation))
                sounds[domain, BY_STATISTICS] = AnalysedSound.of(matched(signal, converter, each.source, each.target))
    return ItemMeasurement(
        item,
        {key: measure_sound(sound, sounds[key[0], OWN], listeners) for key, sound in sounds.items()},
        {each.name: all_distances(sounds, each) for each in networks if {each.source, each.target} <= set(item.paths)},
        {key: (sound.signal, sound.f0) for key, sound in sounds.items()} if keep else {},
    )


def measure_sound(sound: AnalysedSound, origin: AnalysedSound, listeners: Listeners) -> SoundMeasurement:
    """Everything that needs no counterpart.

    Args:
        origin: the recording that the sound is made of.
    """
    values = {"loudness_difference": loudness_difference(origin.samples, sound.samples, SAMPLE_RATE)}
    if listeners.naturalness is not None:
        scores = listeners.naturalness.score(sound.samples)
        values |= {name: float(scores[name]) for name in ("p808", "ovrl")}
    embedding = None if listeners.speaker is None else listeners.speaker.embed(sound.samples)
    text = None if listeners.recognizer is None else listeners.recognizer.transcribe(sound.samples)
    return SoundMeasurement(global_variance(sound.mel_cepstrum[sound.loud]), values, embedding, text)


def all_distances(sounds: Mapping[SoundKey, AnalysedSound], direction: DirectionNetwork) -> dict[SoundKey, Values]:
    """Of every sound of a direction to the target's recording, which is not compared with itself."""
    reference = direction.target, OWN
    compared = [(direction.source, kind) for kind in (BY_NETWORK, OWN, BY_STATISTICS, COPY)] + [(direction.target, COPY)]
    return {key: distances(sounds[reference], sounds[key]) for key in compared}


def distances(reference: AnalysedSound, sound: AnalysedSound) -> Values:
    """Between a sound and the target's recording of the same sentence."""
    distortion = mcd.aligned_distortion(reference.mel_cepstrum, sound.mel_cepstrum, reference.loud, sound.loud)
    coded = mcd.coded_distortion(reference.coded, sound.coded, reference.loud, sound.loud)
    f0 = pitch.compare_pitch(reference.f0, sound.f0, distortion.path)
    return {
        "mcd_sptk": distortion.db,
        "mcd_world": coded.db,
        "modulation_distance": modulation_distance(reference.speech, sound.speech),
        "log_f0_rmse_cents": f0.rmse_cents,
        "log_f0_correlation": f0.correlation,
        "vuv_error": f0.vuv_error,
        "duration_error": duration_error(len(reference.speech), len(sound.speech)),
    }
