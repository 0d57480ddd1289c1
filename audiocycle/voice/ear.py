"""What a network is shown of a stream: a window that ends with the newest frames."""

from __future__ import annotations

import numpy as np

from audiocycle.spec import Encoded, FloatArray, Stats
from audiocycle.voice.sides import VoiceSide

WINDOW_FRAMES = 128
"""What the network sees at a time, always as many: of another length each time it would have to be planned anew."""


class Ear:
    """Shows a window of what was analysed, which is all that most networks need.

    Attributes:
        ahead_seconds: look-ahead. With 0.08 s some frames near voicing borders get another F0 than offline; what more would bring such a network is little.
        sound_seconds: of sound that it wants to hear, up to the end of the look-ahead.
        memory: frames that it wants to see; at least a window.
        stats: what is known of the source by now; None: the model knows it.
    """

    ahead_seconds = 0.1
    sound_seconds = 0.0
    memory = WINDOW_FRAMES
    stats: Stats | None = None

    def clear(self) -> None:
        """Begin anew, as with another recording."""

    def window(self, heard: Encoded[VoiceSide], sound: FloatArray, behind: float, settled: slice) -> Encoded[VoiceSide]:
        """What the network is shown: features (R, :data:`WINDOW_FRAMES`) with their F0.

        Args:
            heard: (n_mcep, T) and its F0, the newest at the end; at most as many frames as :attr:`memory` and what is new.
            sound: samples of the last :attr:`sound_seconds`; zeros before the first.
            behind: seconds of them behind the last frame.
            settled: frames, counted from the end, that will never be shown as new again, and were not before.
        """
        assert heard.side.f0 is not None
        return Encoded(mirrored_before(heard.features, WINDOW_FRAMES), VoiceSide(f0=mirrored_before(heard.side.f0, WINDOW_FRAMES)))


def mirrored_before(features: FloatArray, frames: int) -> FloatArray:
    """The last ``frames`` of (..., T), extended to the left by reflection where there are fewer."""
    missing = max(0, frames - features.shape[-1])
    widths = [(0, 0)] * (features.ndim - 1) + [(missing, 0)]
    return np.pad(features[..., -frames:], widths, mode="symmetric")
