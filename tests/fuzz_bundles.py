"""Bundles with settings, statistics and weights changed at random, each loaded and used as a stranger's would be.

    python tests/fuzz_bundles.py --count 1500          # prints what came of them, and ends with 1 if anything was unexpected

The work is done in another process, which may crash: that is seen, counted, and the next case goes on in a new one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

MAX_SECONDS, MAX_BYTES = 10.0, 1.5 * 2**30
"""Of processor time, and of memory in all, for a case."""
CONFIG, WEIGHTS = "config.json", "model.safetensors"
VALUES: list[Any] = [
    0, -1, 1, 2, 3, 5, 64, 100, 255, 511, 512, 513, 600, 1024, 4096, 10_000, 65_536, 2**31 - 1, 2**31, 2**63, 10**30, 0.5, -0.0, 1e-6, 1e-300, 1e9, 1e30,
    1e308, float("nan"), float("inf"), -float("inf"), True, False, None, "", "x", "auto", "/elsewhere/a", "../a", "a\x1b[31mb", "\ud800", "\u202eabc", [], {}, [1], [[1.0]],
    {"a": 1}, "x" * 10_000, [0.0] * 5000, 16000, 22050, 48000, 96000, 1.0, 5.0, 20.0, 40.0, 71.0, 300.0, 800.0, 2000.0, 8000.0, 32, 36, 128, 256, "harvest", "triplet", "binary",
]  # fmt: skip
NAMES = ["a", "ben", "/elsewhere/a", "../../a", "a.b", "a->b", "", " ", "a\x1b]0;x\x07", "a\nb", "\u202eanna", "x" * 300, "José", "CON", "a\x00b"]


@dataclass
class Findings:
    """What came of the cases: how often, and of each that was unexpected which and what."""

    counts: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    slowest: float = 0.0
    largest: float = 0.0


def nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every place in nested lists and objects."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from nodes(value[key])


def mutated_number(value: Any, draw: random.Random) -> Any:
    """A number moved a little, or much."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return draw.choice(VALUES)
    return draw.choice([value + 1, value - 1, value * 2, value * 10, value * 100, -value, value / 3, value * 1e6, draw.choice(VALUES)])


def mutate_settings(raw: dict[str, Any], draw: random.Random) -> None:
    """One change of the settings."""
    kind = draw.random()
    if kind < 0.55:  # what builds things
        part = draw.choice(["adapter", "adapter", "model"])
        places = list(nodes(raw[part])) if isinstance(raw.get(part), dict) else []
        if places:
            container, key = draw.choice(places)
            container[key] = mutated_number(container[key], draw)
    elif kind < 0.75:
        places = list(nodes({"stats": raw.get("stats"), "deviations": raw.get("deviations")}))
        container, key = draw.choice(places)
        container[key] = mutated_number(container[key], draw)
    elif kind < 0.85:
        domains = raw["domains"] if isinstance(raw.get("domains"), list) else []
        old, new = draw.choice(domains or ["x"]), draw.choice(NAMES)
        if isinstance(raw.get("stats"), dict) and isinstance(old, str):
            raw["domains"] = [new if domain == old else domain for domain in domains]
            raw["stats"] = {new if domain == old else domain: value for domain, value in raw["stats"].items()}
    elif kind < 0.93:
        container, key = draw.choice(list(nodes(raw)))
        if isinstance(container, dict):
            del container[key]
        else:
            container.insert(key, draw.choice(VALUES))
    else:
        container, key = draw.choice(list(nodes(raw)))
        container[key] = draw.choice(VALUES)


def mutate_text(path: Path, draw: random.Random) -> None:
    """One change of the bytes of the settings."""
    content = bytearray(path.read_bytes())
    kind = draw.randrange(5)
    place = draw.randrange(len(content))
    if kind == 0:
        content[place] ^= 1 << draw.randrange(8)
    elif kind == 1:
        del content[place:]
    elif kind == 2:
        content[place:place] = b"[" * draw.choice([10, 3000, 100_000])
    elif kind == 3:
        content[place:place] = draw.choice([b"9" * 5000, b"NaN", b"1e999", b"\\ud800", b"\xff"])
    else:
        path.write_bytes(b'{"format": 1, "name": ' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"}")
        return
    path.write_bytes(content)


