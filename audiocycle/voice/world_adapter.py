"""WORLD features: F0, coded spectral envelope (mel-cepstrum) and aperiodicity.

pyworld works on float64 with time first, (T, D). It is turned around here and nowhere else: features leave as
(n_mcep, T) float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from audiocycle.compat import import_pyworld
from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import Encoded, FeatureSpec, FloatArray, Signal, Stats
from audiocycle.voice.f0 import convert_f0, log_f0_stats
from audiocycle.voice.sound_file import resample

pyworld = import_pyworld()

F0_METHODS = ("dio", "harvest")
MIN_RATE = 16000
"""Hz. WORLD's D4C looks at the power at 7.9 kHz without asking whether there is such a frequency: below, it reads memory
that is not its own. Recordings of lower rates are resampled; a model's rate is this or more."""
GATE_DB = 40.0
"""Frames this far below the loudest of a recording are pauses, and do not enter a speaker's statistics."""


@dataclass(frozen=True)
class WorldAdapter:
    """WORLD analysis (Morise et al. 2016) as features for a network, and back.

    Attributes:
        sample_rate: Hz.
        frame_period: ms between frames.
        n_mcep: coded spectral coefficients, c0 (level) included.
        f0_method: ``"dio"`` (with StoneMask; fast) or ``"harvest"`` (about 20 times slower, steadier on noise).
        f0_floor, f0_ceil: Hz.
        keep_energy: put the source's level contour (c0) in place of the converted one.
    """

    sample_rate: int = 16000
    frame_period: float = 5.0
    n_mcep: int = 36
    f0_method: str = "dio"
    f0_floor: float = 71.0
    f0_ceil: float = 800.0
    keep_energy: bool = True

    renderers: ClassVar[tuple[str, ...]] = ("world", "differential")
    shifts_pitch: ClassVar[bool] = True
    analysis: ClassVar[int] = 1
    """Raised whenever the same recording gives other features than before, so that caches are made again."""

    def __post_init__(self) -> None:
        if self.f0_method not in F0_METHODS:
            raise ConfigError(f"adapter.f0_method={self.f0_method}: unknown; choose one of {', '.join(F0_METHODS)}")
        if self.sample_rate < MIN_RATE:
            raise ConfigError(f"adapter.sample_rate={self.sample_rate}: WORLD needs {MIN_RATE} Hz or more")

    @property
    def spec(self) -> FeatureSpec:
        return FeatureSpec("voice", (self.n_mcep,), 1000.0 / self.frame_period)

    @property
    def fft_size(self) -> int:
        """Points of the spectral envelope's FFT; the envelope has ``fft_size // 2 + 1`` bins."""
        return int(pyworld.get_cheaptrick_fft_size(self.sample_rate, self.f0_floor))

    def analyze(self, samples: FloatArray, side: bool = True) -> Encoded:
        """Features of (N,) samples at ``sample_rate``; any N >= 1.

        Args:
            side: False leaves aperiodicity out (training needs features and F0 only: about a third faster).

        Returns:
            features (n_mcep, T); side ``f0`` (T,), ``n_samples``, and with ``side`` ``ap`` (T, bins) and
            ``samples`` (N,).
        """
        # WORLD reads before it checks: fewer samples than a few pitch periods crash or give no frame.
        x = np.pad(samples, (0, max(0, 4 * self.fft_size - len(samples)))).astype(np.float64)
        n_frames = self.frames(len(samples))
        f0, times = self.f0_track(x)
        kept: dict[str, object] = {"f0": f0[:n_frames], "n_samples": len(samples)}
        with ThreadPoolExecutor(1) as beside:  # pyworld releases the GIL: both analyses need F0 only
            if side:
                aperiodicity = beside.submit(pyworld.d4c, x, f0, times, self.sample_rate, fft_size=self.fft_size)
            sp = pyworld.cheaptrick(x, f0, times, self.sample_rate, f0_floor=self.f0_floor, fft_size=self.fft_size)
            mcep = pyworld.code_spectral_envelope(sp, self.sample_rate, self.n_mcep)
            if side:
                kept |= {"ap": aperiodicity.result()[:n_frames], "samples": samples}
        return Encoded(np.ascontiguousarray(mcep.T[:, :n_frames], dtype=np.float32), kept)

    def frames(self, n_samples: int) -> int:
        """How many frames WORLD makes of ``n_samples``; rounds in the same order as WORLD does."""
        return int(1000.0 * n_samples / self.sample_rate / self.frame_period) + 1

    def envelope(self, features: FloatArray) -> FloatArray:
        """(n_mcep, T) to the power spectral envelope (T, bins), float64."""
        mcep = np.ascontiguousarray(features.T, dtype=np.float64)
        envelope: FloatArray = pyworld.decode_spectral_envelope(mcep, self.sample_rate, self.fft_size)
        return envelope

    def f0_track(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """F0 in Hz (0 is unvoiced) and frame times in seconds, both (T,), of (N,) float64 samples."""
        limits = {"f0_floor": self.f0_floor, "f0_ceil": self.f0_ceil, "frame_period": self.frame_period}
        if self.f0_method == "harvest":
            f0, times = pyworld.harvest(x, self.sample_rate, **limits)
            return f0, times
        raw, times = pyworld.dio(x, self.sample_rate, **limits)
        return pyworld.stonemask(x, raw, times, self.sample_rate), times

    def fit(self, items: Sequence[Encoded]) -> Stats:
        """Mean and deviation of coefficients over frames with speech, of log F0 over voiced frames.

        Raises:
            InputError: no item has a voiced frame.
        """
        log_f0 = log_f0_stats(item.side["f0"] for item in items)
        if log_f0 is None:
            raise InputError("no voiced frame in any of the recordings; are these recordings of speech?")
        speech = np.concatenate([item.features[:, speech_frames(item.features)] for item in items], axis=1)
        return {
            "mean": speech.mean(axis=1, keepdims=True),
            "std": np.maximum(speech.std(axis=1, keepdims=True), 1e-3),
            "log_f0": np.array(log_f0, dtype=np.float32),
        }

    def normalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        return ((features - stats["mean"]) / stats["std"]).astype(np.float32)

    def denormalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        return (features * stats["std"] + stats["mean"]).astype(np.float32)

    def augment(self, crops: FloatArray, random: np.random.Generator) -> FloatArray:
        """Nothing is known that varies a voice and leaves it the same speaker's."""
        return crops

    def transfer(
        self, encoded: Encoded, converted: FloatArray, source: Stats, target: Stats, options: Any
    ) -> Encoded:
        """Converted coefficients with the source's aperiodicity and its F0 moved to the target's register."""
        if self.keep_energy:
            converted = np.concatenate([encoded.features[:1], converted[1:]])
        f0 = convert_f0(encoded.side["f0"], _pair(source["log_f0"]), _pair(target["log_f0"]), options.pitch_shift)
        ceiling = 0.45 * self.sample_rate
        return Encoded(converted, encoded.side | {"f0": np.minimum(f0, ceiling), "source_features": encoded.features})


def track_f0(signal: Signal) -> FloatArray:
    """The F0 track of a waveform of any rate, (T,) in Hz, a frame every 5 ms, for pictures."""
    adapter = WorldAdapter()
    samples = resample(np.asarray(signal.samples), signal.sample_rate, adapter.sample_rate)
    x = np.pad(samples, (0, max(0, 4 * adapter.fft_size - len(samples)))).astype(np.float64)
    return adapter.f0_track(x)[0][: adapter.frames(len(samples))]


def speech_frames(features: FloatArray) -> NDArray[np.bool_]:
    """Mask (T,) of the frames within :data:`GATE_DB` of the loudest, from (n_mcep, T).

    c0 of WORLD's coding is the mean natural-log power of a frame: one unit is 10 / ln 10 = 4.34 dB.
    """
    level_db = features[0] * (10.0 / np.log(10.0))
    return np.asarray(level_db >= level_db.max() - GATE_DB)


def _pair(values: FloatArray) -> tuple[float, float]:
    return float(values[0]), float(values[1])
