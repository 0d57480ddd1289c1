"""Recordings to cached features before a training: seconds of audio a second, and what a second core brings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import soundfile

from audiocycle.data.cache import FeatureCache
from audiocycle.system import threads
from audiocycle.voice.modality import VoiceModality
from audiocycle.voice.world_adapter import F0_METHODS, WorldAdapter
from benchmarks.measure import Figure, Settings, median_figure, seconds_of, synthetic_speech

THREADS = (1, 2)
ITEM_SECONDS = 5.0


def analyse(recordings: Sequence[Path], method: str, count: int) -> None:
    """Read, analyse and write everything once, on so many threads in all."""
    threads.limit(count)
    adapter = WorldAdapter(f0_method=method)
    with TemporaryDirectory() as folder:
        FeatureCache(Path(folder), VoiceModality(adapter).encode, {}, side=VoiceModality.training_side).analyse(recordings, lambda done, total: None, count)


def throughputs(recordings: Sequence[Path], method: str, repeats: int) -> dict[int, list[float]]:
    """Seconds of audio a second by threads. They take turns, so that a machine that grows busy slows all alike."""
    found: dict[int, list[float]] = {count: [] for count in THREADS}
    for repeat in range(repeats):
        for count in THREADS:
            (seconds,) = seconds_of(partial(analyse, recordings, method, count), 1, warm_up=int(repeat == 0))
            found[count].append(len(recordings) * ITEM_SECONDS / seconds)
    return found


def run(settings: Settings) -> list[Figure]:
    rate, before = WorldAdapter().sample_rate, threads.available()
    n_items, repeats = settings.pick(24, 4), settings.pick(5, 1)
    remark = f"{n_items} WAV files of {ITEM_SECONDS:g} s at {rate} Hz to cached features"
    figures = []
    with TemporaryDirectory() as folder:
        recordings = [Path(folder) / f"{seed}.wav" for seed in range(n_items)]
        for seed, path in enumerate(recordings):
            soundfile.write(path, synthetic_speech(ITEM_SECONDS, rate, seed=seed), rate)
        for method in F0_METHODS:
            found = throughputs(recordings, method, repeats)
            figures += [median_figure(f"analysis, {method}, threads: {count}", found[count], "s audio/s", remark) for count in THREADS]
            alone, together = max(found[THREADS[0]]), max(found[THREADS[-1]])
            definition = f"speed with {THREADS[-1]} threads / ({THREADS[-1]} x speed with 1), the best of {repeats} each"
            figures.append(Figure(f"analysis, {method}, parallel efficiency", 100 * together / (alone * THREADS[-1]), "%", definition))
    threads.limit(before)
    return figures
