"""Songs of events, made by hand."""

from __future__ import annotations

import os
from pathlib import Path

from songs import Network, converted_song, noise
from tiny_midi import END, body, chunk, header, meta, midi, off, on, track

from audiocycle.music.midi.limits import LIMITS
from audiocycle.music.midi.song import song_from_bytes, song_to_bytes
from audiocycle.spec import Outcome

DATA = Path(os.environ.get("AUDIOCYCLE_DATA", Path(__file__).parents[2] / "shared" / "data"))
NOISE = noise(0, busy=0.05)


def converted_bytes(data: bytes, network: Network = NOISE, **options: object) -> tuple[bytes, Outcome]:
    made, outcome = converted_song(song_from_bytes(data, "s.mid", LIMITS), network, **options)
    return song_to_bytes(made), outcome


def melody(channel: int = 0, pitch: int = 60, n: int = 8) -> list[tuple[int, bytes]]:
    return [
        event
        for i in range(n)
        for event in ((0, on(pitch + i % 5, 70 + i, channel)), (240, off(pitch + i % 5, channel)))
    ]


def control(number: int, value: int, channel: int = 0) -> bytes:
    return bytes([0xB0 | channel, number, value])


def sysex(content: str) -> bytes:
    data = bytes.fromhex(content)
    return b"\xf0" + bytes([len(data)]) + data
SIXTEEN = [
    track(
        (0, meta(3, b"part")), (0, bytes([0xC0 | i, i + 20])), (0, control(7, 40 + i, i)), *melody(i, 40 + i)
    )
    for i in range(16)
]
MPE = [
    event
    for i in range(10)
    for event in (
        (0, bytes([0xE1 + i % 5, i, 64 + i])),
        (0, control(74, 40 + i, 1 + i % 5)),
        (0, bytes([0xD1 + i % 5, 9 * i])),
        (0, on(60 + i, 90, 1 + i % 5)),
        (100, bytes([0xE1 + i % 5, i, 70 + i])),
        (140, off(60 + i, 1 + i % 5)),
    )
]
FILES = {
    "state set in another chunk": midi(
        track(
            (0, b"\xc0\x28"),
            (0, control(7, 60)),
            (0, b"\xc1\x20"),
            (0, control(10, 20, 1)),
            (0, control(64, 127, 1)),
            (999, control(64, 0, 1)),
        ),
        track(*melody()),
        track(*melody(1, 40)),
    ),
    "one chunk, a program in mid-song": midi(
        track(
            (0, control(7, 50)),
            (0, control(101, 0)),
            (0, control(100, 0)),
            (0, control(6, 12)),
            (0, b"\xc0\x19"),
            *melody(),
            (0, b"\xc0\x1e"),
            *melody(),
        ),
        form=0,
    ),
    "words": midi(
        track(
            (0, meta(3, b"Title")),
            (0, meta(2, b"(c) 2020")),
            (0, meta(1, b"@KMIDI")),
            (5, meta(7, b"lights")),
            (0, meta(4, b"x")),
            (0, meta(0x7F, b"\x43\x00")),
        ),
        track(
            (0, meta(3, "ピアノ".encode("shift_jis"))),
            (0, meta(5, "süß".encode("latin1"))),
            (0, meta(1, b"\\Hel")),
            (9, meta(9, b"dev")),
            *melody(),
        ),
    ),
    "sixteen channels, drums in the middle": midi(*SIXTEEN),
    "bank select behind the program": midi(
        track(
            (0, b"\xc0\x30"), (0, control(0, 8)), (0, control(32, 1)), *melody(), (0, b"\xc0\x30"), *melody()
        )
    ),
    "on, on, off": midi(
        track(
            *[
                e
                for _ in range(8)
                for e in ((0, on(40, 90)), (240, on(40, 80)), (230, off(40)), (10, meta(6, b"x")))
            ],
            *melody(),
        )
    ),
    "MPE": midi(track((0, control(101, 0)), (0, control(100, 6)), (0, control(6, 5)), *MPE)),
    "aftertouch, system exclusive": midi(
        track(
            (0, sysex("7e 7f 09 01 f7")),
            (0, b"\xa0\x3c\x20"),
            (5, b"\xd0\x30"),
            (0, b"\xf7\x02\xf3\x01"),
            *melody(),
            (50, sysex("7f 7f 04 01 00 40 f7")),
        )
    ),
    "notes that never end, offs of nothing": midi(
        track((0, on(50)), (0, off(70)), *melody(), (0, on(90)), (100, meta(6, b"end")))
    ),
    "a chunk of another kind": header(2)
    + track(*melody())
    + chunk(b"\x01\x02", kind=b"XFIH")
    + track((0, meta(3, b"two")), *melody(1)),
    "silence behind the end": midi(chunk(body(*melody(), (5000, meta(0x2F, b""))))),
    "running status": midi(
        chunk(body((0, on(60)), (240, b"\x3c\x00"), (0, b"\x40\x50"), (240, b"\x40\x00"), END))
    ),
    "tempos and metres that mean nothing": midi(
        track(
            (0, meta(0x51, bytes(3))),
            (0, meta(0x58, b"\x00\x02\x18\x08")),
            (0, meta(0x59, b"\x40\x09")),
            *melody(),
        )
    ),
    "SMPTE time": midi(track(*melody()), division=0xE728),
}
