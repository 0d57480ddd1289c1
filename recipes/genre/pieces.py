"""The three pieces that ship with the genre models, encoded here note by note; six more are in six_pieces.py.

    python recipes/genre/pieces.py FOLDER        writes classic-prelude.mid, jazz-blues.mid, pop-song.mid, and the six

The prelude is Johann Sebastian Bach's in C major, BWV 846 (1722), in the public domain; this encoding is ours, from the
notes of the piece, with one velocity curve for the phrases. The blues (theme, bass line, comping) and the song (tune, chords, left
hand) were made up for this project. All encodings are under the project's licence.
"""

from __future__ import annotations

import sys
from math import pi, sin
from pathlib import Path

import symusic
from encoding import BAR, SIXTEENTH, TPQ, bars, note, song
from six_pieces import SIX, rubato_beats

from audiocycle.music.midi.file import write_score
from audiocycle.system.atomic import whole_file

# Five notes a bar: two for the left hand, held, and three broken twice by the right.
PRELUDE = """
C4 E4 G4 C5 E5 | C4 D4 A4 D5 F5 | B3 D4 G4 D5 F5 | C4 E4 G4 C5 E5 | C4 E4 A4 E5 A5 | C4 D4 F#4 A4 D5 | B3 D4 G4 D5 G5
B3 C4 E4 G4 C5 | A3 C4 E4 G4 C5 | D3 A3 D4 F#4 C5 | G3 B3 D4 G4 B4 | G3 Bb3 E4 G4 C#5 | F3 A3 D4 A4 D5 | F3 Ab3 D4 F4 B4
E3 G3 C4 G4 C5 | E3 F3 A3 C4 F4 | D3 F3 A3 C4 F4 | G2 D3 G3 B3 F4 | C3 E3 G3 C4 E4 | C3 G3 Bb3 C4 E4 | F2 F3 A3 C4 E4
F#2 C3 A3 C4 Eb4 | Ab2 F3 B3 C4 D4 | G2 F3 G3 B3 D4 | G2 E3 G3 C4 E4 | G2 D3 G3 C4 F4 | G2 D3 G3 B3 F4 | G2 Eb3 A3 C4 F#4
G2 E3 G3 C4 G4 | G2 D3 G3 C4 F4 | G2 D3 G3 B3 F4 | C2 C3 G3 Bb3 E4
"""
PRELUDE_END = (
    "C2 C3 F3 A3 C4 F4 C4 A3 C4 A3 F3 A3 F3 D3 F3 D3",
    "C2 B2 G3 B3 D4 F4 D4 B3 D4 B3 G3 B3 D3 F3 E3 D3",
    "C2 C3 E4 G4 C5",
)

# Twelve bars of blues in F: a walking quarter-note bass, comping chords, and a riff of eighths; "-" rests, "_" holds.
BASS = """
F2 A2 C3 D3 | Bb2 D3 C3 Bb2 | F2 A2 C3 E3 | F3 Eb3 D3 C3 | Bb2 D3 F3 G3 | Bb2 B2 C3 D3
F3 C3 A2 F2 | A2 C3 D3 F#3 | G2 Bb2 D3 F3 | C3 E3 G3 Bb3 | F2 A2 D3 F#2 | G2 D3 C3 E2
"""
COMPING = """
A3 Eb4 G4 | Ab3 D4 G4 | A3 Eb4 G4 | A3 Eb4 G4 | Ab3 D4 G4 | Ab3 D4 F4
A3 Eb4 G4 | C4 F#4 B4 | Bb3 F4 A4 | Bb3 E4 A4 | A3 Eb4 G4 | Bb3 E4 A4
"""
THEME = """
- C5 Eb5 F5 _ Ab5 F5 _ | D5 F5 Ab5 G5 _ F5 D5 Bb4 | - C5 Eb5 F5 _ Ab5 A5 C6 | _ _ A5 F5 Eb5 C5 A4 _
- D5 F5 Ab5 _ Bb5 Ab5 F5 | - D5 F5 Ab5 G5 F5 D5 Db5 | C5 _ A4 C5 Eb5 _ F5 _ | A5 F#5 Eb5 C5 D5 _ _ A4
Bb4 D5 F5 A5 G5 F5 D5 Bb4 | Bb4 C5 E5 G5 Bb5 A5 G5 E5 | F5 _ Eb5 C5 A4 _ F4 - | - G4 Bb4 C5 - C5 F5 _
"""

