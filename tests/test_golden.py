"""The models of this repository convert as they did when tests/golden was written: the same samples, the same events.

Only the command line is used, so that any design inside it will do. ``python -m tests.test_golden --renew`` writes the golden data
anew; that is right only where a change is meant to change what people get, and the changelog says so.

Where processor and libraries are those that wrote the data, all is compared bit for bit, in the arithmetic of a plain processor
and with one thread. Elsewhere levels have tolerances, and a small share of the notes may differ: probabilities may tip at a threshold.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mido
import numpy as np
import pytest
import soundfile

from benchmarks import plain
from benchmarks.made_material import RATE, song, speech

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent / "golden"
PRETRAINED = ROOT / "audiocycle" / "pretrained"
CASES = {
    "rendered-voices": ("heart", "michael"),
    "libri-40-78": ("40", "78"),
    "jazz-classic": ("jazz", "classic"),
}
"""Targets of each model."""
MUSIC = ("jazz-classic",)
NAMES = [(model, target) for model, targets in CASES.items() for target in targets]
LIBRARIES = ("torch", "numpy", "scipy", "pyworld", "soxr", "soundfile")
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
LIMIT = 120.0
"""Seconds for a conversion, from the program's start to its end."""
FRAME = RATE // 20
QUIETEST = -80.0
"""dB of full scale; what is below is not heard, and not compared."""
MEDIAN_DB, TAIL_DB, TAIL = 0.1, 1.0, 0.97
"""Elsewhere: how far levels may lie apart at the median, and how far so large a share of them. AVX-512 against AVX2: 0.00 and 0.00 dB."""
MOST_NOTES = 0.03
"""Elsewhere: of the notes, this share may differ. AVX-512 against AVX2: none; the threshold moved by 0.0005 either way: one note of one song."""


def write_inputs(folder: Path) -> dict[bool, Path]:
    """By whether it is music: three seconds of a voice, twelve bars of a tune with chords, a bass and drums."""
    paths = {False: folder / "voice.wav", True: folder / "song.mid"}
    soundfile.write(paths[False], speech(3.0, 140.0, 1.0, seed=7), RATE, subtype="PCM_16")
    song(12, tune=3, style=1).save(paths[True])
    return paths


def convert(model: str, target: str, inputs: dict[bool, Path], output: Path, *more: str) -> dict[str, Any]:
    """The record of a conversion on the fixed path."""
    words = [
        sys.executable, "-m", "audiocycle", "convert", str(inputs[model in MUSIC]), "--target", target, "--model", str(PRETRAINED / model),
        "--runtime", "torch", "--precision", "fp32", "--json", "-o", str(output), *more,
    ]  # fmt: skip
    environment = os.environ | plain.environment() | ONE_THREAD
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    record: dict[str, Any] = json.loads(done.stdout)
    return {"fields": sorted(record)} | {name: record[name] for name in ("status", "audio_seconds", "details", "note")}


def digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def voice_of(path: Path) -> tuple[str, np.ndarray]:
    """A digest of the samples, and (frames, 41) levels of each 50 ms in hundredths of dB: of all, and of bands.

    The bands are 125 Hz wide up to 4 kHz, so that another pitch is seen, and 500 Hz above.
    """
    samples, rate = soundfile.read(path, dtype="int16")
    assert (rate, samples.ndim) == (RATE, 1)
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME) / 32768
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME))) ** 2 / FRAME**2
    hertz = np.fft.rfftfreq(FRAME, 1 / RATE)
    edges = [*range(0, 4000, 125), *range(4000, 8001, 500)]
    bands = [power[:, (hertz >= low) & (hertz < high)].sum(axis=1) for low, high in pairwise(edges)]
    levels = 10 * np.log10(np.maximum(np.stack([(frames**2).mean(axis=1), *bands], axis=1), 10 ** (QUIETEST / 10)))
    return digest(samples.astype("<i2").tobytes()), np.round(100 * levels).astype(np.int16)


def music_of(path: Path) -> tuple[str, np.ndarray]:
    """A digest of all events, and the notes: (N, 6) of track, channel, pitch, tick, length, velocity."""
    file = mido.MidiFile(path)
    events: list[Any] = [file.type, file.ticks_per_beat]
    notes: list[tuple[int, ...]] = []
    for number, track in enumerate(file.tracks):
        now, sounding = 0, {}
        for message in track:
            now += message.time
            events.append([number, now, message.hex() if not message.is_meta else str(message.dict())])
            if message.type not in ("note_on", "note_off"):
                continue
            key = (message.channel, message.note)
            if message.type == "note_on" and message.velocity:
                sounding.setdefault(key, []).append((now, message.velocity))
            elif sounding.get(key):
                begin, velocity = sounding[key].pop(0)
                notes.append((number, *key, begin, now - begin, velocity))
    return digest(json.dumps(events).encode()), np.asarray(sorted(notes), dtype=np.int32).reshape(-1, 6)


