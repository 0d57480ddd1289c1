"""What a person can ask of the conversion of a voice."""

from __future__ import annotations

import math
from dataclasses import dataclass

from audiocycle.errors import ConfigError
from audiocycle.system.options import option

MAX_SHIFT = 36.0
"""Semitones; three octaves take any voice out of hearing as a voice."""

PITCHES = ("target", "keep")


@dataclass(frozen=True)
class VoiceOptions:
    """Options of one conversion.

    Attributes:
        pitch_shift: semitones, on top of the change of register.
        pitch: ``target`` moves the pitch into the target's register; ``keep`` leaves it, as a song needs.
        variance: how much of the variance that the network's output lacks is put back, from 0, nothing, to 1, all of it. Models
            that do not say how much that is (mel features, bundles of version 0.1.0) are left as they are.

    Raises:
        ConfigError: a value that cannot be; it names the option, the value and what it may be.
    """

    pitch_shift: float = option(0.0, "shift the converted pitch.", metavar="SEMITONES")
    pitch: str = option("target", "target: moved into the target's register; keep: as it is sung.", choices=PITCHES)
    variance: float = option(0.85, "variance that the network lost and that is put back (0.85).", metavar="0...1")

    def __post_init__(self) -> None:
        if not math.isfinite(self.pitch_shift) or abs(self.pitch_shift) > MAX_SHIFT:
            raise ConfigError(f"pitch_shift={self.pitch_shift:g}: choose between {-MAX_SHIFT:g} and {MAX_SHIFT:g} semitones")
        if self.pitch not in PITCHES:
            raise ConfigError(f"pitch={self.pitch}: choose one of {', '.join(PITCHES)}")
        if not 0.0 <= self.variance <= 1.0:  # NaN too
            raise ConfigError(f"variance={self.variance:g}: choose between 0 and 1")
