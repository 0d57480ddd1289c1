"""How pieces are written down here: names of notes as text, an eighth (or another unit) to a word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import symusic

TPQ = 480
SIXTEENTH, EIGHTH = TPQ // 4, TPQ // 2
BAR = 4 * TPQ
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def pitch(name: str) -> int:
    """``"F#4"`` to 66."""
    letters, octave = name[:-1], int(name[-1])
    return 12 * (octave + 1) + STEPS[letters[0]] + letters.count("#") - letters.count("b")


def bars(text: str) -> list[list[str]]:
    return [bar.split() for bar in text.strip().replace("\n", "|").split("|")]


def note(start: int, length: int, name: str, velocity: int) -> symusic.Note:
    return symusic.Note(start, length, pitch(name), velocity, "tick")


def line(track: symusic.Track, start: int, words: Sequence[str], unit: int, velocity: Callable[[int], int]) -> None:
    """Add notes, a word to each ``unit`` of ticks.

    ``F#4`` is a note, ``C4+E4`` a chord, ``C4,D4`` notes that share the unit, ``_`` holds what was played last, ``-`` is a rest.

    Args:
        velocity: of the word's place.
    """
    last: list[symusic.Note] = []
    for place, word in enumerate(words):
        if word == "_":
            assert last, "nothing to hold"
            for each in last:
                each.duration += unit
            continue
        shares = word.split(",") if word != "-" else []
        for number, chord in enumerate(shares):
            length = unit // len(shares)
            begin = start + place * unit + number * length
            first = len(track.notes)
            track.notes.extend([note(begin, length, name, velocity(place)) for name in chord.split("+")])
            last = [track.notes[index] for index in range(first, len(track.notes))]


def song(tracks: Iterable[symusic.Track], quarters_per_minute: float, metre: tuple[int, int] = (4, 4)) -> symusic.Score:
    score = symusic.Score(TPQ)
    score.tempos.append(symusic.Tempo(0, quarters_per_minute, ttype="tick"))
    score.time_signatures.append(symusic.TimeSignature(0, *metre, "tick"))
    for track in tracks:
        score.tracks.append(track)
    return score
