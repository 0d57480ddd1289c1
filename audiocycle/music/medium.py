"""Music as files: which ones are taken, how one becomes training features, how one is converted and put together again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiocycle.errors import InputError
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.arrange import arrange, outside
from audiocycle.music.grid import BEATS
from audiocycle.music.midi_file import (
    as_bytes,
    check_output,
    from_pretty_midi,
    is_midi,
    read_score,
    score_from_bytes,
    to_pretty_midi,
    write_score,
)
from audiocycle.music.midi_limits import LIMITS, check_score, is_sane
from audiocycle.music.notes import join, notes_of
from audiocycle.music.options import MusicOptions
from audiocycle.music.piano_roll import in_range
from audiocycle.music.renderer import ScoreRenderer
from audiocycle.spec import Encoded, Outcome, refuse_unknown

if TYPE_CHECKING:
    from audiocycle.spec import Signal

COARSE = 24
"""Scores with fewer ticks a quarter note get so many times more: else two steps of a grid could fall on one tick."""

Translate = Callable[[Encoded], Encoded]
Progress = Callable[[float], None]


class MusicMedium:
    """MIDI files."""

    modality = "music"
    suffix = ".mid"
    preview_suffix = ".wav"
    sample_seconds = 24.0
    """A training's samples are this long."""
    plot_seconds = None
    """The picture itself says how many bars it shows."""

    def accepts(self, path: Path) -> bool:
        """True for the files that a folder scan takes."""
        return is_midi(path)

    def options(self, values: Mapping[str, Any], adapter: PianoRollAdapter, renderer: ScoreRenderer) -> MusicOptions:
        """Options by name.

        Raises:
            ConfigError: music has no such option, or not with this value.
        """
        refuse_unknown(values, MusicOptions)
        return MusicOptions(**values)

    def encode(self, path: Path, adapter: PianoRollAdapter) -> Encoded:
        """A file's phrases as training features.

        Raises:
            InputError: it cannot be read, or holds nothing to learn from.
        """
        return adapter.analyze_score(read_score(path), str(path))

    def remarks(self, items: Sequence[tuple[Path, Encoded]]) -> Iterator[str]:
        """Nothing that :meth:`encode` takes is unusual."""
        yield from ()

    def convert(
        self,
        source: Path,
        output: Path,
        adapter: PianoRollAdapter,
        renderer: ScoreRenderer,
        translate: Translate,
        options: MusicOptions,
        progress: Progress = lambda share: None,
    ) -> Outcome:
        """Convert a file, whatever its length. ``-`` is stdin or stdout."""
        if str(output) != "-":
            check_output(output)
        piped = str(source) == "-"
        score: Any = score_from_bytes(sys.stdin.buffer.read(), "stdin") if piped else read_score(source)
        name = "stdin" if piped else str(source)
        made, details = convert_score(score, name, adapter, renderer, translate, options, progress)
        if str(output) == "-":
            sys.stdout.buffer.write(as_bytes(made, "stdout"))
            sys.stdout.buffer.flush()
        else:
            write_score(output, made)
        return Outcome(float(score.to("second").end()), details)

    def convert_item(
        self, item: Any, adapter: PianoRollAdapter, renderer: ScoreRenderer, translate: Translate, options: MusicOptions
    ) -> Any:
        """Convert a symusic or pretty_midi score in memory; the same kind comes back."""
        foreign = hasattr(item, "instruments")  # pretty_midi's
        score = from_pretty_midi(item) if foreign else item.to("tick")
        if not is_sane(score):
            raise InputError("score: has a time below 0, or a tempo or signature that means nothing; correct it")
        check_score(score, "score", LIMITS)
        made, _ = convert_score(score, "score", adapter, renderer, translate, options)
        return to_pretty_midi(made) if foreign else made

    def read(self, path: Path, seconds: float | None = None) -> Any:
        """A symusic score in ticks, or its whole bars (of four quarters) up to ``seconds``."""
        score: Any = read_score(path)
        whole = score.to("second").end()
        if seconds is None or whole <= seconds:
            return score
        bar = BEATS * score.ticks_per_quarter
        ticks = seconds / whole * score.end()  # by the mean tempo
        return score.clip(0, max(1, round(ticks / bar)) * bar)

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
        """One piano roll for each (title, score), with lines every four bars."""
        from audiocycle.music.picture import roll_picture

        last = max(score.end() / score.ticks_per_quarter for _, score in rows)
        roll_picture(path, rows, np.arange(0, last, 4 * BEATS).tolist())


def convert_score(
    score: Any,
    name: str,
    adapter: PianoRollAdapter,
    renderer: ScoreRenderer,
    translate: Translate,
    options: MusicOptions,
    progress: Progress = lambda share: None,
) -> tuple[Any, dict[str, int]]:
    """A score to its conversion, and counts for the report: phrases in 4/4, phrases in other metres, which stay as they are,
    and notes, drums left out: kept as they were, resized (begun where the source has one of their pitch, another end), new.

    Everything that a roll does not show stays as it is: drums, bars in other metres, pitches outside 24 to 107, tempo map,
    signatures, lyrics, markers, controllers.

    Raises:
        InputError: it holds nothing that could be converted.
    """
    if score.ticks_per_quarter < COARSE:
        score = score.resample(score.ticks_per_quarter * COARSE, 0)
    notes = notes_of(score)
    if not len(notes):
        raise InputError(f"{name}: holds only drums, or no notes; there is nothing to convert")
    if not in_range(notes).any():
        raise InputError(f"{name}: has no note between MIDI pitches 24 and 107; there is nothing to convert")
    spans = adapter.spans(score)
    parts = [outside(notes, spans)]
    programs: Any = None
    for index, span in enumerate(spans):
        encoded = adapter.analyze(notes, span)
        if len(encoded.side["notes"]):
            translated = translate(encoded)
            programs = translated.side["programs"]
            parts.append(renderer.render(translated, options))
        progress((index + 1) / len(spans))
    result = arrange(score, notes, join(parts), options, programs)
    made = notes_of(result)
    begun = int(np.isin(made.start << 7 | made.pitch, notes.start << 7 | notes.pitch).sum())
    whole = {*zip(notes.start.tolist(), notes.pitch.tolist(), notes.end.tolist(), strict=True)}
    n_kept = sum(note in whole for note in zip(made.start.tolist(), made.pitch.tolist(), made.end.tolist(), strict=True))
    details = {
        "phrases": sum(-(-span.n_bars // adapter.bars) for span in spans),
        "phrases_unchanged": adapter.phrases_outside(score),
        "notes_in": len(notes),
        "notes_out": len(made),
        "notes_kept": n_kept,
        "notes_resized": begun - n_kept,
        "notes_new": len(made) - begun,
    }
    return result, details
