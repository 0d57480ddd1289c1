"""Which mix of a recording's channels is heard: their mean, unless that would lose some of what they hold.

A channel that holds next to nothing would cost the mean 6 dB, and one of opposite phase all there is (a plug or a cable with two wires
exchanged, some software for wide stereo). Both are seen in how loud channels are, and how alike, in short spans all over the recording.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiocycle.spec import FloatArray
from audiocycle.voice.level import speech_mask

SPAN_SECONDS = 0.1
"""Channels are compared in spans as long; spans are longer where there are more than :data:`MANY` channels."""
MANY = 8
SILENT_DB = 30.0
"""A channel so much softer than the loudest holds nothing that would be missed."""
OPPOSITE = -0.5
"""Of two equally loud channels so correlated, the mean loses 6 dB, and the difference 1.2."""


@dataclass(frozen=True)
class Mix:
    """Weights of channels.

    Attributes:
        weights: one for each channel.
        note: what was unusual about the channels, for people; empty for the mean of all.
    """

    weights: tuple[float, ...]
    note: str = ""

    def of(self, block: FloatArray) -> FloatArray:
        """(N, channels) to (N,) float32."""
        if not self.note:  # summed as ever, to the last bit
            return np.asarray(block.mean(axis=1), dtype=np.float32)
        mixed: FloatArray = (block.astype(np.float64) @ np.array(self.weights)).astype(np.float32)
        return mixed


def mean_of(channels: int) -> Mix:
    """The mix of channels about which nothing is unusual."""
    return Mix((1.0 / channels,) * channels)


class ChannelLevels:
    """How loud the channels of a recording are, and how alike, from blocks of it.

    A span is (channels, channels) numbers: 1.2 MB for an hour of stereo, 9 MB for eight channels.
    """

    def __init__(self, channels: int, sample_rate: int) -> None:
        self.channels = channels
        self.span = max(2, round(SPAN_SECONDS * sample_rate * max(1.0, channels / MANY) ** 2))
        self.seconds = self.span / sample_rate
        self.covariances: list[FloatArray] = []

    def add(self, block: FloatArray) -> None:
        """Take in (N, channels) samples."""
        for begin in range(0, len(block), self.span):
            span = block[begin : begin + self.span].astype(np.float64)
            moved = span - span.mean(axis=0)  # an offset is no sound
            self.covariances.append((moved.T @ moved / len(span)).astype(np.float32))

    def mix(self) -> Mix:
        """The mix of all that was taken in."""
        if self.channels == 1 or not self.covariances:
            return mean_of(self.channels)
        covariances = np.stack(self.covariances).astype(np.float64)
        power = np.diagonal(covariances, axis1=1, axis2=2)
        levels = np.array([channel_level(energies, self.seconds) for energies in power.T])
        first = int(np.argmax(levels))
        if not levels[first] > 0:
            return mean_of(self.channels)
        kept = [i for i in range(self.channels) if levels[i] > levels[first] * 10.0 ** (-SILENT_DB / 10.0)]
        turned = [i for i in kept if i != first and likeness(covariances, first, i, self.seconds) < OPPOSITE]
        if len(kept) == self.channels and not turned:
            return mean_of(self.channels)
        signs = [0.0 if i not in kept else -1.0 if i in turned else 1.0 for i in range(self.channels)]
        note = channel_note(kept, turned, self.channels)
        return Mix(tuple(sign / len(kept) for sign in signs), note)


def channel_level(energies: FloatArray, seconds: float) -> float:
    """Mean energy of a channel's own speech; one bump does not make a channel loud, nor another's pauses it soft."""
    speech = speech_mask(energies, seconds)
    return float(energies[speech].mean()) if speech.any() else 0.0


def likeness(covariances: FloatArray, first: int, second: int, seconds: float) -> float:
    """Mean correlation of two channels over the spans in which both speak, from -1 to 1; 0 where there is none."""
    a, b = covariances[:, first, first], covariances[:, second, second]
    both = speech_mask(a, seconds) & speech_mask(b, seconds)
    if not both.any():
        return 0.0
    return float((covariances[both, first, second] / np.sqrt(a[both] * b[both])).mean())


def channel_note(kept: list[int], turned: list[int], channels: int) -> str:
    """What was done with the channels, in a few words; people count them from 1."""
    parts = []
    if len(kept) < channels:
        parts.append(f"{numbered([i for i in range(channels) if i not in kept], 'is', 'are')} next to silent, left out")
    if turned:
        parts.append(f"{numbered(turned, 'has', 'have')} the opposite phase, turned round")
    return "; ".join(parts)


def numbered(channels: list[int], one: str, several: str) -> str:
    """``channel 2 is``, ``channels 3, 4 are``."""
    names = ", ".join(str(i + 1) for i in channels)
    return f"channel {names} {one}" if len(channels) == 1 else f"channels {names} {several}"
