"""A source that is not one person who speaks is told of; one that is, is not."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_music import chords, drums, plucked
from real_speech import RATE, at_once, spoken
from tiny_bundle import run_cli, song, tiny_content_bundle

from audiocycle.conversion.converter import Converter
from audiocycle.music.preview import render_audio
from audiocycle.spec import ANYONE, Direction, Domain, Encoded, FloatArray, NoSide, Translation
from audiocycle.voice.content.adapter import ContentAdapter
from audiocycle.voice.recording import Listening
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.source_doubts import ARTICULATION, SourceDoubts, extent

ADAPTER = ContentAdapter()
MUSIC = "sounds like noise or music, not like speech"
TOGETHER, TURNS = "two people who speak at once", "two people in turn"


def noise(colour: float, seconds: float = 4.0) -> FloatArray:
    """Power falls as 1 / f ** colour."""
    spectrum = np.fft.rfft(np.random.RandomState(0).standard_normal(round(seconds * RATE)))
    sound = np.fft.irfft(spectrum / np.maximum(20.0, np.arange(len(spectrum))) ** (colour / 2))
    return np.asarray(0.1 * sound / sound.std(), np.float32)


def doubts(*chunks: FloatArray) -> list[str]:
    found = SourceDoubts(ADAPTER)
    for samples in chunks:
        found.add(ADAPTER.analyze(samples))
    return list(found.notes(sum(map(len, chunks)) / RATE))


def chunk(level: float, seconds: float = 10.0, **told: float) -> Encoded[VoiceSide]:
    """Made-up features of an even level, in dB."""
    frames = round(200 * seconds)
    features = np.zeros((ADAPTER.spec.shape[0], frames), np.float32)
    features[0] = level * np.log(10.0) / 10.0
    return Encoded(features, VoiceSide(f0=np.full(frames, 120.0), **{"articulation": 10.0, "voices_at_once": 0.0, **told}))


def said_of(*chunks: Encoded[VoiceSide]) -> list[str]:
    found = SourceDoubts(ADAPTER)
    for each in chunks:
        found.add(each)
    return list(found.notes(30.0))


@pytest.mark.parametrize("name", ["heart", "michael", "emma", "george"])
def test_one_person_is_not_told_of(name: str) -> None:
    assert doubts(np.tile(spoken(name), 3)) == []


@pytest.mark.parametrize("seconds", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("name", ["heart", "michael"])
def test_nor_is_a_short_sentence(name: str, seconds: float) -> None:
    assert doubts(spoken(name)[: round(seconds * RATE)]) == []


@pytest.mark.parametrize("change", ["noise at 10 dB", "telephone", "quiet", "silence before"])
def test_nor_is_a_bad_recording_of_one(change: str) -> None:
    samples = spoken("heart")
    if change == "noise at 10 dB":
        samples = samples + 10**-0.5 * samples.std() * noise(1.0, len(samples) / RATE + 1)[: len(samples)] / 0.1
    elif change == "telephone":
        spectrum, hertz = np.fft.rfft(samples), np.fft.rfftfreq(len(samples), 1 / RATE)
        samples = np.fft.irfft(spectrum * ((hertz > 300) & (hertz < 3400)), len(samples))
    elif change == "quiet":
        samples = 1e-3 * samples
    else:
        samples = np.concatenate([np.zeros(3 * RATE), samples])
    assert doubts(samples.astype(np.float32)) == []


@pytest.mark.parametrize("colour", [0.0, 1.0, 2.0])
def test_noise_is_told_of(colour: float) -> None:
    (note,) = doubts(noise(colour))
    assert note.startswith(f"it {MUSIC}")
    assert note.endswith("give a recording of somebody who speaks")


@pytest.mark.parametrize("make", [chords, plucked, drums, lambda: render_audio(song(), RATE, seconds=8.0).samples], ids=["chords", "plucked", "drums", "midi"])
def test_music_is_told_of(make: object) -> None:
    (note,) = doubts(np.asarray(make(), np.float32))  # type: ignore[operator]
    assert note.startswith(f"it {MUSIC}")


def test_dither_is_no_speech() -> None:
    (note,) = doubts((np.random.RandomState(0).randint(-1, 2, 4 * RATE) / 32768).astype(np.float32))
    assert MUSIC in note


def test_silence_is_told_of() -> None:
    assert doubts() == ["holds only digital silence, and so does the output"]


def test_a_short_one_is_told_of() -> None:
    (note,) = doubts(spoken("heart")[RATE : RATE + 4800])
    assert note.startswith("shorter than 1 s")


def test_a_whisper_is_no_noise() -> None:
    (note,) = said_of(replace(chunk(-30.0), side=VoiceSide(f0=np.zeros(2000), articulation=9.5, voices_at_once=0.0)))
    assert note.startswith("nothing in it has a pitch")


@pytest.mark.parametrize(("first", "second"), [("heart", "michael"), ("emma", "george"), ("heart", "emma")])
def test_two_people_at_once_are_told_of(first: str, second: str) -> None:
    (note,) = doubts(at_once(spoken(first), spoken(second)))
    assert note.startswith(f"it sounds like {TOGETHER}")
    assert note.endswith("give a recording of one of them")


@pytest.mark.parametrize(("first", "second"), [("heart", "michael"), ("emma", "george")])
def test_two_people_in_turn_are_told_of(first: str, second: str) -> None:
    """Wherever the recording is cut into chunks."""
    samples = np.concatenate([np.tile(spoken(first), 2), np.tile(spoken(second), 2)])
    for cut in (len(samples), len(samples) // 3):
        (note,) = doubts(*np.split(samples, [cut]) if cut < len(samples) else [samples])
        assert note.startswith(f"sounds like {TURNS}")
        assert "split it" in note


def test_parts_are_told_of_with_their_share() -> None:
    speech, music = chunk(-30.0, 15.0), chunk(-30.0, 10.0, articulation=ARTICULATION - 0.1)
    (note,) = said_of(speech, music)
    assert note.startswith(f"about 40 % of it {MUSIC}")
    (note,) = said_of(speech, chunk(-30.0, 5.0, voices_at_once=1.0))
    assert note.startswith(f"about 25 % of it sounds like {TOGETHER}")
    assert said_of(speech, chunk(-30.0, 15.0, articulation=ARTICULATION + 0.1)) == []


def test_long_pauses_and_short_pieces_are_not_asked() -> None:
    speech = chunk(-30.0, 15.0)
    assert said_of(speech, chunk(-60.0, 20.0, articulation=5.0)) == []
    assert said_of(chunk(-30.0, 1.2, articulation=5.0, voices_at_once=1.0)) == []
    assert said_of(speech, chunk(-30.0, 1.6, articulation=5.0)) == [], "less than a tenth"


def test_of_features_that_do_not_tell_nothing_is_said() -> None:
    frames = chunk(-30.0)
    assert said_of(replace(frames, side=VoiceSide(f0=frames.side.f0))) == []


def test_shares_in_words() -> None:
    assert [extent(share) for share in (1.0, 0.95, 0.5)] == ["it", "it", "about 50 % of it"]


def test_who_is_known_to_the_model_is_not_doubted() -> None:
    direction = Direction(Domain("a"), Domain("b"))
    known = Listening(Translation(lambda encoded: encoded, direction), ADAPTER)
    known(Encoded(np.zeros((1, 5)), NoSide()))  # type: ignore[arg-type]
    assert list(known.notes(0.1)) == []
    anyone = Translation(lambda encoded: encoded, Direction(ANYONE, Domain("b")), lambda: lambda encoded: encoded)
    assert list(Listening(anyone, ADAPTER).notes(3.0)) == ["holds only digital silence, and so does the output"]


def test_the_last_line_and_the_record_say_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bundle = tiny_content_bundle(tmp_path / "all")
    soundfile.write("music.wav", chords(), RATE)
    soundfile.write("said.wav", spoken("heart"), RATE)
    words = ("--target", "anna", "--model", bundle, "--runtime", "torch")
    assert any(MUSIC in line for line in run_cli(capsys, "convert", "music.wav", *words).err)
    assert not any("note:" in line for line in run_cli(capsys, "convert", "said.wav", *words).err)
    record = Converter.from_pretrained(bundle, runtime="torch").convert_file("music.wav", "out.wav", "anna")
    assert record.note.startswith(f"it {MUSIC}")


@pytest.mark.parametrize(("rate", "kept"), [(16000, {}), (44100, {"band_kept": "8 of 22.05 kHz"}), (48000, {"band_kept": "8 of 24 kHz"})])
def test_how_much_of_a_wide_band_is_kept_is_said(tmp_path: Path, rate: int, kept: dict[str, str]) -> None:
    sound = np.repeat(spoken("heart"), 3)[: 2 * rate] + 0.01 * np.random.RandomState(0).standard_normal(2 * rate)
    stream = io.BytesIO()
    soundfile.write(stream, sound, rate, format="WAV")
    (tmp_path / "in.wav").write_bytes(stream.getvalue())
    converter = Converter.from_pretrained(tiny_content_bundle(tmp_path / "all"), runtime="torch")
    assert converter.convert_file(tmp_path / "in.wav", tmp_path / "out.wav", "anna").details == kept
