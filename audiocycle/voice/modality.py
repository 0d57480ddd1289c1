"""Voice as files: which ones are taken, how one becomes training features, how one is converted."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import soundfile

from audiocycle.errors import ConfigError, InputError, tell
from audiocycle.spec import Direction, Encoded, Outcome, Renderer, Signal, Translation
from audiocycle.system.options import refuse_unknown
from audiocycle.voice.adapter import VoiceAdapter, VoiceRenderer
from audiocycle.voice.level import soft_clip
from audiocycle.voice.opening import HEADER, SCALE
from audiocycle.voice.options import VoiceOptions
from audiocycle.voice.recording import convert_recording
from audiocycle.voice.sides import RecordingSide
from audiocycle.voice.sound_file import (
    is_recording,
    mono_blocks,
    open_input,
    open_sound,
    raw_blocks,
    read_speech,
    write_sound,
)
from audiocycle.voice.source_doubts import UNLIKE, unlike_speech
from audiocycle.voice.survey import missing_above, survey
from audiocycle.voice.waveform import as_waveform

if TYPE_CHECKING:
    from audiocycle.data.guides import GuideConfig, GuideMaker
    from audiocycle.modality import Modality, Norms, Progress
    from audiocycle.voice.stream import StreamAtRate
    from audiocycle.voice.validation import Files, VoiceValidation

FILE_NOTES = {
    HEADER: "have headers that say less than there is, as after a loss of power, and were read whole",
    SCALE: "have samples beyond full scale, and were scaled",
}
"""What training says of the kinds of notes that :func:`~audiocycle.voice.opening.open_sound` makes."""
NAMED = 3
"""Files that a remark names."""


class VoiceModality:
    """Recordings of speech (a :class:`~audiocycle.modality.Modality`)."""

    name: ClassVar[str] = "voice"
    file: ClassVar[str] = "a recording"
    suffix: ClassVar[str] = ".wav"
    preview_suffix: ClassVar[str] = ""
    score_suffix: ClassVar[str] = ""
    sample_seconds: ClassVar[float] = 6.0
    plot_seconds: ClassVar[float | None] = 30.0
    one_way: ClassVar[bool] = True
    consent: ClassVar[str] = (
        "A voice is personal: convert to a person's voice only with that person's\nconsent, and say that the result is synthetic."
    )
    options: ClassVar[type] = VoiceOptions
    training_side: ClassVar[type] = RecordingSide

    def __init__(self, adapter: VoiceAdapter) -> None:
        self.adapter = adapter

    @staticmethod
    def accepts(path: Path) -> bool:
        """True for the files that a folder scan takes."""
        return is_recording(path)

    def encode(self, path: Path) -> Encoded[RecordingSide]:
        """A recording as training features, with F0 and nothing heavy beside it.

        Raises:
            InputError: it cannot be read, or holds nothing but silence or noise without voice.
        """
        samples, found, noted = read_speech(path, self.adapter.sample_rate)
        if not samples.any():
            raise InputError(f"{path}: holds only digital silence")
        encoded = self.adapter.analyze(samples, side=False)
        f0 = encoded.side.f0
        if f0 is not None and not (f0 > 0).any():
            raise InputError(f"{path}: no voiced frame in it; is this speech?")
        side = RecordingSide(
            n_samples=encoded.side.n_samples,
            f0=f0,
            f0_floor=encoded.side.f0_floor,
            band_limit=missing_above(found.band_limit, self.adapter) or 0.0,
            mixed_otherwise=float(bool(found.mix.note)),
            header_mended=float(HEADER in noted),
            scaled=float(SCALE in noted),
            articulation=encoded.side.articulation or 0.0,
        )
        return Encoded(encoded.features, side)

    def remarks(self, items: Sequence[tuple[Path, Encoded[RecordingSide]]]) -> Iterator[str]:
        """What is unusual about the recordings of a domain, of those that :meth:`encode` made features of: a line for each kind."""
        narrow = {path: limit for path, item in items if (limit := float(item.side.band_limit) / 1000.0) > 0.0}
        if narrow:
            limits = narrow.values()
            span = f"{min(limits):.1f}" if max(limits) - min(limits) < 0.1 else f"{min(limits):.1f} to {max(limits):.1f}"
            what = "the voice is learned without its upper band; leave them out, or take better copies"
            yield f"{len(narrow)} of {len(items)} files hold nothing above {span} kHz ({some_names(list(narrow))}): {what}"
        mixed = [path for path, item in items if item.side.mixed_otherwise > 0.0]
        if mixed:
            yield f"{len(mixed)} of {len(items)} files have a silent channel, left out, or one of opposite phase, turned round ({some_names(mixed)})"
        if unlike := [path for path, item in items if unlike_speech(item.side)]:
            yield f"{len(unlike)} of {len(items)} files {UNLIKE.replace('sounds', 'sound')} ({some_names(unlike)}): leave them out"
        for kind, what in FILE_NOTES.items():
            if named := [path for path, item in items if getattr(item.side, kind) > 0.0]:
                yield f"{len(named)} of {len(items)} files {what} ({some_names(named)})"
        from audiocycle.voice.suitability import doubts
        from audiocycle.voice.world_adapter import WorldAdapter

        if isinstance(self.adapter, WorldAdapter):
            yield from doubts([(path, first_copy(item, self.adapter.spec.copies)) for path, item in items], self.adapter)

    def none_of_its_kind(self, encoded: Encoded[RecordingSide]) -> str:
        """Noise and music, which content features tell from speech."""
        return UNLIKE if unlike_speech(encoded.side) else ""

    def places(self, encoded: Encoded[RecordingSide]) -> None:
        """None: counterparts go frame by frame."""

    @property
    def validates(self) -> bool:
        """Whether these are WORLD features."""
        from audiocycle.voice.world_adapter import WorldAdapter

        return isinstance(self.adapter, WorldAdapter)

    def validation(self, direction: Direction, sources: Files, targets: Files, learned: Files, seconds: float) -> VoiceValidation:
        """Envelope, likeness, words and variance of conversions.

        Raises:
            InputError: a recording cannot be read any more, or there is no speech in any.
        """
        from audiocycle.voice.validation import VoiceValidation
        from audiocycle.voice.world_adapter import WorldAdapter

        assert isinstance(self.adapter, WorldAdapter)
        return VoiceValidation(self.adapter, direction, sources, targets, learned, seconds)

    def guides(self, config: GuideConfig, cache: Path) -> GuideMaker:
        """What makes the target say what a recogniser hears.

        Raises:
            ConfigError: only WORLD features can be guided; or faster-whisper is not installed, or there is no such model.
        """
        if not self.adapter.takes_guides:
            raise ConfigError("objective.guide: only voices with the WORLD adapter, and piano rolls without velocity, can be guided; set it to 0")
        from audiocycle.voice.spoken_guides import SpokenGuides, load_encoder

        return SpokenGuides(config.recognizer, load_encoder(config.recognizer), self.adapter, self.read, cache)

    def chosen(self, values: Mapping[str, Any], renderer: Renderer) -> VoiceOptions:
        """Options by name.

        Raises:
            ConfigError: voices have no such option, or this adapter or renderer cannot shift the pitch, or not so far.
        """
        refuse_unknown(values, VoiceOptions)
        options = VoiceOptions(**values)
        for name in [name for name, asked in (("pitch_shift", options.pitch_shift), ("pitch", options.pitch == "keep")) if asked]:
            if not self.adapter.shifts_pitch:
                raise ConfigError(f"{name}: this model's features hold no separate F0; leave it out")
        if options.pitch_shift and not getattr(renderer, "shifts_pitch", True):
            raise ConfigError("pitch_shift: this renderer keeps the source's pitch; leave it out, or choose another renderer")
        return options

    def convert(
        self,
        source: Path,
        output: Path,
        renderer: VoiceRenderer,
        translation: Translation,
        options: VoiceOptions,
        progress: Progress = lambda share: None,
    ) -> Outcome:
        """Convert a file, whatever its length. ``-`` is stdin or stdout. The translation knows the options already."""
        target = sys.stdout.buffer if str(output) == "-" else output
        with open_input(source) as (sound, name):
            return convert_recording(sound, name, target, self.adapter, renderer, translation, progress)

    def convert_item(self, item: Signal | Path, renderer: VoiceRenderer, translation: Translation, options: VoiceOptions) -> Signal:
        """Convert a waveform in memory, or a recording; as many samples at the same rate come back.

        Args:
            item: a signal's samples may have any real type and several channels (see :func:`~audiocycle.voice.waveform.as_waveform`).

        Raises:
            InputError: it is no waveform, or the recording cannot be read.

        Warns:
            AudioCycleWarning: it is unusual.
        """
        signal, note = self.converted_item(item, renderer, translation)
        tell(note)
        return signal

    def converted_item(self, item: Signal | Path, renderer: VoiceRenderer, translation: Translation) -> tuple[Signal, str]:
        """As :meth:`convert_item`, and what is unusual about the item; empty where nothing is."""
        source, target, name = (item, io.BytesIO(), str(item)) if isinstance(item, Path) else (in_memory(item), io.BytesIO(), "signal")
        with open_sound(source, name) as sound:
            outcome = convert_recording(sound, name, target, self.adapter, renderer, translation, stream_subtype="FLOAT")
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

    def preview(self, path: Path, output: Path) -> None:
        """A recording needs no preview, it is sound: its copy."""
        self.write(output, self.read(path))

    def picture(self, rows: Sequence[tuple[str, Signal]], path: Path) -> None:
        """One spectrogram with its F0 track for each (title, waveform)."""
        from audiocycle.voice.picture import compare_picture
        from audiocycle.voice.world_adapter import track_f0

        compare_picture(path, [(title, s.samples, s.sample_rate, track_f0(s)) for title, s in rows])

    def notate(self, rows: Sequence[tuple[str, Signal]], path: Path) -> None:
        """Speech has no score, see :attr:`score_suffix`."""
        raise NotImplementedError

    def check_extras(self, preview: bool, score: bool) -> None:
        """Voices have neither."""

    def stream(
        self, translation: Translation, norms: Norms, *, sample_rate: int | None, block_seconds: float, band_limit: float | None
    ) -> StreamAtRate | None:
        """A conversion while somebody speaks, which has been tried out: its first block is not late. None: these are no WORLD features.

        Raises:
            ConfigError: a block or rate that cannot be.
        """
        from audiocycle.voice.live import live_stream

        return live_stream(self.adapter, translation, norms, sample_rate, block_seconds, band_limit)


def first_copy(item: Encoded[RecordingSide], copies: int) -> Encoded[RecordingSide]:
    """A training item without what it holds of its recording again."""
    frames = item.features.shape[-1] // copies
    return item if copies == 1 else Encoded(item.features[..., :frames], replace(item.side, f0=None if item.side.f0 is None else item.side.f0[:frames]))


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


if TYPE_CHECKING:
    _CONFORMS: type[Modality] = VoiceModality
