"""Train and measure four pairs of speakers, one way each, as docs/measurements/four-pairs.md reports them: the mean of the pairs, and each.

    python recipes/vcc2016/four_pairs.py --data data/vcc2016 --out runs/four_pairs
    python recipes/vcc2016/four_pairs.py --data data/vcc2016 --out runs/seed_1 seed=1
    python recipes/vcc2016/four_pairs.py --data data/vcc2016 --out runs/longer \\
        trainer.constant_steps=35000 trainer.decay_steps=1 trainer.checkpoint_every=500 max_steps=11500

What is not an option is a setting of `audiocycle train` (experiment=vc2_guided unless said). A stopped run goes on with the same command.
Needs `pip install 'audiocycle[guided,eval]'`. Writes OUT/SOURCE-TARGET, a run each, and OUT/table.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from audiocycle.conversion.converter import Converter
from audiocycle.errors import AudioCycleError
from audiocycle.evaluation.card import table
from audiocycle.evaluation.voice.evaluate import evaluate, over_directions
from audiocycle.evaluation.voice.listeners import Listeners, load_listeners
from audiocycle.evaluation.voice.measures import LAYOUT
from audiocycle.evaluation.voice.results import VoiceDirectionResult
from audiocycle.system.atomic import write_text

PAIRS = (("SF1", "TM3"), ("SF1", "TF2"), ("SM1", "TF2"), ("SM1", "TM3"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--data", type=Path, required=True, help="what prepare.py wrote: train/ and eval/")
    parser.add_argument("--out", type=Path, required=True, help="where runs and table go")
    parser.add_argument("--limit", type=int, help="measure so many sentences only (default: all)")
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="of `audiocycle train`")
    args = parser.parse_args()
    for source, target in PAIRS:
        train(args.data / "train", args.out, source, target, args.settings)
    try:
        listeners = load_listeners()
        found = [measured(args.data / "eval", args.out, *pair, listeners, args.limit) for pair in PAIRS]
        rows = {
            row: over_directions([each.rows[row] for each in found], parallel=True) for row in found[0].rows
        }
        mean = table(f"mean of the four pairs, {len(found[0].files)} files", rows, LAYOUT)
        pairs = (table(f"{each.source} → {each.target}, {len(each.files)} files", each.rows, LAYOUT) for each in found)
        text = "\n\n".join([mean, *pairs]) + "\n"
        write_text(args.out / "table.md", text)
    except AudioCycleError as error:
        raise SystemExit(f"error: {error}") from error
    for family, reason in listeners.missing.items():
        print(f"left out: {family} ({reason})")
    print(f"{text}\n{args.out / 'table.md'}")


def train(root: Path, out: Path, source: str, target: str, settings: list[str]) -> None:
    """One pair, one way, as far as the settings say; pairs share what was computed of a speaker."""
    command = [
        sys.executable, "-m", "audiocycle", "train", "experiment=vc2_guided", "objective.one_way=true",
        f"data.root={root}", f"data.domains=[{source},{target}]", f"data.cache={out / 'features'}",
        f"run_dir={out / f'{source}-{target}'}", "resume=true", *settings,
    ]  # fmt: skip
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def measured(
    root: Path, out: Path, source: str, target: str, listeners: Listeners, limit: int | None
) -> VoiceDirectionResult:
    """What `audiocycle evaluate --parallel` finds. Raises AudioCycleError."""
    bundle = out / f"{source}-{target}" / "bundle"
    converter = Converter.from_pretrained(bundle, runtime="torch", precision="fp32")
    print(f"measuring {source} → {target}", flush=True)
    folders = {name: root / name for name in (source, target)}
    found = evaluate(converter, folders, listeners, parallel=True, limit=limit)  # models of one way are measured that way
    return next(iter(found.directions.values()))


if __name__ == "__main__":
    main()
