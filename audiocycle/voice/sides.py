"""What goes beside features of voices: beside those of sound on its way through a conversion, and beside those that training keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audiocycle.spec import Encoded, FloatArray


@dataclass(frozen=True)
class VoiceSide:
    """What sound is made of, beside features. Adapters fill in what they know and are asked for; all else is None.

    Attributes:
        n_samples: length of the sound; None: as many samples as the frames cover.
        f0: (T,) Hz, 0 where unvoiced.
        f0_floor: Hz from which on F0 was searched for.
        ap: (T, bins) aperiodicity.
        samples: (N,) of the source.
        source_features: the source's own, where the features are converted ones.
        articulation, voices_at_once: what is heard of the whole (:mod:`audiocycle.voice.content.hearing`).
    """

    n_samples: int | None = None
    f0: FloatArray | None = None
    f0_floor: float | None = None
    ap: FloatArray | None = None
    samples: FloatArray | None = None
    source_features: FloatArray | None = None
    articulation: float | None = None
    voices_at_once: float | None = None


@dataclass(frozen=True)
class RecordingSide:
    """What training keeps of a recording, beside features. Numbers may be arrays of no axes: so they come from a cache.

    Attributes:
        n_samples, f0, f0_floor: as those of :class:`VoiceSide`.
        band_limit: Hz above which the recording holds nothing; 0 where that is as usual.
        mixed_otherwise: 1 where its channels were not averaged.
        header_mended, scaled: 1 where opening it made such a note (see :mod:`audiocycle.voice.opening`).
        articulation: as that of :class:`VoiceSide`; 0 where it is not known.
    """

    n_samples: int | None = None
    f0: FloatArray | None = None
    f0_floor: float | None = None
    band_limit: float = 0.0
    mixed_otherwise: float = 0.0
    header_mended: float = 0.0
    scaled: float = 0.0
    articulation: float = 0.0


Items = Sequence[Encoded[RecordingSide] | Encoded[VoiceSide]]
"""What statistics of a speaker are fitted to: recordings of a training, or any analysed sound."""
