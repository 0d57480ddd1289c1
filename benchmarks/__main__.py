"""``python -m benchmarks``: run everything, print one table, write JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from audiocycle import __version__
from benchmarks import machine
from benchmarks.measure import Figure, Settings

BENCHMARKS = (
    "machine", "roofline", "training_step", "scaling", "conversion", "stream", "analysis", "corpus", "music", "folder",
)  # fmt: skip
"""Modules of this package, in this order; each is imported when its turn comes, and has ``run(settings) -> list[Figure]``."""
RESULT = Path("bench.json")


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
    figures, skipped = measure(options.only, settings)

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
