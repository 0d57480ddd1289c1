"""What a network makes of recordings that it does not learn from, measured while it trains: cheap stand-ins for what listeners and recognisers say.

Nothing here is a term of a loss. Each measure becomes a share, 1 where the conversion is as the target's own recordings are:

    likeness   how far the mean envelope of each kind of sound lies from the target's (:class:`Sounds`), beside how far that of the target's own
               held-out recordings does; no more than 1, since nobody is more like oneself than that
    words      cosine between states of the content encoder of the rendered conversion and of the source, beside that of recordings that were
               analysed and rendered with nothing between
    variance   global variance of the envelope beside the target's (:mod:`audiocycle.metrics.voice.global_variance`); its share is a ratio of deviations
    envelope   dB, where the source is the target: how far what is made of what is said lies from what was recorded, frame by frame over speech
               (mel-cepstral distortion of WORLD's coefficients). Its share is 1 - d / d0, d0 the distance of the target's mean envelope

The score is the geometric mean of the shares: a percent of one weighs as much as a percent of another, and nothing makes up for a share near 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import InputError
from audiocycle.metrics.voice.global_variance import variance_ratio
from audiocycle.metrics.voice.mcd import frame_distortion
from audiocycle.modality import SCORE
from audiocycle.spec import ANYONE, Direction, Encoded, FloatArray, Translation
from audiocycle.system.threads import spread
from audiocycle.voice.content import encoder
from audiocycle.voice.content.adapter import by_themselves, middles
from audiocycle.voice.content.portrait import MEAN_DEVIATIONS, MEANS, deviations
from audiocycle.voice.phonetics import at_frames
from audiocycle.voice.renderers import WorldRenderer
from audiocycle.voice.sides import RecordingSide, VoiceSide
from audiocycle.voice.sound_file import read_speech, resample
from audiocycle.voice.world_adapter import WorldAdapter

Files = Sequence[tuple[Path, Encoded[RecordingSide]]]
LONGEST_SECONDS, USUAL_SECONDS = 6.0, 4.0
"""Of each recording that is heard, and of such beginnings, roughly: the more recordings, the more is said."""
KNOWN_SECONDS = 60.0
"""Of the recordings that the target's sounds are known from."""
KINDS, ROUNDS, LEAST_FRAMES = 8, 15, 40
"""Kinds of sounds, rounds of k-means that find them, and frames of which a kind's mean is taken."""
LEAST = 0.01
"""A share is no less."""


@dataclass(frozen=True)
class Piece:
    """The beginning of a recording.

    Attributes:
        copies: its features, (R, T), once or more often: heard from other throats, where the adapter hears so.
        side: what rendering needs.
        speech: (T,) frames with speech.
        said: (S, D) states of the content encoder, standardised; judged: (S,) those of speech.
    """

    copies: tuple[FloatArray, ...]
    side: VoiceSide
    speech: NDArray[np.bool_]
    said: FloatArray
    judged: NDArray[np.bool_]

    def sounds(self, frame_rate: float) -> FloatArray:
        """(F, D) what is said at the frames with speech."""
        return at_frames(self.said.T, len(self.speech), frame_rate)[self.speech]


class Sounds:
    """How a speaker says each kind of sound: the mean envelope of each. Kinds are found by k-means of states.

    Args:
        said: (F, D) states. envelopes: (n_mcep, F) of the same frames.
    """

    def __init__(self, said: FloatArray, envelopes: FloatArray) -> None:
        self.kinds = said[np.linspace(0, len(said) - 1, KINDS).astype(int)]
        for _ in range(ROUNDS):
            found = self.kinds_of(said)
            self.kinds = np.stack([said[found == kind].mean(axis=0) if (found == kind).any() else self.kinds[kind] for kind in range(KINDS)])
        self.means = dict(self.means_of(said, envelopes))

    def kinds_of(self, said: FloatArray) -> NDArray[np.intp]:
        """(F,) the nearest kind."""
        return np.asarray((said @ self.kinds.T - 0.5 * np.square(self.kinds).sum(axis=1)).argmax(axis=1))

    def means_of(self, said: FloatArray, envelopes: FloatArray) -> list[tuple[int, FloatArray]]:
        """The mean envelope, (n_mcep - 1,) without the level, of each kind that is often enough there, in deviations of speakers."""
        found = self.kinds_of(said)
        often = [kind for kind in range(KINDS) if (found == kind).sum() >= LEAST_FRAMES]
        return [(kind, deviations(envelopes[:, found == kind].mean(axis=1, dtype=np.float64), MEANS, MEAN_DEVIATIONS)[1:]) for kind in often]

    def distance(self, said: FloatArray, envelopes: FloatArray) -> float:
        """Root mean square difference to the speaker's, in deviations of speakers; NaN where no kind is known of both."""
        differences = [np.square(mean - self.means[kind]).mean() for kind, mean in self.means_of(said, envelopes) if kind in self.means]
        return float(np.sqrt(np.mean(differences))) if differences else np.nan


