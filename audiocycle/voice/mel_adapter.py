"""Voice as log-mel frames, the input that HiFi-GAN's published models expect.

Shape letters: N samples, T frames, M mel bands (``n_mels``), F = n_fft // 2 + 1 frequency bins.
Frame t covers the ``n_fft`` samples around sample t * hop_length + hop_length / 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from audiocycle.data.moments import Moments
from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import Direction, Encoded, FeatureSpec, FloatArray, InWeights, Stats
from audiocycle.system.compat import import_torchaudio
from audiocycle.system.limits import Limit, Range, Table, hold
from audiocycle.voice.level import speech_mask
from audiocycle.voice.lowest_levels import LowestLevels
from audiocycle.voice.options import VoiceOptions
from audiocycle.voice.sides import Items, VoiceSide

torchaudio = import_torchaudio()

LOUD_RANGE_DB = 35.0
"""Frames this far below an item's level of speech are silence to the statistics; some 40 dB below its loudest frame."""
STD_FLOOR = 1e-3
USUAL_RANGE = 4.0
"""Deviations."""
_BLOCK_FRAMES = 4096
LIMITS: dict[str, Limit] = {
    "sample_rate": Range(4000, 96000),
    "n_fft": Range(32, 8192),
    "win_length": Range(16, 8192),
    "hop_length": Range(8, 4096),
    "n_mels": Range(2, 256),
    "f_min": Range(0.0, 48000.0, whole=False),
    "f_max": Range(1.0, 48000.0, whole=False),
    "floor": Range(1e-30, 1.0, whole=False),
}
"""Of settings."""
LOG_MAGNITUDE, MOST_DEVIATION = 100.0, 50.0
"""Statistics of bands, which are natural logs of magnitudes."""
MAX_SPECTRUM_BYTES = 5_000_000
"""Of the complex spectrum of a second of sound; chunks have 30."""


