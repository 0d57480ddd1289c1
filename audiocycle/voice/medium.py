"""Voice as files: which ones are taken, how one becomes training features, how one is converted."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from audiocycle.errors import ConfigError, InputError, tell
from audiocycle.spec import Encoded, Outcome, Signal
from audiocycle.system.options import refuse_unknown
from audiocycle.voice.adapter import VoiceAdapter, VoiceRenderer
from audiocycle.voice.level import soft_clip
from audiocycle.voice.opening import HEADER, SCALE
from audiocycle.voice.options import VoiceOptions
from audiocycle.voice.recording import Progress, Translate, convert_recording
from audiocycle.voice.sound_file import (
    is_recording,
    mono_blocks,
    open_input,
    open_sound,
    raw_blocks,
    read_speech,
    write_sound,
)
from audiocycle.voice.survey import missing_above, survey
from audiocycle.voice.waveform import as_waveform

BAND_LIMIT, MIXED = "band_limit", "mixed_otherwise"
"""In the side of training features: Hz above which a recording holds nothing, 0 where that is as usual; 1 where its channels were not averaged."""
FILE_NOTES = {
    HEADER: "have headers that say less than there is, as after a loss of power, and were read whole",
    SCALE: "have samples beyond full scale, and were scaled",
}
"""What training says of the kinds of notes that :func:`~audiocycle.voice.opening.open_sound` makes."""
NAMED = 3
"""Files that a remark names."""


class VoiceMedium:
    """Recordings of speech."""

    modality = "voice"
    suffix = ".wav"
    preview_suffix = ""
    """A recording needs no preview: it is sound."""
    sample_seconds = 6.0
    """A training's samples are this long."""
    plot_seconds = 30.0
    """A picture shows the beginning of a long recording."""

    def options(self, values: Mapping[str, Any], adapter: VoiceAdapter, renderer: VoiceRenderer) -> VoiceOptions:
        """Options by name.

        Raises:
            ConfigError: voices have no such option, or this adapter or renderer cannot shift the pitch, or not so far.
        """
        refuse_unknown(values, VoiceOptions)
        options = VoiceOptions(**values)
        if options.pitch_shift and not getattr(adapter, "shifts_pitch", False):
            raise ConfigError("`pitch_shift`: this model's features hold no separate F0; leave it out")
        if options.pitch_shift and not getattr(renderer, "shifts_pitch", True):
            raise ConfigError("`pitch_shift`: this renderer keeps the source's pitch; leave it out, or choose another `renderer`")
        return options

    def accepts(self, path: Path) -> bool:
        """True for the files that a folder scan takes."""
        return is_recording(path)

    def encode(self, path: Path, adapter: VoiceAdapter) -> Encoded:
        """A recording as training features, with F0 and nothing heavy beside it.

        Raises:
            InputError: it cannot be read, or holds nothing but silence or noise without voice.
        """
        samples, found, noted = read_speech(path, adapter.sample_rate)
        if not samples.any():
            raise InputError(f"{path}: holds only digital silence")
        encoded = adapter.analyze(samples, side=False)
        if "f0" in encoded.side and not (encoded.side["f0"] > 0).any():
            raise InputError(f"{path}: no voiced frame in it; is this speech?")
        unusual = {BAND_LIMIT: missing_above(found.band_limit, adapter) or 0.0, MIXED: float(bool(found.mix.note))}
        unusual |= {kind: float(kind in noted) for kind in (HEADER, SCALE)}
        return Encoded(encoded.features, encoded.side | unusual)

    def remarks(self, items: Sequence[tuple[Path, Encoded]]) -> Iterator[str]:
        """What is unusual about the recordings of a domain, of those that :meth:`encode` made features of: a line for each kind."""
        narrow = {path: limit for path, item in items if (limit := float(item.side.get(BAND_LIMIT, 0.0)) / 1000.0) > 0.0}
        if narrow:
            limits = narrow.values()
            span = f"{min(limits):.1f}" if max(limits) - min(limits) < 0.1 else f"{min(limits):.1f} to {max(limits):.1f}"
            what = "the voice is learned without its upper band; leave them out, or take better copies"
            yield f"{len(narrow)} of {len(items)} files hold nothing above {span} kHz ({some_names(list(narrow))}): {what}"
        mixed = [path for path, item in items if float(item.side.get(MIXED, 0.0)) > 0.0]
        if mixed:
            yield f"{len(mixed)} of {len(items)} files have a silent channel, left out, or one of opposite phase, turned round ({some_names(mixed)})"
        for kind, what in FILE_NOTES.items():
            if named := [path for path, item in items if float(item.side.get(kind, 0.0)) > 0.0]:
                yield f"{len(named)} of {len(items)} files {what} ({some_names(named)})"

    def convert(
        self,
        source: Path,
        output: Path,
        adapter: VoiceAdapter,
        renderer: VoiceRenderer,
        translate: Translate,
        options: VoiceOptions,
        progress: Progress = lambda share: None,
    ) -> Outcome:
        """Convert a file, whatever its length. ``-`` is stdin or stdout. ``translate`` knows the options already."""
        target = sys.stdout.buffer if str(output) == "-" else output
        with open_input(source) as (sound, name):
            return convert_recording(sound, name, target, adapter, renderer, translate, progress)

    def convert_item(
        self, item: Signal | Path, adapter: VoiceAdapter, renderer: VoiceRenderer, translate: Translate, options: VoiceOptions
    ) -> Signal:
        """Convert a waveform in memory, or a recording; as many samples at the same rate come back.

        Args:
            item: a signal's samples may have any real type and several channels (see :func:`~audiocycle.voice.waveform.as_waveform`).

        Raises:
            InputError: it is no waveform, or the recording cannot be read.

        Warns:
            AudioCycleWarning: it is unusual.
        """
        signal, note = self.converted_item(item, adapter, renderer, translate)
        tell(note)
        return signal

    def converted_item(self, item: Signal | Path, adapter: VoiceAdapter, renderer: VoiceRenderer, translate: Translate) -> tuple[Signal, str]:
        """As :meth:`convert_item`, and what is unusual about the item; empty where nothing is."""
        source, target, name = (item, io.BytesIO(), str(item)) if isinstance(item, Path) else (in_memory(item), io.BytesIO(), "signal")
        with open_sound(source, name) as sound:
            outcome = convert_recording(sound, name, target, adapter, renderer, translate, stream_subtype="FLOAT")
            rate = sound.samplerate
        target.seek(0)
        return Signal(soundfile.read(target, dtype="float32")[0], rate), f"{name}: {outcome.note}" if outcome.note else ""

    def read(self, path: Path, seconds: float | None = None) -> Signal:
        """A recording, or its first ``seconds``, at its own rate, channels mixed as those seconds say."""
        with open_sound(path) as sound:
            if seconds is None:
                return Signal(np.concatenate(list(mono_blocks(sound, str(path), 1 << 20))), sound.samplerate)
            begin = next(raw_blocks(sound, str(path), round(seconds * sound.samplerate)))
            return Signal(survey([begin], sound.samplerate, sound.channels).mix.of(begin), sound.samplerate)

    def write(self, path: Path, signal: Signal) -> None:
        """Write a waveform whole, or not at all."""
        write_sound(path, iter([soft_clip(signal.samples)]), signal.sample_rate)

    def listen(self, signal: Signal) -> Signal:
        """What an item sounds like: itself."""
        return signal

    def picture(self, rows: Sequence[tuple[str, Signal]], path: Path) -> None:
        """One spectrogram with its F0 track for each (title, waveform)."""
        from audiocycle.voice.picture import compare_picture
        from audiocycle.voice.world_adapter import track_f0

        compare_picture(path, [(title, s.samples, s.sample_rate, track_f0(s)) for title, s in rows])


def in_memory(signal: Signal) -> io.BytesIO:
    """A waveform as a WAV of floats.

    Raises:
        InputError: it is none.
    """
    given, stream = as_waveform(signal), io.BytesIO()
    soundfile.write(stream, given.samples, given.sample_rate, subtype="FLOAT", format="WAV")
    stream.seek(0)
    return stream


def some_names(paths: Sequence[Path]) -> str:
    """The first files' names, and that there are more."""
    return ", ".join(path.name for path in paths[:NAMED]) + (", ..." if len(paths) > NAMED else "")
