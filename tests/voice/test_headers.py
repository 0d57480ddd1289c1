"""Headers of recorders that lost power: what is there is read, and what is not sound is not."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from tiny_bundle import vowel

from audiocycle.errors import InputError
from audiocycle.spec import FloatArray
from audiocycle.voice.headers import mended
from audiocycle.voice.sound_file import open_sound

VOWEL = vowel(1.0)
TITLE = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf59.27.100\0"


def file_of(kind: str, subtype: str = "PCM_16", n_channels: int = 1) -> bytearray:
    stream = io.BytesIO()
    soundfile.write(stream, np.repeat(VOWEL[:, None], n_channels, 1), 16000, subtype=subtype, format=kind)
    return bytearray(stream.getvalue())


def with_size(kind: str, share: float, **options: object) -> bytes:
    """A recording whose header counts only this share of the sound."""
    content = file_of(kind, **options)  # type: ignore[arg-type]
    if kind in ("WAV", "WAVEX"):
        place = content.index(b"data")
        size = int((len(content) - place - 8) * share) // 2 * 2
        struct.pack_into("<I", content, 4, size + place)
        struct.pack_into("<I", content, place + 4, size)
    elif kind == "RF64":
        size = int(32000 * share)
        struct.pack_into("<QQQ", content, content.index(b"ds64") + 8, size + 96, size, size // 2)
    elif kind == "AIFF":
        size = int(32000 * share) // 2 * 2
        struct.pack_into(">I", content, 4, size + 46)
        struct.pack_into(">I", content, content.index(b"SSND") + 4, size + 8)
        struct.pack_into(">I", content, content.index(b"COMM") + 10, size // 2)
    elif kind == "AU":
        struct.pack_into(">I", content, 8, int(32000 * share))
    return bytes(content)


def read(content: bytes) -> tuple[FloatArray, list[str]]:
    with open_sound(io.BytesIO(content), "it") as sound:
        return sound.read(), list(sound.notes.values())


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64", "AIFF", "AU"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.97])
def test_all_that_is_there_is_read_and_that_is_said(kind: str, share: float) -> None:
    if (kind, share) == ("AIFF", 0.0):
        pytest.skip("libsndfile mends that itself")
    samples, notes = read(with_size(kind, share))
    np.testing.assert_allclose(samples, VOWEL, atol=1e-4)
    assert notes == [f"the header says {share:.1f} s, as after a loss of power, and 1.0 s are there: all of it is read"]


@pytest.mark.parametrize(("subtype", "n_channels"), [("PCM_U8", 1), ("PCM_24", 2), ("FLOAT", 3), ("ULAW", 1)])
def test_samples_of_any_size_are_cut_where_one_ends(subtype: str, n_channels: int) -> None:
    content = with_size("WAV", 0.0, subtype=subtype, n_channels=n_channels)
    samples, notes = read(content + b"\x01")
    assert len(samples) in (16000, 16001)
    assert len(notes) == 1


def test_a_big_endian_wav_too() -> None:
    begin = b"RIFX\0\0\0\0WAVEfmt " + struct.pack(">IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16) + b"data\0\0\0\0"
    samples, notes = read(begin + (VOWEL * 32767).astype(">i2").tobytes())
    np.testing.assert_allclose(samples, VOWEL, atol=1e-4)
    assert len(notes) == 1


@pytest.mark.parametrize("kind", ["WAV", "RF64", "AU"])
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_a_digital_pause_where_the_header_ends_the_sound_is_no_filling(kind: str, share: float) -> None:
    content = bytearray(with_size(kind, share))
    begin = len(file_of(kind)) - 32000 + int(32000 * share)
    content[begin : begin + 12000] = bytes(12000)
    samples, notes = read(bytes(content))
    assert len(samples) == 16000
    assert samples[-1000:].any()
    assert len(notes) == 1


@pytest.mark.parametrize("byte", [b"\0", b"\xff"])
def test_filling_goes_on_to_the_end_however_long_it_is(byte: bytes) -> None:
    samples, notes = read(bytes(file_of("WAV")) + byte * 200_000)
    assert (len(samples), notes) == (16000, [])
    with pytest.raises(InputError, match="no samples"):
        read(with_size("WAV", 0.0)[:44] + byte * 200_000)


BEHIND = {
    "titles": TITLE,
    "titles, cut off": TITLE[:-5],
    "two chunks": TITLE + b"cue " + struct.pack("<II", 4, 0),
    "a chunk of a program that nobody knows": b"zZ9!" + struct.pack("<I", 2000) + bytes(range(250)) * 8,
    "an ID3 tag": b"ID3\x03\x00\x00\x00\x00\x0f\x76" + bytes(range(1, 251)) * 8,
    "filling": bytes(4096),
    "filling, then titles": bytes(5000) + TITLE,
    "text": b"recorded by Jo\r\n" * 200,
    "an XML": b"<?xml version='1.0' encoding='utf-8'?>" + "é".encode() * 2000,
    "a few bytes": b"\x05\x81\x07",
}


@pytest.mark.parametrize("kind", ["WAV", "RF64", "AIFF"])
@pytest.mark.parametrize("what", BEHIND)
def test_what_lies_behind_the_sound_is_not_read_as_sound(kind: str, what: str) -> None:
    samples, notes = read(bytes(file_of(kind)) + BEHIND[what])
    assert (len(samples), notes) == (16000, [])


def test_a_recording_of_nothing_with_a_title_holds_no_samples() -> None:
    content = with_size("WAV", 0.0)[:44] + TITLE
    with pytest.raises(InputError, match="no samples"):
        read(content)


def test_a_chunk_of_odd_length_with_and_without_its_filling_is_none_of_the_sound() -> None:
    content = file_of("WAV", "PCM_U8")[:-1]
    struct.pack_into("<I", content, 40, 15999)
    for filling in (b"", b"\0"):
        samples, notes = read(bytes(content) + filling + TITLE)
        assert (len(samples), notes) == (15999, [])


def test_the_file_itself_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(with_size("WAV", 0.0))
    with open_sound(path) as sound:
        assert len(sound.read()) == 16000
    assert path.read_bytes() == with_size("WAV", 0.0)


@given(st.binary(max_size=300), st.sampled_from(["WAV", "RF64", "AIFF", "AU"]), st.integers(0, 120))
def test_no_header_is_too_broken_to_be_looked_at(noise: bytes, kind: str, place: int) -> None:
    content = file_of(kind)[:400]
    content[place : place + len(noise)] = noise
    found = mended(io.BytesIO(bytes(content)))
    assert found is None or len(found[0].read()) == len(content)
