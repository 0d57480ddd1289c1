"""What a network makes of recordings that it does not learn from, measured while it trains: cheap stand-ins for what listeners and recognisers say.

Nothing here is a term of a loss. Each measure becomes a share, 1 where the conversion is as the target's own recordings are:

    envelope   dB, where the recordings are the target's own: how far the envelope that is made of what is said lies from what was recorded, frame
               by frame over speech (mel-cepstral distortion of WORLD's coefficients). Its share is 1 - d / d0, d0 the distance of the target's
               mean envelope
    likeness   how far the long-term means and deviations of the envelope lie from the target's (:func:`~audiocycle.voice.content.portrait.portrait`),
               beside how far its own held-out recordings do
    words      cosine between states of the content encoder of the rendered conversion and of the source, beside that of recordings that were
               analysed and rendered with nothing between
    variance   global variance of the envelope beside that of the target (:mod:`audiocycle.metrics.voice.global_variance`)

The score is the geometric mean of the shares: a percent of one weighs as much as a percent of another, and nothing makes up for a share near 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from audiocycle.voice.content.portrait import portrait
from audiocycle.voice.renderers import WorldRenderer
from audiocycle.voice.sides import RecordingSide, VoiceSide
from audiocycle.voice.sound_file import read_speech, resample
from audiocycle.voice.world_adapter import WorldAdapter

LongItems = Sequence[tuple[Path, Encoded[RecordingSide]]]
LONGEST_SECONDS, USUAL_SECONDS = 6.0, 4.0
"""Of each recording that is converted, and of such beginnings, roughly: the more recordings, the more is said."""
LEAST = 0.01
"""A share is no less."""


@dataclass(frozen=True)
class Held:
    """A piece of a recording, as it is converted.

    Attributes:
        copies: its features, (R, T), once or more often: heard from other throats, where the adapter hears so.
        side: what rendering needs.
        speech: (T,) frames with speech.
        said: (S, D) states of the content encoder of the recording, standardised; judged: (S,) those of speech.
    """

    copies: tuple[FloatArray, ...]
    side: VoiceSide
    speech: NDArray[np.bool_]
    said: FloatArray
    judged: NDArray[np.bool_]


class VoiceValidation:
    """Measures a direction's network on held-out recordings (a :class:`~audiocycle.modality.Validation`).

    Args:
        sources: held-out recordings of the source; those of the target where everybody is converted, so that what was recorded is what should be made.
        targets: of the target.
        seconds: of the sources that are converted.

    Raises:
        InputError: a recording cannot be read any more.
    """

    def __init__(self, adapter: WorldAdapter, direction: Direction, sources: LongItems, targets: LongItems, seconds: float) -> None:
        self.adapter, self.direction, self.own = adapter, direction, direction.source == ANYONE
        self.renderer = WorldRenderer(adapter)
        longest, count = round(LONGEST_SECONDS * adapter.spec.frame_rate), round(seconds / USUAL_SECONDS)
        pieces = [piece(adapter, path, item, longest) for path, item in spaced(sources, count)]
        self.pieces = [held for held in pieces if held.speech.sum() > 1]
        natural = [(features := first_copy(adapter, item)[:, :longest])[:, adapter.speech(features)] for _, item in targets]
        self.natural = [frames.astype(np.float64) for frames in natural if frames.shape[1] > 1]
        if not self.pieces or not self.natural:
            raise InputError(f"{sources[0][0].parent}: no speech in the recordings that are held out; set data.held_out=0")
        self.variance = np.mean([frames[1:].var(axis=1) for frames in self.natural], axis=0)
        self.own_distance = self.distance(self.natural)
        self.own_words = float(np.mean(spread(self.words, [(held, Encoded(held.copies[0], held.side)) for held in self.pieces])))
        mean = np.broadcast_to(direction.target.stats["mean"], (adapter.n_mcep, 1))
        self.mean_distortion = self.distortion([(held, np.tile(mean, len(held.speech))) for held in self.pieces])

    def __call__(self, translation: Translation) -> dict[str, float]:
        """Convert, and measure; the score comes first."""
        made = [(held, [self.converted(held, copy, translation) for copy in held.copies]) for held in self.pieces]
        everything = [(held, encoded.features) for held, copies in made for encoded in copies]
        frames = [features[:, held.speech].astype(np.float64) for held, features in everything]
        heard = [(held, copies[-1 - place % max(1, len(copies) - 1)]) for place, (held, copies) in enumerate(made)]
        distance, words = self.distance(frames), float(np.mean(spread(self.words, heard)))
        variance = float(np.mean([variance_ratio(self.variance, one[1:].var(axis=1)) for one in frames]))
        measures = {"likeness": self.own_distance / max(distance, self.own_distance), "words": words / self.own_words, "variance": variance}
        shares = measures | {"variance": min(variance, 1 / variance) ** 0.5}
        if self.own:
            measures["envelope_db"] = self.distortion(everything)
            shares["envelope_db"] = 1.0 - measures["envelope_db"] / self.mean_distortion
        score = float(np.exp(np.mean(np.log(np.maximum(list(shares.values()), LEAST)))))
        return {SCORE: score} | measures

    def converted(self, held: Held, features: FloatArray, translation: Translation) -> Encoded[VoiceSide]:
        """One copy through the network."""
        made = translation.anew()(Encoded(features, held.side))
        return Encoded(made.features[: self.adapter.n_mcep], made.side)

    def distance(self, items: Sequence[FloatArray]) -> float:
        """Root mean square difference between the portrait of (n_mcep, F) frames and the target's, in deviations of speakers; pitch and level left out."""
        frames = np.concatenate(items, axis=1)
        found = portrait(frames.mean(axis=1, keepdims=True), frames.std(axis=1, keepdims=True) + 1e-3, (5.0, 0.2))
        stats, n = self.direction.target.stats, self.adapter.n_mcep
        own = portrait(stats["mean"], stats["std"], (5.0, 0.2))
        rows = [*range(1, n), *range(n + 1, 2 * n)]
        return float(np.sqrt(np.mean(np.square(found[rows] - own[rows]))))

    def distortion(self, made: Sequence[tuple[Held, FloatArray]]) -> float:
        """Mean distance in dB of (n_mcep, T) from what was recorded."""
        n, half = self.adapter.n_mcep, np.sqrt(0.5)  # WORLD's coefficients are of the log power: audiocycle.metrics.voice.mcd
        frames = [frame_distortion(half * held.copies[0][:n, held.speech].T, half * features[:, held.speech].T) for held, features in made]
        return float(np.concatenate(frames).mean())

    def words(self, pair: tuple[Held, Encoded[VoiceSide]]) -> float:
        """Mean cosine between what is heard in a rendered sound and in the source."""
        held, encoded = pair
        made = self.renderer.render(Encoded(encoded.features[: self.adapter.n_mcep], encoded.side))
        heard = by_themselves(heard_states(made.samples, made.sample_rate), held.judged)
        return float((heard * held.said).sum(axis=1)[held.judged].mean())


