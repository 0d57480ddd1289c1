"""What of a sound can only be said beside other recordings: whose voice it is, how lively it is, what is lost of the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from audiocycle.evaluation.voice.measurement import (
    COPY,
    OWN,
    DirectionNetwork,
    ItemMeasurement,
    SoundKey,
    SoundMeasurement,
    Values,
)
from audiocycle.evaluation.voice.measures import MEASURES
from audiocycle.metrics.voice.global_variance import variance_ratio
from audiocycle.metrics.voice.recognition import character_errors, word_errors, words
from audiocycle.metrics.voice.speaker import centroid, nearer, similarity
from audiocycle.spec import FloatArray

Transcripts = Mapping[tuple[str, str], str]
"""What is said in a recording, by domain and name."""
NOTHING = float("nan")


class VoiceJudge:
    """Values of one direction's sounds.

    Args:
        measured: all recordings of both domains.
        said: transcripts, if there are some.
    """

    def __init__(self, direction: DirectionNetwork, measured: Sequence[ItemMeasurement], said: Transcripts | None) -> None:
        self.direction, self.said = direction, said
        own: dict[str, dict[str, SoundMeasurement]] = {
            domain: {each.item.name: each.by_sound[domain, OWN] for each in measured if domain in each.item.paths}
            for domain in (direction.source, direction.target)
        }
        self.natural = np.mean([sound.variance for sound in own[direction.target].values()], axis=0)
        self.voices = {
            domain: {name: sound.embedding for name, sound in sounds.items() if sound.embedding is not None}
            for domain, sounds in own.items()
        }
        self.voice = cache(self._voice)
        self.own_likeness = self._own_likeness()

    def values(self, measured: ItemMeasurement, key: SoundKey) -> Values:
        """All measures of a sound; NaN where there is nothing to measure."""
        sound = measured.by_sound[key]
        found = dict.fromkeys((measure.name for measure in MEASURES), NOTHING) | sound.values
        found |= measured.distances.get(self.direction.name, {}).get(key, {})
        found["global_variance_ratio"] = variance_ratio(self.natural, sound.variance)
        if sound.embedding is not None:
            found |= self.speaker(measured, key, sound.embedding)
        found |= {name: errors / length if length else NOTHING for name, (errors, length) in self.errors(measured, key).items()}
        if key[0] == self.direction.source:
            found["p808_drop"] = measured.by_sound[self.direction.source, COPY].values.get("p808", NOTHING) - found["p808"]
        return found

    def lengths(self, measured: ItemMeasurement, key: SoundKey) -> dict[str, int]:
        """Words and characters that the error rates are shares of."""
        return {name: length for name, (_, length) in self.errors(measured, key).items()}

    def errors(self, measured: ItemMeasurement, key: SoundKey) -> dict[str, tuple[int, int]]:
        """Word and character errors, and how many words and characters were said; empty where that is not known."""
        text, said = measured.by_sound[key].text, self.reference(measured, key)
        if text is None or said is None:
            return {}
        reference, recognised = words(said), words(text)
        return {
            "wer": (word_errors(reference, recognised), len(reference)),
            "cer": (character_errors(reference, recognised), len(" ".join(reference))),
        }

    def reference(self, measured: ItemMeasurement, key: SoundKey) -> str | None:
        """What a text is compared with: the transcript, or what is heard in the recording itself; None where that is not known."""
        if self.said is not None:
            return self.said.get((key[0], measured.item.name))
        return None if key[1] == OWN else measured.by_sound[key[0], OWN].text

    def speaker(self, measured: ItemMeasurement, key: SoundKey, embedding: FloatArray) -> Values:
        """Whose voice it is."""
        target, source = (self.mean_voice(measured, key, domain) for domain in (self.direction.target, self.direction.source))
        like_target = NOTHING if target is None else similarity(embedding, target)
        return {
            "similarity_target": like_target,
            "similarity_source": NOTHING if source is None else similarity(embedding, source),
            "similarity_share": like_target / self.own_likeness,
            "nearer_target": NOTHING if target is None or source is None else float(nearer(embedding, target, source)),
        }

    def mean_voice(self, measured: ItemMeasurement, key: SoundKey, domain: str) -> FloatArray | None:
        """A domain's speaker without the recording that a sound is made of; None where no other is left."""
        return self.voice(domain, measured.item.name if key[0] == domain else "")

    def _voice(self, domain: str, without: str) -> FloatArray | None:
        others = [voice for name, voice in self.voices[domain].items() if name != without]
        return centroid(others) if others else None

    def _own_likeness(self) -> float:
        """Mean similarity of the target's own recordings to the others of it; NaN where there are no two."""
        own = self.voices[self.direction.target]
        others = {name: self.voice(self.direction.target, name) for name in own}
        alike = [similarity(own[name], mean) for name, mean in others.items() if mean is not None]
        return float(np.mean(alike)) if alike else NOTHING
