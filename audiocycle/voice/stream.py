"""Voice conversion while somebody speaks: samples come in as blocks, and go out converted a fraction of a second later.

Every block of new samples is analysed with what was heard before it and with a look-ahead behind it; its features go through the
network together with the second before; pulses and noise go on where the last block ended. Nothing waits for the end, as the
offline path (:mod:`audiocycle.voice.recording`) does with the loudness: the gain follows slowly instead.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from audiocycle.errors import ConfigError
from audiocycle.spec import Encoded, FloatArray
from audiocycle.voice.ear import WINDOW_FRAMES, Ear
from audiocycle.voice.level import (
    FRAME_SECONDS,
    MAX_GAIN,
    RunningLevel,
    frame_energies,
    silence_envelope,
    soft_clip,
)
from audiocycle.voice.liveliness import with_power_of
from audiocycle.voice.low_cut import StreamLowCut
from audiocycle.voice.pulse_synthesis import PulseSynthesizer
from audiocycle.voice.recording import check_sound
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.stream_resampler import StreamResampler
from audiocycle.voice.world_adapter import WorldAdapter, f0_of

BLOCK_SECONDS = 0.1
LONGEST_SECONDS = 0.28
"""Of a block and its look-ahead: with two resamplers, 0.3 s of latency."""
F0_CONTEXT_SECONDS = 0.4
"""Heard before a block by DIO, which decides on voicing by the length of a voiced stretch."""
EDGE_SECONDS = 0.01
"""Frames nearer to the last sample are not shown to the network: half of their window is missing."""
GRID_FRAMES = 4
"""Windows begin at its multiples, as recordings do: a network that halves the frames twice gives something else (1.5 dB of MCD)
for a window that begins a frame later."""
FADE_FRAMES = 8
"""Frames over which one block's conversion passes into the next one's."""
SILENCE_POWER = 1e-16

Translate = Callable[[Encoded[VoiceSide]], Encoded[VoiceSide]]
"""What the network is shown, with its F0, to converted features with theirs."""


class StreamConverter:
    """Converts a stream at the model's rate. Output sample i belongs to input sample i.

    A sample comes out of :meth:`push` when the block that it is in is complete and the look-ahead behind it is there: at most
    :attr:`latency` seconds after it went in. Blocks are counted from the first sample, whatever is pushed at a time.

    Args:
        adapter: the model's.
        translate: what the ear shows it, to (n_mcep, T).
        block_seconds: rounded to a multiple of 10 ms.
        ear: what the network is shown, and how far it looks ahead.

    Raises:
        ConfigError: the block is too long or too short, or too long for the network's window.
    """

    def __init__(self, adapter: WorldAdapter, translate: Translate, block_seconds: float = BLOCK_SECONDS, ear: Ear | None = None) -> None:
        self.ear = ear or Ear()
        check_block(block_seconds, self.ear.ahead_seconds)
        self.adapter, self.translate, self.sample_rate = adapter, translate, adapter.sample_rate
        self.period = adapter.sample_rate * adapter.frame_period / 1000.0
        self.frame = round(FRAME_SECONDS * self.sample_rate)
        self.block = round(block_seconds / FRAME_SECONDS) * self.frame
        self.ahead = round(self.ear.ahead_seconds / FRAME_SECONDS) * self.frame
        self.edge = round(EDGE_SECONDS * self.sample_rate)
        if (self.block + self.ahead) / self.period > 0.75 * WINDOW_FRAMES:
            raise ConfigError(f"adapter.frame_period={adapter.frame_period:g}: too short for live conversion, whose network sees {WINDOW_FRAMES} frames")
        self.before = round(F0_CONTEXT_SECONDS * 1000.0 / adapter.frame_period)  # frames
        self.sound = round(self.ear.sound_seconds * adapter.sample_rate)
        self.clear()

    @property
    def latency(self) -> float:
        """Seconds from a sample's arrival until it is sure to have come out, on an infinitely fast machine."""
        return (self.block + self.ahead) / self.sample_rate

    def clear(self) -> None:
        """Begin anew, as with another recording."""
        self.held = np.zeros(max(round(self.before * self.period), self.sound), dtype=np.float32)  # silence was before the first sample
        self.held_begin = -len(self.held)  # the number of its first sample
        self.fresh: list[FloatArray] = []  # pushed since the last block
        self.n_inputs = self.n_outputs = self.n_frames = 0
        self.past = np.zeros((self.adapter.n_mcep, 0), dtype=np.float32)  # the network's context
        self.past_f0 = np.zeros(0)
        self.foreseen = self.past  # what the last block made of the look-ahead, which is the next block's beginning
        self.early = np.zeros(0)  # synthesised of the next block
        self.synthesizer = PulseSynthesizer(self.sample_rate, self.adapter.frame_period, self.adapter.fft_size)
        self.gain = RunningGain(self.block / self.sample_rate)
        self.ear.clear()

    def push(self, samples: FloatArray) -> FloatArray:
        """Take (N,) samples, and return those that are ready, (M,) float32: none, or whole blocks."""
        self.fresh.append(np.asarray(samples, dtype=np.float32))
        self.n_inputs += len(samples)
        made = []
        while self.n_inputs >= self.n_outputs + self.block + self.ahead:
            made.append(self._block())
        return np.concatenate(made) if made else np.zeros(0, dtype=np.float32)

    def finish(self) -> FloatArray:
        """What is missing of as many samples as came in; the end is followed by silence."""
        missing = self.n_inputs - self.n_outputs
        made = self.push(np.zeros(self.block + self.ahead, dtype=np.float32)) if missing else np.zeros(0, dtype=np.float32)
        return made[:missing]

    def _block(self) -> FloatArray:
        """The next block, (block,)."""
        begin, end = self.n_outputs, self.n_outputs + self.block
        first, heard = round((self.n_frames - self.before) * self.period), end + self.ahead
        self.held = np.concatenate([self.held, *self.fresh])
        self.fresh.clear()
        over = max(0, min(first, heard - self.sound) - self.held_begin)
        self.held, self.held_begin = self.held[over:], self.held_begin + over
        samples = self.held[first - self.held_begin : heard - self.held_begin].astype(np.float64)
        n_final = int(np.ceil(end / self.period)) + 1 - self.n_frames
        n_shown = int((heard - self.edge) / self.period) // GRID_FRAMES * GRID_FRAMES - self.n_frames
        frames = self._converted(samples, n_final, n_shown) if samples.any() else self._silence(n_final)
        self.n_frames += n_final
        made = np.concatenate([self.early, self.synthesizer.push(*frames)])
        check_sound(made, float(np.abs(samples).max(initial=0.0)), "stream")
        self.early, made = made[self.block :], made[: self.block]
        self.n_outputs = end
        return self._levelled(samples[begin - self.frame - first :], made)

    def _converted(self, x: FloatArray, n_final: int, n_shown: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """F0, envelope and aperiodicity of the next ``n_final`` frames, which begin ``before`` frames after x does."""
        adapter, new = self.adapter, slice(self.before, self.before + n_shown)
        f0, times = (track[new] for track in adapter.f0_track(x))
        mcep = adapter.coded_envelope(x, f0, times).T.astype(np.float32)
        aperiodicity = adapter.aperiodicity(x, f0[:n_final], times[:n_final])
        known, known_f0 = np.concatenate([self.past, mcep], axis=1), np.concatenate([self.past_f0, f0])
        n_known = known.shape[1]
        settled = slice(n_known - n_shown, n_known - n_shown + n_final)
        self.past, self.past_f0 = (track[..., : settled.stop][..., -self.ear.memory :] for track in (known, known_f0))
        sound_end = self.n_outputs + self.block + self.ahead
        sound = self.held[: sound_end - self.held_begin][-self.sound :]
        behind = (sound_end - (self.n_frames + n_shown - 1) * self.period) / self.sample_rate
        made = self.translate(self.ear.window(Encoded(known, VoiceSide(f0=known_f0)), sound, behind, settled))
        context = WINDOW_FRAMES - n_shown
        converted = made.features[:, context:].copy()
        n_fade = min(FADE_FRAMES, self.foreseen.shape[1])
        share = (np.arange(n_fade) + 0.5) / max(1, n_fade)
        converted[:, :n_fade] = (1.0 - share) * self.foreseen[:, :n_fade] + share * converted[:, :n_fade]
        if adapter.keep_energy:  # which is surer now than when it was foreseen
            converted = with_power_of(mcep, converted, self.sample_rate)
        self.foreseen = converted[:, n_final:]
        converted_f0 = f0_of(made.side)[context : context + n_final]
        return converted_f0, adapter.envelope(converted[:, :n_final]), aperiodicity

    def _silence(self, n_frames: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Frames of nothing; digital silence leaves the network's context as it was."""
        self.foreseen = self.foreseen[:, :0]
        bins = self.adapter.fft_size // 2 + 1
        return np.zeros(n_frames), np.full((n_frames, bins), SILENCE_POWER), np.ones((n_frames, bins))

    def _levelled(self, source: FloatArray, converted: FloatArray) -> FloatArray:
        """The source's loudness and digital silences, and no clipping.

        Args:
            source: from a frame (10 ms) before the block to a frame behind it, or longer.
            converted: (block,).
        """
        energies = frame_energies(source[: self.block + 2 * self.frame], self.frame)
        gain = self.gain.follow(energies[1:-1], frame_energies(converted, self.frame), self.block)
        envelope = silence_envelope(energies == 0.0, self.frame, self.frame, self.frame + self.block)
        return soft_clip(converted * gain * envelope)


class RunningGain:
    """The gain that gives converted speech the source's loudness, from what has been heard so far.

    Energies of both are summed over frames with speech, older ones counting less; the gain moves towards the root of their ratio,
    too slowly to be heard. It starts at 1: features carry the source's level, so that it is near to that already.

    Sums are kept for each level of the source, so that what turns out to have been a bump counts no more.
    """

    MEMORY_SECONDS = 10.0
    PRIOR_SECONDS = 1.0
    """The gain of 1 counts as much as so many seconds of speech like the first."""
    DB_PER_SECOND = 4.0

    def __init__(self, block_seconds: float) -> None:
        self.keep = float(np.exp(-block_seconds / self.MEMORY_SECONDS))
        self.prior = self.PRIOR_SECONDS / FRAME_SECONDS  # frames
        self.step = 10.0 ** (self.DB_PER_SECOND * block_seconds / 20.0)
        self.gain, self.level = 1.0, RunningLevel(block_seconds)
        self.sums = np.zeros((3, self.level.N_BINS))  # frames, their energy, and that of what became of them

    def follow(self, source: FloatArray, converted: FloatArray, length: int) -> FloatArray:
        """Gains (length,) over a block whose frames have these energies (T,), a line from the last block's gain to the new one."""
        bins = self.level.add(source)
        speech = self.level.bins_of_speech
        if ((bins >= speech.start) & (bins < speech.stop)).any():
            self.sums *= self.keep
            self.prior *= self.keep
        heard = bins >= 0
        for row, values in zip(self.sums, (np.ones(len(source)), source, converted), strict=True):
            np.add.at(row, bins[heard], values[heard])
        frames, wanted, given = self.sums[:, speech].sum(axis=1)
        before, aim = self.gain, 1.0
        if given > 0:
            like_before = self.prior * wanted / frames
            aim = float(np.sqrt((wanted + like_before) / (given + like_before)))
        self.gain = float(np.clip(np.clip(aim, before / self.step, before * self.step), 1.0 / MAX_GAIN, MAX_GAIN))
        return np.asarray(before + (self.gain - before) * (np.arange(length) + 1.0) / length)


class StreamAtRate:
    """A :class:`StreamConverter` for a stream of any sample rate, of which it hears what people hear. Output sample i belongs to
    input sample i.

    Attributes:
        block: samples that make a block, a little more or less at rates that do not divide.

    Raises:
        ConfigError: see :class:`~audiocycle.voice.stream_resampler.StreamResampler`.
    """

    def __init__(self, inner: StreamConverter, sample_rate: int) -> None:
        self.inner, self.sample_rate = inner, sample_rate
        self.block = round(inner.block * sample_rate / inner.sample_rate)
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.inner.clear()
        self.low_cut = StreamLowCut(self.sample_rate)
        self.inlet = StreamResampler(self.sample_rate, self.inner.sample_rate)
        self.outlet = StreamResampler(self.inner.sample_rate, self.sample_rate)
        self.n_inputs = self.n_outputs = 0

    @property
    def latency(self) -> float:
        """Seconds, with those of the resampling."""
        return self.inlet.delay + self.inner.latency + self.outlet.delay

    @property
    def parts(self) -> str:
        """Of which the latency is made, for people."""
        inner, resampling = self.inner, 1000.0 * (self.inlet.delay + self.outlet.delay)
        block, ahead = (1000 * n / inner.sample_rate for n in (inner.block, inner.ahead))
        return f"block {block:.0f}, look-ahead {ahead:.0f}" + (f", resampling {resampling:.0f}" if resampling else "")

    def push(self, samples: FloatArray) -> FloatArray:
        """As :meth:`StreamConverter.push`."""
        self.n_inputs += len(samples)
        made = self.outlet.push(self.inner.push(self.inlet.push(self.low_cut.push(samples))))
        self.n_outputs += len(made)
        return made

    def finish(self) -> FloatArray:
        """As :meth:`StreamConverter.finish`."""
        last = [self.inner.push(self.inlet.finish()), self.inner.finish()]
        made = np.concatenate([*(self.outlet.push(samples) for samples in last), self.outlet.finish()])
        missing = self.n_inputs - self.n_outputs
        return np.pad(made[:missing], (0, max(0, missing - len(made))))


def check_block(seconds: float, ahead_seconds: float) -> None:
    """See that blocks can have this length, with a look-ahead so long.

    Raises:
        ConfigError: they would be too long or too short, or it is no number.
    """
    least, most = 2 * FRAME_SECONDS, LONGEST_SECONDS - ahead_seconds
    if not least <= seconds <= most:  # nor is NaN
        raise ConfigError(f"block={1000 * seconds:g}: choose between {1000 * least:g} and {1000 * most:g} ms")
