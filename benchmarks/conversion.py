"""Conversion in this process, stage by stage, and as a whole ``audiocycle`` process."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import soundfile

from audiocycle.build import build_translator
from audiocycle.bundles.format import BundleConfig, read_config, stats_to_json
from audiocycle.bundles.library import model_folders
from audiocycle.bundles.runtimes.choice import load_network
from audiocycle.bundles.writing import write_bundle
from audiocycle.conversion.converter import Converter
from audiocycle.errors import ConfigError
from audiocycle.spec import Domain, FloatArray, Signal, directions
from audiocycle.voice.world_adapter import WorldAdapter
from benchmarks.measure import (
    Figure,
    Ratio,
    Settings,
    in_fresh_process,
    median_figure,
    peak_memory,
    seconds_of,
    synthetic_speech,
)
from benchmarks.stopwatch import Stopwatch, watched

SHORT, LONG = 5.0, 60.0
PAIR = "rendered-voices"
"""The pretrained model of two voices."""
RENDERERS = WorldAdapter.renderers
REMARKS = {"rest": "of the median run, with no stage at work"}


def random_bundle(folder: Path) -> Path:
    """A bundle with fresh weights at half width: as fast as a trained one."""
    adapter, domains = WorldAdapter(), ("low", "high")
    speech = [synthetic_speech(LONG, adapter.sample_rate, pitch) for pitch in (110.0, 210.0)]
    stats = {
        d: stats_to_json(adapter.fit([adapter.analyze(s, side=False)]))
        for d, s in zip(domains, speech, strict=True)
    }
    model = {"generator": "gated_212d", "critic": "gated_patch", "width": 0.5}
    translator = build_translator(model, directions(list(map(Domain, domains))), adapter.spec)
    config = BundleConfig("random weights", "voice", domains, {"name": "world"}, model, stats)
    write_bundle(folder, config, translator.state_dict())
    return folder


def choose_bundle(settings: Settings, scratch: Path) -> Path:
    """The one that was asked for, the pretrained one, or a random one.

    Raises:
        ConfigError: it does not work on WORLD features, whose stages are measured here.
    """
    pretrained = model_folders()[-1] / PAIR
    bundle = settings.bundle or (pretrained if pretrained.is_dir() else random_bundle(scratch / "random"))
    if read_config(bundle).adapter["name"] != "world":
        raise ConfigError(f"{bundle}: the stages of WORLD are measured; name a bundle with adapter world")
    return bundle


def stages(bundle: Path, renderer: str, length: float, repeats: int) -> list[Figure]:
    """Real-time factors of the whole and of each stage, with F0 by DIO whatever the bundle says."""
    config = read_config(bundle)
    config = replace(config, adapter=config.adapter | {"f0_method": "dio"})
    converter = Converter(config, load_network(bundle, config), renderer)
    source, target = config.domains[:2]
    speech = Signal(synthetic_speech(length, converter.adapter.sample_rate), converter.adapter.sample_rate)
    convert = partial(converter, speech, target, source)
    convert()
    runs: list[tuple[float, Stopwatch]] = []
    for _ in range(repeats):
        with watched(converter) as watch:
            runs.append((seconds_of(convert, 1, warm_up=0)[0], watch))
    name = f"conversion, {length:g} s, {renderer}"
    factors = [wall / length for wall, _ in runs]
    figures = [median_figure(name, factors, "s/s", f"real-time factor; {config.name}, dio")]
    wall, watch = sorted(runs, key=lambda run: run[0])[len(runs) // 2]
    for stage, seconds in (watch.by_stage() | {"rest": wall - watch.busy()}).items():
        remark = REMARKS.get(stage, "of the median run, all threads together")
        figures.append(Figure(f"{name}: {stage}", seconds / length, "s/s", remark, Ratio(seconds / wall, "the whole")))
    return figures


def write_speech(path: Path, seconds: float, sample_rate: int) -> Path:
    """A recording of synthetic speech, which repeats itself after a minute."""
    minute: FloatArray = synthetic_speech(min(seconds, LONG), sample_rate)
    with soundfile.SoundFile(path, "w", sample_rate, 1) as sound:
        for _ in range(round(seconds / min(seconds, LONG))):
            sound.write(minute)
    return path


def processes(bundle: Path, recording: Path, repeats: int) -> list[Figure]:
    """Wall time of ``audiocycle convert`` and ``audiocycle --help``, interpreter start and imports included."""

    def program(*arguments: str | Path) -> None:
        subprocess.run(
            [sys.executable, "-m", "audiocycle.cli.main", *map(str, arguments)], check=True, capture_output=True
        )

    source, target = read_config(bundle).domains[:2]
    output = recording.with_name("converted.wav")
    options = ("--model", bundle, "--source", source, "--target", target, "-o", output, "--overwrite")
    cold, *warm = seconds_of(partial(program, "convert", recording, *options), repeats + 1, warm_up=0)
    name = f"audiocycle convert, {SHORT:g} s file"
    return [
        Figure(f"{name}, first", cold, "s", "not wholly cold: this benchmark has loaded the same libraries"),
        median_figure(f"{name}, warm", warm, "s", "whole process"),
        median_figure(
            "audiocycle --help", seconds_of(partial(program, "--help"), repeats), "s", "whole process"
        ),
    ]


def memory_of_conversion(bundle: Path, recording: Path) -> float:
    """Peak MiB of a process that converts one file and does nothing else."""
    converter = Converter.from_pretrained(bundle)
    source, target = converter.domains[:2]
    converter.convert_file(recording, recording.with_suffix(".converted.wav"), target, source)
    return peak_memory()


def memory(bundle: Path, short: Path, long: Path, minutes: float) -> Figure:
    """What a long recording needs above a short one."""
    less, more = (in_fresh_process(memory_of_conversion, bundle, path) for path in (short, long))
    remark = f"{more:.0f} - {less:.0f} MiB, peaks of whole processes"
    return Figure(f"memory of {minutes:g} minutes above {SHORT:g} s", more - less, "MiB", remark)


def run(settings: Settings) -> list[Figure]:
    with TemporaryDirectory() as name:
        scratch = Path(name)
        bundle = choose_bundle(settings, scratch)
        rate = WorldAdapter(
            **{k: v for k, v in read_config(bundle).adapter.items() if k != "name"}
        ).sample_rate
        short = write_speech(scratch / "short.wav", SHORT, rate)
        figures = processes(bundle, short, settings.pick(5, 1))
        for length in (SHORT, LONG):
            for renderer in RENDERERS:
                figures += stages(bundle, renderer, length, settings.pick(5, 1))
        if settings.long:
            minutes = settings.pick(180, 3)
            long = write_speech(scratch / "long.wav", minutes * 60.0, rate)
            figures.append(memory(bundle, short, long, minutes))
    return figures
