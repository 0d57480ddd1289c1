"""Train a voice model that ships with the package, measure it, and put it where the package looks for bundled models.

    python recipes/ship_voice.py rendered-voices --data data/rendered
    python recipes/ship_voice.py libri-40-78 --data data/librispeech

``--data`` is what the recipe's render.py or prepare.py wrote: train/ and eval/, a folder for each voice. The seed is fixed; a run that was stopped
goes on where it was. Needs the extras `eval` (what guides the training, and measures) and `export`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from audiocycle.bundle import load_translator, model_card, read_config, write_bundle
from audiocycle.export import export_bundle
from audiocycle.models.layers import parameter_count

HERE = Path(__file__).parent
SHIPPED = HERE.parent / "audiocycle" / "pretrained"


@dataclass(frozen=True)
class Voices:
    """A model that ships.

    Attributes:
        card: what its card says of origin and limits.
        parallel: eval/ holds the same sentences by both.
        samples: names of recordings in eval/ that ship with it; only those that are the project's own may.
    """

    domains: tuple[str, str]
    licence: str
    card: Path
    parallel: bool = False
    samples: tuple[str, ...] = ()


MODELS = {
    "rendered-voices": Voices(("heart", "michael"), "mit", HERE / "rendered_voices" / "card.md", True, ("001", "004", "007")),
    "libri-40-78": Voices(("40", "78"), "cc-by-4.0", HERE / "librispeech" / "card.md"),
}


def main() -> None:
    """Train, ship, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=MODELS)
    parser.add_argument("--data", type=Path, required=True, help="holds train/ and eval/")
    parser.add_argument("--run", type=Path, help="of the training (default: runs/NAME)")
    parser.add_argument("--out", type=Path, help="default: audiocycle/pretrained/NAME")
    arguments = parser.parse_args()
    name, voices = arguments.name, MODELS[arguments.name]
    run, out = arguments.run or Path("runs") / name, arguments.out or SHIPPED / name
    first, second = voices.domains
    names = ",".join(f"'{domain}'" for domain in voices.domains)
    audiocycle(
        "train", "experiment=vc2_guided", f"data.root={arguments.data / 'train'}", f"data.domains=[{names}]",
        f"run_dir={run}", f"name={name}", f"licence={voices.licence}", "seed=0", "resume=true",
    )  # fmt: skip
    config = read_config(run / "bundle")
    translator = load_translator(run / "bundle", config)
    card = model_card(config, parameter_count(translator)) + voices.card.read_text(encoding="utf-8")
    write_bundle(out, config, translator.state_dict(), card=card)
    export_bundle(out)
    for domain in voices.domains:
        for sample in voices.samples:
            (out / "samples").mkdir(exist_ok=True)
            shutil.copyfile(arguments.data / "eval" / domain / f"{sample}.flac", out / "samples" / f"{domain}-{sample}.flac")
    folders = ("--source-dir", arguments.data / "eval" / first, "--target-dir", arguments.data / "eval" / second)
    audiocycle("evaluate", out, *folders, *(["--parallel"] if voices.parallel else []), "--card")
    print(f"{out}: {sum(p.stat().st_size for p in out.rglob('*') if p.is_file()) / 1e6:.1f} MB")


def audiocycle(*arguments: object) -> None:
    """The command line, as a user would call it; ends with its exit status if it fails."""
    done = subprocess.run([sys.executable, "-m", "audiocycle", *map(str, arguments)], check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
