"""A bundle made ready for live conversion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from audiocycle.bundles.runtimes.torch_network import TorchNetwork
from audiocycle.conversion.converter import Converter
from audiocycle.errors import ConfigError
from audiocycle.models.running_norm import RunningNorms
from audiocycle.spec import Encoded
from audiocycle.voice.bandwidth import declared_limit
from audiocycle.voice.level import RunningLevel
from audiocycle.voice.missing_band import completing
from audiocycle.voice.opening import RATES
from audiocycle.voice.stream import BLOCK_SECONDS, StreamAtRate, StreamConverter, check_block
from audiocycle.voice.survey import missing_above
from audiocycle.voice.world_adapter import WorldAdapter

NORM_SECONDS = 10.0
"""Memory of the network's norms; offline they see 15 to 30 seconds."""
WHOLE_SHARE, LEAST_WEIGHT = 0.3, 0.02
"""A window with this share of speech counts whole in the norms, one without any as much as the second number."""


def open_stream(
    bundle: str | Path,
    target: str,
    source: str | None = None,
    *,
    sample_rate: int | None = None,
    block_seconds: float = BLOCK_SECONDS,
    band_limit: float | None = None,
    **options: Any,
) -> StreamAtRate:
    """A converter for a stream of ``sample_rate`` (the model's by default), which has been tried out: its first block is not late.

    Args:
        band_limit: Hz above which the stream holds nothing, where it is known; the sample rate says it, too.
        options: ``pitch_shift``, in semitones, and ``variance``.

    Raises:
        BundleError: the bundle is missing, damaged, or from a newer version.
        ConfigError: it has no WORLD features; or a block, rate or option that cannot be.
        DomainError: unknown, equal, or ambiguous names.
    """
    from audiocycle.bundles.format import read_config
    from audiocycle.bundles.library import locate

    check_block(block_seconds)
    if sample_rate is not None and not RATES[0] <= sample_rate <= RATES[1]:
        raise ConfigError(f"rate={sample_rate}: choose between {RATES[0]} and {RATES[1]} Hz")
    folder = locate(bundle)
    config = read_config(folder)
    if config.modality != "voice" or config.adapter.get("name") != "world":
        raise ConfigError(
            f"model {config.name}: live conversion needs a voice model with WORLD features; use audiocycle convert, or another `model`"
        )
    converter = Converter.from_pretrained(folder, "world", runtime="torch")
    source, target = converter.resolve(target, source)
    network = LiveNetwork(converter, source, target, block_seconds, options)
    rate = sample_rate or network.adapter.sample_rate
    missing = missing_above(min(band_limit or np.inf, declared_limit(rate)), network.adapter)
    heard = network.adapter if missing is None else completing(network.adapter, missing, config.stats_of(source))
    stream = StreamAtRate(StreamConverter(heard, network, block_seconds), rate)
    noise = np.random.default_rng(0).normal(0.0, 0.01, round((1.0 + stream.latency) * stream.sample_rate))
    stream.push(noise.astype(np.float32))
    stream.clear()
    network.clear()
    return stream


class LiveNetwork:
    """Source features to converted ones, a window at a time, with norms that remember those before."""

    def __init__(self, converter: Converter, source: str, target: str, block_seconds: float, options: dict[str, Any]) -> None:
        network, adapter = converter.network, converter.adapter
        assert isinstance(network, TorchNetwork)
        assert isinstance(adapter, WorldAdapter)
        low = adapter.for_voice(converter.config.stats_of(source)).low_voice
        self.adapter = replace(adapter, f0_method="dio", low_voice=bool(low))  # harvest takes longer than what it analyses
        self.block_seconds = block_seconds
        self.norms = RunningNorms(network.translator, NORM_SECONDS / block_seconds)
        self.translate = converter.translation(target, source, **options)
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.norms.forget()
        self.level = RunningLevel(self.block_seconds)

    def __call__(self, encoded: Encoded) -> Encoded:
        """Norms learn next to nothing from a window without speech: a minute of it would wash out what they know of the voice."""
        bins, speech = self.level.add(np.exp(encoded.features[0].astype(np.float64))), self.level.bins_of_speech
        share = float(np.mean((bins >= speech.start) & (bins < speech.stop)))
        self.norms.weight = min(1.0, max(LEAST_WEIGHT, share / WHOLE_SHARE))
        return self.translate(encoded)
