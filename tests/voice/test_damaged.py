"""Damaged recordings of every kind: read, or refused in one line, and nothing else happens."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
import soundfile
from encoded import KINDS, encode
from tiny_bundle import vowel

from audiocycle.errors import AudioCycleError
from audiocycle.voice.sound_file import mono_blocks, open_sound

PLAIN = {
    "wav": ("WAV", "PCM_16"), "float.wav": ("WAV", "FLOAT"), "ulaw.wav": ("WAV", "ULAW"), "ima.wav": ("WAV", "IMA_ADPCM"), "flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"),
    "aiff": ("AIFF", "PCM_16"), "au": ("AU", "PCM_16"), "caf": ("CAF", "PCM_16"), "rf64": ("RF64", "PCM_16"), "w64": ("W64", "PCM_16"), "voc": ("VOC", "PCM_16"),
    "sph": ("NIST", "PCM_16"),
}  # fmt: skip
NUMBERS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x80", b"\1\0\0\0")
EACH = 20


def whole(ending: str) -> bytes:
    if ending in KINDS:
        kind = KINDS[ending]
        return encode(kind, vowel(0.5, kind.rates[0]), kind.rates[0])
    stream = io.BytesIO()
    form, subtype = PLAIN[ending]
    soundfile.write(stream, vowel(0.5), 16000, format=form, subtype=subtype)
    return stream.getvalue()


def damaged(content: bytes, chance: random.Random) -> bytes:
    """One to eight of the things that happen to files; half of them in the header."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(max(1, len(data) if chance.random() < 0.5 else min(len(data), 200)))
        span, new = chance.choice((
            (1, chance.randbytes(1)),
            (8, chance.randbytes(chance.randint(1, 8))),
            (4, chance.choice(NUMBERS)),
            (len(data), b""),
            (chance.randint(1, 300), b""),
            (0, bytes(data[: chance.randint(0, len(data))])),
            (300, bytes(chance.randint(1, 300))),
        ))  # fmt: skip
        data[place : place + span] = new
    return bytes(data)


@pytest.mark.parametrize("ending", [*KINDS, *PLAIN])
def test_a_damaged_recording_is_read_or_refused_in_one_line(ending: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    chance, content = random.Random(ending), whole(ending)
    path = tmp_path / f"a.{ending}"
    refusals: list[str] = []
    for _ in range(EACH):
        path.write_bytes(damaged(content, chance))
        try:
            with open_sound(path) as sound:
                for block in mono_blocks(sound, str(path), 1 << 16):
                    assert len(block) <= 1 << 16
        except AudioCycleError as error:
            refusals.append(str(error))
    assert all(str(path) in text and "\n" not in text for text in refusals)
    assert capfd.readouterr() == ("", ""), "the libraries say nothing on the terminal"