def mutate_weights(path: Path, draw: random.Random) -> None:
    """One change of the weights."""
    import torch
    from safetensors.torch import load_file, save_file

    kind = draw.randrange(8)
    if kind < 3:
        content = bytearray(path.read_bytes())
        head = int.from_bytes(content[:8], "little")
        if kind == 0:
            content[:8] = draw.choice([0, 1, head - 1, head + 1, 10**6, 2**62]).to_bytes(8, "little")
        elif kind == 1:
            del content[draw.randrange(len(content)) :]
        else:
            content[8 + draw.randrange(head)] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
    elif kind == 3:
        path.unlink()
        os.mkfifo(path)
    elif kind == 4:
        path.unlink()
        path.symlink_to(draw.choice(["/dev/zero", "/dev/urandom", "/etc/hostname", "nowhere", "."]))
    else:
        tensors = load_file(path)
        name = draw.choice(sorted(tensors))
        how: Callable[[Any], Any] = draw.choice([
            lambda x: x * float("nan"), lambda x: x * 1e4, lambda x: x.float() * 1e30, lambda x: x.flatten(), lambda x: x.double(), lambda x: x[:0],
            lambda x: torch.zeros(64, *x.shape), lambda x: x * 0,
        ])  # fmt: skip
        scale = draw.random() < 0.5
        tensors = {key: how(value).contiguous() if scale or key == name else value for key, value in tensors.items()}
        if draw.random() < 0.2:
            del tensors[name]
        save_file(tensors, path)


