"""Voices and songs that are computed, so that neither trainings nor tests need recordings.

Drawn by numpy's ``RandomState``, whose numbers stay the same in all versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mido
import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 16000
VOWELS = ((700, 1200, 2600), (350, 2200, 2900), (320, 850, 2400), (550, 1800, 2500), (480, 950, 2500))
"""Hz of three formants: a, i, u, e, o."""
BANDWIDTHS = (110.0, 140.0, 220.0)
SYLLABLE = 0.24
"""Seconds, of which a fifth is a hiss and a tenth silence."""
TICKS = 480
SCALE = (0, 2, 4, 5, 7, 9, 11)


def speech(seconds: float, f0: float, tract: float, seed: int) -> NDArray[np.float32]:
    """Syllables of a hiss and a vowel, in a melody and with pauses; (N,) within (-1, 1).

    Args:
        f0: mean pitch in Hz.
        tract: what all formants are multiplied by: below 1 a longer vocal tract.
    """
    random = np.random.RandomState(seed)
    parts = []
    for _ in range(round(seconds / SYLLABLE)):
        count = round(SYLLABLE * RATE)
        time = np.arange(round(0.7 * count)) / RATE
        pitch = f0 * 2 ** (random.uniform(-4, 4) / 12) * (1 + 0.04 * np.sin(2 * np.pi * 5 * time))
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        formants = tract * np.asarray(VOWELS[random.randint(len(VOWELS))])
        vowel = np.zeros(len(time))
        for harmonic in range(1, int(7000 / f0)):
            gains = [1 / (1 + ((harmonic * f0 - centre) / width) ** 2) for centre, width in zip(formants, BANDWIDTHS, strict=True)]
            vowel += sum(gains) / harmonic**0.5 * np.sin(harmonic * phase)
        vowel *= np.hanning(len(vowel)) ** 0.5 / np.abs(vowel).max()
        hiss = 0.15 * random.standard_normal(round(0.2 * count)) * np.hanning(round(0.2 * count))
        loud = 0.0 if random.random_sample() < 0.1 else random.uniform(0.15, 0.4)
        parts += [loud * np.diff(hiss, prepend=0.0), loud * vowel, np.zeros(count - len(vowel) - len(hiss))]
    sound = np.concatenate(parts)
    return np.asarray(sound + 3e-4 * random.standard_normal(len(sound)), dtype=np.float32)


def write_voices(root: Path, speakers: Sequence[str], files: int = 3, seconds: float = 6.0) -> None:
    """A folder of recordings for each speaker, each with a pitch and a vocal tract of its own."""
    for number, speaker in enumerate(speakers):
        (root / speaker).mkdir(parents=True)
        f0, tract = 105.0 * 2 ** (number * 7 / 12), 0.95 + 0.09 * number
        for index in range(files):
            sound = speech(seconds, f0, tract, seed=100 * number + index)
            soundfile.write(root / speaker / f"{index}.wav", sound, RATE, subtype="PCM_16")


def write_songs(root: Path, genres: Sequence[str], files: int = 4, bars: int = 16) -> None:
    """The same tunes under the same names in each folder, each genre with a rhythm, a harmony and instruments of its own."""
    for number, genre in enumerate(genres):
        (root / genre).mkdir(parents=True)
        for index in range(files):
            song(bars, index, style=number).save(root / genre / f"{index}.mid")


def song(bars: int, tune: int, style: int = 0) -> mido.MidiFile:
    """4/4 in one key: a tune, chords and a bass, drums.

    Args:
        tune: which; the tune's notes depend on nothing else.
        style: how it is accompanied: (0) in quarters, (1) on the off-beats with sevenths, (2) in eighths.
    """
    random = np.random.RandomState(tune)
    file = mido.MidiFile(ticks_per_beat=TICKS)
    events: list[list[tuple[int, mido.Message]]] = [[], [], []]

    def note(track: int, channel: int, pitch: int, begin: int, length: int, velocity: int) -> None:
        events[track].append((begin, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        events[track].append((begin + length, mido.Message("note_off", channel=channel, note=pitch, velocity=0)))

    key, degree = 57 + tune % 5, 7
    for bar in range(bars):
        at = bar * 4 * TICKS
        root = (0, 3, 4, 5)[random.randint(4)]
        begin = 0
        while begin < 8:  # the tune, in eighths
            length = int(random.choice([1, 1, 2, 2, 3, 4]))
            length = min(length, 8 - begin)
            degree = int(np.clip(degree + random.randint(-2, 3), 3, 12))
            pitch = key + 12 * (degree // 7) + SCALE[degree % 7]
            late = TICKS // 8 if style == 1 and begin % 2 else 0
            note(0, 0, pitch, at + begin * TICKS // 2 + late, length * TICKS // 2 - late - TICKS // 16, 70 + int(random.randint(30)))
            begin += length
        strokes = ((0, 2, 4, 6), (1, 3, 5, 7), (0, 1, 2, 3, 4, 5, 6, 7))[style]
        for stroke in strokes:
            for step in (0, 2, 4, 6) if style == 1 else (0, 2, 4):
                chord = root + step
                pitch = key - 12 + 12 * (chord // 7) + SCALE[chord % 7]
                note(1, 1, pitch, at + stroke * TICKS // 2, TICKS // 2 - TICKS // 8, 55 + 10 * (stroke % 4 == 0))
        for beat in range(0, 4, 1 if style == 1 else 2):
            note(1, 2, key - 24 + SCALE[(root + 2 * beat * (style == 1)) % 7], at + beat * TICKS, TICKS - TICKS // 8, 80)
        for eighth in range(8):
            note(2, 9, 42 if eighth % 4 else 36, at + eighth * TICKS // 2, TICKS // 4, 60 + 5 * style)
    head = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(96 + 20 * style)), mido.MetaMessage("time_signature", numerator=4)])
    file.tracks.append(head)
    programs = [[(0, 40 + style)], [(1, 24 + style), (2, 32 + style)], []]
    for track, found in enumerate(events):
        lines = mido.MidiTrack([mido.Message("program_change", channel=channel, program=program) for channel, program in programs[track]])
        now = 0
        for tick, message in sorted(found, key=lambda pair: (pair[0], pair[1].type == "note_on")):
            lines.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(lines)
    return file
