"""Six pieces of six kinds, to show what a conversion makes of each.

| name | | |
|---|---|---|
| classic-waltz | 3/4, piano, 32 bars | made up for this project |
| jazz-swing | swung eighths (0.64 of a beat), saxophone, piano, bass, 32 bars | made up for this project, on the chords that many tunes share |
| classic-rubato | piano, 16 bars, played freely against a clock that knows no tempo | made up for this project |
| pop-band | saxophone, guitar, bass guitar, drums, 16 bars | made up for this project |
| classic-cello | one line, 16 bars | made up for this project |
| classic-chorale | four parts, 16 bars | the tune "Old 100th" (Geneva, 1551), in the public domain; the other parts are ours |

All encodings are under the project's licence.
"""

from __future__ import annotations

from math import pi, sin

import numpy as np
import symusic
from encoding import BAR, EIGHTH, TPQ, bars, line, song

WALTZ_TUNE = """
B4 _ D5 _ G5 _ | F#5 E5 _ _ B4 _ | C5 _ E5 _ A5 _ | G5 F#5 _ _ D5 _
B4 _ D5 _ G5 _ | B5 _ A5 _ G5 _ | C#5 _ E5 _ G5 _ | F#5 _ _ _ D5 C5
B4 _ D5 _ G5 _ | F#5 E5 _ _ B4 _ | C5 _ E5 _ A5 _ | G5 F#5 _ _ D5 _
E5 _ G5 _ C6 _ | B5 _ A5 G5 F#5 G5 | A5 _ F#5 _ E5 F#5 | G5 _ _ _ - -
D5 E5 F#5 G5 A5 C6 | B5 _ _ _ G5 _ | D5 E5 F#5 G5 A5 C6 | B5 _ G5 _ D5 _
D#5 E5 F#5 G5 A5 B5 | G5 _ _ _ E5 _ | C#5 D5 E5 F#5 G5 A5 | F#5 _ D5 _ C5 _
B4 _ D5 _ G5 _ | F#5 E5 _ _ B4 _ | C5 _ E5 _ A5 _ | G5 F#5 _ _ D5 _
E5 _ G5 _ C6 _ | B5 _ A5 G5 F#5 G5 | A5 _ F#5 _ E5 F#5 | G5 _ _ _ _ _
"""
WALTZ_CHORDS = "G Em Am D7 G Em A7 D G Em Am D7 C G D7 G D7 G D7 G B7 Em A7 D7 G Em Am D7 C G D7 G"
WALTZ_HAND = {  # the first beat, and the other two
    "G": "G2 B3+D4", "Em": "E3 B3+E4", "Am": "A2 C4+E4", "D7": "D3 C4+F#4", "D": "D3 A3+F#4", "A7": "A2 C#4+G4", "C": "C3 G3+E4",
    "B7": "B2 A3+D#4",
}  # fmt: skip

SWING = 0.64
"""Where the second eighth of a beat falls."""
SWING_HEAD = """
D5 F5 _ D5 B4 D5 F5 _ | Eb5 _ C5 D5 Eb5 C5 A4 _ | - Bb4 D5 F5 _ Ab5 G5 F5 | Eb5 G5 _ F5 Eb5 C5 A4 _
Ab5 _ F5 Ab5 _ F5 D5 _ | G5 _ Eb5 G5 _ Gb5 Eb5 C5
"""
SWING_ENDINGS = ("D5 F5 _ D5 B4 D5 F5 _ | Eb5 C5 A4 _ - - - -", "Eb5 G5 _ F5 Eb5 C5 A4 C5 | Bb4 _ _ _ - - - -")
SWING_BRIDGE = """
F#5 _ A5 _ C6 A5 F#5 _ | D5 _ _ _ - A4 C5 D5 | F5 _ G5 _ B5 G5 F5 _ | D5 _ _ _ - G4 B4 D5
E5 _ G5 _ Bb5 G5 E5 _ | C5 _ _ _ - F5 E5 D5 | Eb5 _ F5 _ A5 F5 Eb5 _ | C5 _ A4 _ - F4 A4 C5
"""
SWING_CHORDS = ("Bb G7 Cm F7 Bb G7 Cm F7 Fm Bb7 Eb Ab7", ("Bb G7 Cm F7", "Cm F7 Bb Bb"), "D7 D7' D7 D7' G7 G7' G7 G7' C7 C7' C7 C7' F7 F7' F7 F7'")
SWING_PARTS = {  # two beats of bass, and a chord
    "Bb": "Bb2 D3 D4+F4+G4", "G7": "G2 B2 B3+F4+G4", "Cm": "C3 Eb3 Bb3+Eb4+G4", "F7": "F2 A2 A3+Eb4+G4", "Fm": "F2 Ab2 Ab3+Eb4+F4",
    "Bb7": "Bb2 D3 Ab3+D4+F4", "Eb": "Eb3 G3 Bb3+C4+G4", "Ab7": "Ab2 C3 C4+Gb4+Ab4", "D7": "D3 F#3 C4+F#4+A4", "C7": "C3 E3 Bb3+E4+G4",
    "D7'": "A3 F#3 C4+F#4+A4", "G7'": "D3 B2 B3+F4+G4", "C7'": "G3 E3 Bb3+E4+G4", "F7'": "C3 A2 A3+Eb4+G4",
}  # fmt: skip

