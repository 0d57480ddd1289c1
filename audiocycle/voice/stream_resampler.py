"""Resampling of a stream with a few milliseconds of delay (soxr's streams, made for files, hold back 40 to 115 ms)."""

from __future__ import annotations

import math

import numpy as np
import scipy.signal

from audiocycle.errors import ConfigError
from audiocycle.spec import FloatArray

ZERO_CROSSINGS = 64
"""Of the low-pass filter, on either side: 4 ms at 16 kHz, where 7.3 kHz still pass and 8 kHz are stopped."""
ATTENUATION_DB = 85.0
MAX_FACTOR = 2000
"""Rates whose ratio needs larger whole numbers would take a filter of millions of taps."""


class StreamResampler:
    """Blocks at one rate to blocks at another; the outputs' times are the inputs' (what is missing comes later).

    Polyphase filtering with a Kaiser-windowed sinc of linear phase. Whatever the sizes of the blocks, the same samples come out.

    Raises:
        ConfigError: the rates have no ratio of reasonable whole numbers.
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        common = math.gcd(source_rate, target_rate)
        self.up, self.down = target_rate // common, source_rate // common
        largest = max(self.up, self.down)
        if largest > MAX_FACTOR:
            raise ConfigError(f"`rate`: {source_rate} Hz cannot be brought to {target_rate} Hz in a stream; choose 16000, 44100 or 48000")
        self.same = largest == 1
        reach = ZERO_CROSSINGS * largest
        width = (ATTENUATION_DB - 7.95) / (2.285 * 2.0 * np.pi * reach)  # Kaiser's rule; 1 is the Nyquist frequency
        taps = scipy.signal.firwin(2 * reach + 1, 1.0 / largest - width / 2.0, window=("kaiser", scipy.signal.kaiser_beta(ATTENUATION_DB)))
        self.reach = 0 if self.same else -(-reach // self.down) * self.down  # a multiple of `down`: outputs then fall on inputs' times
        self.taps = np.pad(taps * self.up, self.reach - reach) if not self.same else taps
        self.delay = self.reach / (self.up * source_rate)
        self.held, self.begin = np.zeros(0, dtype=np.float32), 0  # inputs from this one on; a multiple of `down`
        self.n_inputs = self.n_outputs = 0

    def push(self, samples: FloatArray) -> FloatArray:
        """(N,) to what can be computed so far, (M,) float32."""
        self.n_inputs += len(samples)
        if self.same:
            return np.asarray(samples, dtype=np.float32)
        self.held = np.concatenate([self.held, samples]).astype(np.float32)
        return self._up_to(((self.n_inputs - 1) * self.up - self.reach) // self.down + 1)

    def finish(self) -> FloatArray:
        """What is missing of as many seconds as came in."""
        end = -(-self.n_inputs * self.up // self.down)
        if self.same:
            return np.zeros(0, dtype=np.float32)
        self.held = np.pad(self.held, (0, -(-self.reach // self.up) + 1))
        return self._up_to(end)

    def _up_to(self, end: int) -> FloatArray:
        """Outputs from the next one to ``end``."""
        if end <= self.n_outputs:
            return np.zeros(0, dtype=np.float32)
        # Output m lies at m * down of the upsampled time, input j at j * up; the filter's middle is `reach` after its beginning.
        filtered = scipy.signal.upfirdn(self.taps, self.held, self.up, self.down)
        first = (self.reach - self.begin * self.up) // self.down
        made = filtered[self.n_outputs + first : end + first]
        self.n_outputs = end
        needed = (end * self.down - self.reach) // self.up  # the first input of the next output
        keep = max(self.begin, needed // self.down * self.down)
        self.held, self.begin = self.held[keep - self.begin :], keep
        return np.asarray(made, dtype=np.float32)
