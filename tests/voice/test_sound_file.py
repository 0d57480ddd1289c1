"""Recordings as people have them: every format, every rate, every way of being broken."""

from __future__ import annotations

import io
import os
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tiny_bundle import vowel

from audiocycle.errors import AudioCycleError, InputError, OutputError
from audiocycle.spec import FloatArray
from audiocycle.voice import sound_file
from audiocycle.voice.sound_file import (
    check_output,
    is_recording,
    mono_blocks,
    open_input,
    open_sound,
    read_mono,
    spooled,
    write_sound,
    write_wav_stream,
)

VOWEL = vowel(0.5)


def write(path: Path, samples: FloatArray = VOWEL, rate: int = 16000, **options: Any) -> Path:
    soundfile.write(path, samples, rate, **options)
    return path


def message(error: pytest.ExceptionInfo[AudioCycleError]) -> str:
    """The text of an error, which is one line and no more."""
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("name", "options", "tolerance"),
    [
        ("a.wav", {"subtype": "PCM_U8"}, 1e-2),
        ("a.wav", {"subtype": "PCM_16"}, 1e-4),
        ("a.wav", {"subtype": "PCM_24"}, 1e-6),
        ("a.wav", {"subtype": "PCM_32"}, 1e-6),
        ("a.wav", {"subtype": "FLOAT"}, 1e-6),
        ("a.wav", {"subtype": "DOUBLE"}, 1e-6),
        ("a.wav", {"subtype": "ULAW"}, 2e-2),
        ("a.flac", {}, 1e-4),
        ("a.aiff", {}, 1e-4),
        ("a.au", {}, 1e-4),
        ("a.caf", {}, 1e-4),
        ("a.w64", {}, 1e-4),
        ("a.rf64", {}, 1e-4),
        ("a.ogg", {}, 0.1),
        ("a.mp3", {}, 0.1),
    ],
)
def test_every_format_is_read(tmp_path: Path, name: str, options: dict[str, str], tolerance: float) -> None:
    samples = read_mono(write(tmp_path / name, **options), 16000)
    assert samples.dtype == np.float32
    assert len(samples) == len(VOWEL)
    np.testing.assert_allclose(samples, VOWEL, atol=tolerance)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 96000, 192000])
def test_every_rate_is_resampled(tmp_path: Path, rate: int) -> None:
    t = np.arange(rate) / rate
    samples = read_mono(write(tmp_path / "a.wav", 0.3 * np.sin(2 * np.pi * 440 * t), rate, subtype="FLOAT"), 16000)
    expected = 0.3 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    assert len(samples) == 16000
    np.testing.assert_allclose(samples[500:-500], expected[500:-500], atol=1e-3)


@pytest.mark.parametrize("n_channels", [1, 2, 6])
def test_channels_are_averaged(tmp_path: Path, n_channels: int) -> None:
    channels = np.stack([VOWEL * (k + 1) for k in range(n_channels)], axis=1) / n_channels
    samples = read_mono(write(tmp_path / "a.wav", channels, subtype="FLOAT"), 16000)
    np.testing.assert_allclose(samples, channels.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("n_samples", [1, 2, 79])
def test_a_recording_may_be_shorter_than_a_frame(tmp_path: Path, n_samples: int) -> None:
    assert len(read_mono(write(tmp_path / "a.wav", np.full(n_samples, 0.5)), 16000)) == n_samples


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.wav", b"", "empty (0 bytes)"),
        ("text.wav", b"these are words", "not a readable recording"),
        ("bytes.raw", b"12345678" * 100, "not a readable recording"),
        ("riff.wav", b"RIFF\x00\x00\x00\x00WAVE", "not a readable recording"),
    ],
)
def test_what_is_not_audio_is_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        open_sound(path)
    assert str(path) in message(error)
    assert said in message(error)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_sound(tmp_path / "none.wav")
    with pytest.raises(InputError, match="is a folder"):
        open_sound(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav")
    path.chmod(0)
    with pytest.raises(InputError, match="no permission"):
        open_sound(path)


def test_a_recording_without_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no samples"):
        open_sound(write(tmp_path / "a.wav", np.zeros(0)))


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.au", "a.w64", "a.rf64", "a.mp3"])
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_truncated_files_are_refused(tmp_path: Path, name: str, share: float) -> None:
    path = write(tmp_path / name, vowel(2.0))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError) as error:
        read_mono(path, 16000)
    assert str(path) in message(error)
    assert "copy it again" in message(error) or "convert it" in message(error)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFF000, 0x80000000])
def test_a_wav_from_a_pipe_does_not_know_its_length_and_is_not_truncated(tmp_path: Path, length: int) -> None:
    path = write(tmp_path / "a.wav")
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = struct.pack("<I", length)
    path.write_bytes(content)
    assert len(read_mono(path, 16000)) == len(VOWEL)


