"""Convert a recording of any length in bounded memory.

Four passes, of which only the last writes the output:

0. The source says which of its channels count, and whether its band is a telephone's (:mod:`audiocycle.voice.survey`).
1. It streams in, is resampled to the model's rate, and is cut at its quietest moments into chunks of 15 to 30
   seconds. Each is converted with some context around it, and cross-faded into the next. While the network has one, the
   next is analysed and the one before becomes sound. The result, back at the source's rate, goes to a temporary spool.
2. Frame energies of source and spool give the gain that matches the loudness.
3. Gain, digital silences and a soft limit are applied on the way to the output, sample for sample as long as the input.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
import soxr

from audiocycle.errors import InputError
from audiocycle.modality import Progress
from audiocycle.spec import Encoded, FloatArray, Outcome, Translation
from audiocycle.system.threads import available
from audiocycle.voice.adapter import VoiceAdapter, VoiceRenderer
from audiocycle.voice.content.english import Familiarity
from audiocycle.voice.level import FRAME_SECONDS, frame_energies, loudness_gain, silence_envelope, soft_clip
from audiocycle.voice.low_cut import audible_blocks
from audiocycle.voice.opening import OpenRecording
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.sound_file import (
    SPOOL_BYTES,
    check_output,
    mono_blocks,
    no_room,
    survey_of,
    write_sound,
    write_wav_stream,
)
from audiocycle.voice.survey import missing_above

CHUNK_SECONDS = (15.0, 25.0)
"""Where to look for a quiet moment to cut at; a recording shorter than 30 s is one chunk."""
BUFFER_SECONDS = 30.0
CONTEXT_SECONDS = 0.5
FADE_SECONDS = 0.02
BLOCK_SECONDS = 5.0

KNOWN_SECONDS = 1.0
"""Of a speaker that the model was not trained on."""
MOST_GAIN = 1000.0
"""60 dB: what the loudness is matched from. Energies of features are kept to some dB."""

T = TypeVar("T")
R = TypeVar("R")


def convert_recording(
    source: OpenRecording,
    name: str,
    output: Path | IO[bytes],
    adapter: VoiceAdapter,
    renderer: VoiceRenderer,
    translation: Translation,
    progress: Progress = lambda share: None,
    stream_subtype: str = "PCM_16",
) -> Outcome:
    """Convert an open recording into ``output``; its seconds of audio come back, and a note where it is unusual.

    Args:
        name: what errors call the source.
        output: a path, written whole or not at all, or a binary stream, which gets WAV.
        translation: source features to converted features with their side. The source's statistics say how low the voice is, and let a
            missing band be filled.
        progress: called with the share that is done.
        stream_subtype: the sample format of a stream.

    Raises:
        InputError: samples that cannot be decoded, or are not numbers.
        OutputError: the output cannot be written.
    """
    if isinstance(output, Path):
        check_output(output)
    heard = Listening(translation.anew(), adapter)
    rate = source.samplerate
    frame = max(1, round(FRAME_SECONDS * rate))
    block_size = max(1, round(BLOCK_SECONDS * rate / frame)) * frame
    stats = translation.direction.source.stats
    adapter = adapter.for_voice(stats)
    found = survey_of(source, name)
    notes, missing = found.notes(adapter, source.notes), missing_above(found.band_limit, adapter)
    completing = None if missing is None else adapter.completing(missing, stats)
    if completing is not None:
        adapter, notes = completing, (*notes, "what is missing was estimated")
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spool:
        energies: list[FloatArray] = []
        n_samples, source_peak = 0, 0.0

        def read() -> Iterator[FloatArray]:
            nonlocal n_samples, source_peak
            for block in mono_blocks(source, name, block_size, found):
                source_peak = max(source_peak, float(np.abs(block).max(initial=0.0)))
                n_samples += len(block)
                progress(min(1.0, n_samples / source.frames))
                yield block

        def audible() -> Iterator[FloatArray]:
            for block in audible_blocks(read(), rate):
                energies.append(frame_energies(block, frame))
                yield block

        wanted = resampled(audible(), rate, adapter.sample_rate)
        converted = convert_stream(wanted, adapter, renderer, replace(translation, function=heard))
        for block in resampled(converted, adapter.sample_rate, rate):
            check_sound(block, source_peak, name)
            try:
                spool.write(block.astype(np.float32).tobytes())
            except OSError as error:
                raise no_room(error) from error
        source_energy = np.concatenate(energies)
        result = Finished(spool, n_samples, source_energy, frame)
        if isinstance(output, Path):
            write_sound(output, result.blocks(), rate)
        else:
            write_wav_stream(output, result.blocks(), rate, stream_subtype)
    seconds = float(n_samples / rate)
    return Outcome(seconds, note="; ".join((*notes, *heard.notes(seconds))))


class Listening:
    """A translation, and what was heard on the way."""

    def __init__(self, translation: Translation, adapter: VoiceAdapter) -> None:
        self.translation, self.adapter = translation, adapter
        self.familiarity = Familiarity()
        self.frames = self.voiced = 0

    def __call__(self, encoded: Encoded[VoiceSide]) -> Encoded[VoiceSide]:
        if encoded.side.f0 is not None:
            self.frames += len(encoded.side.f0)
            self.voiced += int((encoded.side.f0 > 0).sum())
        if (likeness := self.adapter.familiarity(encoded.features)) is not None:
            self.familiarity.add(likeness, float(self.adapter.speech(encoded.features).sum()) / self.adapter.spec.frame_rate)
        return self.translation(encoded)

    def notes(self, seconds: float) -> Iterator[str]:
        """What people should know of a recording so long."""
        if self.translation.begin is None:  # of whom the model knows who it is
            return
        if self.frames and not self.voiced:
            yield "nothing in it has a pitch: is this speech? A whisper stays one"
        elif seconds < KNOWN_SECONDS:
            yield f"shorter than {KNOWN_SECONDS:g} s, of which little can be told of a voice; the pitch may be off"
        yield from self.familiarity.notes()


def check_sound(samples: FloatArray, source_peak: float, name: str) -> None:
    """See that what a model made of a recording is a sound.

    Args:
        source_peak: of the recording so far.

    Raises:
        InputError: samples that are not numbers, or so loud that nobody can have meant it.
    """
    if not np.isfinite(samples).all():
        raise InputError(f"{name}: the model turns it into samples that are not numbers; use another model, or copy the bundle again")
    if np.abs(samples).max(initial=0.0) > MOST_GAIN * max(1.0, source_peak):
        raise InputError(f"{name}: the model turns it into a sound that is absurdly loud; use another model, or copy the bundle again")


class Finished:
    """The spooled conversion with loudness, silences and limit applied, block by block (passes 2 and 3)."""

    def __init__(self, spool: IO[bytes], n_samples: int, source_energy: FloatArray, frame: int) -> None:
        self.spool, self.n_samples, self.frame = spool, n_samples, frame
        self.silent = source_energy == 0.0
        converted = np.concatenate([frame_energies(b, frame) for _, b in self._raw()])
        self.gain = loudness_gain(source_energy, converted)

    def _raw(self) -> Iterator[tuple[int, FloatArray]]:
        """(first sample, samples): exactly ``n_samples`` in all, zeros where the spool is a few samples short."""
        self.spool.seek(0)
        size = self.frame * 1000
        for begin in range(0, self.n_samples, size):
            wanted = min(size, self.n_samples - begin)
            block = np.frombuffer(self.spool.read(wanted * 4), dtype=np.float32)
            yield begin, np.pad(block, (0, wanted - len(block)))

    def blocks(self) -> Iterator[FloatArray]:
        """Float32 blocks within (-1, 1)."""
        for begin, block in self._raw():
            envelope = silence_envelope(self.silent, self.frame, begin, begin + len(block))
            yield soft_clip(block * (self.gain * envelope))


def resampled(blocks: Iterator[FloatArray], source_rate: int, target_rate: int) -> Iterator[FloatArray]:
    """Streaming resampling (soxr); nothing to do when the rates agree."""
    if source_rate == target_rate:
        yield from blocks
        return
    stream = soxr.ResampleStream(source_rate, target_rate, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


def convert_stream(
    blocks: Iterator[FloatArray], adapter: VoiceAdapter, renderer: VoiceRenderer, translation: Translation
) -> Iterator[FloatArray]:
    """Blocks of source samples to blocks of converted samples at the model's rate, equally many in all."""
    half = round(FADE_SECONDS * adapter.sample_rate / 2)
    tail = np.zeros(0, dtype=np.float32)  # what the chunk before made of the 2 * half samples around the cut
    for chunk, made in converted(chunks(blocks, adapter.sample_rate), adapter, renderer, translation):
        begin = max(0, chunk.start - half) if len(tail) else chunk.start
        if chunk.cut is None:
            yield cross_fade(tail, made[begin:])
        else:
            body = cross_fade(tail, made[begin : chunk.cut + half])
            yield body[: len(body) - 2 * half]
            tail = body[len(body) - 2 * half :]


