"""Compressed recordings, as telephones, cameras and messengers make them: decoded by FFmpeg (PyAV) to their very end.

What a file says about its length is an estimate, and nothing here depends on it. FFmpeg reads from a file that is open already, in the
formats and with the decoders of the lists below, so that no file can make it open another one, or the network.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any, Self

import numpy as np

from audiocycle.errors import InputError, one_line
from audiocycle.spec import FloatArray
from audiocycle.voice.containers import missing_bytes, sections

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.packet import Packet

FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,avi,caf,eac3,flac,loas,matroska,mov,mp3,mpc,mpc8,mpeg,mpegts,ogg,tta,voc,w64,wav,wv"
)
"""FFmpeg's names of the containers that are opened: none of them refers to other files (as playlists do)."""
CODECS = (
    "aac,aac_latm,ac3,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,adpcm_yamaha,alac,amrnb,amrwb,ape,eac3,flac,g722,g726,gsm,gsm_ms,"
    "libopencore_amrnb,libopencore_amrwb,libopus,mp1,mp1float,mp2,mp2float,mp3,mp3float,mpc7,mpc8,opus,pcm_alaw,pcm_mulaw,"
    "pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,pcm_s8,pcm_u8,speex,truespeech,tta,vorbis,wavpack,wmalossless,wmapro,"
    "wmav1,wmav2,wmavoice"
)
"""FFmpeg's decoders of sound that are used."""
SYNCED = {"mp3", "mp2", "aac", "ac3", "eac3"}
"""Formats that are frames and nothing else: between two of them may lie tags, and any of them may be the first."""
FIRST_FRAMES = 2
"""So many may be undecodable where a stream was cut into: they need what lay before."""
GAPLESS = {"ogg", "mov,mp4,m4a,3gp,3g2,mj2"}
"""Containers that say, sample by sample, where the last frame's filling begins, which FFmpeg does not always cut off."""
MOST_FILLING = 8192
"""Samples; no codec's frame is longer."""
MOST_GAP = 0.1
"""Seconds between two frames, by the times that their container gives them; times of some are rounded to milliseconds."""
UNBROKEN, BROKEN = {"ogg"}, {"matroska,webm"}
"""Containers in which a gap is a damaged page, and those in which recorders leave out what nobody said."""
FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63}
"""By FFmpeg's sample format; its floats are full-scale at 1."""


