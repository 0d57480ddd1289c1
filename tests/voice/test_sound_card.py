"""Microphone and loudspeaker without either: a made-up sounddevice."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from audiocycle.errors import ConfigError
from audiocycle.spec import FloatArray
from audiocycle.voice.sound_card import PlayLine, SoundCard


class PortAudioError(Exception):
    pass


class ToyStream:
    """Hears 1, 2, 3, ... and keeps what it plays; Ctrl-C is pressed when that runs out."""

    def __init__(self, callback: Any, blocksize: int, **settings: Any) -> None:
        self.callback, self.size, self.settings = callback, blocksize, settings
        self.played: list[FloatArray] = []

    def __enter__(self) -> None:
        for at in range(0, 10 * self.size, self.size):
            outlet = np.full((self.size, 1), np.nan, dtype=np.float32)
            self.callback(np.arange(at, at + self.size, dtype=np.float32)[:, None] + 1, outlet, self.size, None, SimpleNamespace(input_overflow=at == 0))
            self.played.append(outlet[:, 0])

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    made: list[ToyStream] = []

    def query(device: Any, kind: str) -> dict[str, float]:
        if device == "nothing":
            raise ValueError("No input device matching 'nothing'.")
        return {"default_samplerate": 44100.0}

    def stream(**settings: Any) -> ToyStream:
        if settings["samplerate"] == 12345:
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")
        made.append(ToyStream(**settings))
        return made[-1]

    module = SimpleNamespace(query_devices=query, Stream=stream, PortAudioError=PortAudioError, streams=made)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def test_what_is_heard_is_converted_in_order(toy: SimpleNamespace) -> None:
    card, line, heard = SoundCard("3", "loud"), PlayLine(1000), []

    def convert(samples: FloatArray) -> FloatArray:
        heard.append(samples)
        if len(heard) == 10:
            raise KeyboardInterrupt
        return samples

    with pytest.raises(KeyboardInterrupt):
        card.converse(convert, 16000, 1000, line)
    np.testing.assert_array_equal(np.concatenate(heard), np.arange(1600) + 1)
    assert toy.streams[0].settings["device"] == (3, "loud")
    assert card.sample_rate == 44100
    assert all(np.isfinite(played).all() for played in toy.streams[0].played)
    assert line.lost == 1, "an overflow of the input counts"


def test_errors_name_the_remedy(toy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="No input device matching 'nothing'; python -m sounddevice lists"):
        SoundCard("nothing")
    with pytest.raises(ConfigError, match=r"Invalid sample rate.*choose another `rate`"):
        SoundCard().converse(lambda x: x, 12345, 100, PlayLine(100))
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ConfigError, match=r"pip install 'audiocycle\[live\]'"):
        SoundCard()


def test_the_line_plays_silence_first_and_then_everything() -> None:
    line = PlayLine(100)
    assert not line.take(30).any()
    assert line.lost == 0, "nothing is missing before it has begun"
    line.put(np.zeros(0, dtype=np.float32))
    line.put(np.ones(100, dtype=np.float32))
    assert line.take(120).sum() == 70, "half a block is held back"
    assert line.take(60).sum() == 30
    assert line.lost == 1


def test_after_a_hold_up_the_line_catches_up() -> None:
    line = PlayLine(100)
    for value in range(5):
        line.put(np.full(100, value, dtype=np.float32))
    assert len(line.waiting) == 250
    assert line.waiting[-1] == 4.0
    assert line.lost > 0
