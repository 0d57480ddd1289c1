"""WORLD features: F0, coded spectral envelope (mel-cepstrum) and aperiodicity.

pyworld works on float64 with time first, (T, D). It is turned around here and nowhere else: features leave as
(n_mcep, T) float32.

All of pyworld releases the GIL. A recording is analysed in pieces that threads share; how it is cut does not depend on
their number, so that the features do not either.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from audiocycle.data.moments import Moments
from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import Direction, Encoded, FeatureSpec, FloatArray, InWeights, Signal, Stats
from audiocycle.system.compat import import_pyworld
from audiocycle.system.limits import Limit, OneOf, Range, Switch, Table, hold
from audiocycle.system.threads import spread
from audiocycle.voice.ear import Ear
from audiocycle.voice.f0 import convert_f0, log_f0_stats
from audiocycle.voice.level import speech_mask
from audiocycle.voice.liveliness import with_power_of, with_variance
from audiocycle.voice.low_voice import Believed, least_share, lower_floor
from audiocycle.voice.lowest_levels import LowestLevels
from audiocycle.voice.missing_band import Completion
from audiocycle.voice.options import VoiceOptions
from audiocycle.voice.sides import Items, RecordingSide, VoiceSide
from audiocycle.voice.sound_file import resample

pyworld = import_pyworld()

F0_METHODS = ("dio", "harvest")
MIN_RATE = 16000
"""Hz. WORLD's D4C looks at the power at 7.9 kHz without asking whether there is such a frequency: below, it reads memory
that is not its own. Recordings of lower rates are resampled; a model's rate is this or more."""
GATE_DB = 35.0
"""Frames this far below a recording's level of speech are pauses, and do not enter a speaker's statistics. (The loudest frames lie about
5 dB above that level, so this is some 40 dB below those of clean recordings.)"""
DIGITAL_SILENCE = 1e-13
"""Power. WORLD puts its envelope of zeros at 1e-16, the step of 16 bits is at 1e-10."""
USUAL_RANGE = 4.0
"""Deviations. The lowest level that a network is shown lies so far below the mean, where statistics (of bundles of 0.1.0) do not say."""

F0_SECONDS, F0_CONTEXT_SECONDS = 3.5, 0.3
"""DIO filters a whole signal with one FFT, which costs twice as much for 30 s as for 4 s, a second, as the cache overflows.
So it gets pieces of at most the first length, with the second on either side. On a minute of speech no frame changed its
voicing, and none its F0 (with 0.1 s: 3 of 12,001 frames)."""
F0_FLOOR = Range(40.0, 300.0, whole=False)
"""D4C and its search for voicing know nothing below 40 and 47 Hz."""
LIMITS: dict[str, Limit] = {
    "sample_rate": Range(MIN_RATE, 96000),
    "frame_period": Range(1.0, 20.0, whole=False),
    "n_mcep": Range(2, 128),
    "f0_method": OneOf(F0_METHODS),
    "f0_floor": F0_FLOOR,
    "f0_ceil": Range(100.0, 2000.0, whole=False),
    "keep_energy": Switch(),
    "low_voice": Switch(between=True),
}
"""Of settings. WORLD sizes its buffers by some of them and writes by others, and asks about none: more coefficients than half of
the envelope's FFT are written behind their end, and a floor near 0 Hz asks for an FFT without end."""
COEFFICIENT, LEAST_DEVIATION, MOST_DEVIATION = 100.0, 1e-4, 50.0
"""Statistics of coefficients, which are natural logs of power: 100 are 434 dB."""
LOG_F0 = ((3.0, 0.0), (8.0, 2.0))
"""Least and most of the mean and the deviation of log F0: 20 to 2,981 Hz."""
MAX_SIDE_BYTES = 5_000_000
"""Of aperiodicity for a second of sound; chunks have 30, and three of them are in work."""
BLOCK_FRAMES = 128
"""Frames whose envelopes are made at once: they fit the cache, and 5 s are eight pieces of work."""


