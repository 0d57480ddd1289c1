"""Music as files: which ones are taken, how one becomes training features, how one is converted and put together again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError, InputError, tell
from audiocycle.music.adapter import PianoRollAdapter, bars_of
from audiocycle.music.arrange import arrange, outside
from audiocycle.music.bars_found import bars_found
from audiocycle.music.endings import closing, within_song
from audiocycle.music.feel import STRAIGHT, played, song_feel
from audiocycle.music.genre_feel import as_genre, moved
from audiocycle.music.grid import BEATS
from audiocycle.music.midi.edit import without_notes
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
from audiocycle.music.midi.limits import LIMITS, check_notes, check_score, check_writable, is_sane
from audiocycle.music.midi.pedals import with_pedals_lifted
from audiocycle.music.midi.retime import retimed
from audiocycle.music.midi.score import score_of, song_of, with_changes
from audiocycle.music.midi.song import Song, finer, song_to_bytes
from audiocycle.music.midi.strokes import find_strokes, parts_of
from audiocycle.music.notes import NEW, join
from audiocycle.music.options import MusicOptions
from audiocycle.music.phrases import phrase_borders, phrase_lines
from audiocycle.music.piano_roll import in_range
from audiocycle.music.players import legato_of, players_of
from audiocycle.music.remarks import remarks
from audiocycle.music.score_guides import ScoreGuides
from audiocycle.music.sides import ConvertedSpanSide, ScoreSide
from audiocycle.music.voicing import voiced
from audiocycle.spec import Direction, Encoded, FloatArray, Outcome, Renderer, Translation
from audiocycle.system.options import refuse_unknown

if TYPE_CHECKING:
    from audiocycle.data.guides import GuideConfig, GuideMaker
    from audiocycle.modality import Modality, Norms, Progress, Validation
    from audiocycle.spec import Signal

COARSE = 24
"""Scores with fewer ticks a quarter note get so many times more: else two steps of a grid could fall on one tick."""


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
        return ScoreGuides(self.adapter.spec.steps_per_beat, config.neighbours)

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


def convert_song(
    song: Song,
    name: str,
    adapter: PianoRollAdapter,
    renderer: Renderer,
    translation: Translation,
    options: MusicOptions,
    progress: Progress = lambda share: None,
) -> tuple[Song, Outcome]:
    """A song to its conversion, and counts for the report: phrases, as long as those that stay as they are because their bars cannot be converted,
    and notes, drums left out: kept as they were, resized (begun where the source has one of their pitch, another end), new. Where
    off-beats were moved: how many notes, drums included, and where in the beat they lay and lie.

    Everything that a roll does not show stays as it is, event for event: drums, bars that fit no grid, pitches outside 24 to 107,
    tempo map, signatures, words, controllers, system messages. Where the feel changes, all that is heard moves with it.

    Raises:
        InputError: it holds nothing that could be converted.
    """
    if song.per_quarter < COARSE:
        song = finer(song, COARSE)
    strokes = find_strokes(song.chunks)
    check_notes(len(strokes), name, LIMITS)
    if options.drums == "drop" and strokes.is_drum.any():
        song = without_notes(song, strokes, np.flatnonzero(strokes.is_drum).tolist())
        strokes = find_strokes(song.chunks)
    parts, notes = parts_of(strokes)
    if not len(notes):
        raise InputError(f"{name}: holds only drums, or no notes; there is nothing to convert")
    if not in_range(notes).any():
        raise InputError(f"{name}: has no note between MIDI pitches 24 and 107; there is nothing to convert")
    bars = bars_found(song, name, notes, adapter, options)
    spans = bars.layout.spans
    feel = song_feel(notes.start, spans, strokes.start[strokes.is_drum])
    aim = as_genre(feel, spans, translation.direction, options)
    n_moved = 0
    if aim is not feel:
        there = partial(moved, spans=spans, before=feel.spans, after=aim.spans)
        starts, counts = np.unique(strokes.start, return_counts=True)
        n_moved = int(counts[there(starts) != starts].sum())
        song = retimed(song, there)
        strokes = find_strokes(song.chunks)
        parts, notes = parts_of(strokes)
    spans = played(spans, aim.spans)
    bars = replace(bars, layout=replace(bars.layout, spans=spans))
    rendered = [outside(notes, spans)]
    programs: FloatArray | None = None
    for index, span in enumerate(spans):
        encoded = adapter.analyze(notes, span)
        if len(encoded.side.notes):
            translated: Encoded[ConvertedSpanSide] = translation(encoded)
            programs = translated.side.programs
            rendered.append(renderer.render(translated))
        progress((index + 1) / len(spans))
    together = legato_of(song.per_quarter)
    made = within_song(join(rendered), notes, together)
    n_new = int((made.origin == NEW).sum())
    if options.tracks == "keep" or not np.ptp(notes.track):
        firm = np.concatenate([rendered[0].origin, closing(notes, together).origin])
        players = players_of(notes, strokes.program[notes.origin], parts.heir, firm, song.per_quarter)
        made = voiced(made, notes, parts.heir, players, phrase_lines(spans, adapter.spec.window))
    n_unplayed = n_new - int((made.origin == NEW).sum())
    result, converted = arrange(song, strokes, parts, notes, made, options, programs)
    kept = converted.origin != NEW
    n_whole = int((strokes.end[converted.origin[kept]] == converted.end[kept]).sum())
    if not n_whole == len(notes) == len(converted):
        result = with_pedals_lifted(result, strokes)
    details: dict[str, Any] = {
        "phrases": sum(len(phrase_borders(span.bars, adapter.spec.window)) - 1 for span in spans),
        "phrases_unchanged": bars.layout.phrases_passed(adapter.bars * BEATS * song.per_quarter),
        "notes_in": len(notes),
        "notes_out": len(converted),
        "notes_kept": n_whole,
        "notes_resized": int(kept.sum()) - n_whole,
        "notes_new": len(converted) - int(kept.sum()),
        "notes_unplayed": n_unplayed,
    }
    if n_moved:
        before, after = (round(float(each.swing[0]) or STRAIGHT, 2) for each in (feel, aim))
        details |= {"notes_moved": n_moved, "swing_before": before, "swing_after": after}
    seconds = float(song.seconds(np.array([song.last]))[0])
    note = remarks(notes, bars, song.signatures, song.per_quarter, adapter.grid, options.first_bar)
    return result, Outcome(seconds, details, note)


if TYPE_CHECKING:
    _CONFORMS: type[Modality] = MusicModality
