"""Voice Conversion Challenge 2016 → OUT/train/SPEAKER/ and OUT/eval/SPEAKER/, for `audiocycle train`.

    python recipes/vcc2016/prepare.py --out data/vcc2016

Sources (S…) keep the first half of the training sentences and targets (T…) the second half, so that no
sentence is heard from both sides: what CycleGAN is for. `--parallel` keeps all sentences.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from audiocycle.errors import AudioCycleError, InputError
from audiocycle.system.archive import extract
from audiocycle.system.download import checksum, fetch, place

BASE_URL = "https://datashare.ed.ac.uk/bitstream/handle/10283/2211"
LANDING_PAGE = "https://doi.org/10.7488/ds/1575"
SPEAKERS = ("SF1", "SM1", "TF2", "TM3")
PARTS = {"train": "vcc2016_training", "eval": "evaluation_all"}  # our folder: the archive's name
SUFFIXES = (".wav", ".flac")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--out", type=Path, required=True, help="data root to make")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        help="instead of downloading: a folder with the two archives, or with train/ and eval/ (linked)",
    )
    parser.add_argument(
        "--speakers", nargs="+", default=SPEAKERS, metavar="NAME", help="default: %(default)s"
    )
    parser.add_argument("--parallel", action="store_true", help="keep all training sentences of all speakers")
    parser.add_argument("--base-url", default=BASE_URL, help="where the archives are (default: %(default)s)")
    args = parser.parse_args()
    try:
        prepare(args.out, args.source, args.speakers, parallel=args.parallel, base_url=args.base_url)
    except AudioCycleError as error:
        raise SystemExit(f"error: {error}") from error


def prepare(out: Path, source: Path | None, speakers: list[str], *, parallel: bool, base_url: str) -> None:
    """Fill OUT/train and OUT/eval. Raises AudioCycleError."""
    if source is None:
        source = out / "archives"
        download(source, base_url)
    for part, archive_name in PARTS.items():
        if (folder := next(filter(Path.is_dir, (source / part, source / archive_name)), None)) is not None:
            arrange(folder, out / part, speakers, halves=part == "train" and not parallel, move=False)
            continue
        archive = source / f"{archive_name}.zip"
        if not archive.is_file():
            raise InputError(
                f"{source} has neither {part}/ nor {archive.name}: see recipes/vcc2016/README.md"
            )
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".unpack-") as unpacked:
            extract(archive, unpacked)
            arrange(Path(unpacked), out / part, speakers, halves=part == "train" and not parallel, move=True)
    first, last = speakers[0], speakers[-1]
    print("\nNext, for example:")
    data = f"data.root={out / 'train'} data.domains=[{first},{last}]"
    print(f"audiocycle train experiment=vc2 {data} run_dir=runs/vcc2016")


def download(folder: Path, base_url: str) -> None:
    """Fetch both archives. Their checksums are not published, so print what came for others to compare."""
    for name in PARTS.values():
        try:
            path = fetch(f"{base_url}/{name}.zip", folder / f"{name}.zip")
        except AudioCycleError as error:
            raise AudioCycleError(
                f"{error} (or get {name}.zip from {LANDING_PAGE}, then --from FOLDER)"
            ) from error
        print(f"{path}  sha256 {checksum(path)}  (no published checksum to compare with)")


def recordings(root: Path, speaker: str) -> dict[str, Path]:
    """File name → path, from all folders called `speaker` anywhere under `root`."""
    found: dict[str, Path] = {}
    for folder in sorted(path for path in (root, *root.rglob("*")) if path.is_dir() and path.name == speaker):
        if "__MACOSX" not in folder.parts:
            found |= {
                file.name: file
                for file in sorted(folder.iterdir())
                if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
            }
    return found


def arrange(root: Path, out: Path, speakers: list[str], *, halves: bool, move: bool) -> None:
    """Put each speaker's recordings found under `root` into `out`/speaker, and say how many."""
    files = {speaker: recordings(root, speaker) for speaker in speakers}
    if missing := [speaker for speaker in speakers if not files[speaker]]:
        raise InputError(f"no recordings of {', '.join(missing)} under {root}: correct --speakers or --from")
    sentences = sorted({Path(name).stem for names in files.values() for name in names})
    middle = sentences[len(sentences) // 2]
    for speaker in speakers:
        chosen = {
            name: path
            for name, path in files[speaker].items()
            if not halves or (Path(name).stem < middle) == speaker.startswith("S")
        }
        if not chosen:
            raise InputError(f"no training sentences left for {speaker}: run with --parallel to keep all")
        place(chosen, out / speaker, move=move)
        print(f"{out / speaker}: {len(chosen)} recordings")


if __name__ == "__main__":
    main()
