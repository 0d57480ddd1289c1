"""Train a model that ships with the package, measure it, and put it where the package looks for bundled models.

    python recipes/ship.py any-voices --data data/any
    python recipes/ship.py heart-24khz --data data/rendered24
    python recipes/ship.py rendered-voices --data data/rendered
    python recipes/ship.py libri-40-78 --data data/librispeech
    python recipes/ship.py jazz-classic --data genres

``--data`` is what the recipe's render.py or prepare.py wrote: train/ and eval/, a folder for each voice or genre. The seed is fixed; a run
that was stopped goes on where it was. Needs the extra `export` and, for voices, `eval` (what guides the training, and measures).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from audiocycle.bundles.export import export_bundle
from audiocycle.bundles.format import load_translator, read_config
from audiocycle.bundles.writing import model_card, write_bundle
from audiocycle.models.layers import parameter_count

HERE = Path(__file__).parent
SHIPPED = HERE.parent / "audiocycle" / "pretrained"


@dataclass(frozen=True)
class Model:
    """One that ships.

    Attributes:
        card: what its card says of origin and limits.
        samples: files that ship with it, of eval/DOMAIN (voices) or of recipes/genre/pieces.py (music); only the project's own may.
        measured: further options of ``audiocycle evaluate``.
        settings: further ones of the training.
        measured_on: the folder of eval/ with sources, and the target, that the card's table is of; empty: the first two domains.
        music: strength is measured, too, by a classifier that is trained first.
    """

    domains: tuple[str, ...]
    experiment: str
    licence: str
    card: Path
    samples: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    measured_on: tuple[str, ...] = ()
    music: bool = False


GENRES = HERE / "genre"
MODELS = {
    "any-voices": Model(
        ("19", "26", "27", "40", "78", "heart", "michael"), "any_to_one", "cc-by-4.0", HERE / "any_voices" / "card.md",
        tuple(f"{voice}/{sentence}.flac" for voice in ("emma", "george") for sentence in ("001", "004")), ("--target", "27"),
        ("data.mixture=[many]", "trainer.batch_size=2", "trainer.constant_steps=600", "trainer.decay_steps=500", "start=''", "data.held_out=0"), ("others", "27"),
    ),
    "heart-24khz": Model(
        ("heart",), "any_to_one_full_band", "cc-by-4.0", HERE / "any_voices" / "card-heart-24khz.md", measured=("--target", "heart"),
        settings=("adapter.sample_rate=24000", "adapter.n_mcep=42"), measured_on=("emma", "heart"),
    ),
    "rendered-voices": Model(
        ("heart", "michael"), "vc2_guided", "mit", HERE / "rendered_voices" / "card.md",
        tuple(f"{voice}/{sentence}.flac" for voice in ("heart", "michael") for sentence in ("001", "004", "007")), ("--parallel",),
    ),
    "libri-40-78": Model(("40", "78"), "vc2_guided", "cc-by-4.0", HERE / "librispeech" / "card.md"),
    "jazz-classic": Model(
        ("jazz", "classic"), "genre_joined", "odbl", GENRES / "card-jazz-classic.md", ("jazz-blues.mid", "classic-prelude.mid"),
        ("--limit", "30"), music=True,
    ),
}  # fmt: skip


def main() -> None:
    """Train, ship, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=MODELS)
    parser.add_argument("--data", type=Path, required=True, help="holds train/ and eval/")
    parser.add_argument("--run", type=Path, help="of the training (default: runs/NAME)")
    parser.add_argument("--out", type=Path, help="default: audiocycle/pretrained/NAME")
    arguments = parser.parse_args()
    name, model, data = arguments.name, MODELS[arguments.name], arguments.data
    run, out = arguments.run or Path("runs") / name, arguments.out or SHIPPED / name
    names = ",".join(f"'{domain}'" for domain in model.domains)
    python(
        "-m", "audiocycle", "train", f"experiment={model.experiment}", f"data.root={data / 'train'}", f"data.domains=[{names}]",
        f"run_dir={run}", f"name={name}", f"licence={model.licence}", "seed=0", "resume=true", *model.settings,
    )  # fmt: skip
    config = read_config(run / "bundle")
    translator = load_translator(run / "bundle", config)
    card = model_card(config, parameter_count(translator)) + model.card.read_text(encoding="utf-8")
    write_bundle(out, config, translator.state_dict(), card=card)
    export_bundle(out)
    ship_samples(model, data, out / "samples")
    first, second = (data / "eval" / domain for domain in model.measured_on or model.domains)
    judge = run / "classifier"
    if model.music and not judge.exists():
        python(GENRES / "train_classifier.py", data, *model.domains, "-o", judge)
    heard = ("--classifier", judge) if model.music else ()
    python("-m", "audiocycle", "evaluate", out, "--source-dir", first, "--target-dir", second, *model.measured, *heard, "--card")
    print(f"{out}: {sum(p.stat().st_size for p in out.rglob('*') if p.is_file()) / 1e6:.1f} MB")


def ship_samples(model: Model, data: Path, folder: Path) -> None:
    """Copy what ships with the model, named ``DOMAIN-...``."""
    if not model.samples:
        return
    folder.mkdir(exist_ok=True)
    with TemporaryDirectory() as pieces:
        if model.music:
            python(GENRES / "pieces.py", pieces)
        for sample in model.samples:
            shutil.copyfile((Path(pieces) if model.music else data / "eval") / sample, folder / sample.replace("/", "-"))


def python(*arguments: object) -> None:
    """A Python program, as a user would call it; ends with its exit status if it fails."""
    done = subprocess.run([sys.executable, *map(str, arguments)], check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
