"""Bars of a genre's songs as examples: :mod:`audiocycle.music.example_bars`."""

from __future__ import annotations

import numpy as np

from audiocycle.music.example_bars import KEYS, moves, opened, textures
from audiocycle.music.piano_roll import N_PITCHES, drawn

BAR = 16


def bass(*pitches: int) -> np.ndarray:
    """Bars with a bass note on each beat below a chord and a tune, (2, 84, T)."""
    bars = len(pitches) // 4
    table = [(pitch, 4 * beat, 4) for beat, pitch in enumerate(pitches)]
    table += [(row, bar * BAR, BAR) for bar in range(bars) for row in (36, 40, 43)]
    table += [(64 + beat % 3, 4 * beat, 4) for beat in range(4 * bars)]
    return drawn(np.array(table), bars * BAR)


def test_a_bass_moves_where_its_note_is_another_than_a_beat_before() -> None:
    cells = np.zeros((N_PITCHES, 3, 4), bool)
    for bar, rows in enumerate(((5, 5, 5, 5), (5, 7, 7, 5), (5, 7, 9, 7))):
        cells[list(rows), bar, range(4)] = True
    cells[30] = True  # a chord above does not matter
    assert np.allclose(moves(cells), [0, 2 / 3, 1])


def test_it_is_known_of_each_bar_and_how_often_it_is_usual() -> None:
    songs = [bass(12, 12, 12, 12) for _ in range(3)] + [bass(12, 14, 16, 14) for _ in range(3)]
    stats = textures(songs, 4)
    low, high = stats["texture_usual"][4:6]
    assert 0 <= low <= high <= 1
    assert textures(songs[:3], 4)["texture_usual"][4:6].tolist() == [0, 0]
    assert textures(songs[3:], 4)["texture_usual"][4:6].tolist() == [1, 1]
    book = opened(*(np.rint(stats[name]).astype(np.int8).tobytes() for name in ("texture", "texture_follows")), 4)
    assert book is not None
    assert sorted(book.walks.tolist()) == [0, 0, 0, 1, 1, 1]
    assert len(book.classes) == len(KEYS) * len(book.walks)