RUBATO_TUNE = """
E5 _ _ _ C5 _ A4 _ | B4 C5 _ _ _ _ E5 _ | A5 _ _ _ F5 _ C5 _ | D5 _ _ E5 D5 _ B4 _
G5 _ _ _ E5 _ C5 _ | A5 _ G5 F5 _ _ C5 _ | F5 _ _ E5 D5 _ F5 _ | E5 _ _ _ _ _ B4 _
E5 _ _ _ A5 _ C6 _ | B5 A5 _ _ _ _ E5 _ | A5 _ _ _ C6 _ A5 _ | G5 _ _ _ E5 _ G5 _
F5 _ E5 D5 _ _ A4 _ | B4 _ C5 D5 E5 _ G#4 _ | A4 _ _ _ C5 _ E5 _ | A4 _ _ _ _ _ _ _
"""
RUBATO_CHORDS = "Am Am F G C F Dm E Am Am F C Dm E Am Am"
RUBATO_HAND = {"Am": "A2 E3 C4 E3", "F": "F2 C3 A3 C3", "G": "G2 D3 B3 D3", "C": "C3 G3 E4 G3", "Dm": "D3 A3 F4 A3", "E": "E2 B2 G#3 B2"}
RUBATO_TEMPO = 66.0
"""Quarter notes a minute, about."""

BAND_TUNE = """
D5 _ B4 _ - B4 D5 E5 | G5 _ _ E5 _ _ - - | E5 _ C5 _ - C5 E5 G5 | F#5 _ _ D5 _ _ - -
D5 _ B4 _ - B4 D5 E5 | G5 _ A5 B5 _ G5 E5 _ | C6 _ B5 A5 _ G5 E5 _ | A5 _ _ F#5 D5 _ - -
C6 _ A5 _ - A5 B5 C6 | B5 A5 G5 _ E5 _ - - | B5 _ G5 _ - G5 A5 B5 | A5 _ F#5 _ D5 _ - -
G5 _ E5 G5 _ A5 B5 _ | C6 _ B5 A5 G5 _ E5 _ | F#5 _ G5 A5 _ F#5 E5 D5 | G5 _ _ _ _ _ - -
"""
BAND_CHORDS = "G Em C D G Em C D Am C G D Em C D G"
BAND_PARTS = {  # the bass, and the guitar's chord
    "G": ("G2 _ - G2 D2 _ G2 _", "G3+B3+D4"), "Em": ("E2 _ - E2 B2 _ E2 _", "G3+B3+E4"), "C": ("C3 _ - C3 G2 _ C3 _", "G3+C4+E4"),
    "D": ("D3 _ - D3 A2 _ D3 _", "A3+D4+F#4"), "Am": ("A2 _ - A2 E2 _ A2 _", "A3+C4+E4"),
}  # fmt: skip
BAND_STRUMS = "- - X - - X _ X"
KICK, SNARE, TOMS, HAT, CRASH = 36, 38, (50, 47, 43, 41), 42, 49

