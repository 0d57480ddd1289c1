"""Mutated MIDI files through a whole conversion: a file that is read again, or an error of one line, never anything else.

``AUDIOCYCLE_FUZZ=1500`` tries so many, on real songs too where they are at hand.
"""

from __future__ import annotations

import os
import random
import resource
import time

import pytest
from song_events import DATA, FILES, melody
from songs import MusicOptions, converted_song, noise
from tiny_midi import midi, track

from audiocycle.errors import InputError
from audiocycle.music.midi.limits import LIMITS
from audiocycle.music.midi.song import song_from_bytes, song_to_bytes

N_FILES = int(os.environ.get("AUDIOCYCLE_FUZZ", "120"))
REAL = 20_000
"""Bytes of a real song up to which it is taken: mutations of longer ones hit little but notes."""


def sources() -> list[bytes]:
    long = [track(*melody(channel, 36 + 7 * channel, 150)) for channel in range(4)]
    found = [*FILES.values(), *[midi(*long)] * len(FILES)]
    if "AUDIOCYCLE_FUZZ" in os.environ and (DATA / "midi").is_dir():
        songs = [path for path in sorted((DATA / "midi").rglob("*.mid")) if path.stat().st_size < REAL]
        found += [path.read_bytes() for path in random.Random(0).sample(songs, 60)]
    return found


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A copy with bits flipped, bytes set to what means something, cut, doubled, or moved."""
    copy = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        place, size = chance.randrange(len(copy)), chance.choice([1, 1, 2, 4, 30])
        match chance.randrange(6):
            case 0:
                copy[place] ^= 1 << chance.randrange(8)
            case 1:
                copy[place] = chance.choice([0, 1, 0x7F, 0x80, 0x90, 0xB0, 0xC0, 0xF0, 0xF7, 0xFE, 0xFF])
            case 2:
                del copy[place : place + size]
            case 3:
                copy[place:place] = chance.randbytes(size)
            case 4:
                copy[place:place] = copy[place : place + size]
            case 5:
                other = chance.randrange(len(copy))
                copy[other:other] = copy[place : place + size]
        if not copy:
            return b"\x00"
    return bytes(copy)


def attempt(data: bytes, chance: random.Random) -> str:
    """``converted``, or why not."""
    options = {
        "strength": chance.choice([0.0, 0.5, 1.0]),
        "tracks": chance.choice(["keep", "merge"]),
        "programs": chance.choice(["source", "target"]),
        "first_bar": chance.choice([0.0, 0.0, 1.5]),
    }
    assert MusicOptions(**options)  # type: ignore[arg-type]
    said = ""
    try:
        song = song_from_bytes(data, "s.mid", LIMITS)
        made, _ = converted_song(song, noise(chance.randrange(9), busy=0.02), **options)
    except InputError as error:
        said = str(error)
    if said:
        assert "\n" not in said
        assert said.startswith(("s.mid: ", "song.mid: "))
        return said
    again = song_from_bytes(song_to_bytes(made), "again.mid", LIMITS)
    events = [[[event[:4] for event in chunk] for chunk in each.chunks] for each in (again, made)]
    assert events[0] == events[1]
    assert again.last * song.per_quarter >= song.last * again.per_quarter
    return "converted"


@pytest.mark.parametrize("part", range(4))
def test_mutated_files_convert_or_say_why(part: int) -> None:
    files, results, slowest = sources(), [], 0.0
    for number in range(part, N_FILES, 4):
        chance = random.Random(number)
        data = mutated(chance.choice(files), chance)
        begin = time.process_time()
        results.append(attempt(data, chance))
        slowest = max(slowest, time.process_time() - begin)
    n_converted = results.count("converted")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(results)} files: {n_converted} converted; slowest {slowest:.1f} s of processor; peak {peak:.0f} MiB"
    )
    assert 0 < n_converted < len(results)
