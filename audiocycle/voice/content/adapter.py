"""WORLD features with what is said beside them: for networks that convert every speaker, heard before or not.

Rows of the features, each over time:

    0 ... n_mcep - 1   mel-cepstrum, as :class:`~audiocycle.voice.world_adapter.WorldAdapter` has it; row 0 is the level
    SPEECH             1 where there is speech
    VOICED             1 where the voice has a pitch
    PITCH, LEVEL       log F0, drawn through unvoiced frames, and the level, both standardised over the recording
    CONTENT ...        states of the content encoder, standardised over the recording, times SCALE

A network is shown what is behind the mel-cepstrum, and makes its coefficients but for the level: who speaks is only there. So a recording of the
target alone teaches it (what is said, and what it sounded like), and anybody's recording can be converted.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import Direction, Encoded, FeatureSpec, FloatArray, Stats
from audiocycle.system.limits import OneOf, Table, hold
from audiocycle.voice.content import encoder, english
from audiocycle.voice.content.hearing import articulation, voices_at_once
from audiocycle.voice.content.places import PLACES, SHARE, missed, moved, of_length_one, places_of
from audiocycle.voice.content.portrait import portrait
from audiocycle.voice.content.rooms import heard_in_a_room
from audiocycle.voice.ear import Ear
from audiocycle.voice.options import VoiceOptions
from audiocycle.voice.phonetics import at_frames, moments, standardised
from audiocycle.voice.sides import Items, VoiceSide
from audiocycle.voice.sound_file import resample
from audiocycle.voice.world_adapter import WorldAdapter, f0_of

SCALE = 10.0
"""States have length 1, and hundreds of rows: so their rows are of the size of one."""
MORE = 4
"""Rows between cepstrum and states."""
WARPS = (1.0, 0.87, 1.15)
"""Of the spectra that the encoder hears in training: throats longer and shorter by as much as sexes differ. All but the first are heard in a room."""
QUIETEST = -4.0
"""Deviations. A level further below that of speech is shown as this."""
FURTHEST = 3.0
"""Deviations. A pitch further from the mean is shown as this."""
USUAL = (5.0, 0.2)
"""Mean and deviation of log F0 of speakers, roughly."""
KNOWN_FRAMES = 200
"""Voiced frames, a second of them, from which on a voice's own deviation counts more than the usual one."""
OUTSIDE, NEAR = 3.0, 0.35
"""Robust deviations from the median beyond which F0 is an error of an octave, or creak; but not within half an octave."""


