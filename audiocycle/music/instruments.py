"""What General MIDI's instruments can play: compass, and how many notes at once.

Compasses are those of orchestration books (sounding pitch), for players who are good but no virtuosos; what a part plays itself may lie
outside, and then belongs to it. Families of General MIDI have eight programs each; where its members differ, each has a line.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_PROGRAMS = 128


class Instrument(NamedTuple):
    """Programs ``first`` to ``last``: pitches from ``low`` to ``high``, and how many of them at once; ``low`` above ``high``: none of its own."""

    first: int
    last: int
    low: int
    high: int
    voices: int


TWO_HANDS = 8
"""Voices of keyboards and harps."""
_STRINGS_OF_A_GUITAR, _SECTION, _MALLETS = 6, 6, 4
INSTRUMENTS = (
    Instrument(0, 7, 21, 108, TWO_HANDS),  # pianos, harpsichord, clavinet
    Instrument(8, 10, 60, 108, _MALLETS),  # celesta, glockenspiel, music box
    Instrument(11, 11, 53, 89, _MALLETS),  # vibraphone
    Instrument(12, 12, 45, 96, _MALLETS),  # marimba
    Instrument(13, 13, 65, 108, _MALLETS),  # xylophone
    Instrument(14, 15, 48, 84, _MALLETS),  # bells, dulcimer
    Instrument(16, 20, 36, 96, TWO_HANDS),  # organs
    Instrument(21, 21, 41, 93, TWO_HANDS),  # accordion
    Instrument(22, 22, 60, 96, 2),  # harmonica
    Instrument(23, 23, 41, 93, TWO_HANDS),  # bandoneon
    Instrument(24, 31, 40, 86, _STRINGS_OF_A_GUITAR),
    Instrument(32, 39, 28, 60, 1),  # basses
    Instrument(40, 40, 55, 100, 1),  # violin
    Instrument(41, 41, 48, 88, 1),  # viola
    Instrument(42, 42, 36, 79, 1),  # cello
    Instrument(43, 43, 28, 62, 1),  # double bass
    Instrument(44, 45, 28, 96, _SECTION),  # strings: tremolo, pizzicato
    Instrument(46, 46, 23, 103, TWO_HANDS),  # harp
    Instrument(47, 47, 36, 57, 1),  # timpani
    Instrument(48, 51, 28, 96, _SECTION),  # strings
    Instrument(52, 54, 40, 84, _SECTION),  # choirs
    Instrument(55, 55, 36, 84, _SECTION),  # orchestra hit
    Instrument(56, 56, 54, 84, 1),  # trumpet
    Instrument(57, 57, 40, 74, 1),  # trombone
    Instrument(58, 58, 28, 60, 1),  # tuba
    Instrument(59, 59, 54, 84, 1),  # muted trumpet
    Instrument(60, 60, 34, 77, 1),  # French horn
    Instrument(61, 63, 36, 91, _SECTION),  # brass sections
    Instrument(64, 64, 56, 88, 1),  # saxophones: soprano
    Instrument(65, 65, 49, 81, 1),  # alto
    Instrument(66, 66, 44, 76, 1),  # tenor
    Instrument(67, 67, 36, 69, 1),  # baritone
    Instrument(68, 68, 58, 91, 1),  # oboe
    Instrument(69, 69, 52, 81, 1),  # cor anglais
    Instrument(70, 70, 34, 75, 1),  # bassoon
    Instrument(71, 71, 50, 94, 1),  # clarinet
    Instrument(72, 72, 74, 108, 1),  # piccolo
    Instrument(73, 79, 60, 96, 1),  # flutes, recorders, whistles
    Instrument(80, 87, 36, 96, 1),  # synthesizer leads
    Instrument(88, 103, 28, 96, _SECTION),  # pads, effects
    Instrument(104, 108, 40, 88, 3),  # sitar, banjo, shamisen, koto, kalimba
    Instrument(109, 109, 58, 79, 1),  # bagpipe
    Instrument(110, 110, 55, 96, 1),  # fiddle
    Instrument(111, 111, 53, 79, 1),  # shawm
    Instrument(112, 127, N_PROGRAMS, -1, 1),  # bells, drums and noises
)


def _by_program(field: str) -> NDArray[np.int64]:
    sizes = [each.last - each.first + 1 for each in INSTRUMENTS]
    return np.repeat(np.array([getattr(each, field) for each in INSTRUMENTS], np.int64), sizes)


LOWEST, HIGHEST, VOICES = _by_program("low"), _by_program("high"), _by_program("voices")
"""(128,) by program."""
