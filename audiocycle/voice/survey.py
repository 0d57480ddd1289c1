"""What a recording is like as a whole, found in a pass before it is heard: which channels count, and up to where there is anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from audiocycle.spec import FloatArray
from audiocycle.voice.adapter import VoiceAdapter
from audiocycle.voice.bandwidth import ROLL_OFF, BandLevels, declared_limit
from audiocycle.voice.channels import ChannelLevels, Mix


@dataclass(frozen=True)
class Survey:
    """What the whole recording says about each of its samples.

    Attributes:
        mix: of its channels.
        band_limit: Hz above which it holds nothing.
    """

    mix: Mix
    band_limit: float

    def notes(self, adapter: VoiceAdapter, of_file: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """What people should know who give it to a model with this adapter.

        Args:
            of_file: what opening the recording found, by kind (see :class:`~audiocycle.voice.opening.OpenRecording`); comes first.
        """
        missing = missing_above(self.band_limit, adapter)
        narrow = f"holds nothing above {missing / 1000.0:.1f} kHz, and the model hears up to {adapter.bandwidth / 1000.0:g} kHz" if missing else ""
        return tuple(note for note in (*(of_file or {}).values(), self.mix.note, narrow) if note)


def missing_above(band_limit: float, adapter: VoiceAdapter) -> float | None:
    """The limit of a recording's band, where the adapter looks further than that; else None."""
    return band_limit if band_limit < ROLL_OFF * adapter.bandwidth else None


def survey(blocks: Iterable[FloatArray], sample_rate: int, channels: int) -> Survey:
    """Of all blocks (N, channels) of a recording."""
    levels, bands = ChannelLevels(channels, sample_rate), BandLevels(sample_rate)
    for block in blocks:
        if channels > 1:
            levels.add(block)
        bands.add(block)
    return Survey(levels.mix(), min(declared_limit(sample_rate), bands.limit() or np.inf))
