"""``python -m benchmarks``: run everything, print one table, write JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from audiocycle import __version__
from benchmarks import machine
from benchmarks.measure import Figure, Ratio, Settings

BENCHMARKS = (
    "machine", "presets", "roofline", "training_step", "scaling", "conversion", "stream", "analysis", "corpus", "music", "folder",
)  # fmt: skip
"""Modules of this package, in this order; each has a process of its own, and ``run(settings) -> list[Figure]``."""
RESULT = Path("bench.json")
LIMIT = 1200.0
"""Seconds for one of them, after which it is stopped and the next one's turn comes."""


def table(figures: Sequence[Figure]) -> str:
    """Plain columns: name, figure, unit, ratio, remark."""
    rows = [
        ("name", "figure", "unit", "ratio", "remark"),
        *((f.name, f"{f.value:.4g}", f.unit, str(f.ratio or ""), f.remark) for f in figures),
    ]
    name, value, unit, ratio = (max(len(row[column]) for row in rows) for column in range(4))
    return "\n".join(f"{r[0]:{name}}  {r[1]:>{value}}  {r[2]:{unit}}  {r[3]:{ratio}}  {r[4]}".rstrip() for r in rows)


def measure(names: Sequence[str], settings: Settings) -> tuple[list[Figure], dict[str, str]]:
    """Figures of these benchmarks, and why some of them could not run: a library that is missing here stops no other."""
    figures: list[Figure] = []
    skipped: dict[str, str] = {}
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            module = importlib.import_module(f"benchmarks.{name}")
        except ImportError as error:
            skipped[name] = str(error)
            print(f"{name}: left out: {error}", file=sys.stderr, flush=True)
            continue
        figures += module.run(settings)
    return figures, skipped


def in_turn(names: Sequence[str], options: argparse.Namespace) -> tuple[list[Figure], dict[str, str]]:
    """:func:`measure` of several, each in a process of its own, which can be stopped whatever it computes."""
    figures: list[Figure] = []
    skipped: dict[str, str] = {}
    flags = [flag for flag in ("--quick", "--long") if getattr(options, flag[2:])] + (["--bundle", str(options.bundle)] if options.bundle else [])
    with TemporaryDirectory() as scratch:
        for name in names:
            written = Path(scratch) / f"{name}.json"
            words = [sys.executable, "-m", "benchmarks", "--only", name, "--json", str(written), *flags]
            reason = run_bounded(words, LIMIT)
            if reason:
                skipped[name] = reason
                print(f"{name}: left out: {reason}", file=sys.stderr, flush=True)
                continue
            found = json.loads(written.read_text(encoding="utf-8"))
            figures += [figure_from(each) for each in found["figures"]]
            skipped |= found["skipped"]
    return figures, skipped


def run_bounded(words: Sequence[str], limit: float) -> str:
    """Run a command silently; why it did not come to its end, or nothing. What it started is stopped with it."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            code = process.wait(limit)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                return f"stopped after {limit:g} s"
            raise
    return f"ended with exit code {code}" if code else ""


def figure_from(fields: dict[str, Any]) -> Figure:
    """A figure as it was before it was written as JSON."""
    ratio = fields["ratio"]
    return Figure(**fields | {"ratio": Ratio(**ratio) if ratio else None})


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure this machine with audiocycle."
    )
    parser.add_argument(
        "--quick", action="store_true", help="small cases, few repeats: only to see that all runs"
    )
    parser.add_argument(
        "--long", action="store_true", help="also the memory of a three-hour recording (minutes of work)"
    )
    parser.add_argument("--bundle", type=Path, help="the model to convert with (default: the pretrained one)")
    parser.add_argument(
        "--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS), metavar="NAME", help=f"of {', '.join(BENCHMARKS)}"
    )
    parser.add_argument("--json", type=Path, help=f"write the figures to this file (default: {RESULT}, unless --only chooses)")
    options = parser.parse_args()
    settings = Settings(options.quick, options.long, options.bundle)

    facts = machine.describe()  # before our own work adds to the load
    date = datetime.now().astimezone().isoformat(timespec="seconds")
    figures, skipped = measure(options.only, settings) if len(options.only) == 1 else in_turn(options.only, options)

    lines = [f"{key}: {value}" for key, value in ({"date": date, "audiocycle": __version__} | facts).items()]
    lines += [f"left out: {name} ({reason})" for name, reason in skipped.items()]
    if settings.quick:
        lines.append("quick: small cases and few repeats, not to be quoted")
    print("\n".join(lines), table(figures), sep="\n\n")
    target = options.json or (RESULT if len(options.only) == len(BENCHMARKS) else None)
    if target:
        result = {
            "date": date,
            "audiocycle": __version__,
            "settings": asdict(settings) | {"bundle": str(settings.bundle) if settings.bundle else None},
            "machine": facts,
            "skipped": skipped,
            "figures": [asdict(figure) for figure in figures],
        }
        target.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
