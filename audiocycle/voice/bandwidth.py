"""Up to which frequency a recording holds anything: a telephone's band ends at 4 kHz, whatever the file's sample rate says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import FloatArray

HIGHEST_HZ = 8000.0
"""Looked at up to here: what speech has above, no model of 16 kHz sees."""
ROLL_OFF = 0.94
"""Of the Nyquist frequency, which filters leave whole when a recording is resampled."""
BAND_HZ = 125.0
FRAME_SECONDS, HOP_SECONDS = 0.032, 0.08
LEVEL_BINS, LEVEL_FLOOR = 100, -180.0
"""Levels of bands are counted in steps of 2 dB from here on: memory does not grow with the recording."""
STEP_DB = 2.0
PERCENTILE = 0.95
"""Of a band's levels: a full band shows its sharp sounds there, and an empty one still nothing."""
EDGES_HZ = (2500.0, 6500.0)
"""Where a band may end; the last tenth of a band is heard by nobody, and missed by no network."""
SLOPE_HZ = 375.0
DROP_DB = 25.0
"""From the band's last half kilohertz to the loudest of all that lies more than :data:`SLOPE_HZ` above it. Of 260 recordings the
steepest full band dropped by 15 dB, and the least steep that was brought to 8 kHz or 11.025 kHz and back by 35."""
FEW_FRAMES, FEW_DROP_DB = 60, 40.0
"""Of some seconds, where a vowel may be all that there is: of 960 pieces of 0.5 to 3 s full bands dropped by up to 36 dB."""


def declared_limit(sample_rate: int) -> float:
    """Hz above which no recording of this rate holds anything."""
    return ROLL_OFF * sample_rate / 2.0


class BandLevels:
    """How loud each band of a recording becomes, from blocks of it."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.size = max(16, round(FRAME_SECONDS * sample_rate))
        self.hop = max(1, round(HOP_SECONDS * sample_rate))
        self.window = np.hanning(self.size + 1)[:-1]
        n_bands = int(min(HIGHEST_HZ, 0.48 * sample_rate) / BAND_HZ)
        hertz = np.fft.rfftfreq(self.size, 1.0 / sample_rate)
        self.first_bins = np.searchsorted(hertz, BAND_HZ * np.arange(n_bands + 1))
        self.counts: NDArray[np.int64] = np.zeros((n_bands, LEVEL_BINS), dtype=np.int64)

    def add(self, block: FloatArray) -> None:
        """Take in (N, channels) samples; frames do not go on from one block to the next."""
        if len(block) < self.size or not len(self.counts):
            return
        frames = np.lib.stride_tricks.sliding_window_view(block, self.size, axis=0)[:: self.hop]  # (T, channels, size)
        for begin in range(0, len(frames), 64):
            spectrum = np.abs(np.fft.rfft(frames[begin : begin + 64] * self.window, axis=-1)) ** 2
            power = np.add.reduceat(spectrum.sum(axis=1), self.first_bins[:-1], axis=-1) if len(self.first_bins) > 1 else spectrum[:, :0]
            sounding = power[power.sum(axis=1) > 0] / self.size**2
            places = np.clip((10.0 * np.log10(sounding + 1e-30) - LEVEL_FLOOR) / STEP_DB, 0, LEVEL_BINS - 1).astype(int)
            for band, column in enumerate(places.T):
                self.counts[band] += np.bincount(column, minlength=LEVEL_BINS)

    def levels(self) -> FloatArray:
        """dB that each band reaches in a twentieth of the frames, (bands,)."""
        share = np.cumsum(self.counts, axis=1) / np.maximum(1, self.counts.sum(axis=1, keepdims=True))
        return np.asarray(LEVEL_FLOOR + STEP_DB * (share < PERCENTILE).sum(axis=1))

    def limit(self) -> float | None:
        """Hz above which there is nothing, where that is within :data:`EDGES_HZ`; None where a full band, or no sound, was found."""
        levels = self.levels()
        half, slope = round(500.0 / BAND_HZ), round(SLOPE_HZ / BAND_HZ)
        few = self.counts[:1].sum() < FEW_FRAMES
        best, found = FEW_DROP_DB if few else DROP_DB, None
        for edge in range(round(EDGES_HZ[0] / BAND_HZ), round(EDGES_HZ[1] / BAND_HZ) + 1):
            if edge + slope >= len(levels):
                break
            drop = float(levels[edge - half : edge].mean() - levels[edge + slope :].max())
            if drop > best:
                best, found = drop, edge * BAND_HZ
        return found
