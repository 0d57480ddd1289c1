"""Microphone in, loudspeaker out, with sounddevice (PortAudio). It is imported only when it is asked for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from audiocycle.errors import ConfigError, one_line
from audiocycle.spec import FloatArray

CALLBACK_SECONDS = 0.01
RESERVE_BLOCKS = 0.5
"""Samples held back when sound begins, in blocks: how much longer than the quickest block another may take."""
LARGEST_BLOCKS = 2.5
"""More samples than so many blocks wait only after a hold-up; the oldest are dropped, lest all that follows come late."""
HELP = "python -m sounddevice lists the devices"


class SoundCard:
    """A microphone and a loudspeaker at one sample rate.

    Args:
        microphone, loudspeaker: name (or part of it) or number; None is the system's.

    Raises:
        ConfigError: sounddevice or PortAudio is missing, or there is no such device.
    """

    def __init__(self, microphone: str | None = None, loudspeaker: str | None = None) -> None:
        try:
            import sounddevice
        except ImportError as error:
            raise ConfigError("`microphone`: sounddevice is not installed; pip install 'audiocycle[live]'") from error
        except OSError as error:  # it is there, and looks for the library when it is imported
            raise ConfigError("`microphone`: PortAudio is missing; install it (Debian, Ubuntu: apt install libportaudio2)") from error
        self.sounddevice: Any = sounddevice
        self.devices = tuple(int(name) if name and name.isdecimal() else name for name in (microphone, loudspeaker))
        try:
            self.sample_rate = round(sounddevice.query_devices(self.devices[0], "input")["default_samplerate"])
        except (sounddevice.PortAudioError, ValueError) as error:
            raise ConfigError(f"`microphone`: {one_line(error)}; {HELP}") from error

    def converse(self, convert: Callable[[FloatArray], FloatArray], sample_rate: int, block: int, line: PlayLine) -> None:
        """Play what ``convert`` makes of what is heard, until Ctrl-C.

        Args:
            convert: (N,) samples to those that are ready, (M,).
            block: samples that come out of it at a time.

        Raises:
            ConfigError: the devices do not take this rate, or are in use.
        """
        heard: queue.SimpleQueue[FloatArray] = queue.SimpleQueue()

        def exchange(inlet: FloatArray, outlet: FloatArray, frames: int, time: Any, status: Any) -> None:
            heard.put(inlet[:, 0].copy())
            outlet[:, 0] = line.take(frames)
            line.lost += bool(status.input_overflow)

        try:
            stream = self.sounddevice.Stream(
                samplerate=sample_rate, blocksize=round(CALLBACK_SECONDS * sample_rate), device=self.devices, channels=1,
                dtype="float32", latency="low", callback=exchange,
            )  # fmt: skip
        except (self.sounddevice.PortAudioError, ValueError) as error:
            raise ConfigError(f"`microphone`: {one_line(error)}; choose another `rate` or device ({HELP})") from error
        with stream:
            while True:
                line.put(convert(heard.get()))


class PlayLine:
    """Samples that wait for the loudspeaker; two threads use it.

    Args:
        block: samples that come at a time.

    Attributes:
        lost: how often there was nothing to play, or too much.
    """

    def __init__(self, block: int) -> None:
        self.reserve, self.largest = round(RESERVE_BLOCKS * block), round(LARGEST_BLOCKS * block)
        self.waiting = np.zeros(0, dtype=np.float32)
        self.begun, self.lost = False, 0
        self.lock = threading.Lock()

    def put(self, samples: FloatArray) -> None:
        """Append (N,) samples."""
        if not len(samples):
            return
        with self.lock:
            if not self.begun:
                self.waiting, self.begun = np.zeros(self.reserve, dtype=np.float32), True
            self.waiting = np.concatenate([self.waiting, samples])
            if len(self.waiting) > self.largest:
                self.waiting, self.lost = self.waiting[-self.largest :], self.lost + 1

    def take(self, count: int) -> FloatArray:
        """The next (count,) samples, with silence where there are none."""
        with self.lock:
            taken, self.waiting = self.waiting[:count], self.waiting[count:]
            self.lost += self.begun and len(taken) < count
        return np.pad(taken, (0, count - len(taken)))
