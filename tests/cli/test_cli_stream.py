"""``audiocycle stream``: raw samples and recordings through it, its errors, Ctrl-C, and the microphone that nobody has."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from tiny_bundle import Outcome, run_cli, tiny_bundle, tiny_content_bundle, tiny_music_bundle, vowel

from audiocycle.cli import stream as command
from audiocycle.conversion import live
from audiocycle.errors import InputError
from audiocycle.spec import Encoded, FloatArray
from audiocycle.voice import sound_card
from audiocycle.voice.live import LEAST_WEIGHT, WHOLE_SHARE, LiveTranslation
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.world_adapter import CompletingAdapter

Run = Callable[..., Outcome]
VOICE = vowel(0.7)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def stream(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """``audiocycle stream --model TINY --target ben ARGUMENTS`` with bytes on stdin; stdout comes back as bytes."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, stdin: bytes | Any = b"") -> Any:
        pipe = io.BytesIO(stdin) if isinstance(stdin, bytes) else stdin
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=pipe, isatty=lambda: False))
        found: Any = run_cli(capsysbinary, "stream", "--model", bundle, "--target", "ben", *arguments)
        return Outcome(found.code, found.out, [line.decode() for line in found.err])

    return run


def s16(samples: FloatArray) -> bytes:
    return (samples * 32767).astype("<i2").tobytes()


def test_as_many_samples_come_out_as_went_in(stream: Run) -> None:
    for form, data, width in (("s16", s16(VOICE), 2), ("f32", VOICE.astype("<f4").tobytes(), 4)):
        found: Any = stream("--format", form, stdin=data)
        assert found.code == 0
        assert len(found.out) == len(data)
        made = np.frombuffer(found.out, "<i2" if width == 2 else "<f4") / (32768 if width == 2 else 1)
        assert 0.02 < np.abs(made).max() < 1.0
        assert found.err[0].startswith("latency: 200 ms (block 100, look-ahead 100)")
        assert "16000 Hz" in found.err[0]
        assert found.err[-1].startswith("real-time factor")


def test_a_recording_comes_out_at_its_rate_as_raw_samples_do(stream: Run) -> None:
    voice = vowel(0.7, 44100)
    soundfile.write("in.wav", voice, 44100, "FLOAT")
    assert stream("--input", "in.wav", "-o", "out.wav").code == 0
    made, rate = soundfile.read("out.wav", dtype="float32")
    assert (rate, len(made)) == (44100, len(voice))
    raw: Any = stream("--rate", 44100, "--format", "f32", stdin=voice.astype("<f4").tobytes())
    np.testing.assert_allclose(np.frombuffer(raw.out, "<f4"), made, atol=1e-4)  # the file has 16 bits
    assert "resampling" in raw.err[0]


def test_models_that_convert_everybody_ask_for_no_source(stream: Run, tmp_path: Path) -> None:
    found: Any = stream("--model", tiny_content_bundle(tmp_path / "any"), stdin=s16(VOICE))
    assert found.code == 0
    assert len(found.out) == len(s16(VOICE))
    assert found.err[0].startswith("latency: 280 ms (block 100, look-ahead 180)")


@pytest.mark.parametrize(("names", "model"), [(["27"], "any-voices"), (["michael"], "any-voices"), (["michael", "--source", "heart"], "rendered-voices")])
def test_the_first_model_that_can_is_taken(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], names: list[str], model: str) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(s16(VOICE)), isatty=lambda: False))
    found: Any = run_cli(capsysbinary, "stream", "--target", *names)
    assert found.code == 0
    assert found.err[0].decode().startswith(f"model: {model} (")
    assert len(found.out) == 2 * len(VOICE)


def test_what_was_done_with_a_recordings_file_is_said(stream: Run) -> None:
    soundfile.write("in.wav", 9 * VOICE, 16000, subtype="FLOAT")
    found: Any = stream("--input", "in.wav", "-o", "out.wav")
    assert found.err[1].startswith("note: in.wav: its samples go up to ")


