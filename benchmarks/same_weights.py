"""Whether a change of the code changes what is trained: a few steps of every preset, and digests of all that they leave behind.

Each preset is trained for 20 steps (``genre``, at full width, for 6), each variant, which is there for a branch of the code, for 8.

Run it on the commit before a redesign and on the one after, on the same machine with the same libraries; every digest should be the same:

    python -m benchmarks.same_weights --tree ../before -o before.json
    python -m benchmarks.same_weights --compare before.json

``--tree`` is another checkout. It is used by its command line alone (``python -m audiocycle train``), on voices and songs
that are made here, so that any commit will do. Another processor adds in another order, and gives other digests.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.made_material import write_songs, write_voices

STEPS, FEWER, FEWEST = 20, 8, 6
"""Of a preset, of a variant, and of a preset whose step takes a dozen seconds."""
LIMIT = 1800.0
"""Seconds for a training, from its start to its end."""
TREE = Path(__file__).resolve().parent.parent
VOICES, GENRES = ("low", "high", "middle"), ("folk", "swing", "rock")
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")}
LIBRARIES = ("torch", "numpy", "scipy", "pyworld", "librosa", "symusic", "ctranslate2", "soxr")
SEEN = ("weights", "statistics", "settings", "terms")
"""What is compared: the bundle's tensors; its statistics and deviations; its other settings; the log's terms and their values."""


@dataclass(frozen=True)
class Case:
    """A training: its data and what is set beside.

    Attributes:
        material: the folder of the data, ``voices`` or ``songs``.
        words: settings of Hydra.
    """

    name: str
    material: str
    domains: tuple[str, ...]
    words: tuple[str, ...]
    steps: int = FEWER


def voice(name: str, *words: str, domains: tuple[str, ...] = VOICES[:2], steps: int = FEWER) -> Case:
    return Case(name, "voices", domains, words, steps)


def music(name: str, *words: str, domains: tuple[str, ...] = GENRES[:2], steps: int = FEWER) -> Case:
    return Case(name, "songs", domains, words, steps)


MIXED = "objective.mixed_to_generator=true"
CASES = (
    *(voice(preset, f"experiment={preset}", steps=STEPS) for preset in ("vc2", "vc2_quick", "vc2_lite", "vc2_guided")),
    *(music(preset, f"experiment={preset}", steps=STEPS) for preset in ("genre_quick", "genre_guided", "genre_joined", "pairs")),
    music("genre", "experiment=genre", steps=FEWEST),
    voice("any_to_one", "experiment=any_to_one", "start=''"),
    voice("any_to_one_full_band", "experiment=any_to_one_full_band", "start=''"),
    voice("any_to_one_multilingual", "experiment=any_to_one_multilingual"),  # needs the extra languages
    voice("vc2_guided, one way", "experiment=vc2_guided", "objective.one_way=true"),
    voice("vc2_guided, one way, three voices", "experiment=vc2_guided", "objective.one_way=true", domains=VOICES),
    voice("vc2_lite, three voices", "experiment=vc2_lite", domains=VOICES),
    voice("vc2_lite, mel", "experiment=vc2_lite", "adapter=mel"),
    voice("vc2_lite, gated_1d", "experiment=vc2_lite", "model=gated_1d"),
    voice("vc2_lite, pool", "experiment=vc2_lite", "trainer.pool_size=20", "trainer.max_gradient_norm=1"),
    voice("vc2_lite, pieces", "experiment=vc2_lite", "trainer.pieces=3"),
    voice("vc2_lite, schedule", "experiment=vc2_lite", "trainer.constant_steps=2", "trainer.decay_steps=6", "trainer.identity_steps=4"),
    music("genre, partial mixture", "experiment=genre", "model.width=0.25", "objective.mixture=partial", MIXED),
    music("genre, full mixture", "experiment=genre", "model.width=0.25", "objective.mixture=full", "data.mixture=[rock]", MIXED),
    music("genre, full mixture, critics only", "experiment=genre", "model.width=0.25", "objective.mixture=full", "data.mixture=[rock]"),
    music("genre, resnet", "experiment=genre", "model=resnet", "model.width=0.25"),
    music("genre, three genres, identity", "experiment=genre", "model.width=0.125", "objective.identity=5", domains=GENRES),
    music("genre_quick, velocity", "experiment=genre_quick", "adapter.velocity=true"),
    music("genre_quick, triplets", "experiment=genre_quick", "adapter.grid=triplet"),
    music("unet without a preset", "adapter=piano_roll", "model=unet", "model.width=0.25", "objective.paired=true", "trainer.batch_size=4"),
    music("pairs, velocity", "experiment=pairs", "adapter.velocity=true"),
)  # fmt: skip


def command(case: Case, precision: str, steps: int, folder: Path, run_dir: Path) -> list[str]:
    """The settings of the preset, but for how long it runs and what would only take time."""
    return [
        sys.executable, "-m", "audiocycle", "train", *case.words,
        f"data.root={folder / case.material}", f"data.domains=[{','.join(case.domains)}]", f"run_dir={run_dir}",
        f"data.cache={folder / 'cache'}", "data.min_minutes=0", "data.jobs=1", f"max_steps={steps}",
        "trainer.device=cpu", f"trainer.precision={precision}", "trainer.log_every=1", "trainer.sample_every=0",
        f"trainer.checkpoint_every={10 * steps}",
    ]  # fmt: skip


def digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def digest_of(value: Any) -> str:
    """Of JSON, whatever the order of its keys."""
    return digest(json.dumps(value, sort_keys=True).encode())


def read_run(run_dir: Path) -> dict[str, Any]:
    """Digests of what a run left, and its terms at both ends, so that a difference can be looked at."""
    bundle = run_dir / "bundle"
    config = json.loads((bundle / "config.json").read_text(encoding="utf-8"))
    statistics = {name: config.pop(name, None) for name in ("stats", "deviations")}
    for changing in ("training", "audiocycle"):  # dates, minutes, versions
        config.pop(changing, None)
    log = [json.loads(line) for line in (run_dir / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    for step in log:
        del step["seconds"]
    return {
        "weights": digest((bundle / "model.safetensors").read_bytes()),
        "statistics": digest_of(statistics), "settings": digest_of(config), "terms": digest_of(log),
        "steps": len(log), "first": log[0], "last": log[-1],
    }  # fmt: skip


def measured(case: Case, precision: str, steps: int | None, folder: Path, tree: Path) -> dict[str, Any]:
    """Train, read, clear away. An error is a result, too."""
    head = {"name": case.name, "precision": precision}
    run_dir = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    environment = os.environ | ONE_THREAD | {"PYTHONPATH": str(tree)}
    words = command(case, precision, steps or case.steps, folder, run_dir)
    try:
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT)
        if done.returncode:
            return head | {"error": (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]}
        return head | read_run(run_dir)
    except subprocess.TimeoutExpired:
        return head | {"error": f"stopped after {LIMIT:g} s"}
    finally:
        shutil.rmtree(run_dir, ignore_errors=True)


def results(cases: Sequence[Case], precisions: Sequence[str], steps: int | None, tree: Path, jobs: int) -> Iterator[dict[str, Any]]:
    """As they are listed, ``jobs`` cases at a time; what one precision analysed the next finds in the cache."""
    with tempfile.TemporaryDirectory(prefix="same-weights-") as name:
        folder = Path(name)
        write_voices(folder / "voices", VOICES)
        write_songs(folder / "songs", GENRES)
        pool = ThreadPoolExecutor(jobs)
        try:
            tasks = [pool.submit(lambda case: [measured(case, p, steps, folder, tree) for p in precisions], case) for case in cases]
            for task in tasks:
                yield from task.result()
        finally:
            pool.shutdown(cancel_futures=True)


def native_bf16() -> bool:
    """Whether ``trainer.precision=auto`` may choose bfloat16 here."""
    import torch

    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def machine() -> dict[str, str]:
    """What digests depend on beside the code."""
    import torch

    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass
    libraries = {}
    for library in LIBRARIES:
        try:
            libraries[library] = version(library)
        except ModuleNotFoundError:
            libraries[library] = "missing"
    return {"processor": model, "arithmetic": torch.backends.cpu.get_cpu_capability(), **libraries}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What of two results of one training is not the same, and which terms."""
    if "error" in before or "error" in after:
        told = [f"{when}: {found['error']}" for when, found in (("before", before), ("now", after)) if "error" in found]
        return [] if before == after else told
    if before["steps"] != after["steps"]:
        return [f"{before['steps']} steps before, {after['steps']} now"]
    found = [name for name in SEEN if before[name] != after[name]]
    for end in ("first", "last"):
        names = sorted(name for name in {*before[end], *after[end]} if before[end].get(name) != after[end].get(name))
        if names:
            found.append(f"{end} step: {', '.join(names)}")
    return found


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """A line for each difference between two files; none if all is the same."""
    lines = [
        f"machine: {name} was {before['machine'].get(name)}, is {now}"
        for name, now in after["machine"].items() if before["machine"].get(name) != now
    ]  # fmt: skip
    known = {(found["name"], found["precision"]): found for found in before["results"]}
    for found in after["results"]:
        key = (found["name"], found["precision"])
        told = differences(known[key], found) if key in known else ["not among those before"]
        lines += [f"{key[0]}, {key[1]}: {'; '.join(told)}"] if told else []
    return lines


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.same_weights", description=__doc__.splitlines()[0] if __doc__ else None)
    names = [case.name for case in CASES]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=f"one of: {' | '.join(names)}")
    parser.add_argument("--precision", action="append", choices=("fp32", "auto"), help="default: both, where auto is bfloat16")
    parser.add_argument("--tree", type=Path, default=TREE, metavar="DIR", help="the checkout that trains (this one)")
    parser.add_argument("--steps", type=int, help=f"of each training (presets {STEPS}, genre {FEWEST}, variants {FEWER})")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time, of one thread each (1); digests do not depend on it")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write all results, as JSON")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="say what differs from an earlier -o; ends with 1 if anything does")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    options = parse(words)
    tree = options.tree.resolve()
    if not (tree / "audiocycle" / "__main__.py").is_file():
        print(f"{tree}: no checkout of audiocycle; name the folder that holds the package's", file=sys.stderr)
        return 1
    before = json.loads(options.compare.read_text(encoding="utf-8")) if options.compare else None
    cases = [case for case in CASES if not options.only or case.name in options.only]
    precisions = options.precision or (["fp32", "auto"] if native_bf16() else ["fp32"])
    found: dict[str, Any] = {"machine": machine(), "results": []}
    for result in results(cases, precisions, options.steps, tree, options.jobs):
        found["results"].append(result)
        print(json.dumps(result), flush=True)
        if options.output:
            options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{len(found['results'])} trainings, {used.ru_utime + used.ru_stime:.0f} s of processor time", file=sys.stderr)
    lines = compare(before, found) if before else []
    for line in lines:
        print(line, file=sys.stderr)
    if before and not lines:
        print(f"all the same as in {options.compare}", file=sys.stderr)
    return int(bool(lines) or any("error" in result for result in found["results"]))


if __name__ == "__main__":
    raise SystemExit(main())
