"""What is measured of one recording and the sounds that are made of it; everything that needs no other recording's.

Means and intervals, and what takes all recordings together (centroids of speakers), are in :mod:`audiocycle.evaluation.voice.evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from audiocycle.spec import Encoded, FloatArray, Signal
from audiocycle.voice.analysis import SAMPLE_RATE, analyse, at_measured_rate

OWN, COPY, MADE, MEANS = "own", "copy", "made", "means"
"""Sounds of a recording: itself; rendered again; converted; with the target's means and deviations (matched)."""
Translate = Callable[[Encoded], Encoded]
Measures = dict[str, float]
"""By name; NaN where there is nothing to measure."""
Which = tuple[str, str]
"""A sound of an item: the domain of the recording that it is made of, and which of its sounds."""


@dataclass(frozen=True)
class Sound:
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
    def of(cls, signal: Signal) -> Sound:
        """Analyse a signal."""
        found = analyse(signal)
        cepstrum = spectrum_to_mel_cepstrum(found.envelope)
        return cls(signal, at_measured_rate(signal), cepstrum, found.coded, loud_frames(found.envelope, mcd.RANGE_DB), found.f0)

    @property
    def speech(self) -> FloatArray:
        """(T, 35) mel-cepstrum from the first frame with speech to the last."""
        return self.mel_cepstrum[speech_span(self.loud)]


@dataclass(frozen=True)
class Heard:
    """What is kept of a sound.

    Attributes:
        variance: (34,) global variance of the mel-cepstrum's coefficients.
        measures: that need nothing but the sound and the recording that it was made of.
        embedding: (256,) unit vector; None without a speaker encoder.
        text: what the recogniser heard; None without one.
    """

    variance: FloatArray
    measures: Measures
    embedding: FloatArray | None
    text: str | None


@dataclass(frozen=True)
class Measured:
    """All about an item.

    Attributes:
        heard: by sound.
        distances: direction to sound to measures against the target's recording; empty where that says another sentence.
        sounds: signals and F0 tracks; empty but for examples.
    """

    item: Item
    heard: dict[Which, Heard]
    distances: dict[str, dict[Which, Measures]]
    sounds: dict[Which, tuple[Signal, FloatArray]]


@dataclass(frozen=True)
class Way:
    """One direction, and the network that takes it."""

    name: str
    source: str
    target: str
    translate: Translate


def measure(
    item: Item, signals: Mapping[str, Signal], ways: Sequence[Way], converter: Converter, listeners: Listeners, keep: bool
) -> Measured:
    """Make all sounds of an item and measure them.

    Args:
        signals: the item's recordings at the model's rate, by domain.
        keep: it is an example, to be looked at and listened to.

    Raises:
        InputError: something that was made cannot be measured; left out, such files would flatter the model.
    """
    sounds: dict[Which, Sound] = {}
    for domain, signal in signals.items():
        sounds[domain, OWN] = Sound.of(signal)
        sounds[domain, COPY] = Sound.of(copied(signal, converter))
        for way in ways:
            if way.source == domain:
                sounds[domain, MADE] = Sound.of(rendered(signal, converter, way.translate))
                sounds[domain, MEANS] = Sound.of(matched(signal, converter, way.source, way.target))
    return Measured(
        item,
        {which: hear(sound, sounds[which[0], OWN], listeners) for which, sound in sounds.items()},
        {way.name: all_distances(sounds, way) for way in ways if {way.source, way.target} <= set(item.paths)},
        {which: (sound.signal, sound.f0) for which, sound in sounds.items()} if keep else {},
    )


def hear(sound: Sound, origin: Sound, listeners: Listeners) -> Heard:
    """Everything that needs no counterpart.

    Args:
        origin: the recording that the sound is made of.
    """
    measures = {"loudness_difference": loudness_difference(origin.samples, sound.samples, SAMPLE_RATE)}
    if listeners.naturalness is not None:
        scores = listeners.naturalness.score(sound.samples)
        measures |= {name: float(scores[name]) for name in ("p808", "ovrl")}
    embedding = None if listeners.speaker is None else listeners.speaker.embed(sound.samples)
    text = None if listeners.recognizer is None else listeners.recognizer.transcribe(sound.samples)
    return Heard(global_variance(sound.mel_cepstrum[sound.loud]), measures, embedding, text)


def all_distances(sounds: Mapping[Which, Sound], way: Way) -> dict[Which, Measures]:
    """Of every sound of a direction to the target's recording, which is not compared with itself."""
    reference = way.target, OWN
    compared = [(way.source, which) for which in (MADE, OWN, MEANS, COPY)] + [(way.target, COPY)]
    return {which: distances(sounds[reference], sounds[which]) for which in compared}


def distances(reference: Sound, sound: Sound) -> Measures:
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
