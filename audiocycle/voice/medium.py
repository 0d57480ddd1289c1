"""Voice as files: which ones are taken, how one becomes training features, how one is converted."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from audiocycle.errors import InputError
from audiocycle.spec import Encoded, Signal
from audiocycle.voice.adapter import VoiceAdapter, VoiceRenderer
from audiocycle.voice.level import soft_clip
from audiocycle.voice.recording import Progress, Translate, convert_recording
from audiocycle.voice.sound_file import (
    is_recording,
    mono_blocks,
    open_input,
    open_sound,
    read_mono,
    write_sound,
)


class VoiceMedium:
    """Recordings of speech."""

    modality = "voice"
    suffix = ".wav"

    def accepts(self, path: Path) -> bool:
        """True for the files that a folder scan takes."""
        return is_recording(path)

    def encode(self, path: Path, adapter: VoiceAdapter) -> Encoded:
        """A recording as training features, with F0 and nothing heavy beside it.

        Raises:
            InputError: it cannot be read, or holds nothing but silence or noise without voice.
        """
        samples = read_mono(path, adapter.sample_rate)
        if not samples.any():
            raise InputError(f"{path}: holds only digital silence")
        encoded = adapter.analyze(samples, side=False)
        if "f0" in encoded.side and not (encoded.side["f0"] > 0).any():
            raise InputError(f"{path}: no voiced frame in it; is this speech?")
        return encoded

    def convert(
        self,
        source: Path,
        output: Path,
        adapter: VoiceAdapter,
        renderer: VoiceRenderer,
        translate: Translate,
        progress: Progress = lambda share: None,
    ) -> float:
        """Convert a file, whatever its length; the seconds of audio come back. ``-`` is stdin or stdout."""
        target = sys.stdout.buffer if str(output) == "-" else output
        with open_input(source) as (sound, name):
            return convert_recording(sound, name, target, adapter, renderer, translate, progress)

    def convert_signal(
        self, signal: Signal, adapter: VoiceAdapter, renderer: VoiceRenderer, translate: Translate
    ) -> Signal:
        """Convert a waveform in memory; as many samples at the same rate come back."""
        source, target = io.BytesIO(), io.BytesIO()
        soundfile.write(source, signal.samples, signal.sample_rate, subtype="FLOAT", format="WAV")
        source.seek(0)
        with open_sound(source, "signal") as sound:
            convert_recording(sound, "signal", target, adapter, renderer, translate, stream_subtype="FLOAT")
        target.seek(0)
        return Signal(soundfile.read(target, dtype="float32")[0], signal.sample_rate)

    def read(self, path: Path, seconds: float | None = None) -> Signal:
        """A recording, or its first ``seconds``, at its own rate, channels averaged."""
        with open_sound(path) as sound:
            blocks = mono_blocks(sound, str(path), round((seconds or 60.0) * sound.samplerate))
            samples = next(blocks) if seconds else np.concatenate(list(blocks))
            return Signal(samples, sound.samplerate)

    def write(self, path: Path, signal: Signal) -> None:
        """Write a waveform whole, or not at all."""
        write_sound(path, iter([soft_clip(signal.samples)]), signal.sample_rate)

    def picture(self, rows: Sequence[tuple[str, Signal]], path: Path) -> None:
        """One spectrogram with its F0 track for each (title, waveform)."""
        from audiocycle.pictures import compare_picture
        from audiocycle.voice.world_adapter import track_f0

        compare_picture(path, [(title, s.samples, s.sample_rate, track_f0(s)) for title, s in rows])

