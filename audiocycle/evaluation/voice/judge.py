"""What of a sound can only be said beside other recordings: whose voice it is, how lively it is, what is lost of the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from audiocycle.evaluation.voice.measure import COPY, OWN, Measured, Measures, Way, Which
from audiocycle.metrics.voice.recognition import character_errors, word_errors, words
from audiocycle.metrics.voice.speaker import centroid, nearer, similarity
from audiocycle.spec import FloatArray

Said = Mapping[tuple[str, str], str]
"""What is said in a recording, by domain and name."""
NOTHING = float("nan")
DISTANCES = ("mcd_sptk", "mcd_world", "modulation_distance", "log_f0_rmse_cents", "log_f0_correlation", "vuv_error", "duration_error")
ALWAYS = ("global_variance_ratio", "loudness_difference")
OF_SPEAKER = ("similarity_target", "similarity_source", "similarity_share", "nearer_target")
OF_WORDS = ("wer", "cer")
OF_NATURALNESS = ("p808", "ovrl", "p808_drop")
MEASURES = DISTANCES + ALWAYS + OF_SPEAKER + OF_WORDS + OF_NATURALNESS
"""All of them, in the order of tables."""

GLOBAL_VARIANCE_DEFINITION = (
    "GV ratio: mean over c_1..c_34 of the variance over time in a sound, over the frames that count for MCD, divided by the mean "
    "of that variance over the target's own recordings; 1 is natural, below 1 over-smoothed."
)
SPEAKER_DEFINITION = (
    "The recording that a sound is made of is left out of its speaker's mean. Share: similarity to the target divided by the mean "
    "of the target's own recordings'."
)
WORDS_DEFINITION = (
    "Words of the reference: the transcript, or, without one, what the recogniser hears in the recording that the sound is made of "
    "(so that a recording itself has no error rate then)."
)
DROP_DEFINITION = "P808 drop: how much less P808 is than that of the source's copy-synthesis, file by file."
INTERVALS_DEFINITION = (
    "95 % intervals: bootstrap over files (percentiles of 2,000 draws), for one training. Means are over files, of error rates over "
    "words (characters). Files without a value do not count. Total: mean of both directions; parallel files are drawn together."
)


class Judge:
    """Values of one direction's sounds.

    Args:
        measured: all recordings of both domains.
        said: transcripts, if there are some.
    """

    def __init__(self, way: Way, measured: Sequence[Measured], said: Said | None) -> None:
        self.way, self.said = way, said
        own = {d: {m.item.name: m.heard[d, OWN] for m in measured if d in m.item.paths} for d in (way.source, way.target)}
        self.natural = np.mean([heard.variance for heard in own[way.target].values()], axis=0)
        self.voices = {
            domain: {name: heard.embedding for name, heard in all_heard.items() if heard.embedding is not None}
            for domain, all_heard in own.items()
        }
        self.voice = cache(self._voice)
        self.own_likeness = self._own_likeness()

    def values(self, measured: Measured, which: Which) -> Measures:
        """All :data:`MEASURES` of a sound; NaN where there is nothing to measure."""
        heard = measured.heard[which]
        found = dict.fromkeys(MEASURES, NOTHING) | heard.measures
        found |= measured.distances.get(self.way.name, {}).get(which, {})
        found["global_variance_ratio"] = float(np.mean(heard.variance / self.natural))
        if heard.embedding is not None:
            found |= self.speaker(measured, which, heard.embedding)
        found |= {name: errors / length if length else NOTHING for name, (errors, length) in self.errors(measured, which).items()}
        if which[0] == self.way.source:
            found["p808_drop"] = measured.heard[self.way.source, COPY].measures.get("p808", NOTHING) - found["p808"]
        return found

    def lengths(self, measured: Measured, which: Which) -> dict[str, int]:
        """Words and characters that the error rates are shares of."""
        return {name: length for name, (_, length) in self.errors(measured, which).items()}

    def errors(self, measured: Measured, which: Which) -> dict[str, tuple[int, int]]:
        """Word and character errors, and how many words and characters were said; empty where that is not known."""
        text, said = measured.heard[which].text, self.reference(measured, which)
        if text is None or said is None:
            return {}
        reference, heard = words(said), words(text)
        return {
            "wer": (word_errors(reference, heard), len(reference)),
            "cer": (character_errors(reference, heard), len(" ".join(reference))),
        }

    def reference(self, measured: Measured, which: Which) -> str | None:
        """What a text is compared with: the transcript, or what is heard in the recording itself; None where that is not known."""
        if self.said is not None:
            return self.said.get((which[0], measured.item.name))
        return None if which[1] == OWN else measured.heard[which[0], OWN].text

    def speaker(self, measured: Measured, which: Which, embedding: FloatArray) -> Measures:
        """Whose voice it is."""
        target, source = (self.mean_voice(measured, which, domain) for domain in (self.way.target, self.way.source))
        like_target = NOTHING if target is None else similarity(embedding, target)
        return {
            "similarity_target": like_target,
            "similarity_source": NOTHING if source is None else similarity(embedding, source),
            "similarity_share": like_target / self.own_likeness,
            "nearer_target": NOTHING if target is None or source is None else float(nearer(embedding, target, source)),
        }

    def mean_voice(self, measured: Measured, which: Which, domain: str) -> FloatArray | None:
        """A domain's speaker without the recording that a sound is made of; None where no other is left."""
        return self.voice(domain, measured.item.name if which[0] == domain else "")

    def _voice(self, domain: str, without: str) -> FloatArray | None:
        others = [voice for name, voice in self.voices[domain].items() if name != without]
        return centroid(others) if others else None

    def _own_likeness(self) -> float:
        """Mean similarity of the target's own recordings to the others of it; NaN where there are no two."""
        own = self.voices[self.way.target]
        others = {name: self.voice(self.way.target, name) for name in own}
        alike = [similarity(own[name], mean) for name, mean in others.items() if mean is not None]
        return float(np.mean(alike)) if alike else NOTHING