# Sixteen bars of a song in C: a tune in eighths as above, chords on the beats, and a left hand that rocks between root, fifth and octave.
SONG_CHORDS = "C G Am F C G Am F C G Am F C G F C"
SONG_TUNE = """
E5 _ E5 D5 C5 _ G4 _ | D5 _ D5 C5 B4 _ G4 _ | C5 _ C5 B4 A4 _ E5 _ | A4 _ _ C5 C5 _ D5 _
E5 _ E5 G5 E5 _ D5 C5 | D5 _ _ B4 D5 _ E5 D5 | C5 _ A4 _ C5 _ E5 _ | F5 _ E5 _ D5 _ C5 _
G5 _ G5 E5 G5 _ A5 G5 | G5 _ F5 D5 _ _ B4 D5 | E5 _ E5 C5 E5 _ F5 E5 | C5 _ _ _ A4 C5 F5 _
G5 _ G5 E5 G5 _ C6 G5 | B5 _ A5 G5 _ _ D5 _ | A5 _ G5 F5 E5 _ D5 _ | C5 _ _ _ _ _ _ _
"""
SONG_HANDS = {  # chord: right hand, left hand
    "C": ("E4 G4", "C3 G3 C4 G3"), "G": ("D4 G4", "G2 D3 G3 D3"), "Am": ("C4 E4", "A2 E3 A3 E3"), "F": ("C4 F4", "F2 C3 F3 C3"),
}  # fmt: skip


def prelude() -> symusic.Score:
    right, left = symusic.Track("right hand", 0, False), symusic.Track("left hand", 0, False)
    chords = bars(PRELUDE)
    for index, (low, second, *broken) in enumerate(chords):
        loud = 62 + round(18 * sin(pi * index / len(chords)))
        for half in range(2):
            start = index * BAR + half * BAR // 2
            left.notes.append(note(start, 8 * SIXTEENTH, low, loud))
            left.notes.append(note(start + SIXTEENTH, 7 * SIXTEENTH, second, loud - 6))
            for place, name in enumerate([*broken, *broken]):
                right.notes.append(note(start + (2 + place) * SIXTEENTH, SIXTEENTH, name, loud - 4 + 3 * (place % 3 == 2)))
    for index, names in enumerate(PRELUDE_END, len(chords)):
        low, second, *rest = names.split()
        start, last = index * BAR, index == len(chords) + len(PRELUDE_END) - 1
        left.notes.append(note(start, BAR, low, 60))
        left.notes.append(note(start + (0 if last else SIXTEENTH), BAR - (0 if last else SIXTEENTH), second, 56))
        for place, name in enumerate(rest):
            length = BAR if last else SIXTEENTH
            right.notes.append(note(start + (0 if last else (2 + place) * SIXTEENTH), length, name, 58))
    return song([right, left], 72)


def blues(choruses: int = 2) -> symusic.Score:
    solo, comp, bass = symusic.Track("theme", 65, False), symusic.Track("comping", 0, False), symusic.Track("bass", 32, False)
    walking, chords, theme = bars(BASS), bars(COMPING), bars(THEME)
    for index in range(choruses * 12):
        start, bar = index * BAR, index % 12
        for beat, name in enumerate(walking[bar]):
            bass.notes.append(note(start + beat * TPQ, TPQ - SIXTEENTH // 2, name, 84 - 6 * (beat % 2 == 0)))
        for place, length in ((0, 3), (6, 2)) if index % 2 else ((3, 2), (7, 1)):  # in eighths
            for name in chords[bar]:
                comp.notes.append(note(start + place * TPQ // 2, length * TPQ // 2, name, 66))
        for place, name in enumerate(theme[bar]):
            if name == "_":
                solo.notes[-1].duration += TPQ // 2
            elif name != "-":
                solo.notes.append(note(start + place * TPQ // 2, TPQ // 2, name, 92 - 8 * (place % 2)))
    return song([solo, comp, bass], 152)


def pop_song() -> symusic.Score:
    tune, chords, left = (symusic.Track(name, 0, False) for name in ("tune", "right hand", "left hand"))
    for index, (chord, melody) in enumerate(zip(SONG_CHORDS.split(), bars(SONG_TUNE), strict=True)):
        start = index * BAR
        upper, rocking = (names.split() for names in SONG_HANDS[chord])
        for beat in range(4):
            for name in upper:
                chords.notes.append(note(start + beat * TPQ, TPQ, name, 60 + 4 * (beat % 2 == 0)))
            for eighth in range(2):
                name = rocking[(2 * beat + eighth) % len(rocking)]
                left.notes.append(note(start + (2 * beat + eighth) * TPQ // 2, TPQ // 2, name, 66 - 6 * eighth))
        for place, name in enumerate(melody):
            if name == "_":
                tune.notes[-1].duration += TPQ // 2
            else:
                tune.notes.append(note(start + place * TPQ // 2, TPQ // 2, name, 88))
    return song([tune, chords, left], 96)


PIECES = {"classic-prelude": prelude, "jazz-blues": blues, "pop-song": pop_song, **SIX}
"""By name, which begins with the genre."""


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)
    for name in PIECES:
        print(write(name, folder))
    print(write_beats(folder))


def write(name: str, folder: Path) -> Path:
    path = folder / f"{name}.mid"
    write_score(path, PIECES[name]())
    return path


def write_beats(folder: Path) -> Path:
    """Where the beats of the free piece are: a line for each, its seconds and its number in the bar."""
    path = folder / "classic-rubato.beats"
    with whole_file(path) as temporary:
        temporary.write_text("".join(f"{seconds:.4f}\t{1 + index % 4}\n" for index, seconds in enumerate(rubato_beats())))
    return path


if __name__ == "__main__":
    main()
