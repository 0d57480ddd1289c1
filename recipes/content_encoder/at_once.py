"""What tells two people who speak at once from one, in the mean of the content encoder's states: writes ``audiocycle/voice/content/at_once.npy``.

    python recipes/content_encoder/at_once.py readers/many

FOLDER holds an utterance each of many readers, whose names begin with the reader's number, as ``recipes/librispeech/prepare.py --others`` makes it. A piece of
each, as it is, with its pauses cut out, or in an echoing room, in turn, is held against pairs that were added, the softer one 0 to 10 dB below the other:
Fisher's linear discriminant, with shrinkage. All have levels that say nothing, since the encoder hears levels. It takes a minute. The file holds 384 weights and an offset, which give 0 for one person and 1 for two, in the mean. Readers in the
last fifth are held out, and what comes of them is printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

from audiocycle.spec import FloatArray
from audiocycle.voice.content import encoder
from audiocycle.voice.content.adapter import ContentAdapter, at_states
from audiocycle.voice.content.hearing import WEIGHTS

SECONDS = (2.0, 4.0, 8.0, 15.0)
"""Of pieces, in turn."""
LEVELS = (-40.0, -15.0)
"""dB of full scale: of all pieces, by chance."""
SHRINKAGE = 0.5
HELD_OUT = 5
"""One reader in so many, the last ones."""
RATE, FRAME = encoder.SAMPLE_RATE, 160


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    sounds = [soundfile.read(path, dtype="float32")[0] for path in sorted(options.folder.rglob("*.flac"))]
    held_out = len(sounds) // HELD_OUT
    known = means_of(sounds[:-held_out], 1)
    weights = discriminant(*known)
    for name, (one, two) in {"learned from": known, "held out": means_of(sounds[-held_out:], 2)}.items():
        scores = [np.quantile(means @ weights[:-1] + weights[-1], [0.0, 0.01, 0.5, 0.99, 1.0]).round(2) for means in (one, two)]
        print(f"{name}: {len(one)} of one person {scores[0]}, {len(two)} of two {scores[1]} (least, 1 %, median, 99 %, most)")
    np.save(options.output, weights.astype(np.float32))


def means_of(sounds: Sequence[FloatArray], seed: int) -> tuple[FloatArray, FloatArray]:
    """Mean states of pieces of one person, (N, D), and of two at once, (M, D)."""
    random, adapter = np.random.default_rng(seed), ContentAdapter()
    changes: list[Callable[[FloatArray], FloatArray]] = [lambda x: x, without_pauses, lambda x: in_a_room(x, random)]

    def mean(samples: FloatArray) -> FloatArray:
        samples = (samples / samples.std() * 10 ** (random.uniform(*LEVELS) / 20)).astype(np.float32)
        states = encoder.states(samples)
        heard = at_states(adapter.world.speech(adapter.world.analyze(samples, side=False).features), len(states), adapter.spec.frame_rate)
        return np.asarray(states[heard if heard.any() else ~heard].mean(axis=0))

    def pairs() -> Iterator[FloatArray]:
        for place, first in enumerate(sounds):
            second = sounds[(place + int(random.integers(1, len(sounds)))) % len(sounds)]
            a, b = (piece(each, SECONDS[place % len(SECONDS)], random) for each in (first, second))
            n = min(len(a), len(b))
            yield a[:n] / a[:n].std() + b[:n] / b[:n].std() * 10 ** (-random.uniform(0.0, 10.0) / 20)

    one = [mean(changes[place % len(changes)](piece(x, SECONDS[place % len(SECONDS)], random))) for place, x in enumerate(sounds)]
    return np.array(one), np.array([mean(pair) for pair in pairs()])


def piece(samples: FloatArray, seconds: float, random: np.random.Generator) -> FloatArray:
    """So much of it, from somewhere."""
    spare = max(0, len(samples) - round(seconds * RATE))
    begin = int(random.integers(spare + 1))
    return samples[begin : begin + len(samples) - spare]


def without_pauses(samples: FloatArray) -> FloatArray:
    """Its louder 70 % of 10 ms: two people at once leave few pauses, and so do some who are alone."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    energies = np.square(frames).mean(axis=1)
    return frames[energies > np.quantile(energies, 0.3)].ravel()


def in_a_room(samples: FloatArray, random: np.random.Generator) -> FloatArray:
    """With an echo that dies away, by 60 dB in 0.4 to 2 s."""
    echo = random.standard_normal(RATE) * np.exp(-np.arange(RATE) / random.uniform(1000.0, 5000.0))
    echo[0] = random.uniform(3.0, 15.0)
    size = len(samples) + RATE
    return np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(echo, size), size)[: len(samples)]


def discriminant(one: FloatArray, two: FloatArray) -> FloatArray:
    """(D + 1,): weights and an offset that give 0 and 1 for the two means."""
    within = np.concatenate([one - one.mean(axis=0), two - two.mean(axis=0)])
    unit = within.std(axis=0)
    covariance = (within / unit).T @ (within / unit) / len(within) + SHRINKAGE * np.eye(len(unit))
    weights = np.linalg.solve(covariance, (two.mean(axis=0) - one.mean(axis=0)) / unit) / unit
    low, high = one.mean(axis=0) @ weights, two.mean(axis=0) @ weights
    return np.append(weights, -low) / (high - low)


if __name__ == "__main__":
    main()
