"""WORLD's synthesis as a stream: feed frames in pieces of any length, get the waveform that all at once would give.

``pyworld.synthesize`` begins a new pulse train at every call, so pieces that it made do not fit together. Here the phase of the
pulses, the noise and the ringing of what has sounded are kept between calls. Only what lies after a frame in time depends on it
(all responses are causal), so samples come out as soon as the frame behind them is known.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from audiocycle.spec import FloatArray

UNVOICED_F0 = 500.0
"""Hz. The rate of WORLD's noise segments in unvoiced speech; here it shapes the noise's lowest frequencies only."""
APERIODICITY_RANGE = (0.001, 1.0 - 1e-12)
NO_PULSE = 0.999
"""A power ratio of noise at 0 Hz above this means that a voiced frame is noise altogether."""
POWER_FLOOR = 1e-12
NOISE_FLOOR = 1e-4
"""Power of the noise at 0 Hz beside the envelope's: -40 dB."""
GROUP = 128
"""So many responses are computed at a time: enough for the FFT, few enough for the processor's cache."""


class PulseSynthesizer:
    """WORLD synthesis (Morise, Yokomori & Ozawa 2016, section 2.4) that keeps its state from call to call.

    Voiced speech is a train of minimum-phase pulses of envelope x (1 - aperiodicity^2), at the times where the integral of the
    interpolated F0 passes whole numbers. To it comes noise through a minimum-phase filter of envelope x aperiodicity^2 (of the
    envelope in unvoiced frames). Two things differ from pyworld's, neither of them audible: the noise is cross-faded from frame
    to frame instead of switched from pulse to pulse, and the arc that takes the mean out of a pulse lies on the two periods behind
    it instead of half an FFT to either side, which would cost as much latency.

    Args:
        sample_rate: Hz.
        frame_period: ms between frames.
        fft_size: the envelopes have ``fft_size // 2 + 1`` bins.
        seed: of the noise.
    """

    def __init__(self, sample_rate: int, frame_period: float, fft_size: int, seed: int = 0) -> None:
        self.sample_rate, self.fft_size = sample_rate, fft_size
        self.period = sample_rate * frame_period / 1000.0
        self.random = np.random.default_rng(seed)
        n_bins = fft_size // 2 + 1
        self.turn = -2.0 * np.pi * np.arange(n_bins) / fft_size  # phase by bin of a delay by one sample
        self.hertz = np.arange(n_bins) * sample_rate / fft_size
        self.n_frames, self.n_samples = 0, 0
        self.f0 = np.zeros(0)  # this and the next two: the frame before the next one, once there is one
        self.envelope = self.aperiodicity = np.zeros((0, n_bins))
        self.cycles = 0.0  # of the pulse train up to the sample before the next one; its whole part is dropped
        self.noise = np.zeros(0)  # from sample noise_begin on, as far as drawn
        self.noise_begin = 0
        self.pending = np.zeros(0)  # from sample n_samples on, what sounds there so far

    def push(self, f0: FloatArray, envelope: FloatArray, aperiodicity: FloatArray) -> FloatArray:
        """The samples up to the last of these frames, (N,) float64, which go on where the last call ended.

        Args:
            f0: (T,) Hz, 0 where unvoiced; T >= 1.
            envelope: (T, bins), power.
            aperiodicity: (T, bins), amplitude ratios within [0, 1].
        """
        fresh = len(self.f0)  # 0 at the first call, else 1: the index below of the first new frame
        self.f0 = np.concatenate([self.f0, f0])
        self.envelope = np.concatenate([self.envelope, envelope])
        self.aperiodicity = np.concatenate([self.aperiodicity, np.clip(aperiodicity, *APERIODICITY_RANGE)])
        self.n_frames += len(f0)
        end = int((self.n_frames - 1) * self.period) + 1
        missing = end + self.fft_size + int(2 * self.period) + 2 - self.n_samples - len(self.pending)
        self.pending = np.pad(self.pending, (0, max(0, missing)))
        self._add_pulses(end)
        self._add_noise(fresh)
        ready, self.pending = self.pending[: end - self.n_samples], self.pending[end - self.n_samples :]
        self.n_samples = end
        self.f0, self.envelope, self.aperiodicity = self.f0[-1:], self.envelope[-1:], self.aperiodicity[-1:]
        return ready

    def _add_pulses(self, end: int) -> None:
        """Add the voiced pulses that begin before sample ``end``."""
        places = np.arange(self.n_samples, end) / self.period - (self.n_frames - len(self.f0))  # in frames from the first that is kept
        frames = np.arange(len(self.f0))
        voiced = np.interp(places, frames, self.f0 > 0)
        track = np.interp(places, frames, self.f0)
        rate = np.where(voiced > 0.5, track, UNVOICED_F0) / self.sample_rate
        cycles = np.concatenate([[self.cycles], self.cycles + np.cumsum(rate)])
        # A pulse lies between sample `before` (which may be the last of the call before) and the next one. WORLD takes its shape
        # from the frames around `before`, and lets it begin a sample later than it says; so does this.
        steps = np.flatnonzero(np.floor(cycles[1:]) > np.floor(cycles[:-1]))
        late = (np.floor(cycles[steps + 1]) - cycles[steps]) / rate[steps]
        self.cycles = cycles[-1] % 1.0
        begins = self.n_samples + steps
        places = np.maximum((begins - 1) / self.period - (self.n_frames - len(self.f0)), 0.0)
        sounding = np.interp(places, frames, self.f0 > 0) > 0.5
        begins, late, places, steps = begins[sounding], late[sounding], places[sounding], steps[sounding]
        # At the edge of a voiced part F0 is interpolated towards 0; the ratio is F0 without that.
        length = np.where(track[steps] > 0, self.sample_rate * voiced[steps] / np.maximum(track[steps], 1.0), 0.0)
        for at in range(0, len(begins), GROUP):
            group = slice(at, at + GROUP)
            self._overlap(begins[group], self._pulses(places[group], late[group], length[group]))

    def _pulses(self, places: FloatArray, late: FloatArray, length: FloatArray) -> FloatArray:
        """Responses (M, fft_size) to pulses at ``places`` (frames), ``late`` by parts of a sample, ``length`` samples apart."""
        lower = np.minimum(places.astype(int), len(self.f0) - 1)
        upper = np.minimum(lower + 1, len(self.f0) - 1)
        share = (places - lower)[:, None]
        envelope = (1.0 - share) * self.envelope[lower] + share * self.envelope[upper]
        noisy = ((1.0 - share) * self.aperiodicity[lower] + share * self.aperiodicity[upper]) ** 2
        spectrum = minimum_phase(np.log(envelope * (1.0 - noisy) + POWER_FLOOR) / 2.0)
        spectrum *= np.exp(1j * self.turn * late[:, None])
        response = scipy.fft.irfft(spectrum, self.fft_size, axis=1)
        response[:, self.fft_size // 2 :] = 0.0  # what wraps around would lie before the pulse
        response -= response.sum(axis=1, keepdims=True) * arcs(2.0 * length, self.fft_size)
        response *= (np.sqrt(length) * (noisy[:, 0] <= NO_PULSE))[:, None]
        return np.asarray(response)

    def _add_noise(self, fresh: int) -> None:
        """Add the filtered noise of the frames from ``fresh`` on, each faded in and out over one frame period beside it."""
        numbers = np.arange(self.n_frames - len(self.f0) + fresh, self.n_frames)
        width = int(2 * self.period) + 1
        begins = np.floor((numbers - 1) * self.period).astype(int) + 1
        self._draw_noise(int(begins[-1]) + width)
        for at in range(0, len(numbers), GROUP):
            group = slice(at, at + GROUP)
            index = begins[group, None] + np.arange(width)
            distance = np.abs(index / self.period - numbers[group, None])
            weight = np.where(distance < 1.0, 0.5 + 0.5 * np.cos(np.pi * distance), 0.0)
            # Nothing sounded before sample 0; where the weight is 0 any sample will do.
            excitation = np.where(index >= 0, self.noise[np.maximum(index - self.noise_begin, 0)], 0.0) * weight
            rows = slice(fresh + at, fresh + at + len(index))
            shaped = scipy.fft.rfft(excitation, self.fft_size, axis=1) * self._noise_filter(rows)
            self._overlap(begins[group], scipy.fft.irfft(shaped, self.fft_size, axis=1))
        keep = int((self.n_frames - 1) * self.period) + 1
        self.noise, self.noise_begin = self.noise[keep - self.noise_begin :], keep

    def _noise_filter(self, rows: slice) -> NDArray[np.complex128]:
        """(M, bins) of some of the kept frames. As in WORLD, the noise of each pitch period has a mean of zero."""
        f0 = self.f0[rows, None]
        power = self.envelope[rows] * np.where(f0 > 0, self.aperiodicity[rows] ** 2, 1.0)
        no_mean = 1.0 - np.sinc(self.hertz / np.where(f0 > 0, f0, UNVOICED_F0)) ** 2
        return minimum_phase(np.log(np.maximum(power * np.maximum(no_mean, NOISE_FLOOR), 1e-30)) / 2.0)

    def _draw_noise(self, end: int) -> None:
        missing = max(0, end - self.noise_begin - len(self.noise))
        self.noise = np.concatenate([self.noise, self.random.standard_normal(missing)])

    def _overlap(self, begins: NDArray[np.int_], responses: FloatArray) -> None:
        """Add (M, fft_size) responses where they begin, without what lies before sample 0."""
        for begin, response in zip((begins - self.n_samples).tolist(), responses, strict=True):
            cut = max(0, -begin)
            self.pending[begin + cut : begin + self.fft_size] += response[cut:]


def arcs(widths: FloatArray, size: int) -> FloatArray:
    """Hann windows (M, size) of a sum of 1, which begin at 0 and are ``widths`` samples wide, at most ``size``.

    A train of arcs two periods wide adds up to a constant: no harmonic has any of it.
    """
    samples, widths = np.arange(size), np.clip(widths, 2.0, size)[:, None]
    window = np.where(samples < widths, 0.5 - 0.5 * np.cos(2.0 * np.pi * samples / widths), 0.0)
    return np.asarray(window / window.sum(axis=1, keepdims=True))


def minimum_phase(log_amplitude: FloatArray) -> NDArray[np.complex128]:
    """Minimum-phase spectra (M, bins) with the given natural-log amplitudes (M, bins), by the folded cepstrum."""
    half = log_amplitude.shape[1] - 1
    cepstrum = scipy.fft.irfft(log_amplitude, 2 * half, axis=1)[:, : half + 1]
    cepstrum[:, 1:half] *= 2.0
    return np.asarray(np.exp(scipy.fft.rfft(cepstrum, 2 * half, axis=1)))
