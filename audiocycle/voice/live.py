"""A model of voices made ready for live conversion: the network's norms learn from speech, a missing band is filled, all is tried out."""

from __future__ import annotations

import numpy as np

from audiocycle.errors import ConfigError
from audiocycle.modality import Norms
from audiocycle.spec import Encoded, Translation
from audiocycle.voice.adapter import VoiceAdapter
from audiocycle.voice.bandwidth import declared_limit
from audiocycle.voice.ear import Ear
from audiocycle.voice.level import RunningLevel
from audiocycle.voice.opening import RATES
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.stream import StreamAtRate, StreamConverter, check_block
from audiocycle.voice.survey import missing_above

WHOLE_SHARE, LEAST_WEIGHT = 0.3, 0.02
"""A window with this share of speech counts whole in the norms, one without any as much as the second number."""


def live_stream(
    adapter: VoiceAdapter,
    translation: Translation,
    norms: Norms,
    sample_rate: int | None,
    block_seconds: float,
    band_limit: float | None,
) -> StreamAtRate | None:
    """See :meth:`Modality.stream <audiocycle.modality.Modality.stream>`.

    Raises:
        ConfigError: a block or rate that cannot be.
    """
    if sample_rate is not None and not RATES[0] <= sample_rate <= RATES[1]:
        raise ConfigError(f"rate={sample_rate}: choose between {RATES[0]} and {RATES[1]} Hz")
    stats = translation.direction.source.stats
    inner = adapter.for_stream(stats)
    if inner is None:
        return None
    rate, ear = sample_rate or inner.sample_rate, inner.ear()
    check_block(block_seconds, ear.ahead_seconds)
    missing = missing_above(min(band_limit or np.inf, declared_limit(rate)), inner)
    completing = None if missing is None else inner.completing(missing, stats)
    live = LiveTranslation(translation, norms, block_seconds, ear)
    stream = StreamAtRate(StreamConverter(completing or inner, live, block_seconds, ear), rate)
    noise = np.random.default_rng(0).normal(0.0, 0.01, round((1.0 + stream.latency) * stream.sample_rate))
    stream.push(noise.astype(np.float32))
    stream.clear()
    live.clear()
    return stream


class LiveTranslation:
    """Source features to converted ones, a window at a time, with norms that remember those before.

    Args:
        norms: of the translation's network.
        ear: knows the source, where the model does not.
    """

    def __init__(self, translation: Translation, norms: Norms, block_seconds: float, ear: Ear) -> None:
        self.translation, self.norms, self.block_seconds, self.ear = translation, norms, block_seconds, ear
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.norms.forget()
        self.level = RunningLevel(self.block_seconds)

    def __call__(self, encoded: Encoded[VoiceSide]) -> Encoded[VoiceSide]:
        """Norms learn next to nothing from a window without speech: a minute of it would wash out what they know of the voice."""
        bins, speech = self.level.add(np.exp(encoded.features[0].astype(np.float64))), self.level.bins_of_speech
        share = float(np.mean((bins >= speech.start) & (bins < speech.stop)))
        self.norms.weight = min(1.0, max(LEAST_WEIGHT, share / WHOLE_SHARE))
        if self.translation.knowing is None or self.ear.stats is None:
            return self.translation(encoded)
        return self.translation.knowing(encoded, self.ear.stats)
