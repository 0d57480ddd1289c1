"""Mean and deviation of more frames than memory holds."""

from __future__ import annotations

import numpy as np

from audiocycle.spec import FloatArray

BLOCK = 65536
"""Frames that are looked at together."""


class Moments:
    """Mean and standard deviation over time of frames that come in parts, in float64 whatever the frames' precision.

    Parts are merged as Chan, Golub & LeVeque (1979) do, which loses nothing where the mean is far from 0.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean: FloatArray = np.zeros(1)
        """(..., 1), as the frames' other axes are."""
        self._squares: FloatArray = np.zeros(1)  # sum of squared distances from the mean

    def add(self, frames: FloatArray) -> None:
        """Take in (..., T) frames, T >= 0."""
        for begin in range(0, frames.shape[-1], BLOCK):
            block = frames[..., begin : begin + BLOCK].astype(np.float64)
            n, mean = block.shape[-1], block.mean(axis=-1, keepdims=True)
            share, distance = n / (self.count + n), mean - self.mean
            self._squares = self._squares + ((block - mean) ** 2).sum(axis=-1, keepdims=True) + distance**2 * self.count * share
            self.mean = self.mean + distance * share
            self.count += n

    @property
    def std(self) -> FloatArray:
        """(..., 1); there must be a frame."""
        return np.asarray(np.sqrt(self._squares / self.count))
