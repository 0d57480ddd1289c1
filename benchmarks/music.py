"""MIDI: songs to phrases, whole libraries through ``convert_jobs``, and memory over many files."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import symusic

from audiocycle.build import build_translator
from audiocycle.bundles.format import BundleConfig, read_config
from audiocycle.bundles.library import model_folders
from audiocycle.bundles.writing import write_bundle
from audiocycle.conversion.demo import PRETRAINED
from audiocycle.conversion.library.batch import Task, convert_jobs
from audiocycle.conversion.library.plan import Job
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.midi.file import write_score
from audiocycle.music.modality import MusicModality
from audiocycle.spec import Domain, directions
from benchmarks.measure import (
    Figure,
    Ratio,
    Settings,
    in_fresh_process,
    median_figure,
    peak_memory,
    seconds_of,
)

TPQ, BARS = 480, 90
"""Ninety bars of 4/4 at 120 quarter notes a minute: three minutes."""


def write_song(path: Path, seed: int) -> Path:
    """A made-up song: melody in eighths, chords in halves, a bass in quarters, drums."""
    random = np.random.default_rng(seed)
    score = symusic.Score(TPQ)
    score.tempos.append(symusic.Tempo(0, 120.0, ttype="tick"))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4, "tick"))
    roots = 36 + random.choice([0, 2, 4, 5, 7, 9], BARS)
    for name, program, drums, step in (("melody", 0, False, 2), ("chords", 4, False, 8), ("bass", 32, False, 4), ("drums", 0, True, 2)):
        track = symusic.Track(name, program, drums)
        for place in range(0, 16 * BARS, step):
            root = int(roots[place // 16])
            pitches = {
                "melody": [root + 36 + int(random.choice([0, 3, 4, 7, 10, 12]))],
                "chords": [root + 24, root + 28, root + 31],
                "bass": [root + int(random.choice([0, 7]))],
                "drums": [42],
            }[name]
            for pitch in pitches:
                length, loud = step * TPQ // 4, int(random.integers(60, 100))
                track.notes.append(symusic.Note(place * TPQ // 4, length, pitch, loud, "tick"))
        score.tracks.append(track)
    write_score(path, score)
    return path


def random_bundle(folder: Path) -> Path:
    """Fresh weights of the size of the bundled model: as fast as a trained one."""
    adapter, domains = PianoRollAdapter(), ("jazz", "classic")
    model = {"generator": "gated_2d", "critic": "conv_patch", "width": 0.25, "generator_options": {"n_blocks": 4, "skip": 3.0}}
    translator = build_translator(model, directions(list(map(Domain, domains))), adapter.spec)
    stats = {domain: {"programs": [-1.0, -1.0, -1.0]} for domain in domains}
    write_bundle(folder, BundleConfig("random weights", "music", domains, {"name": "piano_roll"}, model, stats), translator.state_dict())
    return folder


def choose_bundle(scratch: Path) -> Path:
    pretrained = model_folders()[-1] / PRETRAINED["music"]
    return pretrained if pretrained.is_dir() else random_bundle(scratch / "random")


def reading(songs: list[Path], repeats: int) -> Figure:
    """Files to training phrases in this process."""
    modality = MusicModality(PianoRollAdapter())

    def read() -> None:
        for song in songs:
            modality.encode(song)

    rates = [60 * len(songs) / seconds for seconds in seconds_of(read, repeats)]
    return median_figure("songs of 3 minutes to phrases", rates, "songs/min", "one process, reading and rolls")


def batch(songs: list[Path], bundle: Path, folder: Path, processes: int) -> Figure:
    """Whole conversions, the start of the processes left out: the clock runs from the first finished file."""
    jobs = [Job(song, folder / song.name) for song in songs]
    times = []
    for record in convert_jobs(Task(bundle, read_config(bundle).domains[1]), jobs, processes, folder=folder):
        assert record.status == "converted", record
        times.append(time.perf_counter())
    rate = 60 * (len(times) - 1) / (times[-1] - times[0])
    remark = f"{len(songs)} songs, processes: {processes}; {read_config(bundle).name}"
    return Figure(f"batch conversion, processes: {processes}", rate, "songs/min", remark)


def memory_of_batch(bundle: Path, songs: list[Path], folder: Path, count: int) -> float:
    """Peak MiB of a process that converts ``count`` files, the same ones again and again."""
    converter = Task(bundle, read_config(bundle).domains[1]).converter()
    for index in range(count):
        output = folder / f"memory-{index % 50}.mid"
        converter.convert_file(songs[index % len(songs)], output, converter.domains[1], overwrite=True)
    return peak_memory()


def run(settings: Settings) -> list[Figure]:
    with TemporaryDirectory() as name:
        scratch = Path(name)
        bundle = choose_bundle(scratch)
        songs = [write_song(scratch / f"song-{seed}.mid", seed) for seed in range(settings.pick(100, 6))]
        figures = [reading(songs, settings.pick(5, 1))]
        counts = dict.fromkeys((1, min(2, os.cpu_count() or 1)))
        rates = [batch(songs, bundle, scratch / f"out-{processes}", processes) for processes in counts]
        figures += [replace(rate, ratio=Ratio(rate.value / rates[0].value, "1 process")) for rate in rates]
        few, many = settings.pick((50, 500), (3, 6))
        many = 10_000 if settings.long and not settings.quick else many
        less, more = (in_fresh_process(memory_of_batch, bundle, songs, scratch, count) for count in (few, many))
        remark = f"{more:.0f} - {less:.0f} MiB, peaks of whole processes"
        figures.append(Figure(f"memory of {many} songs above {few}", more - less, "MiB", remark))
    return figures
