"""The sounds of English as the English encoder has them: writes ``audiocycle/voice/content/english.npy``, and says what they tell apart.

    python recipes/languages/english.py readers/many --english eval/78 … --others data/languages/es …

FOLDER holds an utterance each of many readers, as ``recipes/librispeech/prepare.py --others`` makes it: every second one is learned from (k-means of standardised
states), the others are held out. Of each folder the likeness is printed: least, 1 %, median, 99 %, most.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, sosfilt

from audiocycle.spec import FloatArray
from audiocycle.voice.content import encoder, english
from audiocycle.voice.content.adapter import ContentAdapter, by_themselves, middles

COUNT, ROUNDS, EVERY = 64, 12, 3
"""Sounds; rounds of k-means; of the states one in so many is learned from."""
RATE = encoder.SAMPLE_RATE
ADAPTER = ContentAdapter()


def said(sound: FloatArray) -> FloatArray:
    """(S, D) of a recording, where somebody speaks: the states in the adapter's features, without its dearest analysis."""
    sound = np.asarray(sound, np.float32)
    speech, states = ADAPTER.speech(ADAPTER.world.analyze(sound, side=False).features), encoder.states(sound)
    spoken = speech[np.minimum(middles(len(states), ADAPTER.spec.frame_rate), len(speech) - 1)]
    return by_themselves(states, spoken)[spoken]


def noisy(decibels: float) -> Callable[[FloatArray], FloatArray]:
    """White noise, so far below the recording."""
    random = np.random.default_rng(0)
    return lambda x: x + random.standard_normal(len(x)) * np.sqrt(np.mean(x**2)) * 10 ** (-decibels / 20)


def telephone(x: FloatArray) -> FloatArray:
    """300 to 3400 Hz."""
    return np.asarray(sosfilt(butter(4, [300, 3400], "bandpass", fs=RATE, output="sos"), x))


def start(seconds: float) -> Callable[[FloatArray], FloatArray]:
    """A piece from the middle."""
    return lambda x: x[len(x) // 3 : len(x) // 3 + round(seconds * RATE)]


CHANGES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "": lambda x: x, "3 s of it": start(3.0), "noise at 20 dB": noisy(20.0), "noise at 10 dB": noisy(10.0), "telephone": telephone,
}  # fmt: skip


def centres(states: FloatArray) -> FloatArray:
    """k-means by cosine (Dhillon & Modha 2001), from a fixed seed."""
    random = np.random.default_rng(0)
    made = states[random.choice(len(states), COUNT, replace=False)]
    for _ in range(ROUNDS):
        nearest = (states @ made.T).argmax(axis=1)
        sums = np.stack([states[nearest == number].sum(axis=0) if (nearest == number).any() else made[number] for number in range(COUNT)])
        made = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return made


def recordings(folder: Path) -> list[FloatArray]:
    return [soundfile.read(path, dtype="float32")[0] for path in sorted(folder.rglob("*.flac"))]


def told(name: str, sounds: Sequence[FloatArray], changes: Sequence[str]) -> Iterator[str]:
    """A line for each change."""
    for change in changes:
        found = np.array([english.likeness(said(CHANGES[change](sound))) for sound in sounds])
        below = int((found < english.FOREIGN).sum())
        yield f"{name:24} {change:16} {np.quantile(found, [0.0, 0.01, 0.5, 0.99, 1.0]).round(3)}  below {english.FOREIGN}: {below} of {len(found)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--english", type=Path, nargs="*", default=[])
    parser.add_argument("--others", type=Path, nargs="*", default=[])
    parser.add_argument("--out", type=Path, default=english.SOUNDS)
    options = parser.parse_args()
    sounds = recordings(options.folder)
    np.save(options.out, centres(np.concatenate([said(sound)[::EVERY] for sound in sounds[::2]])).astype(np.float16))
    english.sounds.cache_clear()
    for part, changes in ((sounds[1::2], [""]), (sounds[1::6], list(CHANGES)[1:])):
        for line in told("held out", part, changes):
            print(line, flush=True)
    for folder in (*options.english, *options.others):
        for line in told(folder.name, recordings(folder), ["", "3 s of it"]):
            print(line, flush=True)


if __name__ == "__main__":
    main()