class VoiceValidation:
    """Measures a direction's network on held-out recordings (a :class:`~audiocycle.modality.Validation`).

    Args:
        sources: held-out recordings of the source; those of the target where everybody is converted, so that what was recorded is what should be made.
        targets: of the target. learned: recordings of the target that are learned from.
        seconds: of the sources that are converted.

    Raises:
        InputError: a recording cannot be read any more, or there is too little speech.
    """

    def __init__(self, adapter: WorldAdapter, direction: Direction, sources: Files, targets: Files, learned: Files, seconds: float) -> None:
        self.adapter, self.own, self.renderer = adapter, direction.source == ANYONE, WorldRenderer(adapter)
        self.pieces = pieces(adapter, sources, seconds)
        natural = self.pieces if self.own else pieces(adapter, targets, seconds)
        self.sounds = Sounds(*known(adapter, learned))
        self.variance = np.mean([self.envelope(one, one.copies[0])[1:].var(axis=1) for one in natural], axis=0)
        self.own_distance = self.sounds.distance(*self.recorded(natural))
        self.own_words = float(np.mean(spread(self.words, [(one, Encoded(one.copies[0], one.side)) for one in self.pieces])))
        mean = direction.target.stats["mean"]
        self.mean_distortion = self.distortion([(one, np.repeat(mean, len(one.speech), axis=1)) for one in self.pieces])
        if not np.isfinite(self.own_distance):
            raise InputError(f"{sources[0][0].parent}: too little speech in the recordings that are held out; set data.held_out=0")

    def __call__(self, translation: Translation) -> dict[str, float]:
        """Convert, and measure; the score comes first."""
        made = [(one, [translation.anew()(Encoded(copy, one.side)) for copy in one.copies]) for one in self.pieces]
        features = [(one, encoded.features) for one, copies in made for encoded in copies]
        said = np.concatenate([one.sounds(self.adapter.spec.frame_rate) for one, _ in features])
        envelopes = [self.envelope(one, each) for one, each in features]
        rendered = [(one, copies[-1 - place % max(1, len(copies) - 1)]) for place, (one, copies) in enumerate(made)]  # other throats take turns
        measures = {
            "likeness": min(1.0, self.own_distance / self.sounds.distance(said, np.concatenate(envelopes, axis=1))),
            "words": float(np.mean(spread(self.words, rendered))) / self.own_words,
            "variance": float(np.mean([variance_ratio(self.variance, each[1:].var(axis=1)) for each in envelopes])),
        }
        shares = measures | {"variance": min(measures["variance"], 1.0 / measures["variance"]) ** 0.5}
        if self.own:
            measures["envelope_db"] = self.distortion(features)
            shares["envelope_db"] = 1.0 - measures["envelope_db"] / self.mean_distortion
        return {SCORE: float(np.exp(np.mean(np.log(np.maximum(list(shares.values()), LEAST)))))} | measures

    def envelope(self, one: Piece, features: FloatArray) -> FloatArray:
        """(n_mcep, F) of the frames with speech."""
        return features[: self.adapter.n_mcep, one.speech].astype(np.float64)

    def recorded(self, some: Sequence[Piece]) -> tuple[FloatArray, FloatArray]:
        """What is said in pieces, and their envelopes as they were recorded."""
        said = [one.sounds(self.adapter.spec.frame_rate) for one in some]
        return np.concatenate(said), np.concatenate([self.envelope(one, one.copies[0]) for one in some], axis=1)

    def distortion(self, made: Sequence[tuple[Piece, FloatArray]]) -> float:
        """Mean distance in dB of (n_mcep, T) from what was recorded."""
        half = np.sqrt(0.5)  # WORLD's coefficients are of the log power: audiocycle.metrics.voice.mcd
        frames = [frame_distortion(half * self.envelope(one, one.copies[0]).T, half * self.envelope(one, features).T) for one, features in made]
        return float(np.concatenate(frames).mean())

    def words(self, made: tuple[Piece, Encoded[VoiceSide]]) -> float:
        """Mean cosine between what is heard in a rendered sound and in the source."""
        one, encoded = made
        sound = self.renderer.render(Encoded(encoded.features[: self.adapter.n_mcep], encoded.side))
        again = by_themselves(states_of(sound.samples, sound.sample_rate), one.judged)
        return float((again * one.said).sum(axis=1)[one.judged].mean())


