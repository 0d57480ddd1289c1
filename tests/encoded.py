"""Compressed recordings for tests, made by FFmpeg in memory."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import av
import numpy as np

from audiocycle.spec import FloatArray


@dataclass(frozen=True)
class Kind:
    """A codec in a container.

    Attributes:
        rates: that the codec takes.
        padding: samples at most that decoding adds (MP4 counts its length in milliseconds, codecs fill their last frame and some cannot say so); 0 where the length is kept.
        lost: samples at most that the encoder leaves out at the end, or that the rounding to milliseconds costs.
    """

    ending: str
    container: str
    codec: str
    rates: tuple[int, ...]
    padding: int = 0
    lost: int = 0
    bit_rate: int = 64_000
    options: Mapping[str, str] = field(default_factory=dict)


KINDS = {
    kind.ending: kind
    for kind in (
        Kind("mp3", "mp3", "libmp3lame", (16000, 44100), 1152),
        Kind("bare.mp3", "mp3", "libmp3lame", (16000, 44100), 2 * 1152 + 1105, options={"write_xing": "0"}),
        Kind("mp2", "mp2", "mp2", (16000, 44100), 1152 + 512),
        Kind("m4a", "ipod", "aac", (16000, 44100), 96, 48),
        Kind("mp4", "mp4", "aac", (16000, 48000), 96, 48),
        Kind("3gp", "3gp", "aac", (16000,), 96, 48),
        Kind("amr", "amr", "libopencore_amrnb", (8000,), 320, bit_rate=12_200),
        Kind("aac", "adts", "aac", (16000, 44100), 3 * 1024),
        Kind("alac.m4a", "ipod", "alac", (16000, 44100), 96, 48),
        Kind("opus", "ogg", "libopus", (48000,)),
        Kind("webm", "webm", "libopus", (48000,)),
        Kind("mka", "matroska", "flac", (16000,)),
        Kind("flac.ogg", "ogg", "flac", (16000, 44100)),
        Kind("wma", "asf", "wmav2", (16000, 44100), 2 * 2048, 2048),
        Kind("ac3", "ac3", "ac3", (48000,), 1536 + 256),
        Kind("wv", "wv", "wavpack", (16000,)),
        Kind("tta", "tta", "tta", (16000,)),
        Kind("mp3.wav", "wav", "libmp3lame", (16000, 44100), 2 * 1152 + 1105),
        Kind("avi", "avi", "libmp3lame", (44100,), 2 * 1152 + 1105),
    )
}


def encode(kind: Kind, samples: FloatArray, rate: int, tracks: int = 1) -> bytes:
    """(N,) or (channels, N) as the bytes of a file, with so many equal tracks."""
    planes = np.atleast_2d(samples)
    layout = "mono" if len(planes) == 1 else "stereo"
    stream = io.BytesIO()
    with av.open(stream, "w", format=kind.container, options=dict(kind.options)) as container:
        outs = []
        for _ in range(tracks):
            out = container.add_stream(kind.codec, rate=rate)
            out.codec_context.layout, out.codec_context.bit_rate = layout, kind.bit_rate
            outs.append(out)
        for out in outs:
            frame = av.AudioFrame.from_ndarray((planes * 32767).round().astype(np.int16), format="s16p", layout=layout)
            frame.sample_rate, frame.pts = rate, 0
            for packet in (*out.encode(frame), *out.encode(None)):
                container.mux(packet)
    return stream.getvalue()