def test_a_header_counted_in_is_not_truncated(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav")
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", 2 * len(VOWEL) + 36)
    path.write_bytes(content)
    assert len(read_mono(path, 16000)) == len(VOWEL)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    samples = VOWEL.copy()
    samples[100] = value
    with pytest.raises(InputError, match="NaN or infinite"):
        read_mono(write(tmp_path / "a.wav", samples, subtype="FLOAT"), 16000)


def test_blocks_are_whole_but_for_the_last(tmp_path: Path) -> None:
    with open_sound(write(tmp_path / "a.wav")) as sound:
        blocks = list(mono_blocks(sound, "a", 3000))
    assert [len(block) for block in blocks] == [3000, 3000, 2000]
    np.testing.assert_allclose(np.concatenate(blocks), VOWEL, atol=1e-4)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    content, pipe = write(tmp_path / "a.wav").read_bytes(), tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    with open_input(pipe) as (sound, name):
        samples = sound.read()
    writer.join()
    assert name == str(pipe)
    np.testing.assert_allclose(samples, VOWEL, atol=1e-4)


def test_an_empty_pipe_is_refused() -> None:
    with pytest.raises(InputError, match=r"stdin: is empty"), spooled(io.BytesIO(), "stdin"):
        pass


class Full(io.BytesIO):
    """A file on a disk without space."""

    def write(self, data: Any) -> int:
        raise OSError(28, "No space left on device")


def test_no_room_for_what_comes_through_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_file.tempfile, "SpooledTemporaryFile", lambda size: Full())
    with pytest.raises(OutputError, match="TMPDIR"), spooled(io.BytesIO(b"RIFF"), "stdin"):
        pass


@pytest.mark.parametrize("name", ["ü ñ 日本.wav", "-dash.wav", "two  spaces.wav", "line\nbreak.wav", "[1].wav"])
def test_any_name_is_read_and_written(tmp_path: Path, name: str) -> None:
    write_sound(tmp_path / name, [VOWEL], 16000)
    np.testing.assert_allclose(read_mono(tmp_path / name, 16000), VOWEL, atol=1e-4)


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_need_not_be_valid_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    try:
        write_sound(path, [VOWEL], 16000)
    except OutputError:
        pytest.skip("this file system takes valid text only")
    assert len(read_mono(path, 16000)) == len(VOWEL)


@pytest.mark.parametrize("suffix", sorted(sound_file.WRITTEN))
def test_every_ending_that_is_written_can_be_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"new/folder/a{suffix}"
    write_sound(path, [VOWEL[:3000], VOWEL[3000:]], 16000)
    assert is_recording(path)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    with open_sound(path) as sound:
        assert sound.samplerate in (16000, 48000)
        assert sound.channels == 1


def test_ogg_takes_a_long_block(tmp_path: Path) -> None:
    samples = 0.1 * np.random.default_rng(0).normal(size=3_000_000).astype(np.float32)  # crashed libsndfile in one piece
    write_sound(tmp_path / "a.ogg", [samples], 48000)
    assert soundfile.info(tmp_path / "a.ogg").frames == len(samples)


def test_outputs_that_cannot_be_are_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.wav").mkdir()
    for name, said in (
        ("a.xyz", "'.xyz'; use .wav"),
        ("a", "use .wav"),
        ("folder.wav", "is a folder"),
        ("file/a.wav", "is a file, not a folder"),
        ("file/b/a.wav", "is a file, not a folder"),
    ):
        with pytest.raises(OutputError) as error:
            check_output(tmp_path / name)
        assert said in message(error)
        assert str(tmp_path / name) in message(error)
    check_output(tmp_path / "new/folder/a.WAV")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="no permission"):
        check_output(tmp_path / "a.wav")
    tmp_path.chmod(0o700)


def test_a_rate_that_the_format_does_not_take_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.mp3: cannot be written"):
        write_sound(tmp_path / "a.mp3", [VOWEL], 96000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3"])
def test_without_space_nothing_is_lost_or_left(
    tmp_path: Path, little_space: Callable[[int], AbstractContextManager[None]], name: str
) -> None:
    (tmp_path / name).write_bytes(b"before")
    with little_space(20_000), pytest.raises(OutputError, match="cannot be written"):
        write_sound(tmp_path / name, [np.random.default_rng(0).uniform(-0.9, 0.9, 160000)], 16000)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"before"


def test_an_error_while_samples_are_made_leaves_nothing(tmp_path: Path) -> None:
    def blocks() -> Iterator[FloatArray]:
        yield VOWEL
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sound(tmp_path / "a.wav", blocks(), 16000)
    assert list(tmp_path.iterdir()) == []


def test_a_stream_gets_a_whole_wav() -> None:
    stream = io.BytesIO()
    stream.seekable = lambda: False  # type: ignore[method-assign]
    write_wav_stream(stream, [VOWEL[:1000], VOWEL[1000:]], 16000)
    samples, rate = soundfile.read(io.BytesIO(stream.getvalue()))
    assert rate == 16000
    np.testing.assert_allclose(samples, VOWEL, atol=1e-4)


def test_a_full_stream_is_an_output_error_and_a_closed_one_is_not() -> None:
    with pytest.raises(OutputError, match="stdout: cannot be written"):
        write_wav_stream(Full(), [VOWEL], 16000)

    class Closed(io.BytesIO):
        def write(self, data: Any) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        write_wav_stream(Closed(), [VOWEL], 16000)


@pytest.mark.parametrize(("name", "taken"), [("a.wav", True), ("a.FLAC", True), (".a.wav", False), ("a.txt", False), ("wav", False)])
def test_a_folder_scan_takes_recordings(name: str, taken: bool) -> None:
    assert is_recording(Path(name)) is taken
