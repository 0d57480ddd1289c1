"""Live conversion: how late, how much of the processor, and how far from what the offline path makes of the same recording."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from audiocycle.bundles.format import read_config
from audiocycle.bundles.library import model_folders
from audiocycle.conversion.converter import Converter
from audiocycle.conversion.demo import PRETRAINED
from audiocycle.conversion.live import open_stream
from audiocycle.metrics.voice.mcd import frame_distortion
from audiocycle.metrics.voice.mel_cepstrum import spectrum_to_mel_cepstrum
from audiocycle.spec import FloatArray, Signal
from audiocycle.voice.content.adapter import ContentAdapter
from audiocycle.voice.pulse_synthesis import PulseSynthesizer
from audiocycle.voice.stream import StreamAtRate
from audiocycle.voice.world_adapter import WorldAdapter, pyworld, speech_frames
from benchmarks.conversion import choose_bundle
from benchmarks.measure import Figure, Settings, median_figure, seconds_of, synthetic_speech

SECONDS, BLOCKS, ANY_BLOCKS = 30.0, (0.06, 0.1, 0.16), (0.06, 0.1)
"""The second of models that convert everybody, which look further ahead."""
PITCH = 120.0


def streamed(stream: StreamAtRate, samples: FloatArray) -> tuple[FloatArray, list[float]]:
    """The whole output, and the seconds that each block took."""
    made, seconds = [], []
    for begin in range(0, len(samples), stream.block):
        start = time.perf_counter()
        made.append(stream.push(samples[begin : begin + stream.block]))
        seconds.append(time.perf_counter() - start)
    return np.concatenate([*made, stream.finish()]), seconds


def distance(first: FloatArray, second: FloatArray, adapter: WorldAdapter) -> float:
    """MCD of two waveforms frame by frame, without alignment, over the frames with speech of the first."""
    encoded = [adapter.analyze(samples, side=False).features for samples in (first, second)]
    cepstra = [spectrum_to_mel_cepstrum(adapter.envelope(features)) for features in encoded]
    return float(frame_distortion(*cepstra)[speech_frames(encoded[0])].mean())


def conversions(bundle: Path, seconds: float, blocks: Sequence[float]) -> list[Figure]:
    converter = Converter.from_pretrained(bundle, "world", runtime="torch")
    adapter, config = converter.adapter, converter.config
    if isinstance(adapter, ContentAdapter):
        adapter = adapter.world
    target, source = (config.domains[0], None) if config.any_source else (config.domains[1], config.domains[0])
    pitch = float(np.exp(config.domain(source).stats["log_f0"][0])) if source else PITCH  # else the target's may fall below what DIO finds
    speech = synthetic_speech(seconds, adapter.sample_rate, pitch)
    offline = converter(Signal(speech, adapter.sample_rate), target, source).samples
    again = converter(Signal(speech, adapter.sample_rate), target, source, pitch_shift=0.01).samples
    floor = distance(offline, again, adapter)
    figures = [Figure(f"{config.name}, offline against itself, pitch 0.01 semitones higher", floor, "dB MCD", "what analysing synthetic speech again costs")]
    for block in blocks:
        stream = open_stream(bundle, target, source, block_seconds=block)
        made, taken = streamed(stream, speech)
        name = f"{config.name}, live, {1000 * block:.0f} ms blocks"
        figures += [
            Figure(f"{name}: latency", 1000 * stream.latency, "ms", stream.parts),
            Figure(f"{name}: real-time factor", sum(taken) / seconds, "s/s", f"{seconds:g} s at {adapter.sample_rate} Hz"),
            median_figure(f"{name}: a block", [1000 * t for t in taken if t > 1e-3], "ms", f"{sum(t > block for t in taken)} were late"),
            Figure(f"{name}: distance from offline", distance(offline, made, adapter), "dB MCD"),
        ]
    return figures


def synthesis(bundle: Path, seconds: float, repeats: int) -> list[Figure]:
    """The streaming synthesis beside pyworld's, on one recording's features."""
    adapter = WorldAdapter(**{key: value for key, value in read_config(bundle).adapter.items() if key != "name"})
    speech = synthetic_speech(seconds, adapter.sample_rate)
    encoded = adapter.analyze(speech)
    f0, envelope, ap = encoded.side.f0.astype(float), adapter.envelope(encoded.features), encoded.side.ap
    rate, period = adapter.sample_rate, adapter.frame_period
    ways = {
        "pyworld": lambda: pyworld.synthesize(f0, envelope, ap, rate, period),
        "streaming": lambda: PulseSynthesizer(rate, period, adapter.fft_size).push(f0, envelope, ap),
    }
    return [
        median_figure(f"synthesis of {seconds:g} s, {name}", [t / seconds for t in seconds_of(way, repeats)], "s/s")
        for name, way in ways.items()
    ]


def run(settings: Settings) -> list[Figure]:
    seconds = settings.pick(SECONDS, 3.0)
    with TemporaryDirectory() as scratch:
        bundle = choose_bundle(settings, Path(scratch))
        figures = conversions(bundle, seconds, BLOCKS) + conversions(model_folders()[-1] / PRETRAINED["voice"], seconds, ANY_BLOCKS)
        return figures + synthesis(bundle, 2 * seconds, settings.pick(5, 1))