def spaced(items: Files, seconds: float) -> Files:
    """Recordings from all over, whose beginnings have about so many seconds."""
    places = np.linspace(0, len(items) - 1, min(max(1, round(seconds / USUAL_SECONDS)), len(items))).round().astype(int)
    return [items[place] for place in places]


def known(adapter: WorldAdapter, items: Files) -> tuple[FloatArray, FloatArray]:
    """What is said in beginnings of recordings, and their envelopes, at the frames with speech: (F, D), (n_mcep, F)."""
    said, envelopes = list[FloatArray](), list[FloatArray]()
    for path, item in spaced(items, KNOWN_SECONDS):
        samples = beginning(adapter, path)
        features = item.features[: adapter.n_mcep, : adapter.frames(len(samples))].astype(np.float32)
        speech = adapter.speech(features)
        said.append(at_frames(heard(adapter, samples, speech)[0].T, len(speech), adapter.spec.frame_rate)[speech])
        envelopes.append(features[:, speech].astype(np.float64))
    return np.concatenate(said), np.concatenate(envelopes, axis=1)


def pieces(adapter: WorldAdapter, items: Files, seconds: float) -> list[Piece]:
    """Beginnings of recordings, of those with speech in them.

    Raises:
        InputError: one cannot be read any more, or there is no speech in any.
    """
    found = [piece(adapter, path, item) for path, item in spaced(items, seconds)]
    spoken = [one for one in found if one.judged.any() and one.speech.sum() > 1]
    if not spoken:
        raise InputError(f"{items[0][0].parent}: no speech in recordings by which the best step is to be chosen; set data.held_out=0")
    return spoken


def piece(adapter: WorldAdapter, path: Path, item: Encoded[RecordingSide]) -> Piece:
    """The beginning of a recording; its training item has it heard from other throats."""
    samples, copies = beginning(adapter, path), adapter.spec.copies
    whole = adapter.analyze(samples)
    n_frames, all_frames = whole.features.shape[1], item.features.shape[1] // copies
    further = [np.asarray(item.features[:, k * all_frames : k * all_frames + n_frames], np.float32) for k in range(1, copies)]
    speech = adapter.speech(whole.features[: adapter.n_mcep])
    return Piece((whole.features, *further), whole.side, speech, *heard(adapter, samples, speech))


def beginning(adapter: WorldAdapter, path: Path) -> FloatArray:
    """(N,) the first seconds of a recording."""
    return read_speech(path, adapter.sample_rate)[0][: round(LONGEST_SECONDS * adapter.sample_rate)]


def heard(adapter: WorldAdapter, samples: FloatArray, speech: NDArray[np.bool_]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """(S, D) what is said, standardised over speech, and (S,) which states are speech."""
    states = states_of(samples, adapter.sample_rate)
    judged = speech[np.minimum(middles(len(states), adapter.spec.frame_rate), len(speech) - 1)]
    return by_themselves(states, judged), judged


def states_of(samples: FloatArray, sample_rate: int) -> FloatArray:
    """(S, D) of the content encoder."""
    return encoder.states(resample(np.asarray(samples, np.float32), sample_rate, encoder.SAMPLE_RATE))