def read_output(model: str, path: Path) -> tuple[str, np.ndarray]:
    return music_of(path) if model in MUSIC else voice_of(path)


def machine() -> dict[str, str]:
    """What the bits of a result depend on beside the code."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    told = {line.split(":", 1)[0].strip(): line.split(":", 1)[1].strip() for line in lines if ":" in line}
    processor = {"processor": told.get("model name", platform.processor()), "flags": digest(" ".join(sorted(told.get("flags", "").split())).encode())}
    return processor | {"system": f"{platform.system()} {platform.machine()}"} | {library: version(library) for library in LIBRARIES}


def levels_differ(before: np.ndarray, after: np.ndarray) -> str:
    """What is wrong with levels; empty if nothing that another processor would not explain."""
    if before.shape != after.shape:
        return f"{before.shape} levels before, {after.shape} now"
    apart = np.abs(before.astype(np.int32) - after)[np.maximum(before, after) > 100 * QUIETEST] / 100
    median, tail = float(np.median(apart)), float(np.quantile(apart, TAIL))
    return f"levels differ by {median:.2f} dB (median), {tail:.2f} dB ({TAIL:.0%})" if median > MEDIAN_DB or tail > TAIL_DB else ""


def notes_differ(before: np.ndarray, after: np.ndarray) -> str:
    """Likewise of notes."""
    old, new = ({tuple(note) for note in notes.tolist()} for notes in (before, after))
    apart = len(old ^ new) / (len(old) + len(new))
    return f"{apart:.1%} of the notes differ" if apart > MOST_NOTES else ""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def golden() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Records and digests; levels and notes."""
    with np.load(FOLDER / "golden.npz") as arrays:
        return json.loads((FOLDER / "golden.json").read_text(encoding="utf-8")), dict(arrays)


Golden = tuple[dict[str, Any], dict[str, np.ndarray]]


@pytest.mark.parametrize(("model", "target"), NAMES)
def test_a_model_converts_as_it_did(model: str, target: str, golden: Golden, inputs: dict[bool, Path], tmp_path: Path) -> None:
    output = tmp_path / ("out.mid" if model in MUSIC else "out.wav")
    record = convert(model, target, inputs, output)
    name, (bits, found) = f"{model}, {target}", read_output(model, output)
    known, arrays = golden
    before = known["results"][name]
    if machine() == known["machine"]:
        assert record == before["record"]
        assert bits == before["digest"], "not bit for bit; " + (notes_differ if model in MUSIC else levels_differ)(arrays[name], found)
    expected = before["record"]
    seconds, counts = pytest.approx(expected["audio_seconds"], abs=0.6), pytest.approx(expected["details"], rel=MOST_NOTES, abs=2)
    assert record == expected | {"audio_seconds": seconds, "details": counts}
    assert not (notes_differ if model in MUSIC else levels_differ)(arrays[name], found)


@pytest.mark.parametrize(("model", "target", "option"), [
    ("libri-40-78", "78", ("--variance", "0.5")),
    ("libri-40-78", "40", ("--pitch-shift", "0.3")),
])  # fmt: skip
def test_the_tolerances_see_a_small_change(
    model: str, target: str, option: tuple[str, ...], golden: Golden, inputs: dict[bool, Path], tmp_path: Path
) -> None:
    output = tmp_path / ("out.mid" if model in MUSIC else "out.wav")
    convert(model, target, inputs, output, *option)
    _, found = read_output(model, output)
    assert (notes_differ if model in MUSIC else levels_differ)(golden[1][f"{model}, {target}"], found)


def renew() -> None:
    """Write the golden data as the models convert now."""
    known: dict[str, Any] = {"machine": machine(), "results": {}}
    arrays: dict[str, np.ndarray] = {}
    with TemporaryDirectory() as folder:
        inputs = write_inputs(Path(folder))
        for model, target in NAMES:
            output = Path(folder) / ("out.mid" if model in MUSIC else "out.wav")
            record = convert(model, target, inputs, output, "--overwrite")
            bits, arrays[f"{model}, {target}"] = read_output(model, output)
            known["results"][f"{model}, {target}"] = {"digest": bits, "record": record}
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "golden.json").write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    np.savez_compressed(FOLDER / "golden.npz", **arrays)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.test_golden")
    parser.add_argument("--renew", action="store_true", required=True, help="write tests/golden anew: only where people are meant to get something else")
    parser.parse_args()
    renew()
