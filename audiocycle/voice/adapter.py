"""What a voice adapter offers beyond the general one: it works on samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import Adapter, Direction, Encoded, FloatArray, Signal, Stats
from audiocycle.voice.options import VoiceOptions
from audiocycle.voice.sides import Items, VoiceSide

if TYPE_CHECKING:
    from audiocycle.voice.world_adapter import WorldAdapter


class VoiceAdapter(Adapter, Protocol):
    """An adapter of waveforms at one sample rate.

    Attributes:
        shifts_pitch: whether its features have a separate F0, so that the pitch of a conversion can be shifted.
        takes_guides: whether row 0 of its features is the level, which guides leave alone: only such can be guided.
    """

    shifts_pitch: ClassVar[bool]
    takes_guides: ClassVar[bool]

    @property
    def sample_rate(self) -> int:
        """Hz; recordings are resampled to it."""

    @property
    def bandwidth(self) -> float:
        """Hz up to which it looks."""

    def analyze(self, samples: FloatArray, side: bool = True) -> Encoded[VoiceSide]:
        """(N,) samples to features (D, T); ``side`` False leaves out what only rendering needs."""

    def fit(self, items: Items) -> Stats:
        """Statistics of one speaker from all training items."""

    def speech(self, features: FloatArray) -> NDArray[np.bool_]:
        """Mask (T,) of the frames with speech, as far as their level tells."""

    def familiarity(self, features: FloatArray) -> float | None:
        """How much what is said sounds like what these features were made for, -1 to 1; None: nothing is known of that."""

    def transfer(
        self, encoded: Encoded[VoiceSide], converted: FloatArray, direction: Direction, options: VoiceOptions
    ) -> Encoded[VoiceSide]:
        """Join converted features (denormalised, (D, T)) with the source's transferred side."""

    def for_voice(self, stats: Stats) -> Self:
        """The adapter for recordings of a speaker with these statistics."""

    def for_stream(self, stats: Stats) -> WorldAdapter | None:
        """The adapter for a speaker with these statistics whose sound comes in as a stream; None: of these features none can be made then."""

    def completing(self, limit: float, stats: Stats) -> VoiceAdapter | None:
        """The adapter for recordings that hold nothing above ``limit`` Hz, of a speaker with these statistics, which estimates what is
        missing; None: that cannot be done with these features, or nothing is known of the speaker."""


class VoiceRenderer(Protocol):
    """Turns converted features back into sound."""

    def render(self, encoded: Encoded[VoiceSide]) -> Signal:
        """A waveform of exactly as many samples as the side says."""