@dataclass(frozen=True)
class MelAdapter(InWeights):
    """Log-mel analysis and its per-domain normalisation; the defaults are HiFi-GAN's at 22.05 kHz.

    Attributes:
        sample_rate: Hz; what ``analyze`` expects.
        n_fft, win_length, hop_length: samples; the Hann window is centred in ``n_fft``.
        n_mels: Slaney mel bands, each normalised to equal area.
        f_min, f_max: Hz; the range of the bands.
        floor: the least mel magnitude, so that silence has a logarithm.

    Raises:
        ConfigError: a value is impossible.
    """

    sample_rate: int = 22050
    n_fft: int = 1024
    win_length: int = 1024
    hop_length: int = 256
    n_mels: int = 80
    f_min: float = 0.0
    f_max: float = 8000.0
    floor: float = 1e-5

    renderers: ClassVar[tuple[str, ...]] = ("griffin_lim", "hifigan")
    shifts_pitch: ClassVar[bool] = False
    takes_guides: ClassVar[bool] = False
    analysis: ClassVar[int] = 2  # raised whenever the same recording gives other features than before

    def __post_init__(self) -> None:
        hold("adapter.", vars(self), LIMITS)
        if not 0 < self.hop_length <= self.win_length <= self.n_fft:
            raise ConfigError(
                "hop_length, win_length and n_fft must be positive and in rising order, "
                f"got {self.hop_length}, {self.win_length}, {self.n_fft}"
            )
        if not 0 <= self.f_min < self.f_max <= self.sample_rate / 2:
            raise ConfigError(
                f"mel bands must lie within 0 and {self.sample_rate / 2:g} Hz (half of sample_rate), "
                f"got f_min {self.f_min:g}, f_max {self.f_max:g}"
            )
        if self.n_mels > self.n_fft // 2 + 1:
            raise ConfigError(f"adapter.n_mels={self.n_mels}: choose {self.n_fft // 2 + 1} or fewer, as n_fft={self.n_fft} has bins")
        spectrum_bytes = 8 * (self.n_fft // 2 + 1) * self.spec.frame_rate
        if spectrum_bytes > MAX_SPECTRUM_BYTES:
            raise ConfigError(
                f"adapter.hop_length={self.hop_length}: would need {spectrum_bytes / 1e6:.1f} MB for each second of sound, and at most "
                f"{MAX_SPECTRUM_BYTES / 1e6:.0f} are allowed; choose a longer one, or a smaller n_fft"
            )

    @property
    def spec(self) -> FeatureSpec:
        """Shape (M,) at sample_rate / hop_length frames a second."""
        return FeatureSpec("voice", (self.n_mels,), self.sample_rate / self.hop_length)

    @property
    def known_statistics(self) -> dict[str, Table]:
        """What :meth:`fit` makes, and how large its numbers may be."""
        return {
            "mean": Table((self.n_mels, 1), -LOG_MAGNITUDE, LOG_MAGNITUDE),
            "std": Table((self.n_mels, 1), 0.1 * STD_FLOOR, MOST_DEVIATION),
            "lowest": Table((self.n_mels, 1), -LOG_MAGNITUDE, LOG_MAGNITUDE, required=False),  # bundles of 0.1.0 have none
        }

    @property
    def bandwidth(self) -> float:
        """Hz: where the highest band ends."""
        return self.f_max

    def analyze(self, samples: FloatArray, side: bool = True) -> Encoded[VoiceSide]:
        """Natural-log mel magnitudes of a waveform.

        Args:
            samples: (N,) floats in [-1, 1] at ``sample_rate``, N > 0.
            side: whether to say how many samples there are; training does not need it.

        Returns:
            Features (M, T) float32, T = N // hop_length and at least 1.

        Raises:
            InputError: the waveform is empty, not one-dimensional, or has NaN or infinite samples.
        """
        if samples.ndim != 1 or not len(samples):
            raise InputError(f"expected a mono waveform with at least one sample, got shape {samples.shape}")
        if not np.isfinite(samples).all():
            raise InputError("the waveform has NaN or infinite samples; export it again from its source")
        n_frames = max(1, len(samples) // self.hop_length)
        left = (self.n_fft - self.hop_length) // 2
        right = self.n_fft - self.hop_length - left
        # A reflection needs more samples than it adds: a very short waveform gets silence behind it first.
        tail = max(self.hop_length, right + 1) - len(samples)
        padded = np.pad(np.asarray(samples, np.float64), (0, max(0, tail)))
        padded = np.pad(padded, (left, right), mode="reflect")
        blocks = []
        for start in range(0, n_frames, _BLOCK_FRAMES):
            stop = min(start + _BLOCK_FRAMES, n_frames)
            covered = padded[start * self.hop_length : (stop - 1) * self.hop_length + self.n_fft]
            blocks.append(self._log_mel(torch.from_numpy(covered)))
        return Encoded(np.concatenate(blocks, axis=-1), VoiceSide(len(samples) if side else None))

    def _log_mel(self, samples: torch.Tensor) -> NDArray[np.float32]:
        """(N,) float64 samples, edges already padded, to (M, T)."""
        window = torch.hann_window(self.win_length, dtype=samples.dtype)
        spectrum = torch.stft(
            samples, self.n_fft, self.hop_length, self.win_length, window, center=False, return_complex=True
        )
        mel = mel_filters(self).to(samples.dtype) @ spectrum.abs()
        return np.asarray(mel.clamp(min=self.floor).log().float().numpy())

    def fit(self, items: Items) -> Stats:
        """Mean and standard deviation of each band over the frames that are not silence.

        Returns:
            ``{"mean", "std", "lowest"}``, all (M, 1) float32: the first two from the frames with speech (from all frames if every item
            is silent), the last the lowest value of each band but for one frame in a thousand and digital silence.

        Raises:
            InputError: there are no items, or no frames in them.
        """
        if not any(item.features.shape[-1] for item in items):
            raise InputError(f"mel statistics need at least one frame, got none in {len(items)} items")
        frames, levels = Moments(), LowestLevels(per_decibel=math.log(10.0) / 20.0)
        for item in items:
            loud = self.speech(item.features)
            frames.add(item.features[:, loud])
            levels.add(item.features, loud)
        if not frames.count:
            for item in items:
                frames.add(item.features)
        return {
            "mean": frames.mean.astype(np.float32),
            "std": np.maximum(frames.std, STD_FLOOR).astype(np.float32),
            "lowest": levels.lowest.astype(np.float32),
        }

    def speech(self, features: FloatArray) -> NDArray[np.bool_]:
        """(M, T) to (T,): which frames are above the floor and within ``LOUD_RANGE_DB`` of the level of speech, and no bumps."""
        power = np.exp(2 * features.astype(np.float64)).mean(axis=0)
        audible = (features > math.log(self.floor) + 1e-3).any(axis=0)
        return speech_mask(np.where(audible, power, 0.0), self.hop_length / self.sample_rate, LOUD_RANGE_DB)

    def familiarity(self, features: FloatArray) -> float | None:
        """None: a network hears what it was trained on."""
        return None

    def active_frames(self, features: FloatArray, stats: Stats) -> NDArray[np.bool_]:
        """(M, T) to (T,): which frames have a band above the lowest that a network is shown, or are speech, which may be quieter."""
        least = np.maximum(lowest(stats), math.log(self.floor) + 1e-3)
        return np.asarray(~((features <= least).all(axis=0) & ~self.speech(features)))

    def judged_frames(self, features: FloatArray) -> None:
        """None: nothing is put back of the variance that a network loses."""

    def for_voice(self, stats: Stats) -> Self:
        """Itself: no analysis depends on who speaks."""
        return self

    def for_stream(self, stats: Stats) -> None:
        """None: sound is made of whole recordings only."""

    def completing(self, limit: float, stats: Stats) -> None:
        """None: of bands that are missing the others say nothing."""

    def normalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        """(M, T) log-mel frames to zero mean and unit deviation in each band, float32; no band below its lowest in training."""
        return np.asarray((np.maximum(features, lowest(stats)) - stats["mean"]) / stats["std"], np.float32)

    def denormalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        """The inverse of ``normalize``."""
        return np.asarray(features * stats["std"] + stats["mean"], np.float32)

    def augment(self, crops: FloatArray, random: np.random.Generator) -> FloatArray:
        """Nothing is known that varies a voice and leaves it the same speaker's."""
        return crops

    def transfer(
        self, encoded: Encoded[VoiceSide], converted: FloatArray, direction: Direction, options: VoiceOptions
    ) -> Encoded[VoiceSide]:
        """The mel frames hold pitch and timbre alike, so the source's side goes along unchanged."""
        if converted.shape != encoded.features.shape:
            raise ValueError(f"converted features {converted.shape} for a source {encoded.features.shape}")
        return Encoded(np.asarray(converted, np.float32), encoded.side)

    def frames_to_render(self, encoded: Encoded[VoiceSide]) -> tuple[torch.Tensor, int]:
        """Log-mel frames (M, T) that cover the whole signal, and the signal's length N <= T * hop_length.

        Analysis drops the last incomplete hop: the last frame stands in for it. Values below the floor, which
        no analysis yields, rise to it. Where the side does not say how many samples there are, the signal is as long as its frames.

        Raises:
            InputError: the features have another shape than (M, T > 0), or NaN or infinite values.
        """
        features = encoded.features
        if features.ndim != 2 or features.shape[0] != self.n_mels or not features.shape[1]:
            raise InputError(f"expected log-mel features ({self.n_mels}, T > 0), got shape {features.shape}")
        if not np.isfinite(features).all():
            raise InputError("the log-mel features have NaN or infinite values; train the model again")
        given = encoded.side.n_samples
        n_samples = features.shape[1] * self.hop_length if given is None else given
        n_frames = max(1, math.ceil(n_samples / self.hop_length))
        missing = max(0, n_frames - features.shape[1])
        covering = np.pad(features[:, :n_frames], ((0, 0), (0, missing)), mode="edge")
        floored = np.maximum(covering, math.log(self.floor)).astype(np.float32)
        return torch.from_numpy(floored), n_samples


def lowest(stats: Stats) -> FloatArray:
    """(M, 1): the lowest values that a network is shown, a few deviations below the mean where statistics (of bundles of 0.1.0) do not say."""
    return stats["lowest"] if "lowest" in stats else stats["mean"] - USUAL_RANGE * stats["std"]


@lru_cache(maxsize=8)
def mel_filters(adapter: MelAdapter) -> torch.Tensor:
    """The adapter's Slaney filter bank, area-normalised, (M, F) float32."""
    bank: torch.Tensor = torchaudio.functional.melscale_fbanks(
        n_freqs=adapter.n_fft // 2 + 1,
        f_min=adapter.f_min,
        f_max=adapter.f_max,
        n_mels=adapter.n_mels,
        sample_rate=adapter.sample_rate,
        norm="slaney",
        mel_scale="slaney",
    )
    return bank.T.contiguous()