def test_an_odd_recording_is_said_to_be_so(stream: Run) -> None:
    soundfile.write("in.wav", np.stack([vowel(0.7, 8000), 0 * vowel(0.7, 8000)], axis=1), 8000)
    found: Any = stream("--input", "in.wav", "-o", "out.wav")
    assert found.code == 0
    assert found.err[1] == "note: in.wav: channel 2 is next to silent, left out"
    assert found.err[2].startswith("note: in.wav: holds nothing above 3.")
    made, rate = soundfile.read("out.wav")
    assert (rate, made.shape) == (8000, (5600,))


@pytest.mark.parametrize(("rate", "limit", "filled"), [(8000, None, True), (16000, None, False), (44100, None, False), (48000, 3800.0, True)])
def test_a_missing_band_is_filled_in_streams_too(bundle: Path, rate: int, limit: float | None, filled: bool) -> None:
    opened = live.open_stream(bundle, "ben", sample_rate=rate, band_limit=limit)
    assert isinstance(opened.inner.adapter, CompletingAdapter) == filled


@pytest.mark.parametrize("rate", [0, 300, 999, 2_000_000])
def test_a_stream_has_a_rate_of_sound(bundle: Path, rate: int) -> None:
    with pytest.raises(command.ConfigError, match=rf"^rate={rate}: choose between 1000 and 1000000 Hz$"):
        live.open_stream(bundle, "ben", sample_rate=rate)


def test_an_offset_and_rumble_are_not_converted(stream: Run) -> None:
    clean: Any = stream("--format", "f32", stdin=VOICE.astype("<f4").tobytes())
    rumble = 0.05 * np.sin(2 * np.pi * 7 * np.arange(len(VOICE)) / 16000)
    for odd, tolerance in ((VOICE + 0.2, 1e-3), (VOICE + rumble, 0.1)):
        found: Any = stream("--format", "f32", stdin=odd.astype("<f4").tobytes())
        made, wanted = np.frombuffer(found.out, "<f4"), np.frombuffer(clean.out, "<f4")
        assert 20 * np.log10(made.std() / wanted.std()) == pytest.approx(0.0, abs=20 * tolerance)


def test_the_block_and_the_pitch_can_be_chosen(stream: Run) -> None:
    found: Any = stream("--block", 40, "--pitch-shift", 3, stdin=s16(VOICE))
    assert "block 40" in found.err[0]
    other: Any = stream("--block", 40, stdin=s16(VOICE))
    assert found.out != other.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "mp3"], "s16, f32"),
        (["--block", "5"], "between 20 and 180 ms"),
        (["--rate", "44101"], "choose 16000, 44100 or 48000"),
        (["--source", "ben"], "nothing to convert"),
        (["--microphone", "--input", "in.wav"], "leave --input and --output out"),
        (["--input", "no.wav"], "no.wav: no such file"),
        (["--input", "in.wav", "--rate", "8000"], "leave it out"),
        (["-o", "out.xyz"], "no audio format ends in '.xyz'"),
        (["-o", "in.wav"], "exists already"),
        (["--pitch-shift", "99"], "semitones"),
    ],
)
def test_mistakes_are_one_line(stream: Run, arguments: list[str], message: str) -> None:
    soundfile.write("in.wav", VOICE, 16000)
    found: Any = stream(*arguments)
    assert found.code == 1
    assert len(found.err) == 1
    assert message in found.err[0]
    assert not found.out


def test_models_that_cannot_are_refused(stream: Run, tmp_path: Path) -> None:
    found: Any = stream("--model", tiny_music_bundle(tmp_path / "music"), "--target", "pop")
    assert "needs a voice model with WORLD features" in found.err[-1]
    mel = tiny_bundle(tmp_path / "mel", adapter={"name": "mel"})
    found = stream("--model", mel)
    assert "needs a voice model with WORLD features" in found.err[-1]


def test_a_terminal_takes_no_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    with pytest.raises(command.ConfigError, match="add --microphone or --input"):
        command.check_ends(False, None, None, False, "s16", None)


def test_a_wav_file_is_not_raw(stream: Run) -> None:
    whole = io.BytesIO()
    soundfile.write(whole, VOICE, 16000, format="WAV")
    found: Any = stream(stdin=whole.getvalue())
    assert found.err[-1] == "error: stdin: is a WAV file, and raw samples are expected; use --input FILE"
    with pytest.raises(InputError, match="NaN"):
        list(command.raw_blocks(io.BytesIO(np.full(4, np.nan, "<f4").tobytes()), "f32", 4, command.Interrupt()))


