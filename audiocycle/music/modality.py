"""Music as files: which ones are taken, how one becomes training features, how one is converted and put together again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError, InputError, tell
from audiocycle.music.adapter import PianoRollAdapter, bars_of
from audiocycle.music.midi.file import (
    check_output,
    from_pretty_midi,
    is_midi,
    read_piped,
    read_score,
    read_song,
    to_pretty_midi,
    write_score,
    write_song,
)
from audiocycle.music.midi.limits import LIMITS, check_score, check_writable, is_sane
from audiocycle.music.midi.score import score_of, song_of, with_changes
from audiocycle.music.midi.song import song_to_bytes
from audiocycle.music.options import MusicOptions
from audiocycle.music.phrases import phrase_lines
from audiocycle.music.score_guides import JoinedBars, ScoreGuides
from audiocycle.music.sides import ScoreSide
from audiocycle.music.song_conversion import COARSE, convert_song
from audiocycle.spec import Direction, Encoded, Outcome, Renderer, Translation
from audiocycle.system.options import refuse_unknown

if TYPE_CHECKING:
    from audiocycle.data.guides import GuideConfig, GuideMaker
    from audiocycle.modality import Modality, Norms, Progress, Validation
    from audiocycle.spec import Signal


class MusicModality:
    """MIDI files (a :class:`~audiocycle.modality.Modality`)."""

    name: ClassVar[str] = "music"
    file: ClassVar[str] = "a MIDI file"
    suffix: ClassVar[str] = ".mid"
    preview_suffix: ClassVar[str] = ".wav"
    score_suffix: ClassVar[str] = ".svg"
    sample_seconds: ClassVar[float] = 24.0
    plot_seconds: ClassVar[float | None] = None
    """The picture itself says how many bars it shows."""
    one_way: ClassVar[bool] = False
    consent: ClassVar[str] = ""
    validates: ClassVar[bool] = False  # what a genre is needs a classifier: audiocycle evaluate
    options: ClassVar[type] = MusicOptions
    training_side: ClassVar[type] = ScoreSide

    def __init__(self, adapter: PianoRollAdapter) -> None:
        self.adapter = adapter

    @staticmethod
    def accepts(path: Path) -> bool:
        """True for the files that a folder scan takes."""
        return is_midi(path)

    def encode(self, path: Path) -> Encoded[ScoreSide]:
        """A file's phrases as training features.

        Raises:
            InputError: it cannot be read, or holds nothing to learn from.
        """
        return self.adapter.analyze_score(read_score(path), str(path))

    def remarks(self, items: Sequence[tuple[Path, Encoded[ScoreSide]]]) -> Iterator[str]:
        """Nothing that :meth:`encode` takes is unusual."""
        yield from ()

    def none_of_its_kind(self, encoded: Encoded[ScoreSide]) -> str:
        """Nothing that :meth:`encode` takes is."""
        return ""

    def places(self, encoded: Encoded[ScoreSide]) -> NDArray[np.float64]:
        """(N,) where each phrase of a training item begins, quarter notes."""
        return encoded.side.places

    def validation(self, direction: Direction, sources: Any, targets: Any, learned: Any, seconds: float) -> Validation:
        """None there is, see :attr:`validates`."""
        raise NotImplementedError

    def guides(self, config: GuideConfig, cache: Path) -> GuideMaker:
        """What finds the target's nearest bars.

        Raises:
            ConfigError: rolls with velocity cannot be guided.
        """
        if self.adapter.velocity:
            raise ConfigError("objective.guide: only voices with the WORLD adapter, and piano rolls without velocity, can be guided; set it to 0")
        per_beat = self.adapter.spec.steps_per_beat
        return JoinedBars(per_beat) if config.bars == "joined" else ScoreGuides(per_beat, config.neighbours)

    def chosen(self, values: Mapping[str, Any], renderer: Renderer) -> MusicOptions:
        """Options by name.

        Raises:
            ConfigError: music has no such option, or not with this value.
        """
        refuse_unknown(values, MusicOptions)
        return MusicOptions(**values)

    def convert(
        self,
        source: Path,
        output: Path,
        renderer: Renderer,
        translation: Translation,
        options: MusicOptions,
        progress: Progress = lambda share: None,
    ) -> Outcome:
        """Convert a file, whatever its length. ``-`` is stdin or stdout."""
        if str(output) != "-":
            check_output(output)
        piped = str(source) == "-"
        name = "stdin" if piped else str(source)
        song = read_piped(sys.stdin.buffer, name) if piped else read_song(source)
        converted, outcome = convert_song(song, name, self.adapter, renderer, translation, options, progress)
        if str(output) == "-":
            sys.stdout.buffer.write(song_to_bytes(converted))
            sys.stdout.buffer.flush()
        else:
            write_song(output, converted)
        return outcome

    def convert_item(self, item: Any, renderer: Renderer, translation: Translation, options: MusicOptions) -> Any:
        """Convert a symusic or pretty_midi score in memory, or a file; the same kind comes back, of a file a symusic score in ticks.

        Of a symusic score whose tracks are kept, everything but notes (and programs, if asked for) is the given one's; pretty_midi's
        goes through a MIDI file.

        Raises:
            InputError: it is above the limits, means nothing, or holds nothing that could be converted.
            OutputError: it has values that MIDI does not have.

        Warns:
            AudioCycleWarning: it is unusual.
        """
        if isinstance(item, Path):
            item = self.read(item)
        if hasattr(item, "instruments"):  # pretty_midi's
            converted, outcome = convert_song(from_pretty_midi(item), "PrettyMIDI object", self.adapter, renderer, translation, options)
            tell(outcome.note)
            return to_pretty_midi(converted)
        score = item.to("tick")
        if not is_sane(score):
            raise InputError("score: has a time below 0, or a tempo or signature that means nothing; correct it")
        check_score(score, "score", LIMITS)
        check_writable(score, "score")
        if score.ticks_per_quarter < COARSE:
            score = score.resample(score.ticks_per_quarter * COARSE, 0)
        song = song_of(score)
        converted, outcome = convert_song(song, "score", self.adapter, renderer, translation, options)
        tell(outcome.note)
        if options.tracks == "merge":
            return score_of(converted, name="score")
        return with_changes(score, song, converted, options.programs == "target")

    def read(self, path: Path, seconds: float | None = None) -> Any:
        """A symusic score in ticks, or its whole bars up to about ``seconds``, one at least."""
        from audiocycle.music.picture import bar_starts

        score: Any = read_score(path)
        whole = score.to("second").end()
        if seconds is None or whole <= seconds:
            return score
        quarters = score.end() / score.ticks_per_quarter
        lines = bar_starts(score, quarters, LIMITS.max_quarters)[0][1:]
        nearest = lines[np.abs(lines - seconds / whole * quarters).argmin()]  # by the mean tempo
        return score.clip(0, round(nearest * score.ticks_per_quarter))

    def write(self, path: Path, item: Any) -> None:
        """Write a score whole, or not at all."""
        write_score(path, item)

    def listen(self, item: Any) -> Signal:
        """What a score sounds like."""
        from audiocycle.music.preview import render_audio

        return render_audio(item)

    def preview(self, path: Path, output: Path) -> None:
        """Write a sound of a MIDI file."""
        from audiocycle.music.preview import write_preview

        write_preview(output, read_score(path))

    def picture(self, rows: Sequence[tuple[str, Any]], path: Path) -> None:
        """One piano roll for each (title, score), with lines between phrases."""
        from audiocycle.music.picture import roll_picture

        first = rows[0][1]
        lines = phrase_lines(self.adapter.layout(bars_of(first)).spans, self.adapter.spec.window)
        roll_picture(path, rows, (lines / first.ticks_per_quarter).tolist())

    def notate(self, rows: Sequence[tuple[str, Any]], path: Path) -> None:
        """The first bars of each (title, score) as notes."""
        from audiocycle.music.score_picture import score_picture

        score_picture(path, rows)

    def check_extras(self, preview: bool, score: bool) -> None:
        """Find out before the work that the synthesizer, or the engraver, is missing."""
        if preview:
            from audiocycle.music.preview import check_synthesizer

            check_synthesizer()
        if score:
            from audiocycle.music.score_picture import check_engraver

            check_engraver()

    def stream(
        self, translation: Translation, norms: Norms, *, sample_rate: int | None, block_seconds: float, band_limit: float | None
    ) -> None:
        """No MIDI comes in as a stream."""


if TYPE_CHECKING:
    _CONFORMS: type[Modality] = MusicModality
