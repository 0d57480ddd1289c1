"""A bundle made ready for live conversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audiocycle.bundles.library import locate
from audiocycle.bundles.runtimes.torch_network import TorchNetwork
from audiocycle.conversion.converter import Converter
from audiocycle.errors import ConfigError
from audiocycle.modality import Stream
from audiocycle.models.running_norm import RunningNorms

BLOCK_SECONDS = 0.1
"""Converted at a time: shorter is sooner, and more work."""
NORM_SECONDS = 10.0
"""Memory of the network's norms; offline they see 15 to 30 seconds."""


def open_stream(
    bundle: str | Path,
    target: str,
    source: str | None = None,
    *,
    sample_rate: int | None = None,
    block_seconds: float = BLOCK_SECONDS,
    band_limit: float | None = None,
    **options: Any,
) -> Stream:
    """A converter for a stream of ``sample_rate`` (the model's by default), which has been tried out: its first block is not late.

    Args:
        band_limit: Hz above which the stream holds nothing, where it is known; the sample rate says it, too.
        options: the modality's.

    Raises:
        BundleError: the bundle is missing, damaged, or from a newer version.
        ConfigError: a model of another modality, or of other features, than come in as a stream; or a block, rate or option that cannot be.
        DomainError: unknown, equal, or ambiguous names.
    """
    folder = locate(bundle)
    converter = Converter.from_pretrained(folder, runtime="torch")
    translation = converter.translation(target, source, **options)
    assert isinstance(converter.network, TorchNetwork)
    windows = NORM_SECONDS / block_seconds if 0 < block_seconds < NORM_SECONDS else 1.0  # others are refused by the modality
    norms = RunningNorms(converter.network.translator, windows)
    stream = converter.modality.stream(translation, norms, sample_rate=sample_rate, block_seconds=block_seconds, band_limit=band_limit)
    if stream is None:
        raise ConfigError(
            f"model {converter.config.name}: live conversion needs a voice model with WORLD features; use audiocycle convert, or another `model`"
        )
    return stream
