"""Written notes as text in the Humdrum format ``**kern`` (Huron 1994), which verovio engraves: it finds accidentals, beams and triplets' brackets itself.

A column is a staff, the lowest first, a line is a moment. Where a bar of a staff has two voices its column is two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audiocycle.music.notation import Chord, Head, Key, Voice, WrittenBar, lengths

MARK = "@"
"""Behind a note that is to have another colour."""
_RECIPROCALS = {
    2: "24", 3: "16", 4: "12", 6: "8", 8: "6", 9: "8.", 12: "4", 18: "4.", 24: "2", 36: "2.", 48: "1", 72: "1."
}  # fmt: skip


@dataclass(frozen=True)
class Staff:
    """A staff of a score.

    Attributes:
        label: in front of its first line; empty where that above says it.
        clef: ``G2``, ``F4``; ``Gv2`` sounds an octave lower than it looks, ``G^2`` higher.
        bars: the voices of each bar.
        row: which of the scores below each other it belongs to.
    """

    label: str
    clef: str
    bars: Sequence[Sequence[Voice]]
    row: int


def kern(staves: Sequence[Staff], metres: Sequence[WrittenBar], key: Key, colour: str) -> str:
    """A score as a ``**kern`` file.

    Args:
        staves: from above.
        colour: of marked notes, ``#d55e00``.
    """
    columns = list(enumerate(staves, start=1))[::-1]
    lines = [
        ["**kern"] * len(columns),
        [f"*staff{number}" for number, _ in columns],
        [f'*I"{staff.label}' for _, staff in columns],
        [f"*clef{staff.clef}" for _, staff in columns],
        [_signature(key)] * len(columns),
    ]
    before = None
    for bar, metre in enumerate(metres):
        if bar:
            lines.append([f"={bar + 1}"] * len(columns))
        if before != (metre.numerator, metre.denominator):
            before = (metre.numerator, metre.denominator)
            lines.append([f"*M{metre.numerator}/{metre.denominator}"] * len(columns))
        lines += _bar([staff.bars[bar] for _, staff in columns], metre, key)
    lines += [["=="] * len(columns), ["*-"] * len(columns)]
    text = ["\t".join(line) for line in lines]
    decoration = f"!!!system-decoration: {_brackets(staves)}"
    return "\n".join(
        [
            decoration,
            *text,
            f'!!!RDF**kern: {MARK} = marked note, color="{colour}"',
            "!!!filter: autobeam",
            "",
        ]
    )


def _signature(key: Key) -> str:
    names = [
        f"{letter.lower()}{'#' if key.fifths > 0 else '-'}"
        for letter in ("FCGDAEB" if key.fifths > 0 else "BEADGCF")
    ]
    return f"*k[{''.join(names[: abs(key.fifths)])}]"


def _brackets(staves: Sequence[Staff]) -> str:
    """The rows."""
    rows: dict[int, list[str]] = {}
    for number, staff in enumerate(staves, start=1):
        rows.setdefault(staff.row, []).append(f"s{number}")
    return "".join(f"[({','.join(names)})]" for names in rows.values())


def _bar(columns: Sequence[Sequence[Voice]], metre: WrittenBar, key: Key) -> list[list[str]]:
    """The lines of a bar."""
    is_split = [len(voices) > 1 for voices in columns]
    lines = [["*^" if split else "*" for split in is_split]] if any(is_split) else []
    # Of two voices the upper one is the right column's: lower notes are further left, as everywhere in the format.
    voices = [
        (number, _tokens(voice, metre, key, number > 0))
        for each in columns
        for number, voice in enumerate(each)
    ]
    times = sorted({time for _, tokens in voices for time in tokens})
    lines += [[tokens.get(time, ".") for _, tokens in voices] for time in times]
    for place in range(len(columns)):  # one after another: neighbours would become one
        if is_split[place]:
            merged = (
                ["*"] * place
                + ["*v", "*v"]
                + [mark for split in is_split[place + 1 :] for mark in ["*", "*"][: 1 + split]]
            )
            lines.append(merged)
    return lines


def _tokens(voice: Voice, metre: WrittenBar, key: Key, is_second: bool) -> dict[int, str]:
    """When each note, chord and rest of a voice begins, and what it is; rests of a second voice are not shown."""
    tokens, at = {}, 0
    for chord in [*voice, Chord(metre.length, metre.length, ())]:
        for start, end in lengths(at, chord.start, metre, True) if at < chord.start else ():
            tokens[start] = f"{_RECIPROCALS[end - start]}r{'yy' if is_second else ''}"
        parts = lengths(chord.start, chord.end, metre) if chord.heads else []
        for start, end in parts:
            ties = start > chord.start, end < chord.end
            tokens[start] = " ".join(
                _token(_RECIPROCALS[end - start], head, key, *ties) for head in chord.heads
            )
        at = chord.end
    return tokens


def _token(reciprocal: str, head: Head, key: Key, tied_before: bool, tied_after: bool) -> str:
    before, after = tied_before or head.tied_before, tied_after or head.tied_after
    letter, sharps, octave = key.name(head.pitch)
    name = letter.lower() * (octave - 3) if octave > 3 else letter * (4 - octave)
    accidental = "#" * sharps + "-" * -sharps
    opening, closing = ("[", "") if after and not before else ("", "_" if after else "]" if before else "")
    return f"{opening}{reciprocal}{name}{accidental}{MARK if head.is_new else ''}{closing}"
