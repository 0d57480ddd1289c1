"""Phrases in the report: a player below each piano roll, the source above its transfer, all on one time axis.

Rolls are SVG: notes take their colours from the page, light or dark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from audiocycle.evaluation.music.examples import ANOTHER_SONG, COUNTERPART
from audiocycle.evaluation.music.measures import SOURCE, TRANSFER
from audiocycle.evaluation.music.results import MusicExample
from audiocycle.evaluation.page.charts import data_uri
from audiocycle.evaluation.page.markup import Markup, element, joined
from audiocycle.evaluation.sound import flac
from audiocycle.music.midi.limits import LIMITS
from audiocycle.music.notes import Notes, notes_of
from audiocycle.music.picture import bar_starts
from audiocycle.music.preview import render_audio
from audiocycle.spec import FloatArray

SAMPLE_RATE = 24000
"""Of the players, Hz: half of what the synthesizer makes, since the page holds all of it."""
LEAST_PITCHES = 24
"""A single note still lies on a keyboard of two octaves."""
ROWS = (SOURCE, TRANSFER, COUNTERPART, ANOTHER_SONG)
CLASSES = {SOURCE: "r1", TRANSFER: "r0", COUNTERPART: "r5", ANOTHER_SONG: "r5"}
KEPT, RESIZED, NEW, LOST = "kept", "resized", "new", "lost"
MEANINGS = {
    KEPT: "in source and transfer alike",
    RESIZED: "begins alike, and has another length",
    LOST: "only in the source",
    NEW: "only in the transfer",
}
BLACK_KEYS = (1, 3, 6, 8, 10)
Name = tuple[int, int, int]
"""Pitch, start and end in 1/1000 of a quarter note."""


@dataclass(frozen=True)
class Roll:
    """A score in seconds.

    Attributes:
        start, end, pitch: (N,) of its notes, without drums.
        names: (N,) by which notes of two scores are known to be the same.
        bars: (B,) where bars begin.
        sound: FLAC.
        seconds: of the whole sound.
    """

    start: FloatArray
    end: FloatArray
    pitch: FloatArray
    names: Sequence[Name]
    bars: FloatArray
    sound: bytes
    seconds: float


def listening(examples: Sequence[MusicExample]) -> Markup:
    """All songs that are shown."""
    return joined(*(one(example) for example in examples))


def legend() -> Markup:
    """Which colour is which kind of note."""
    swatches = {
        kind: element("svg", element("rect", width=28.0, height=10.0, class_=f"note {kind}"), viewBox="0 0 28 10", aria_hidden="true")
        for kind in MEANINGS
    }
    items = (element("li", swatches[kind], text) for kind, text in MEANINGS.items())
    return element("ul", *items, class_="legend")


def one(example: MusicExample) -> Markup:
    """The rolls of one song, one above the other."""
    rolls = {row: roll_of(example.scores[row]) for row in ROWS if row in example.scores}
    longest = max(roll.seconds for roll in rolls.values())
    low, high = pitches(list(rolls.values()))
    kinds = kinds_of(rolls)
    players = (player(example, row, roll, kinds.get(row, {}), longest, (low, high)) for row, roll in rolls.items())
    bars = f"bars {example.first} to {example.last}"
    return joined(element("h4", f"{example.name}, {bars}"), element("div", *players, class_="sounds rolls"))


def kinds_of(rolls: Mapping[str, Roll]) -> dict[str, dict[str, list[bool]]]:
    """Row to kind of note to which of its notes are of it; other rows have notes of no kind."""
    found = {}
    for row, other, alone in ((SOURCE, TRANSFER, LOST), (TRANSFER, SOURCE, NEW)):
        whole, begun = set(rolls[other].names), {key[:2] for key in rolls[other].names}
        kinds = [KEPT if key in whole else RESIZED if key[:2] in begun else alone for key in rolls[row].names]
        found[row] = {kind: [each == kind for each in kinds] for kind in (KEPT, RESIZED, alone)}
    return found


def player(
    example: MusicExample, row: str, roll: Roll, kinds: Mapping[str, Sequence[bool]], longest: float, span: tuple[int, int]
) -> Markup:
    """One score: its name and how many notes it has, its roll, its player."""
    low, high = span
    counts = {kind: sum(which) for kind, which in kinds.items()}
    said = ", ".join([f"{len(roll.pitch)} notes", *(f"{n} {kind}" for kind, n in counts.items())])
    label = f"Piano roll of {example.name}, {row}: {said}, {roll.seconds:.1f} s"
    picture = element(
        "div",
        drawing(roll, kinds or {"": [True] * len(roll.pitch)}, span, label),
        class_="picture roll",
        style=f"width:{100 * roll.seconds / longest:.4g}%",
    )
    octaves = [
        element("span", f"C{pitch // 12 - 1}", style=f"bottom:{100 * (pitch + 0.5 - low) / (high - low):.4g}%")
        for pitch in range(low, high)
        if pitch % 12 == 0
    ]
    view = element(
        "div",
        element("div", *octaves, class_="level", aria_hidden="true"),
        element("div", picture, class_="stage"),
        element("div", element("span", "0 s"), element("span", f"{longest:.1f} s"), class_="times", aria_hidden="true"),
        class_="view wide",
    )
    audio = element(
        "audio",
        controls=True,
        preload="none",
        src=data_uri(roll.sound, "audio/flac"),
        aria_label=f"{example.name}, {row}, {roll.seconds:.1f} seconds",
    )
    caption = element("figcaption", element("strong", row), element("small", said))
    return element("figure", caption, view, audio, class_=f"sound {CLASSES[row]}")


def drawing(roll: Roll, kinds: Mapping[str, Sequence[bool]], span: tuple[int, int], label: str) -> Markup:
    """Notes over the keyboard, 1 unit high each; times in hundredths of a second."""
    low, high = span
    width = 100.0 * roll.seconds
    keys = "".join(f"M0 {high - 1 - pitch}h{width:.0f}v1h-{width:.0f}z" for pitch in range(low, high) if pitch % 12 in BLACK_KEYS)
    bars = "".join(f"M{100 * bar:.0f} 0v{high - low}" for bar in roll.bars)
    notes = (
        element("path", d="".join(boxes(roll, which, high)), class_=f"note {kind}".strip())
        for kind, which in kinds.items()
        if any(which)
    )
    return element(
        "svg",
        element("path", d=keys, class_="keys"),
        element("path", d=bars, class_="bars"),
        *notes,
        viewBox=f"0 0 {width:.0f} {high - low}",
        preserveAspectRatio="none",
        role="img",
        aria_label=label,
    )


def boxes(roll: Roll, which: Sequence[bool], high: int) -> Iterator[str]:
    """A path for each note."""
    for start, end, pitch, there in zip(roll.start, roll.end, roll.pitch, which, strict=True):
        if there:
            length = max(2.0, 100.0 * (end - start) - 1.5)  # a gap before the next, so that repeated notes are two
            yield f"M{100 * start:.0f} {high - 0.9 - pitch:g}h{length:.0f}v.8h-{length:.0f}z"


def pitches(rolls: Sequence[Roll]) -> tuple[int, int]:
    """Lowest pitch, and the one above the highest, to show."""
    every = np.concatenate([*(roll.pitch for roll in rolls if len(roll.pitch)), np.zeros(0)])
    low, high = (int(every.min()) - 1, int(every.max()) + 2) if len(every) else (48, 72)
    room = max(0, LEAST_PITCHES - (high - low))
    return low - room // 2, high + room - room // 2


def roll_of(score: Any) -> Roll:
    """A score that begins at 0."""
    notes = notes_of(score)
    seconds = clock(score)
    sound = render_audio(score, SAMPLE_RATE)
    end = int(notes.end.max(initial=0))
    starts, _ = bar_starts(score, end / score.ticks_per_quarter, LIMITS.max_quarters)
    bars = starts[starts * score.ticks_per_quarter <= end] * score.ticks_per_quarter
    pitch = notes.pitch.astype(np.float64)
    whole, length = flac(sound.samples, SAMPLE_RATE), len(sound.samples) / SAMPLE_RATE
    return Roll(seconds(notes.start), seconds(notes.end), pitch, names_of(notes, score), seconds(bars), whole, length)


def names_of(notes: Notes, score: Any) -> list[Name]:
    """See :class:`Roll`: scores of one song may differ in their ticks a quarter note."""
    start, end = (np.rint(1000.0 * at / score.ticks_per_quarter).astype(int) for at in (notes.start, notes.end))
    return list(zip(notes.pitch.tolist(), start.tolist(), end.tolist(), strict=True))


def clock(score: Any) -> Callable[[Any], FloatArray]:
    """Ticks to seconds, by the score's tempo map; 120 quarter notes a minute before its first tempo."""
    tempos = sorted((tempo.time, tempo.mspq / 1e6 / score.ticks_per_quarter) for tempo in score.tempos)
    if not tempos or tempos[0][0] > 0:
        tempos.insert(0, (0, 0.5 / score.ticks_per_quarter))
    places, rates = (np.array(column, np.float64) for column in zip(*tempos, strict=True))
    passed = np.concatenate([[0.0], np.cumsum(np.diff(places) * rates[:-1])])

    def seconds(at: Any) -> FloatArray:
        which = np.searchsorted(places, at, side="right") - 1
        return np.asarray(passed[which] + (at - places[which]) * rates[which])

    return seconds
