"""Mel frames to sound without a trained vocoder: inverse mel, then Griffin-Lim.

Shape letters: N samples, T frames, M mel bands, F frequency bins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import pad

from audiocycle.errors import ConfigError
from audiocycle.spec import Encoded, Signal
from audiocycle.system.compat import import_torchaudio
from audiocycle.voice.mel_adapter import MelAdapter, mel_filters
from audiocycle.voice.sides import VoiceSide

torchaudio = import_torchaudio()

MOMENTUM = 0.99
_NNLS_STEPS = 100


@dataclass(frozen=True)
class GriffinLimRenderer:
    """Fast Griffin-Lim (Perraudin et al. 2013) on magnitudes that fit the mel frames, without random numbers.

    Attributes:
        adapter: how the mel frames were made.
        n_iter: phase iterations; more of them sound less metallic.

    Raises:
        ConfigError: ``n_iter`` is below 1, or the adapter's frames overlap too little to hold a phase.
    """

    adapter: MelAdapter
    n_iter: int = 60

    def __post_init__(self) -> None:
        if self.n_iter < 1:
            raise ConfigError(f"n_iter must be at least 1, got {self.n_iter}")
        if 2 * self.adapter.hop_length > self.adapter.win_length:
            raise ConfigError(
                f"Griffin-Lim needs frames that overlap by half: hop_length {self.adapter.hop_length} "
                f"is more than half of win_length {self.adapter.win_length}"
            )

    @torch.no_grad()
    def render(self, encoded: Encoded[VoiceSide]) -> Signal:
        """Sound of as many samples as the side says (T * hop_length where it does not), clipped to [-1, 1].

        Raises:
            InputError: the features do not fit the adapter.
        """
        adapter = self.adapter
        log_mel, n_samples = adapter.frames_to_render(encoded)
        # torchaudio centres frame t on sample t * hop, the adapter half a hop later. Extra frames on both
        # sides, cut off again, align the two and keep the reflected edges out of the sound.
        margin = adapter.n_fft // (2 * adapter.hop_length) + 1
        log_mel = pad(log_mel[None], (margin, margin), mode="replicate")[0]
        lead = adapter.n_fft // 2 - (adapter.n_fft - adapter.hop_length) // 2
        start = margin * adapter.hop_length - lead
        samples: torch.Tensor = torchaudio.functional.griffinlim(
            linear_magnitudes(log_mel.exp(), mel_filters(adapter)),
            window=torch.hann_window(adapter.win_length),
            n_fft=adapter.n_fft,
            hop_length=adapter.hop_length,
            win_length=adapter.win_length,
            power=1.0,
            n_iter=self.n_iter,
            momentum=MOMENTUM,
            length=None,
            rand_init=False,
        )
        sound = samples[start : start + n_samples].clamp(-1.0, 1.0)
        return Signal(np.asarray(sound.numpy()), adapter.sample_rate)


def linear_magnitudes(mel: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """Non-negative least squares: magnitudes (F, T) that bring ``filters @ magnitudes`` close to ``mel``.

    Args:
        mel: (M, T) mel magnitudes.
        filters: (M, F) filter bank.
    """
    step = float(1.0 / torch.linalg.matrix_norm(filters, ord=2).square())
    start: torch.Tensor = torch.linalg.pinv(filters) @ mel
    magnitudes = previous = start.clamp(min=0.0)
    for k in range(_NNLS_STEPS):  # projected gradient with Nesterov's momentum
        ahead = magnitudes + (k / (k + 3)) * (magnitudes - previous)
        previous = magnitudes
        magnitudes = (ahead - step * (filters.T @ (filters @ ahead - mel))).clamp(min=0.0)
    return magnitudes