class Trickle:
    """A pipe that gives odd pieces, and then Ctrl-C."""

    def __init__(self, data: bytes) -> None:
        self.data, self.sizes = data, iter([1, 2, 3, 998, 5000, 1, 7000])

    def read1(self, size: int) -> bytes:
        try:
            count = min(size, next(self.sizes))
        except StopIteration:
            raise KeyboardInterrupt from None
        piece, self.data = self.data[:count], self.data[count:]
        return piece


def test_pieces_of_samples_are_put_together() -> None:
    data = np.arange(7000, dtype="<i2").tobytes()
    blocks = list(command.raw_blocks(Trickle(data), "s16", 1600, command.Interrupt()))  # type: ignore[arg-type]
    got = np.concatenate(blocks) * 32768
    assert max(map(len, blocks)) <= 1600
    np.testing.assert_array_equal(got, np.arange(len(got)))


def test_ctrl_c_ends_cleanly_with_everything_heard(stream: Run) -> None:
    found: Any = stream("-o", "out.wav", stdin=Trickle(s16(VOICE)))
    assert found.code == 0
    assert found.err[-1].startswith("real-time factor")
    assert soundfile.info("out.wav").frames > 3000


def test_ctrl_c_waits_for_the_end_of_a_block() -> None:
    pipe = io.BytesIO(bytes(100))
    with command.Interrupt() as interrupt:
        assert len(interrupt.read(pipe, 10)) == 10
        os.kill(os.getpid(), signal.SIGINT)  # while a block is being computed
        assert interrupt.read(pipe, 10) == b""
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is not interrupt.press


def test_a_closed_pipe_is_silent(stream: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.BytesIO):
        def write(self, data: Any) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=Closed(), isatty=lambda: False, flush=lambda: None))
    found: Any = stream(stdin=s16(VOICE))
    assert found.code == 1
    assert not any("error" in line for line in found.err)


def test_microphone_to_loudspeaker_until_ctrl_c(stream: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[FloatArray] = []

    class Card:
        sample_rate = 48000

        def __init__(self, microphone: str | None, loudspeaker: str | None) -> None:
            assert (microphone, loudspeaker) == ("usb", None)

        def converse(self, convert: Callable[[FloatArray], FloatArray], sample_rate: int, block: int, line: sound_card.PlayLine) -> None:
            voice = vowel(0.6, sample_rate)
            for at in range(0, len(voice), 480):
                line.put(convert(voice[at : at + 480]))
                played.append(line.take(480))
            raise KeyboardInterrupt

    monkeypatch.setattr(sound_card, "SoundCard", Card)
    found: Any = stream("--microphone", "--input-device", "usb")
    assert found.code == 0
    assert np.abs(np.concatenate(played)).max() > 0.01
    assert "dropouts: " in found.err[-1]
    assert "resampling 8" in found.err[0]


def test_the_norms_remember_speech_rather_than_pauses(bundle: Path) -> None:
    network = live.open_stream(bundle, "ben").inner.translate
    assert isinstance(network, LiveTranslation)
    for level, frames, weight in ((-9.0, 128, 1.0), (-40.0, 128, LEAST_WEIGHT), (-10.0, 128, 1.0), (-10.0, 16, 0.125 / WHOLE_SHARE)):
        features = np.zeros((36, 128), dtype=np.float32)
        features[0], features[0, :frames] = -40.0, level
        network(Encoded(features, VoiceSide(f0=np.zeros(128))))
        assert network.norms.weight == pytest.approx(weight)
    network.clear()
    for level in (-9.0, *[-19.0] * 30):  # 43 dB softer: a bump is no measure of what follows
        network(Encoded(np.full((36, 128), level, dtype=np.float32), VoiceSide(f0=np.zeros(128))))
    assert network.norms.weight == pytest.approx(1.0)
    network.clear()
    assert all(norm.total == 0 for norm in network.norms.norms)