class DecodedSound:
    """A compressed recording that is open for reading in blocks.

    Args:
        file: seekable; it stays open unless it is given to :meth:`keep`.
        name: in messages.

    Attributes:
        samplerate, channels: of the first sample; whatever changes later is brought to these.
        frames: an estimate, for a progress bar.
        announced: frames that must come, or the file is cut off: none, as nobody knows.
        notes: what a user should be told, by kind.

    Raises:
        InputError: not a recording that FFmpeg knows, cut off, or without a sound.
    """

    announced = 0

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.name, self.notes, self._file = name, dict[str, str](), file
        self._stack = ExitStack()
        self.samplerate, self.frames = 0, 1
        if lacking := missing_bytes(file):
            raise InputError(f"{name}: is truncated, {lacking}; copy it again, or convert it to WAV first")
        self._begin()
        if self._held is None:
            raise InputError(f"{name}: holds no samples (zero length); record or copy it again")
        self.channels: int = self._held.shape[1]

    def _begin(self) -> None:
        self._blocks = self._decoded(sections(self._file))
        self._held, self._n_read = next(self._blocks, None), 0

    def seek(self, frames: int) -> int:
        """Go to the beginning; nowhere else."""
        assert frames == 0
        if self._n_read:
            self._blocks.close()
            self._begin()
        return 0

    def keep(self, stack: ExitStack) -> None:
        """Close this, too, when the recording is closed."""
        self._stack.push(stack)

    def read(self, frames: int = -1, dtype: str = "float32", always_2d: bool = False) -> FloatArray:
        """The next ``frames`` samples, all that are left if -1, (N, channels) within [-1, 1]; fewer at the end only.

        Raises:
            InputError: the decoder fails in the middle.
        """
        taken, n = [], 0
        while self._held is not None and (frames < 0 or n < frames):
            block = self._held
            wanted = len(block) if frames < 0 else min(len(block), frames - n)
            taken.append(block[:wanted])
            n += wanted
            self._held = block[wanted:] if wanted < len(block) else next(self._blocks, None)
        self._n_read += n
        if self._held is None:
            self.frames = self._n_read
        whole = np.concatenate(taken) if taken else np.zeros((0, self.channels), np.float32)
        made = whole.astype(dtype, copy=False)
        return made if always_2d or self.channels > 1 else made[:, 0]

    def close(self) -> None:
        """Let the file go."""
        self._blocks.close()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _decoded(self, parts: list[IO[bytes]]) -> Generator[FloatArray]:
        """Blocks (N, channels) of all parts, one after the other."""
        try:
            import av
        except ImportError as error:  # no wheel for this machine
            raise InputError(f"{self.name}: is compressed, and PyAV is not installed; pip install av, or convert it to WAV first") from error
        channels = 0
        for part in parts:
            sure = False
            try:
                with av.open(part, "r", options={"format_whitelist": FORMATS, "codec_whitelist": CODECS, "protocol_whitelist": "none"}) as container:
                    stream = self._stream(container)
                    sure = container.format.name not in SYNCED  # any bytes may look like frames
                    for block in without_filling(self._blocks_of(container, stream), self._ends(container, stream)):
                        channels = channels or block.shape[1]
                        yield with_channels(block, channels)
            except InputError:
                raise
            except (av.FFmpegError, ValueError, OSError, OverflowError, MemoryError) as error:
                if sure or self.samplerate:
                    raise self._damaged() from error
                known = isinstance(error, av.InvalidDataError | av.ArgumentError)  # FFmpeg's words for what is none, or not in the lists
                reason = "Format not recognised" if known else one_line(error)
                raise InputError(f"{self.name}: not a readable recording ({reason}); convert it to WAV or FLAC first") from error

    def _blocks_of(self, container: Any, stream: AudioStream) -> Iterator[FloatArray]:
        for frame in self._at_one_rate(self._without_gaps(self._frames(container, stream), container.format.name)):
            if frame.samples:
                yield samples_of(frame)

    def _ends(self, container: Any, stream: AudioStream) -> Callable[[], int]:
        """How many samples of a part are meant to be heard, once its rate is known; 0 if it does not say."""
        seconds = float((stream.duration or 0) * (stream.time_base or 0)) if container.format.name in GAPLESS else 0.0
        milliseconds = round(1000 * seconds)

        def ends() -> int:
            wanted = round(seconds * self.samplerate)
            rounded = container.format.name != "ogg" and wanted == round(milliseconds * self.samplerate / 1000)
            return wanted + math.ceil(self.samplerate / 1000) if wanted and rounded else wanted  # MP4 may count in milliseconds, rounded down

        return ends

    def _stream(self, container: Any) -> AudioStream:
        """The container's sound: of several the one that players take."""
        known = [stream for stream in container.streams.audio if stream.codec_context is not None]
        usable = [stream for stream in known if stream.codec_context.name in CODECS.split(",")]
        if not usable:
            found = f"its sound is {known[0].codec_context.name}, which is not known here" if known else "it has no sound that is known here"
            raise InputError(f"{self.name}: not a readable recording ({found}); convert it to WAV or FLAC first")
        chosen: AudioStream = next((s for s in usable if s.disposition & s.disposition.__class__.default), usable[0])
        if len(container.streams.audio) > 1 and not self.samplerate:
            place = list(container.streams.audio).index(chosen) + 1
            self.notes["tracks"] = f"has {len(container.streams.audio)} sound tracks; this is number {place}"
        seconds = chosen.duration * chosen.time_base if chosen.duration and chosen.time_base else (container.duration or 0) / 1e6
        self.frames = max(self.frames, round(float(seconds) * (chosen.codec_context.sample_rate or 1)))
        return chosen

    def _frames(self, container: Any, stream: AudioStream) -> Iterator[AudioFrame]:
        """The decoder's frames. Tags between frames, and frames that lack what lay before a cut, are passed over.

        Raises:
            InputError: another packet cannot be decoded, unless it is the last, which a recording that was stopped leaves in half.
        """
        from av import FFmpegError

        synced = container.format.name in SYNCED
        since_gap, failed = 0, False
        for packet in container.demux(stream):
            try:
                decoded = stream.codec_context.decode(packet if packet.size else None)
            except (FFmpegError, ValueError):
                if packet.size and synced and not is_frame(packet):
                    since_gap = 0
                elif since_gap >= FIRST_FRAMES:
                    if failed or not synced:
                        raise
                    failed = True
                continue
            if failed and packet.size:
                raise self._damaged()
            since_gap += 1
            yield from decoded

    def _without_gaps(self, frames: Iterator[AudioFrame], container: str) -> Iterator[AudioFrame]:
        """The frames; that some are missing between them is refused, or noted.

        Raises:
            InputError: a page in the middle was lost.
        """
        end, missing = math.inf, 0.0
        for frame in frames:
            if frame.pts is not None and frame.time_base:
                begin = float(frame.pts * frame.time_base)
                if begin - end > MOST_GAP and container in UNBROKEN:
                    raise self._damaged()
                if begin - end > MOST_GAP and container in BROKEN:
                    missing += begin - end
                    self.notes["gaps"] = f"its times have gaps of {missing:.1f} s in all, which are left out"
                end = begin + frame.samples / frame.sample_rate
            yield frame

    def _at_one_rate(self, frames: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
        """Frames at the rate of the very first."""
        from av.audio.resampler import AudioResampler

        resampler, kind = None, None
        for frame in frames:
            self.samplerate = self.samplerate or frame.sample_rate
            if (frame.sample_rate, frame.layout.name, frame.format.name) != kind:
                if resampler is not None:
                    yield from resampler.resample(None)
                kind = (frame.sample_rate, frame.layout.name, frame.format.name)
                changed = frame.sample_rate != self.samplerate
                resampler = AudioResampler(frame.format, frame.layout, self.samplerate) if changed else None
            yield from [frame] if resampler is None else resampler.resample(frame)
        if resampler is not None:
            yield from resampler.resample(None)

    def _damaged(self) -> InputError:
        return InputError(f"{self.name}: cannot be decoded to its end; it seems damaged, copy it again")


def without_filling(blocks: Iterator[FloatArray], ends: Callable[[], int]) -> Iterator[FloatArray]:
    """The blocks, and of the last ones only what comes before ``ends()`` samples: a frame's filling, and never more than that."""
    held, n_held, n = deque[FloatArray](), 0, 0
    for block in blocks:
        held.append(block)
        n_held, n = n_held + len(block), n + len(block)
        while n_held - len(held[0]) >= MOST_FILLING:
            n_held -= len(held[0])
            yield held.popleft()
    wanted = ends() if held else 0
    excess = n - wanted if 0 < wanted < n <= wanted + MOST_FILLING else 0
    while excess:
        last = held.pop()
        if len(last) > excess:
            held.append(last[: len(last) - excess])
        excess -= min(excess, len(last))
    yield from held


def samples_of(frame: AudioFrame) -> FloatArray:
    """(N, channels) float32 within [-1, 1]: what a lossy decoder makes may overshoot a little, and players clip it."""
    array = frame.to_ndarray()
    n_channels = frame.layout.nb_channels
    planes = array.T if frame.format.is_planar else array.reshape(-1, n_channels)
    if np.issubdtype(planes.dtype, np.integer):
        scale = FULL_SCALE[frame.format.name.removesuffix("p")]
        planes = planes / scale - (planes.dtype == np.uint8)
    clipped: FloatArray = np.clip(planes, -1.0, 1.0).astype(np.float32)  # NaN stays, and is refused by who reads
    return clipped


def with_channels(block: FloatArray, n_channels: int) -> FloatArray:
    """(N, any) to (N, n_channels), by the mean where they differ."""
    if block.shape[1] == n_channels:
        return block
    return np.repeat(block.mean(axis=1, keepdims=True), n_channels, axis=1)


def is_frame(packet: Packet[Any]) -> bool:
    """True when a packet begins like a frame of MPEG, ADTS or AC-3 does."""
    begin = bytes(packet)[:2]
    return len(begin) == 2 and (begin == b"\x0b\x77" or (begin[0] == 0xFF and begin[1] & 0xE0 == 0xE0))