CELLO = """
D3 A3 F3 A3 D4 A3 F3 D3 | G2 D3 Bb3 D4 Bb3 G3 D3 Bb2 | A2 E3 C#4 E4 G4 E4 C#4 A3 | D3 F3 A3 D4 F4,E4 D4,C4 Bb3,A3 G3,F3
E3 G3 C4 E4 G4 E4 C4 Bb3 | A3 C4 F4 A4 G4,F4 E4,D4 C4,Bb3 A3,G3 | Bb2 F3 D4 F4 G2 D3 Bb3 D4 | C#3 E3 A3 C#4 E4 _ A3 _
F2 C3 A3 C4 F4 C4 A3 F3 | Bb2 F3 D4 F4 D4 Bb3 F3 D3 | C3 G3 E4 G4 E4 Bb3 G3 E3 | F3 A3 C4 F4 A4,G4 F4,E4 D4,C4 Bb3,A3
G3 Bb3 D4 G4 F4,E4 D4,C#4 D4 Bb3 | A3 C#4 E4 G4 F4,E4 D4,C#4 B3,A3 G3,E3 | F3 A3 D4 F4 E4 D4 C#4 E4 | D4 A3 F#3 A3 D3 _ _ _
"""

CHORALE = {  # a half note to a word
    "soprano": "G4 G4 F#4 E4 D4 G4 A4 B4 | B4 B4 B4 A4 G4 C5 B4 A4 | G4 A4 B4 A4 G4 E4 F#4 G4 | D5 B4 G4 A4 C5 B4 A4 G4",
    "alto": "D4 D4 D4 B3 B3 C4 F#4 G4 | G4 G4 G4 F#4 G4 E4 G4 F#4 | D4 D4 D4 D4 E4 C4 C4 B3 | G4 G4 E4 E4 D4 D4 D4,C4 B3",
    "tenor": "B3 B3 A3 G3 G3 G3 D4 D4 | D4 E4 D4 D4 B3 A3 G3 A3 | B3 F#3 G3 A3 B3 A3 A3 G3 | B3 D4 C4 C4 A3 G3 F#3 G3",
    "bass": "G2 G3 D3 E3 G2 E3 D3 G2 | G3 E3 B2 D3 E3,D3 A2 B2 D3 | G3 D3 G2 F#2 E2 A2 D3 G2 | G3 B2 C3 A2 F#2 G2 D3 G2",
}  # fmt: skip