def drawn(limits: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """Settings within their limits, often at the ends; some at their defaults."""
    from audiocycle.system.limits import OneOf, Range

    made: dict[str, Any] = {}
    for name, limit in limits.items():
        if draw.random() < 0.4:
            continue
        if isinstance(limit, Range):
            low, high = limit.low, limit.high
            value = draw.choice([low, high, draw.uniform(low, high), low + draw.random() ** 4 * (high - low)])
            made[name] = round(value) if limit.whole else value
        else:
            made[name] = draw.choice(limit.words if isinstance(limit, OneOf) else (True, False))
    return made


def consistent(bundle: Path, draw: random.Random) -> None:
    """Settings at random within their limits, and statistics and weights that fit them: what somebody would make who means harm."""
    import numpy as np
    import torch
    from safetensors.torch import save_file

    from audiocycle.build import build_adapter, build_translator
    from audiocycle.errors import ConfigError
    from audiocycle.models.generators import gated_1d as gated_generator_1d
    from audiocycle.models.generators import gated_2d as gated_generator_2d
    from audiocycle.models.generators import gated_212d as gated_generator
    from audiocycle.models.generators import resnet as resnet_generator
    from audiocycle.models.generators import unet as unet_generator
    from audiocycle.music import adapter as music
    from audiocycle.spec import Domain, directions
    from audiocycle.voice import mel_adapter, world_adapter

    for graph in bundle.glob("*.onnx"):
        graph.unlink()
    raw = json.loads((bundle / CONFIG).read_text(encoding="utf-8"))
    limits = {"world": world_adapter.LIMITS, "mel": mel_adapter.LIMITS, "piano_roll": music.LIMITS}[raw["adapter"]["name"]]
    raw["adapter"] = {"name": raw["adapter"]["name"]} | drawn(limits, draw)
    images = {
        "gated_2d": gated_generator_2d.GatedGenerator2D, "resnet": resnet_generator.ResNetGenerator, "unet": unet_generator.UNetGenerator,
    }  # fmt: skip
    rows = {"gated_212d": gated_generator.GatedGenerator212D, "gated_1d": gated_generator_1d.GatedGenerator1D} | images
    name, network = draw.choice(sorted((images if raw["modality"] == "music" else rows).items()))
    options = drawn(network.limits, draw)
    options.pop("width", None)
    raw["model"] = {"generator": name, "width": draw.choice([0.01, 0.01, 0.05, 0.2, 1.0]), "generator_options": options}
    try:
        adapter = build_adapter(raw["adapter"])
        known = adapter.known_statistics
        random_numbers = np.random.default_rng(draw.randrange(2**32))
        share = draw.choice([0.05, 0.3, 1.0])

        def table(kind: Any) -> Any:
            low, high = np.broadcast_to(kind.low, kind.shape), np.broadcast_to(kind.high, kind.shape)
            at = random_numbers.uniform(0.5 - share / 2, 0.5 + share / 2, kind.shape)
            if draw.random() < 0.2:
                at = np.round(at)
            return np.round(low + at * (high - low), 6).tolist()

        raw["stats"] = {domain: {key: table(kind) for key, kind in known.items()} for domain in raw["domains"]}
        raw["deviations"] = {}
        with torch.device("meta"):
            shapes = {key: x.shape for key, x in build_translator(raw["model"], directions(list(map(Domain, raw["domains"]))), adapter.spec).state_dict().items()}
        if sum(shape.numel() for shape in shapes.values()) < 20e6:
            torch.manual_seed(draw.randrange(2**31))
            size = draw.choice([0.02, 0.02, 0.02, 1.0])
            save_file({key: (size * torch.randn(shape)).half() for key, shape in shapes.items()}, bundle / WEIGHTS)
    except ConfigError:
        pass
    (bundle / CONFIG).write_text(json.dumps(raw), encoding="utf-8")


def make_case(bases: list[Path], seed: int, folder: Path) -> tuple[Path, str]:
    """A damaged copy of one of the bundles, and what computes it."""
    draw = random.Random(seed)
    bundle = folder / "bundle"
    shutil.rmtree(bundle, ignore_errors=True)
    base = draw.choice(bases)
    shutil.copytree(base, bundle, ignore=shutil.ignore_patterns("samples"))
    if draw.random() < 0.4:
        consistent(bundle, draw)
        return bundle, "auto"
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        path = bundle / CONFIG
        kind = draw.random()
        if kind < 0.75:
            raw = json.loads((base / CONFIG).read_text(encoding="utf-8")) if not path.is_file() else json.loads(path.read_text(encoding="utf-8"))
            mutate_settings(raw, draw)
            path.write_text(json.dumps(raw), encoding="utf-8")
        elif kind < 0.85:
            mutate_text(path, draw)
            break
        elif (bundle / WEIGHTS).is_file() and not (bundle / WEIGHTS).is_symlink():
            mutate_weights(bundle / WEIGHTS, draw)
            break
    return bundle, draw.choice(["auto", "torch", "torch"])


def use(bundle: Path, runtime: str, folder: Path) -> str:
    """Do with a bundle what people do with one: ``converted`` or ``refused``.

    Raises:
        Exception: whatever else.
    """
    import numpy as np
    import soundfile

    from audiocycle.bundles.format import describe_bundle
    from audiocycle.conversion.converter import Converter
    from audiocycle.errors import AudioCycleError, printable

    try:
        assert printable(describe_bundle(bundle)["name"]).isprintable()
        converter = Converter.from_pretrained(bundle, runtime=runtime)
        direction = converter.config.directions[0]
        kind = "wav" if converter.config.modality == "voice" else "mid"
        made = folder / f"made.{kind}"
        converter.convert_file(folder / f"in.{kind}", made, direction.target.name, direction.source.name, overwrite=True)
        if kind == "wav":
            given, samples = (soundfile.read(path)[0] for path in (folder / "in.wav", made))
            assert len(samples) == len(given), (len(samples), len(given))
            assert np.sqrt(np.mean(samples**2)) < 10 * np.sqrt(np.mean(given**2)), "absurdly loud"
        return "converted"
    except AudioCycleError as error:
        line = str(error)
    assert "\n" not in line, line
    assert len(line) < 2000, line
    return "refused"


def work(folder: Path, seeds: Iterator[int]) -> None:
    """Cases one after the other, told on stdout before and after: seed, what came of it, seconds of processor, bytes at most."""
    bases = sorted((folder / "bases").iterdir())
    for seed in seeds:
        bundle, runtime = make_case(bases, seed, folder)
        print(json.dumps([seed, "begun"]), flush=True)
        begin = time.process_time()
        try:
            found = use(bundle, runtime, folder)
        except Exception as error:
            found = f"{type(error).__name__}: {str(error)[:300]}"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps([seed, found, time.process_time() - begin, peak]), flush=True)