def spaced(items: LongItems, count: int) -> LongItems:
    """At most so many, from all over."""
    return [items[place] for place in np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int)]


def first_copy(adapter: WorldAdapter, item: Encoded[Any]) -> FloatArray:
    """(n_mcep, T) of a training item."""
    made: FloatArray = item.features[: adapter.n_mcep, : item.features.shape[1] // adapter.spec.copies]
    return made


def piece(adapter: WorldAdapter, path: Path, item: Encoded[RecordingSide], longest: int) -> Held:
    """The beginning of a recording with all that rendering needs; its training item has it heard from other throats."""
    samples, _, _ = read_speech(path, adapter.sample_rate)
    samples = samples[: round((longest - 1) / adapter.spec.frame_rate * adapter.sample_rate)]
    whole = adapter.analyze(samples)
    n_frames, all_frames = whole.features.shape[1], item.features.shape[1] // adapter.spec.copies
    further = [np.asarray(item.features[:, k * all_frames : k * all_frames + n_frames], np.float32) for k in range(1, adapter.spec.copies)]
    speech = adapter.speech(whole.features[: adapter.n_mcep])
    states = heard_states(samples, adapter.sample_rate)
    judged = speech[np.minimum(middles(len(states), adapter.spec.frame_rate), n_frames - 1)]
    return Held((whole.features, *further), whole.side, speech, by_themselves(states, judged), judged if judged.any() else ~judged)


def heard_states(samples: FloatArray, sample_rate: int) -> FloatArray:
    """(S, D) of the content encoder."""
    return encoder.states(resample(np.asarray(samples, np.float32), sample_rate, encoder.SAMPLE_RATE))