@dataclass(frozen=True)
class ContentAdapter(WorldAdapter):
    """WORLD analysis and the states of the content encoder (see above).

    Attributes:
        sample_rate, frame_period, n_mcep, f0_method, f0_floor, f0_ceil, keep_energy, low_voice: as adapter=world has it.
        encoder: what hears what is said: english, which comes with the package, or multilingual (the extra languages).
    """

    encoder: str = encoder.ENGLISH

    takes_guides: ClassVar[bool] = False
    analysis: ClassVar[int] = 105

    def __post_init__(self) -> None:
        hold("adapter.", {"encoder": self.encoder}, {"encoder": OneOf(tuple(encoder.ENCODERS))})
        super().__post_init__()

    @property
    def spec(self) -> FeatureSpec:
        heard = encoder.ENCODERS[self.encoder]
        rows, told = self.n_mcep + MORE + heard.states, len(portrait(np.zeros((self.n_mcep, 1)), np.ones((self.n_mcep, 1)), USUAL))
        return FeatureSpec("voice", (rows,), 1000.0 / self.frame_period, made=self.n_mcep, condition=told, copies=len(WARPS), remark=heard.remark)

    @cached_property
    def world(self) -> WorldAdapter:
        """The adapter of the cepstrum alone."""
        return WorldAdapter(**{field.name: getattr(self, field.name) for field in fields(WorldAdapter)})

    def analyze(self, samples: FloatArray, side: bool = True) -> Encoded[VoiceSide]:
        """As WORLD's, features (R, T). Without ``side``, for training, (R, 3 T): the sound once as it is, and twice with what is said heard from
        another throat (:data:`WARPS`) in a noisy room, so that a network does not learn to go by the target's own, nor needs a quiet source."""
        found = self.world.analyze(samples, side)
        f0, sound = f0_of(found.side), resample(np.asarray(samples, np.float32), self.sample_rate, encoder.SAMPLE_RATE)
        warps = WARPS[:1] if side else WARPS
        heard = [sound, *(heard_in_a_room(sound, encoder.SAMPLE_RATE, (copy, len(sound))) for copy in range(1, len(warps)))]
        states = [encoder.states(there, warp, self.encoder) for there, warp in zip(heard, warps, strict=True)]
        copies = [self.joined(found.features, f0, each) for each in states]
        known = replace(found.side, f0=np.tile(f0, len(warps)))
        if self.encoder == encoder.ENGLISH:  # whose states these know
            spoken = at_states(self.world.speech(found.features), len(states[0]), self.spec.frame_rate)
            known = replace(known, articulation=articulation(states[0], spoken), voices_at_once=voices_at_once(states[0], spoken))
        return Encoded(np.concatenate(copies, axis=1), known)

    def joined(self, mcep: FloatArray, f0: FloatArray, states: FloatArray) -> FloatArray:
        """All rows, (R, T), of a recording.

        Args:
            mcep: (n_mcep, T). f0: (T,) Hz. states: (S, D).
        """
        n_frames, rate = mcep.shape[1], self.spec.frame_rate
        speech = self.world.speech(mcep)
        said = by_themselves(states, at_states(speech, len(states), rate))
        level = np.maximum(deviations(mcep[0], speech), QUIETEST)
        content = SCALE * at_frames(said.T, n_frames, rate).T
        return np.concatenate([mcep, speech[None], (f0 > 0)[None], contour(f0)[None], level[None], content], dtype=np.float32)

    def fit(self, items: Items) -> Stats:
        """As WORLD's, but of F0 (:func:`register`). Where nobody speaks, or nothing is voiced, as in a whisper, there are statistics that nothing is converted with."""
        cepstra: list[Any] = [Encoded(item.features[: self.n_mcep], item.side) for item in items]
        voiced = np.concatenate([f0[f0 > 0] for f0 in (f0_of(item.side) for item in cepstra)])
        log_f0 = np.array(register(np.log(voiced)), np.float32)
        if not any(self.speech(item.features).any() for item in cepstra):
            mean = cepstra[-1].features.mean(axis=1, keepdims=True)
            return {"mean": mean, "std": np.ones_like(mean), "log_f0": log_f0}
        if not len(voiced):
            cepstra = [Encoded(item.features, replace(item.side, f0=np.ones(1))) for item in cepstra]
        return {**self.world.fit(cepstra), "log_f0": log_f0}

    def condition(self, stats: Stats) -> FloatArray:
        """What a network is told of a speaker, (C,)."""
        return portrait(stats["mean"], stats["std"], (float(stats["log_f0"][0]), float(stats["log_f0"][1])))

    @property
    def known_statistics(self) -> dict[str, Table]:
        return {**super().known_statistics, "places": Table((PLACES, encoder.ENCODERS[self.encoder].states), -1.0, 1.0, required=False, listed=True)}

    def learned(self, items: Items) -> Stats:
        """``places``, (PLACES, D): where the target's states are (:mod:`audiocycle.voice.content.places`)."""
        copies = self.spec.copies
        return {"places": places_of(np.concatenate([self.spoken(item.features[:, : item.features.shape[1] // copies])[0] for item in items]))}

    def corrected(self, item: Encoded[Any], made: FloatArray, stats: Stats) -> Stats:
        """``places``, (P, D), all that the item has; ``misses``, (P, n_mcep): what the network made of each falls short by, in deviations."""
        n = self.n_mcep
        places, frames = self.spoken(item.features)
        misses = ((item.features[:n] - made[:n]) / stats["std"])[:, frames].T
        return {**stats, "places": places, "misses": misses.astype(np.float32)} if len(places) else stats

    def spoken(self, features: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
        """(R, T) of one recording to its states where somebody speaks, (S, D), and their frames, (S,)."""
        n, frames = self.n_mcep, middles(self.n_states(features), self.spec.frame_rate)
        frames = frames[features[n, frames] > 0.5]
        return of_length_one(features[n + MORE :, frames].T), frames

    def n_states(self, features: FloatArray) -> int:
        """How many states a recording has that was made (R, T)."""
        return max(1, int(features.shape[-1] / self.spec.frame_rate * encoder.FRAME_RATE))

    def towards(self, normal: FloatArray, stats: Stats) -> FloatArray:
        """States moved towards places of the target, where these are known, and what is said sounds like English: sounds that the target never made have
        nowhere to go, and words are lost."""
        if "places" not in stats or not (share := SHARE * english.share(self.familiarity(normal))):
            return normal
        n, rate = self.n_mcep, self.spec.frame_rate
        frames = middles(self.n_states(normal), rate)
        states = of_length_one(normal[n + MORE :, frames].T)
        content = SCALE * at_frames(moved(states, stats["places"], share).T, normal.shape[1], rate).T
        return np.concatenate([normal[: n + MORE], content], dtype=np.float32)

    def normalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        """Cepstrum to mean 0 and deviation 1, and to 0 but for its level where nobody speaks; all else stays."""
        n = self.n_mcep
        normal = features.astype(np.float32)
        normal[..., :n, :] = (normal[..., :n, :] - stats["mean"]) / stats["std"]
        normal[..., 1:n, :] *= normal[..., n : n + 1, :] > 0.5
        return normal

    def denormalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        """Of the cepstrum, and what the network misses is added to it; all else stays."""
        n, rate = self.n_mcep, self.spec.frame_rate
        cepstrum = features[..., :n, :]
        if "misses" in stats:
            states = of_length_one(features[n + MORE :, middles(self.n_states(features), rate)].T)
            more = at_frames(missed(states, stats["places"], stats["misses"]).T, features.shape[1], rate).T
            cepstrum = cepstrum + more * (features[n : n + 1] > 0.5)
        return np.concatenate([cepstrum * stats["std"] + stats["mean"], features[..., n:, :]], axis=-2, dtype=np.float32)

    def transfer(self, encoded: Encoded[VoiceSide], converted: FloatArray, direction: Direction, options: VoiceOptions) -> Encoded[VoiceSide]:
        """As WORLD's, of the cepstrum."""
        n, deviation, made = self.n_mcep, direction.output_deviation, converted[: self.n_mcep].copy()
        if self.keep_energy:  # then the level has no part in what comes out; in units of a click's deviation, which is none, it would be endless
            made[0] = encoded.features[0]
        cepstrum = Encoded(encoded.features[:n], encoded.side)
        of_cepstrum = replace(direction, output_deviation=None if deviation is None else deviation[:n])
        return self.world.transfer(cepstrum, made, of_cepstrum, options)

    def familiarity(self, features: FloatArray) -> float | None:
        """See :func:`audiocycle.voice.content.english.likeness`; None of other encoders, or where nobody speaks."""
        said = self.spoken(features)[0] if self.encoder == encoder.ENGLISH else np.zeros((0, 1))
        return english.likeness(said) if len(said) else None

    def for_stream(self, stats: Stats) -> WorldAdapter | None:
        """None of another encoder than the English one, since what is usual of its states is not known."""
        return super().for_stream(stats) if self.encoder == encoder.ENGLISH else None

    def ear(self) -> Ear:
        from audiocycle.voice.content.ear import ContentEar

        return ContentEar(self)

    def completing(self, limit: float, stats: Stats) -> None:
        """None: nothing is known of the speaker."""
        return None


def middles(n_states: int, frame_rate: float) -> NDArray[np.intp]:
    """(S,) the frame at the middle of each state."""
    found: NDArray[np.intp] = np.rint((np.arange(n_states) + 0.5) / encoder.FRAME_RATE * frame_rate).astype(np.intp)
    return found


def at_states(speech: NDArray[np.bool_], n_states: int, frame_rate: float) -> NDArray[np.bool_]:
    """Mask (S,) of the states in whose middle a mask of frames (T,) is set."""
    return speech[np.minimum(middles(n_states, frame_rate), len(speech) - 1)]


def register(log_f0: FloatArray) -> tuple[float, float]:
    """Mean and deviation of (N,) log F0 of voiced frames, without those that are far from all others; of few frames the deviation is drawn towards
    what is usual. :data:`USUAL` of none."""
    if not len(log_f0):
        return USUAL
    distance = np.abs(log_f0 - np.median(log_f0))
    near = log_f0[distance <= max(NEAR, OUTSIDE * 1.4826 * float(np.median(distance)))]
    variance = (len(near) * near.var() + KNOWN_FRAMES * USUAL[1] ** 2) / (len(near) + KNOWN_FRAMES)
    return float(near.mean()), float(np.sqrt(variance))


def deviations(values: FloatArray, judged: NDArray[np.bool_]) -> FloatArray:
    """(T,) to mean 0 and deviation 1 over the judged frames, or all where there are none."""
    known = values[judged] if judged.any() else values
    made: FloatArray = (values - known.mean()) / (known.std() + 1e-2)
    return made


def contour(f0: FloatArray) -> FloatArray:
    """(T,) Hz, 0 where unvoiced, to log F0, drawn through unvoiced frames, in deviations from its mean; 0 where nothing is voiced."""
    voiced = f0 > 0
    return np.clip(deviations(drawn_through(f0), voiced), -FURTHEST, FURTHEST) if voiced.any() else np.zeros(len(f0))


def drawn_through(f0: FloatArray) -> FloatArray:
    """(T,) Hz to log F0, with lines through unvoiced frames; some must be voiced."""
    voiced, frames = f0 > 0, np.arange(len(f0))
    made: FloatArray = np.interp(frames, frames[voiced], np.log(f0[voiced]))
    return made


def by_themselves(states: FloatArray, judged: NDArray[np.bool_]) -> FloatArray:
    """(S, D) standardised by the moments of the judged ones among them, or of all where there are none."""
    return standardised(states, *moments([states], [judged if judged.any() else ~judged]))