@dataclass(frozen=True)
class Chunk:
    """Samples with their context: ``samples[start:cut]`` are wanted, ``cut`` is None for the last."""

    samples: FloatArray
    start: int
    cut: int | None


def chunks(blocks: Iterator[FloatArray], rate: int) -> Iterator[Chunk]:
    """A stream of samples, cut at its quietest moments."""
    context = round(CONTEXT_SECONDS * rate)
    low, high = (round(seconds * rate) for seconds in CHUNK_SECONDS)
    # `held` begins at most `context` samples before the sample that comes next, which is held[start].
    held, start = np.zeros(0, dtype=np.float32), 0
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) - start >= round(BUFFER_SECONDS * rate):
            cut = quietest(held, start + low, start + high, rate)
            yield Chunk(held[: cut + context], start, cut)
            held, start = held[cut - context :], context
    yield Chunk(held, start, None)


def converted(
    source: Iterator[Chunk], adapter: VoiceAdapter, renderer: VoiceRenderer, translation: Translation
) -> Iterator[tuple[Chunk, FloatArray]]:
    """Chunks with what was made of their samples, in order.

    Where there are threads, three chunks are in work, each at another stage; the network stays on the caller's thread.
    """

    def analyze(chunk: Chunk) -> tuple[Chunk, Encoded[VoiceSide] | None]:
        return chunk, adapter.analyze(chunk.samples) if chunk.samples.any() else None

    def network(given: tuple[Chunk, Encoded[VoiceSide] | None]) -> tuple[Chunk, Encoded[VoiceSide] | None]:
        chunk, encoded = given
        with np.errstate(all="ignore"):  # what comes of it is looked at (check_sound)
            return chunk, None if encoded is None else translation(encoded)

    def render(given: tuple[Chunk, Encoded[VoiceSide] | None]) -> tuple[Chunk, FloatArray]:
        chunk, encoded = given
        silence = np.zeros(len(chunk.samples), dtype=np.float32)
        with np.errstate(all="ignore"):
            return chunk, silence if encoded is None else renderer.render(encoded).samples

    if available() == 1:
        yield from map(render, map(network, map(analyze, source)))
        return
    with ThreadPoolExecutor(2) as beside:
        yield from one_ahead(beside, render, map(network, one_ahead(beside, analyze, source)))


def one_ahead(pool: ThreadPoolExecutor, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """``function`` of each item, in order; it works on the next one already when a result is handed out."""
    waiting: deque[Future[R]] = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > 1:
            yield waiting.popleft().result()
    for last in waiting:
        yield last.result()


def cross_fade(before: FloatArray, after: FloatArray) -> FloatArray:
    """``after`` with its beginning faded in over ``before``, which lies on the same samples."""
    n = min(len(before), len(after))
    ramp = (np.arange(n) + 0.5) / max(1, n)
    mixed = before[:n] * (1.0 - ramp) + after[:n] * ramp
    return np.concatenate([mixed, after[n:]]).astype(np.float32)


def quietest(samples: FloatArray, begin: int, end: int, rate: int) -> int:
    """The middle of the quietest 40 ms in samples [begin, end): a seam there is the hardest to hear."""
    width = round(0.04 * rate)
    power = np.concatenate([[0.0], np.cumsum(np.square(samples[begin:end], dtype=np.float64))])
    return begin + int(np.argmin(power[width:] - power[:-width])) + width // 2