@dataclass(frozen=True)
class WorldAdapter(InWeights):
    """WORLD analysis (Morise et al. 2016) as features for a network, and back.

    Attributes:
        sample_rate: Hz.
        frame_period: ms between frames.
        n_mcep: coded spectral coefficients, c0 (level) included.
        f0_method: ``"dio"`` (with StoneMask; fast) or ``"harvest"`` (about 20 times slower, steadier on noise).
        f0_floor, f0_ceil: Hz.
        keep_energy: each converted frame keeps the power of the source's.
        low_voice: whether F0 is searched for from half an octave below ``f0_floor`` on; None: where a speaker's statistics say so (see
            :meth:`for_voice`), or without them where a recording's voice is low (see :mod:`audiocycle.voice.low_voice`).
    """

    sample_rate: int = 16000
    frame_period: float = 5.0
    n_mcep: int = 36
    f0_method: str = "dio"
    f0_floor: float = 71.0
    f0_ceil: float = 800.0
    keep_energy: bool = True
    low_voice: bool | None = None

    renderers: ClassVar[tuple[str, ...]] = ("world", "differential")
    shifts_pitch: ClassVar[bool] = True
    takes_guides: ClassVar[bool] = True
    analysis: ClassVar[int] = 3
    """Raised whenever the same recording gives other features than before, so that caches are made again."""

    def __post_init__(self) -> None:
        hold("adapter.", vars(self), LIMITS)
        if self.f0_ceil < 2 * self.f0_floor:
            raise ConfigError(f"adapter.f0_ceil={self.f0_ceil:g}: must be an octave above f0_floor={self.f0_floor:g}, or more")
        if 4 * self.n_mcep > self.fft_size:
            raise ConfigError(f"adapter.n_mcep={self.n_mcep}: choose {self.fft_size // 4} or fewer at this sample_rate and f0_floor")
        side_bytes = 8 * (self.fft_size // 2 + 1) * self.spec.frame_rate
        if side_bytes > MAX_SIDE_BYTES:
            raise ConfigError(
                f"adapter.frame_period={self.frame_period:g}: would need {side_bytes / 1e6:.1f} MB for each second of sound, and at most "
                f"{MAX_SIDE_BYTES / 1e6:.0f} are allowed; choose a longer one, or a lower sample_rate"
            )

    @property
    def spec(self) -> FeatureSpec:
        return FeatureSpec("voice", (self.n_mcep,), 1000.0 / self.frame_period)

    @property
    def known_statistics(self) -> dict[str, Table]:
        """What :meth:`fit` makes, and how large its numbers may be."""
        return {
            "mean": Table((self.n_mcep, 1), -COEFFICIENT, COEFFICIENT),
            "std": Table((self.n_mcep, 1), LEAST_DEVIATION, MOST_DEVIATION),
            "log_f0": Table((2,), *LOG_F0),
            "lowest": Table((1, 1), -COEFFICIENT, COEFFICIENT, required=False),  # bundles of 0.1.0 have neither
            "f0_floor": Table((1,), F0_FLOOR.low, F0_FLOOR.high, required=False),
        }

    @property
    def bandwidth(self) -> float:
        """Hz: half of the sample rate."""
        return self.sample_rate / 2.0

    @property
    def fft_size(self) -> int:
        """Points of the spectral envelope's FFT; the envelope has ``fft_size // 2 + 1`` bins."""
        return int(pyworld.get_cheaptrick_fft_size(self.sample_rate, self.f0_floor))

    def analyze(self, samples: FloatArray, side: bool = True) -> Encoded[VoiceSide]:
        """Features of (N,) samples at ``sample_rate``; any N >= 1.

        Args:
            side: False leaves aperiodicity out (training needs features and F0 only: about a third faster).

        Returns:
            features (n_mcep, T); beside them F0, the floor of its search and the number of samples, and with ``side`` aperiodicity
            (T, bins) and the samples themselves.
        """
        # WORLD reads before it checks: fewer samples than a few pitch periods crash or give no frame.
        x = np.pad(samples, (0, max(0, 4 * self.fft_size - len(samples)))).astype(np.float64)
        n_frames = self.frames(len(samples))
        track, times, floor = self.searched_f0(x)
        f0, times = track[:n_frames], times[:n_frames]
        mcep = np.empty((self.n_mcep, n_frames), dtype=np.float32)
        ap = np.empty((n_frames, self.fft_size // 2 + 1)) if side else None

        def analyze_block(begin: int) -> None:
            block = slice(begin, begin + BLOCK_FRAMES)
            mcep[:, block] = self.coded_envelope(x, f0[block], times[block]).T
            if ap is not None:
                ap[block] = self.aperiodicity(x, f0[block], times[block])

        spread(analyze_block, range(0, n_frames, BLOCK_FRAMES))
        return Encoded(mcep, VoiceSide(len(samples), f0, floor, ap, samples if side else None))

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
        f0, times, _ = self.searched_f0(x)
        return f0, times

    def searched_f0(self, x: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """As :meth:`f0_track`, and the Hz from which on F0 was searched for."""
        times: FloatArray = np.arange(self.frames(len(x))) * self.frame_period / 1000.0
        usual, floor = self._f0_from(x, self.f0_floor), lower_floor(self.f0_floor)
        least = least_share(usual, self.f0_floor) if self.low_voice is None else 0.0 if self.low_voice else None
        if floor is None or least is None:
            return usual, times, self.f0_floor
        low = self._f0_from(x, floor)
        believed = Believed(x, self.sample_rate, low, times, self.f0_floor)
        if believed.share(usual) < least:
            return usual, times, self.f0_floor
        return np.where(believed.low & ~believed.voice, usual, low), times, floor

    def _f0_from(self, x: FloatArray, floor: float) -> FloatArray:
        """The track (T,) from a floor on, in pieces."""
        n_frames, hop = self.frames(len(x)), self.sample_rate * self.frame_period / 1000.0
        bounds = np.linspace(0, n_frames, max(1, round(np.ceil(len(x) / (F0_SECONDS * self.sample_rate)))) + 1).astype(int)
        context = round(1000.0 * F0_CONTEXT_SECONDS / self.frame_period)

        def track(piece: tuple[int, int]) -> FloatArray:
            begin, end = piece
            first, last = max(0, begin - context), end + context
            part = x[round(first * hop) : round(last * hop) if last < n_frames else None]
            return self._f0(part, floor)[begin - first : end - first]

        return np.concatenate(spread(track, pairwise(bounds)))

    def _f0(self, x: FloatArray, floor: float) -> FloatArray:
        limits = {"f0_floor": floor, "f0_ceil": self.f0_ceil, "frame_period": self.frame_period}
        method = pyworld.harvest if self.f0_method == "harvest" else pyworld.dio
        f0, times = method(x, self.sample_rate, **limits)
        if self.f0_method == "dio":
            f0 = pyworld.stonemask(x, f0, times, self.sample_rate)
        made: FloatArray = f0
        return made

    def coded_envelope(self, x: FloatArray, f0: FloatArray, times: FloatArray) -> FloatArray:
        """Mel-cepstrum (T, n_mcep) of the frames at ``times``."""
        coded: FloatArray = pyworld.code_spectral_envelope(self.power_envelope(x, f0, times), self.sample_rate, self.n_mcep)
        return coded

    def power_envelope(self, x: FloatArray, f0: FloatArray, times: FloatArray) -> FloatArray:
        """Power spectral envelope (T, bins) of the frames at ``times``, by CheapTrick.

        Whose windows are three periods long, and take a voice whose do not fit the FFT for one of 500 Hz: so it gets a longer one then.
        """
        lowest = float(np.min(f0, where=f0 > 0, initial=self.f0_floor))
        fft_size = max(self.fft_size, int(pyworld.get_cheaptrick_fft_size(self.sample_rate, lowest)))
        sp: FloatArray = pyworld.cheaptrick(x, f0, times, self.sample_rate, f0_floor=lowest, fft_size=fft_size)
        return np.ascontiguousarray(sp[:, :: fft_size // self.fft_size])

    def aperiodicity(self, x: FloatArray, f0: FloatArray, times: FloatArray) -> FloatArray:
        """Aperiodicity (T, bins) of consecutive frames, by D4C at every second one.

        D4C is the dearest analysis, its windows are four pitch periods long, and from frame to frame its values, one for
        each 3 kHz, are noisy. So a frame between two voiced ones gets their mean in dB. Sound made with it differs from
        sound made with all of D4C by 0.17 dB log-spectral distance, 0.14 dB mel-cepstral distortion, on 20 s of speech at
        16 kHz (every third frame: 0.22 and 0.18); D4C works on 53 % of the voiced frames (40 %).

        At the borders of voiced stretches, and where D4C finds one of the two neighbours unvoiced, it is asked.
        """

        def d4c(frames: NDArray[np.intp]) -> FloatArray:
            found: FloatArray = pyworld.d4c(x, f0[frames], times[frames], self.sample_rate, fft_size=self.fft_size)
            return found

        voiced = f0 > 0
        between = np.zeros(len(f0), dtype=bool)
        between[1:-1:2] = (voiced[:-2] & voiced[1:-1] & voiced[2:])[::2]
        ap = np.empty((len(f0), self.fft_size // 2 + 1))
        ap[~between] = d4c(np.flatnonzero(~between))
        odd = np.flatnonzero(between)
        noise = ap[:, 0] > 0.5  # a voiced frame's begins at -60 dB
        border = noise[odd - 1] != noise[odd + 1]
        if border.any():
            ap[odd[border]] = d4c(odd[border])
        inner = odd[~border]
        ap[inner] = np.sqrt(ap[inner - 1] * ap[inner + 1])
        return ap

    def fit(self, items: Items) -> Stats:
        """Mean and deviation of coefficients over frames with speech, of log F0 over voiced frames; the lowest level c0 of the recordings,
        but for one frame in a thousand and digital silence; and from where on F0 of this voice is to be searched for.

        Raises:
            InputError: no item has a voiced frame.
        """
        log_f0 = log_f0_stats(f0_of(item.side) for item in items)
        if log_f0 is None:
            raise InputError("no voiced frame in any of the recordings; are these recordings of speech?")
        speech, levels = Moments(), LowestLevels()
        for item in items:
            spoken = self.speech(item.features)
            speech.add(item.features[:, spoken])
            levels.add(item.features[:1], spoken)
        return {
            "mean": speech.mean.astype(np.float32),
            "std": np.maximum(speech.std, 1e-3).astype(np.float32),
            "log_f0": np.array(log_f0, dtype=np.float32),
            "lowest": levels.lowest.astype(np.float32),
            "f0_floor": np.array([self._floor_of(items)], dtype=np.float32),
        }

    def _floor_of(self, items: Items) -> float:
        """That of most voiced frames."""
        given = (item.side.f0_floor for item in items)
        floors = [self.f0_floor if floor is None else float(np.ravel(floor)[0]) for floor in given]
        voiced = [int((f0_of(item.side) > 0).sum()) for item in items]
        low = sum(n for n, floor in zip(voiced, floors, strict=True) if self._is_lower(floor))
        return min(floors) if 2 * low > sum(voiced) else self.f0_floor

    def for_voice(self, stats: Stats) -> Self:
        """The adapter for recordings of a speaker with these statistics, which say whether the voice is low: no recording is asked then."""
        if "f0_floor" not in stats or self.low_voice is not None:
            return self
        return replace(self, low_voice=self._is_lower(float(stats["f0_floor"][0])))

    def for_stream(self, stats: Stats) -> WorldAdapter | None:
        """Harvest takes longer than what it analyses, and a block says nothing of how low a voice is."""
        return replace(self, f0_method="dio", low_voice=bool(self.for_voice(stats).low_voice))

    def ear(self) -> Ear:
        """What shows a network a stream."""
        return Ear()

    def completing(self, limit: float, stats: Stats) -> WorldAdapter | None:
        """See :mod:`audiocycle.voice.missing_band`; None where nothing is known of the speaker."""
        if not stats:
            return None
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        return CompletingAdapter(**settings, completion=Completion.of(self.n_mcep, self.sample_rate, limit, stats))

    def _is_lower(self, floor: float) -> bool:
        """Whether F0 was searched for from below the usual floor on; statistics are float32."""
        return floor < 0.99 * self.f0_floor

    def lowest(self, stats: Stats) -> FloatArray:
        """The lowest level c0 that a network is shown of a speaker with these statistics, (1,).

        Digital silence and dither lie up to ten deviations below a recording's own pauses, and one such frame among a hundred moves
        the instance norms of a whole chunk.
        """
        found: FloatArray = stats["lowest"][0] if "lowest" in stats else stats["mean"][0] - USUAL_RANGE * stats["std"][0]
        return found

    def normalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        """To mean 0 and deviation 1; c0 not below :meth:`lowest`."""
        normal = ((features - stats["mean"]) / stats["std"]).astype(np.float32)
        lowest = ((self.lowest(stats) - stats["mean"][0]) / stats["std"][0]).astype(np.float32)
        normal[..., 0, :] = np.maximum(normal[..., 0, :], lowest)
        return normal

    def denormalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        return (features * stats["std"] + stats["mean"]).astype(np.float32)

    def speech(self, features: FloatArray) -> NDArray[np.bool_]:
        """See :func:`speech_frames`."""
        return speech_frames(features, self.frame_period / 1000.0)

    def familiarity(self, features: FloatArray) -> float | None:
        """None: a network hears what it was trained on."""
        return None

    def active_frames(self, features: FloatArray, stats: Stats) -> NDArray[np.bool_]:
        """Mask (T,) of the frames louder than :meth:`lowest`, and those of speech, which may be quieter than the training's."""
        return np.asarray(~((features[0] <= self.lowest(stats)) & ~self.speech(features)))

    def judged_frames(self, features: FloatArray) -> NDArray[np.bool_]:
        """Those with speech."""
        return self.speech(features)

    def augment(self, crops: FloatArray, random: np.random.Generator) -> FloatArray:
        """Nothing is known that varies a voice and leaves it the same speaker's."""
        return crops

    def transfer(
        self, encoded: Encoded[VoiceSide], converted: FloatArray, direction: Direction, options: VoiceOptions
    ) -> Encoded[VoiceSide]:
        """Converted coefficients with the source's aperiodicity and its F0 moved to the target's register."""
        source, target = direction.source.stats, direction.target.stats
        converted = with_variance(converted, direction, options.variance)
        if self.keep_energy:
            converted = with_power_of(encoded.features, converted, self.sample_rate)
        register = source if options.pitch == "keep" else target
        f0 = convert_f0(f0_of(encoded.side), _pair(source["log_f0"]), _pair(register["log_f0"]), options.pitch_shift)
        ceiling = 0.45 * self.sample_rate
        return Encoded(converted, replace(encoded.side, f0=np.minimum(f0, ceiling), source_features=encoded.features))


@dataclass(frozen=True)
class CompletingAdapter(WorldAdapter):
    """The analysis of recordings with a missing band; all else is the adapter's."""

    completion: Completion | None = None

    def coded_envelope(self, x: FloatArray, f0: FloatArray, times: FloatArray) -> FloatArray:
        assert self.completion is not None
        return self.completion.coded(self.power_envelope(x, f0, times), self.sample_rate)


def track_f0(signal: Signal) -> FloatArray:
    """The F0 track of a waveform of any rate, (T,) in Hz, a frame every 5 ms, for pictures."""
    adapter = WorldAdapter()
    samples = resample(np.asarray(signal.samples), signal.sample_rate, adapter.sample_rate)
    x = np.pad(samples, (0, max(0, 4 * adapter.fft_size - len(samples)))).astype(np.float64)
    return adapter.f0_track(x)[0][: adapter.frames(len(samples))]


def speech_frames(features: FloatArray, frame_seconds: float = 0.005) -> NDArray[np.bool_]:
    """Mask (T,) of the frames within :data:`GATE_DB` of the level of speech, and no bumps, from (n_mcep, T).

    c0 of WORLD's coding is the mean natural-log power of a frame.
    """
    power = np.exp(features[0].astype(np.float64))
    return speech_mask(np.where(power > DIGITAL_SILENCE, power, 0.0), frame_seconds, GATE_DB)


def f0_of(side: RecordingSide | VoiceSide) -> FloatArray:
    """The track (T,) that this analysis puts beside its features."""
    assert side.f0 is not None
    return side.f0


def _pair(values: FloatArray) -> tuple[float, float]:
    return float(values[0]), float(values[1])