def write_bases(folder: Path, all_of_them: bool = True) -> None:
    """The bundles that are damaged, and what they are given."""
    import soundfile
    from tiny_bundle import tiny_bundle, tiny_music_bundle, tiny_song, vowel

    import audiocycle

    tiny_bundle(folder / "bases" / "world")
    tiny_music_bundle(folder / "bases" / "music")
    if all_of_them:
        tiny_bundle(folder / "bases" / "mel", adapter={"name": "mel"})
        tiny_bundle(folder / "bases" / "harvest", ("anna", "ben", "cleo"), adapter={"name": "world", "f0_method": "harvest", "sample_rate": 22050})
        tiny_music_bundle(folder / "bases" / "music2", adapter={"grid": "triplet", "bars": 2, "velocity": True})
        for name in ("libri-40-78", "jazz-classic"):
            shutil.copytree(Path(audiocycle.__file__).parent / "pretrained" / name, folder / "bases" / name)
    soundfile.write(folder / "in.wav", vowel(1.0), 16000)
    tiny_song(folder / "in.mid", bars=6)


def fuzz(count: int, first: int = 0, all_of_them: bool = True, tell: Callable[[str], None] = print) -> Findings:
    """So many cases, with seeds from ``first`` on."""
    findings, seed = Findings(), first
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_bases(folder, all_of_them)
        while seed < first + count:
            command = [sys.executable, __file__, "--work", name, "--first", str(seed), "--count", str(first + count - seed)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:
                assert process.stdout is not None
                running = 0
                alarm = Watch(process)
                for line in process.stdout:
                    seed, found, *cost = json.loads(line)
                    alarm.fed()
                    if found == "begun":
                        running = 1
                        continue
                    running, (seconds, peak) = 0, cost
                    kind = found if found in ("converted", "refused") else "unexpected"
                    over = seconds > MAX_SECONDS or peak > MAX_BYTES
                    findings.slowest, findings.largest = max(findings.slowest, seconds), max(findings.largest, peak)
                    findings.counts[kind] += 1
                    if kind == "unexpected" or over:
                        findings.unexpected.append(f"{seed}: {found} ({seconds:.1f} s, {peak / 2**30:.2f} GiB)")
                        tell(findings.unexpected[-1])
                    seed += 1
                    if peak > MAX_BYTES:
                        process.kill()  # its peak would hide the next one's
                alarm.fed(end=True)
            if running:
                code = process.returncode
                findings.counts["crashed"] += 1
                findings.unexpected.append(f"{seed}: ended with {signal.Signals(-code).name if code and code < 0 else code}")
                tell(findings.unexpected[-1])
                seed += 1
    return findings


class Watch:
    """Ends a process that says nothing for two minutes: it waits for a pipe, or computes without end."""

    def __init__(self, process: subprocess.Popen[str], seconds: float = 120.0) -> None:
        import threading

        self.process, self.seconds = process, seconds
        self.timer: threading.Timer | None = None
        self.make = threading.Timer
        self.fed()

    def fed(self, end: bool = False) -> None:
        """It said something."""
        if self.timer is not None:
            self.timer.cancel()
        if not end:
            self.timer = self.make(self.seconds, self.process.kill)
            self.timer.daemon = True
            self.timer.start()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--first", type=int, default=0, help="seed of the first case")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work, iter(range(arguments.first, arguments.first + arguments.count)))
        return 0
    findings = fuzz(arguments.count, arguments.first)
    print(f"{dict(findings.counts)}; unexpected or over a limit: {len(findings.unexpected)}")
    print(f"slowest {findings.slowest:.1f} s of processor, most memory {findings.largest / 2**30:.2f} GiB")
    return bool(findings.unexpected)


if __name__ == "__main__":
    raise SystemExit(main())
