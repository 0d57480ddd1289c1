"""WORLD analysis for training: seconds of audio a second, and what a second thread brings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from audiocycle.spec import Encoded, FloatArray
from audiocycle.voice.world_adapter import F0_METHODS, WorldAdapter
from benchmarks.measure import Figure, Settings, median_figure, seconds_of, synthetic_speech

THREADS = (1, 2)
ITEM_SECONDS = 5.0


def analyze_all(
    pool: ThreadPoolExecutor, analyze: Callable[[FloatArray], Encoded], items: Sequence[FloatArray]
) -> list[Encoded]:
    return list(pool.map(analyze, items))


def run(settings: Settings) -> list[Figure]:
    rate = WorldAdapter().sample_rate
    n_items, repeats = settings.pick(16, 4), settings.pick(5, 1)
    items = [synthetic_speech(ITEM_SECONDS, rate, seed=seed) for seed in range(n_items)]
    audio = n_items * ITEM_SECONDS
    remark = f"{n_items} items of {ITEM_SECONDS:g} s at {rate} Hz, without aperiodicity, as before training"
    figures = []
    for method in F0_METHODS:
        analyze = partial(WorldAdapter(f0_method=method).analyze, side=False)
        speeds = []
        for threads in THREADS:
            with ThreadPoolExecutor(threads) as pool:
                times = seconds_of(partial(analyze_all, pool, analyze, items), repeats)
            throughput = [audio / seconds for seconds in times]
            name = f"analysis, {method}, threads: {threads}"
            speeds.append(median_figure(name, throughput, "s audio/s", remark))
        efficiency = 100 * speeds[-1].value / (speeds[0].value * THREADS[-1])
        name = f"analysis, {method}, parallel efficiency"
        definition = f"speed with {THREADS[-1]} threads / ({THREADS[-1]} x speed with 1)"
        figures += [*speeds, Figure(name, efficiency, "%", definition)]
    return figures