def waltz() -> symusic.Score:
    right, left = symusic.Track("right hand", 0, False), symusic.Track("left hand", 0, False)
    bar = 3 * TPQ
    line(right, 0, [word for words in bars(WALTZ_TUNE) for word in words], EIGHTH, lambda place: 84 - 6 * (place % 6 > 0) + place // 6 % 4)
    for index, chord in enumerate(WALTZ_CHORDS.split()):
        low, high = WALTZ_HAND[chord].split()
        line(left, index * bar, [low, high, high], TPQ, lambda place: 66 if place == 0 else 52)
    left.notes[-1].duration = left.notes[-2].duration = TPQ
    return song([right, left], 168, (3, 4))


def swing() -> symusic.Score:
    tune, comping, bass = symusic.Track("tune", 66, False), symusic.Track("comping", 0, False), symusic.Track("bass", 32, False)
    head, bridge = SWING_HEAD.strip().replace("\n", " | "), SWING_BRIDGE.strip().replace("\n", " | ")
    first, second = (f"{head} | {ending}" for ending in SWING_ENDINGS)
    melody = bars(" | ".join([first, second, bridge, second]))
    opening, endings, middle = SWING_CHORDS
    chords = " ".join([opening, endings[0], opening, endings[1], middle, opening, endings[1]]).split()
    line(tune, 0, [word for words in melody for word in words], EIGHTH, lambda place: 86 + 8 * (place % 2))
    for index in range(len(melody)):
        halves = [SWING_PARTS[chord].split() for chord in chords[2 * index : 2 * index + 2]]
        line(bass, index * BAR, [name for half in halves for name in half[:2]], TPQ, lambda place: 82 + 6 * (place % 2))
        (_, _, early), (_, _, late) = halves
        words = ["-", early, "-", "-", late, "_", "-", "-"] if index % 2 else [early, "_", "-", early, "-", "-", "-", late]
        line(comping, index * BAR, words, EIGHTH, lambda place: 62 + 4 * (place % 2))
    score = song([tune, comping, bass], 168)
    return moved(score, lambda ticks: swung(np.asarray(ticks) / TPQ) * TPQ)


def swung(quarters: np.ndarray) -> np.ndarray:
    """Straight times as they are played: the middle of each beat moves to :data:`SWING`."""
    return np.floor(quarters) + np.interp(quarters % 1, [0, 0.5, 1], [0, SWING, 1])


def moved(score: symusic.Score, when: object) -> symusic.Score:
    """The score with its notes' beginnings and ends moved by a function of ticks."""
    for track in score.tracks:
        for each in track.notes:
            start, end = np.rint(when(np.array([each.time, each.time + each.duration], float))).astype(int).tolist()  # type: ignore[operator]
            each.time, each.duration = start, max(1, end - start)
    return score


def rubato_beats() -> np.ndarray:
    """(65,) seconds at which the 64 beats of the rubato piece begin, and the last ends: slower at the ends of phrases of four bars, and broad at the end."""
    beat = np.arange(64)
    tempo = RUBATO_TEMPO * (0.92 + 0.22 * np.sin(pi * (beat % 16) / 15))
    tempo[15::16] *= 0.8
    tempo[-6:] *= np.linspace(0.9, 0.55, 6)
    return 0.5 + np.concatenate([[0.0], np.cumsum(60.0 / tempo)])


def rubato() -> symusic.Score:
    """Written at 120 quarter notes a minute, which it has nothing to do with; notes come within some hundredths of a second of the beats."""
    right, left = symusic.Track("right hand", 0, False), symusic.Track("left hand", 0, False)
    tune = [word for words in bars(RUBATO_TUNE) for word in words]
    line(right, 0, tune, EIGHTH, lambda place: 72 + round(16 * sin(pi * (place % 32) / 31)))
    for index, chord in enumerate(RUBATO_CHORDS.split()):
        line(left, index * BAR, RUBATO_HAND[chord].split() * 2, EIGHTH, lambda place: 52 - 6 * (place % 4 > 0))
    per_second, beats, random = 2 * TPQ, rubato_beats(), np.random.default_rng(4)
    score = moved(song([right, left], 120), lambda ticks: np.interp(np.asarray(ticks) / TPQ, np.arange(65), beats) * per_second)
    for track in score.tracks:
        for each in track.notes:
            each.time += round(float(np.clip(random.normal(0.0, 0.012), -0.03, 0.03)) * per_second)
    return score


def band() -> symusic.Score:
    tune, guitar = symusic.Track("saxophone", 66, False), symusic.Track("guitar", 27, False)
    bass, drums = symusic.Track("bass guitar", 33, False), symusic.Track("drums", 0, True)
    line(tune, 0, [word for words in bars(BAND_TUNE) for word in words], EIGHTH, lambda place: 96 - 8 * (place % 2))
    for index, chord in enumerate(BAND_CHORDS.split()):
        low, strum = BAND_PARTS[chord]
        start, is_last = index * BAR, index == 15
        line(bass, start, (low if not is_last else low.split()[0] + " _" * 7).split(), EIGHTH, lambda place: 88)
        words = BAND_STRUMS.replace("X", strum) if not is_last else f"{strum}{' _' * 7}"
        line(guitar, start, words.split(), EIGHTH, lambda place: 70 + 6 * (place % 2))
        hits = [(CRASH, 0)] if index % 8 == 0 or is_last else []
        hits += [(KICK, 0)] if is_last else [(KICK, 0), (KICK, 3), (KICK, 4), (SNARE, 2), (SNARE, 6), *((HAT, place) for place in range(8))]
        if index % 8 == 7 and not is_last:
            hits = [hit for hit in hits if hit[1] < 6] + [(tom, 6 + number / 2) for number, tom in enumerate(TOMS)]
        for drum, place in sorted(hits, key=lambda hit: hit[1]):
            drums.notes.append(symusic.Note(start + round(place * EIGHTH), TPQ // 8, drum, 70 if drum == HAT else 96, "tick"))
    return song([tune, guitar, bass, drums], 112)


def cello() -> symusic.Score:
    track = symusic.Track("cello", 42, False)
    words = [word for words in bars(CELLO) for word in words]
    line(track, 0, words, EIGHTH, lambda place: 74 + round(14 * sin(pi * (place % 32) / 31)) - 5 * (place % 4 > 0))
    return song([track], 76)


def chorale() -> symusic.Score:
    tracks = []
    for name, text in CHORALE.items():
        tracks.append(symusic.Track(name, 19, False))
        line(tracks[-1], 0, [word for words in bars(text) for word in words], 2 * TPQ, lambda place: 80)
    return song(tracks, 88)


SIX = {
    "classic-waltz": waltz, "jazz-swing": swing, "classic-rubato": rubato, "pop-band": band, "classic-cello": cello,
    "classic-chorale": chorale,
}  # fmt: skip
"""By name, which begins with the genre."""
