"""Two genres that nobody could mix up, as MIDI files: ``slow``, whole-bar chords, and ``fast``, scales in sixteenths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import symusic

from audiocycle.evaluation.music.classifier import (
    Classifier,
    ClassifierConfig,
    Training,
    load_corpora,
    train_network,
)
from audiocycle.music.adapter import PianoRollAdapter

GENRES = ("slow", "fast")
TPQ, BAR = 480, 4 * 480
SMALL = Training(steps=25, batch_size=16, width=0.1, lr=0.01)


def chords(random: np.random.Generator, bars: int) -> list[tuple[int, int, int]]:
    """(tick, duration, pitch)."""
    roots = random.integers(48, 60, bars).tolist()
    return [(BAR * bar, BAR, root + third) for bar, root in enumerate(roots) for third in (0, 4, 7)]


def scales(random: np.random.Generator, bars: int) -> list[tuple[int, int, int]]:
    """(tick, duration, pitch)."""
    major = (0, 2, 4, 5, 7, 9, 11, 12)
    notes = []
    for bar in range(bars):
        root = int(random.integers(60, 72))
        notes += [(BAR * bar + TPQ // 4 * step, TPQ // 4, root + major[step % 8]) for step in range(16)]
    return notes


def a_song(genre: str, seed: int, bars: int = 8) -> Any:
    """A symusic score in ticks."""
    notes = {"slow": chords, "fast": scales}[genre](np.random.default_rng(seed), bars)
    score, track = symusic.Score(TPQ), symusic.Track("music", 0)
    track.notes.extend([symusic.Note(tick, duration, pitch, 80) for tick, duration, pitch in notes])
    score.tracks.append(track)
    return score


def write_genre(folder: Path, genre: str, songs: int, seed: int = 0, bars: int = 8) -> Path:
    """Write songs as ``folder/1.mid``, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(songs):
        a_song(genre, 1000 * seed + i, bars).dump_midi(folder / f"{i}.mid")
    return folder


def write_genres(root: Path) -> Path:
    """train/ and eval/ with two sources a genre, as recipes/genre/prepare.py makes them."""
    for g, genre in enumerate(GENRES):
        for s, source in enumerate(("one", "two")):
            write_genre(root / "train" / genre / source, genre, 4, seed=4 * g + 2 * s)
            write_genre(root / "eval" / genre / source, genre, 2, seed=4 * g + 2 * s + 1)
    return root


def small_classifier(root: Path, seeds: int = 2) -> Classifier:
    """Trained on ``write_genres(root)``."""
    adapter = PianoRollAdapter()
    corpora = {corpus: songs for genre in GENRES for corpus, songs in load_corpora(root / "train", genre, adapter).items()}
    networks = [train_network(corpora, GENRES, adapter, SMALL, seed) for seed in range(seeds)]
    settings = {"name": "piano_roll", "grid": "straight", "bars": 4}
    return Classifier(ClassifierConfig(GENRES, settings, SMALL.width, 1, tuple(range(seeds)), tuple(corpora)), networks)
