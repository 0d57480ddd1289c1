"""``python -m benchmarks``: run everything, print one table, write JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from audiocycle import __version__
from benchmarks import analysis, conversion, machine, music, training_step
from benchmarks.measure import Figure, Settings

BENCHMARKS = {
    "machine": machine.run,
    "conversion": conversion.run,
    "analysis": analysis.run,
    "training_step": training_step.run,
    "music": music.run,
}


def table(figures: Sequence[Figure]) -> str:
    """Plain columns: name, figure, unit, remark."""
    rows = [
        ("name", "figure", "unit", "remark"),
        *((f.name, f"{f.value:.4g}", f.unit, f.remark) for f in figures),
    ]
    name, value, unit = (max(len(row[column]) for row in rows) for column in range(3))
    return "\n".join(f"{r[0]:{name}}  {r[1]:>{value}}  {r[2]:{unit}}  {r[3]}".rstrip() for r in rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure this machine with audiocycle."
    )
    parser.add_argument(
        "--quick", action="store_true", help="small cases, few repeats: only to see that all runs"
    )
    parser.add_argument(
        "--long", action="store_true", help="also the memory of an hour's recording (minutes of work)"
    )
    parser.add_argument("--bundle", type=Path, help="the model to convert with (default: the pretrained one)")
    parser.add_argument(
        "--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS), help="default: all"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    settings = Settings(options.quick, options.long, options.bundle)

    facts = machine.describe()  # before our own work adds to the load
    date = datetime.now().astimezone().isoformat(timespec="seconds")
    figures: list[Figure] = []
    for name in options.only:
        print(f"{name} ...", file=sys.stderr, flush=True)
        figures += BENCHMARKS[name](settings)

    lines = [f"{key}: {value}" for key, value in ({"date": date, "audiocycle": __version__} | facts).items()]
    if settings.quick:
        lines.append("quick: small cases and few repeats, not to be quoted")
    print("\n".join(lines), table(figures), sep="\n\n")
    if options.json:
        result = {
            "date": date,
            "audiocycle": __version__,
            "settings": asdict(settings) | {"bundle": str(settings.bundle) if settings.bundle else None},
            "machine": facts,
            "figures": [asdict(figure) for figure in figures],
        }
        options.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
