"""A recording whose band ends early (a telephone's) is missing part of its envelope: it is filled with what the speaker's would be.

WORLD's coefficients describe the whole envelope up to the Nyquist frequency. Where a recording ends at 4 kHz the rest is the floor of its
quantisation, tens of deviations below anything in training, and bends all coefficients. So they are not computed but estimated: the most
likely ones by the speaker's statistics, of all that give the envelope that is there (maximum a posteriori of a Gaussian with independent
coefficients; the envelope's own detail, which so few coefficients cannot follow, is its noise). The level is no exception: left free, it
takes soft recordings further from what the network knows (LibriSpeech 40 at a tenth of its level: conversions 4.2 dB from those of the
full band instead of 2.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from audiocycle.spec import FloatArray, Stats
from audiocycle.voice.liveliness import mel_points

POINTS = 256
"""Of the mel axis at which an envelope is read."""
DETAIL = 0.3
"""Variance of the natural log power about what the coefficients describe, at one point. Of 0.1 to 30 it gave the nearest to the coefficients of
the full band: 0.47 and 0.41 deviations for LibriSpeech 40 and 78 at 8 kHz (1.49 and 1.76 without all this), 0.35 and 0.29 at 11.025 kHz."""


@dataclass(frozen=True)
class Completion:
    """An affine map from the log power below a limit to coefficients.

    Attributes:
        hertz: (L,) where the envelope is read.
        gain: (L, n_mcep). offset: (n_mcep,).
    """

    hertz: FloatArray
    gain: FloatArray
    offset: FloatArray

    @classmethod
    def of(cls, n_mcep: int, sample_rate: int, limit: float, source: Stats) -> Self:
        """For recordings of a speaker with these statistics that hold nothing above ``limit`` Hz, coded with so many coefficients."""
        cosines, hertz = mel_points(n_mcep, sample_rate, POINTS)
        seen = hertz <= limit
        mean, deviation = (np.asarray(source[name], np.float64).ravel() for name in ("mean", "std"))
        basis = cosines[seen]
        gain = np.linalg.solve(basis.T @ basis / DETAIL + np.diag(deviation**-2.0), basis.T / DETAIL).T
        return cls(hertz[seen], gain, mean - (basis @ mean) @ gain)

    def coded(self, envelope: FloatArray, sample_rate: int) -> FloatArray:
        """Power envelopes (T, bins) to coefficients (T, n_mcep)."""
        log_power = np.log(envelope)
        places = self.hertz / (sample_rate / 2.0) * (envelope.shape[1] - 1)
        below = np.minimum(places.astype(int), envelope.shape[1] - 2)
        share = places - below
        made: FloatArray = (log_power[:, below] * (1.0 - share) + log_power[:, below + 1] * share) @ self.gain + self.offset
        return made
