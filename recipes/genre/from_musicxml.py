"""MusicXML scores as MIDI files, for prepare.py: all notes of all parts as written, with their metres.

    python recipes/genre/from_musicxml.py Lieder/scores midi/openscore_lieder --only 4/4
    python recipes/genre/from_musicxml.py StringQuartets/scores midi/openscore_quartets --program 48

The scores of OpenScore are the ones that it is meant for: songs with piano (https://github.com/OpenScore/Lieder) and string quartets
(https://github.com/OpenScore/StringQuartets), both CC0. Repeats are not played, and ornaments and grace notes left out: training
phrases need no second time. A bar that is shorter than its metre says (an upbeat) gets a metre of its own, so that bar lines stay.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import symusic
from rich.progress import track

TICKS = 480
"""A quarter note has so many."""
SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
VELOCITY = 80
LEAST_SHARE = 0.8


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scores", type=Path, help="folder of .mxl or .musicxml files; folders in it, too")
    parser.add_argument("output", type=Path)
    parser.add_argument(
        "--program", type=int, help="of all parts (General MIDI, from 0; default: what the score says)"
    )
    parser.add_argument(
        "--only", metavar="METRE", help="scores of which at least four fifths are in this metre, such as 4/4"
    )
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.scores.rglob("*") if path.suffix in {".mxl", ".musicxml"})
    if not files:
        sys.exit(f"error: {arguments.scores}: no .mxl or .musicxml file in it")
    arguments.output.mkdir(parents=True, exist_ok=True)
    outcome: Counter[str] = Counter()
    for path in track(files, disable=not sys.stderr.isatty()):
        try:
            score = score_of(read(path), arguments.program)
        except (
            ElementTree.ParseError,
            zipfile.BadZipFile,
            KeyError,
            ValueError,
            AttributeError,
            TypeError,
        ) as error:
            print(f"skipped {path}: {type(error).__name__}: {error}", file=sys.stderr)
            outcome["unreadable"] += 1
            continue
        if arguments.only and share_in(score, arguments.only) < LEAST_SHARE:
            outcome["in other metres"] += 1
            continue
        score.dump_midi(arguments.output / f"{path.stem}.mid")
        outcome["written"] += 1
    print(", ".join(f"{count} {what}" for what, count in outcome.items()), file=sys.stderr)


def share_in(score: Any, metre: str) -> float:
    """How much of a score is in a metre."""
    begins = [signature.time for signature in score.time_signatures]
    lengths = [end - begin for begin, end in pairwise([*begins, max(score.end(), begins[-1])])]
    fits = [f"{signature.numerator}/{signature.denominator}" == metre for signature in score.time_signatures]
    return sum(length for length, fit in zip(lengths, fits, strict=True) if fit) / max(1, sum(lengths))


def read(path: Path) -> ElementTree.Element:
    """The score of a file, packed or not."""
    if path.suffix != ".mxl":
        return ElementTree.parse(path).getroot()
    with zipfile.ZipFile(path) as packed:
        container = ElementTree.fromstring(packed.read("META-INF/container.xml"))
        rootfile = next(element for element in container.iter() if element.tag.endswith("rootfile"))
        return ElementTree.fromstring(packed.read(rootfile.attrib["full-path"]))


def score_of(root: ElementTree.Element, program: int | None = None) -> Any:
    """A symusic score of a partwise MusicXML document."""
    score = symusic.Score(TICKS)
    parts = root.findall("part")
    lengths = bar_lengths(parts)
    for index, part in enumerate(parts):
        named = root.find(f"part-list/score-part[@id='{part.attrib['id']}']")
        told = named.findtext("midi-instrument/midi-program", "1") if named is not None else "1"
        title = (named.findtext("part-name", "") if named is not None else "").split()
        name = title[0] if title else f"part {index + 1}"
        track_ = symusic.Track(
            name=name, program=int(told) - 1 if program is None else program, is_drum=False
        )
        fill(track_, part, lengths)
        score.tracks.append(track_)
    tick = Fraction(0)
    before = None
    for length, metre in lengths:
        written = metre if length == Fraction(4 * metre[0], metre[1]) else shorter(length)
        if written != before:
            score.time_signatures.append(symusic.TimeSignature(round(tick * TICKS), *written))
            before = written
        tick += length
    score.tempos.append(symusic.Tempo(0, qpm=100.0))
    return score


def shorter(length: Fraction) -> tuple[int, int]:
    """The metre of a bar of so many quarter notes that its signature does not tell."""
    for unit in (4, 8, 16, 32, 64):
        if (length * unit / 4).denominator == 1:
            return int(length * unit / 4), unit
    raise ValueError(f"a bar of {length} quarter notes")


def bar_lengths(parts: list[ElementTree.Element]) -> list[tuple[Fraction, tuple[int, int]]]:
    """Of each bar: quarter notes in it, the most that any part has, and the metre that holds there."""
    bars: list[tuple[Fraction, tuple[int, int]]] = []
    for part in parts:
        divisions, metre = 1, (4, 4)
        for index, bar in enumerate(part.findall("measure")):
            place = longest = Fraction(0)
            for element in bar:
                if element.tag == "attributes":
                    divisions = int(element.findtext("divisions", str(divisions)))
                    if (time := element.find("time")) is not None and time.find("beats") is not None:
                        metre = (
                            sum(map(int, time.findtext("beats", "4").split("+"))),
                            int(time.findtext("beat-type", "4")),
                        )
                place += moves(element, divisions)
                longest = max(longest, place)
            longest = longest or Fraction(4 * metre[0], metre[1])
            if index == len(bars):
                bars.append((longest, metre))
            elif longest > bars[index][0]:
                bars[index] = longest, bars[index][1]
    return bars


def moves(element: ElementTree.Element, divisions: int) -> Fraction:
    """How far an element of a bar moves the place in it, in quarter notes."""
    if (
        element.tag not in {"note", "backup", "forward"}
        or element.find("chord") is not None
        or element.find("grace") is not None
    ):
        return Fraction(0)
    duration = Fraction(element.findtext("duration", "0")) / divisions
    return -duration if element.tag == "backup" else duration


def fill(track_: Any, part: ElementTree.Element, lengths: list[tuple[Fraction, tuple[int, int]]]) -> None:
    """Write a part's notes, tied ones as one, into a track."""
    divisions, transposed, start = 1, 0, Fraction(0)
    held: dict[int, Any] = {}
    for bar, (length, _) in zip(part.findall("measure"), lengths, strict=False):
        place = onset = Fraction(0)
        for element in bar:
            if element.tag == "attributes":
                divisions = int(element.findtext("divisions", str(divisions)))
                if (transpose := element.find("transpose")) is not None:
                    transposed = int(float(transpose.findtext("chromatic", "0"))) + 12 * int(
                        transpose.findtext("octave-change", "0")
                    )
            if element.find("chord") is None:
                onset = place
            place += moves(element, divisions)
            pitch = element.find("pitch")
            if (
                element.tag != "note"
                or pitch is None
                or element.find("grace") is not None
                or element.find("cue") is not None
            ):
                continue
            number = (
                12 * (int(pitch.findtext("octave", "4")) + 1)
                + SEMITONES[pitch.findtext("step", "C")]
                + round(float(pitch.findtext("alter", "0")))
                + transposed
            )
            begin, end = (
                round((start + at) * TICKS)
                for at in (onset, onset + Fraction(element.findtext("duration", "0")) / divisions)
            )
            ties = {tie.attrib["type"] for tie in element.findall("tie")}
            before = held.pop(number, None)
            if "stop" in ties and before is not None and before.end == begin:
                note = before
                note.duration = end - note.time
            else:
                note = symusic.Note(begin, end - begin, number, VELOCITY)
                track_.notes.append(note)
                note = track_.notes[-1]
            if "start" in ties:
                held[number] = note
        start += length
    track_.notes.sort(key=lambda note: note.time)


if __name__ == "__main__":
    main()
