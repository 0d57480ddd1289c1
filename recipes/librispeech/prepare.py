"""Two LibriSpeech readers → OUT/train/SPEAKER/ and OUT/eval/SPEAKER/, for `audiocycle train`.

    python recipes/librispeech/prepare.py --out data/librispeech

Only the chosen speakers are unpacked. The last two minutes of each (by chapter, then utterance) are held out. With --others, one
utterance of every other reader is put into OUT/train/many, to be converted in training, or OUT/eval/others, to measure with.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import soundfile

from audiocycle.errors import AudioCycleError, InputError
from audiocycle.system.archive import extract
from audiocycle.system.download import fetch, place

URL = "https://www.openslr.org/resources/12/train-clean-100.tar.gz"
MD5 = "2a93770f6d5c6c964bc36631d331a522"  # https://www.openslr.org/resources/12/md5sum.txt
SPEAKERS = ("40", "78")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--out", type=Path, required=True, help="data root to make")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        help="instead of downloading: train-clean-100.tar.gz, or a folder with unpacked FLACs (linked)",
    )
    parser.add_argument("--speakers", nargs="+", default=SPEAKERS, metavar="ID", help="default: %(default)s")
    parser.add_argument("--eval-minutes", type=float, default=2.0, help="held out per speaker (default: 2)")
    parser.add_argument("--others", action="store_true", help="one utterance of every other reader, too")
    parser.add_argument("--url", default=URL, help="the same archive elsewhere (default: %(default)s)")
    args = parser.parse_args()
    try:
        prepare(args.out, args.source, args.speakers, args.eval_minutes, args.url, args.others)
    except AudioCycleError as error:
        raise SystemExit(f"error: {error}") from error


def prepare(out: Path, source: Path | None, speakers: list[str], eval_minutes: float, url: str, others: bool = False) -> None:
    """Fill OUT/train and OUT/eval. Raises AudioCycleError."""
    if source is not None and source.is_dir():
        arrange(source, out, speakers, eval_minutes, move=False)
        if others:
            arrange_others(source, out, speakers, move=False)
    else:
        archive = source or fetch(url, out / "archives" / "train-clean-100.tar.gz", md5=MD5)
        out.mkdir(parents=True, exist_ok=True)
        print(
            f"Unpacking speakers {', '.join(speakers)} from {archive}: it is read twice, which takes minutes"
        )
        with tempfile.TemporaryDirectory(dir=out, prefix=".unpack-") as unpacked:
            extract(archive, unpacked, keep=lambda name: speaker_of(name) in speakers or (others and is_first(name)))
            arrange(Path(unpacked), out, speakers, eval_minutes, move=True)
            if others:
                arrange_others(Path(unpacked), out, speakers, move=True)
        print(f"{archive} is no longer needed.")
    names = ",".join(f"'{speaker}'" for speaker in speakers[:2])
    print("\nNext (the inner quotes keep the speakers' numbers from being read as numbers):")
    data = f'data.root={out / "train"} "data.domains=[{names}]"'
    print(f"audiocycle train experiment=vc2_guided {data} run_dir=runs/librispeech")


def speaker_of(name: str) -> str | None:
    """The speaker of "…/40/121026/40-121026-0007.flac"; None for other files."""
    path = Path(name)
    parts = path.stem.split("-")
    return parts[0] if path.suffix == ".flac" and len(parts) == 3 else None


def is_first(name: str) -> bool:
    """Whether it is the first utterance of a chapter."""
    return Path(name).stem.endswith("-0000")


def arrange_others(root: Path, out: Path, speakers: list[str], *, move: bool) -> None:
    """One utterance of each other reader found under `root`: the longest first one of a chapter. One reader of ten is for measuring."""
    longest: dict[str, Path] = {}
    for path in sorted(root.rglob("*.flac")):
        speaker = speaker_of(path.name)
        if speaker is not None and speaker not in speakers and is_first(path.name) and (speaker not in longest or minutes(path) > minutes(longest[speaker])):
            longest[speaker] = path
    names = sorted(longest)
    for folder, chosen in ((out / "train" / "many", [n for i, n in enumerate(names) if i % 10]), (out / "eval" / "others", names[::10])):
        place({longest[name].name: longest[name] for name in chosen}, folder, move=move)
        print(f"{folder}: {len(chosen)} readers, {sum(minutes(longest[name]) for name in chosen):.1f} minutes")


def arrange(root: Path, out: Path, speakers: list[str], eval_minutes: float, *, move: bool) -> None:
    """Split each speaker's utterances found under `root` into train and eval, and say how many minutes."""
    found: dict[str, list[Path]] = {speaker: [] for speaker in speakers}
    for path in root.rglob("*.flac"):
        if (speaker := speaker_of(path.name)) in found:
            found[speaker].append(path)
    if missing := [speaker for speaker in speakers if not found[speaker]]:
        raise InputError(
            f"no utterances of speaker {', '.join(missing)} in {root}: correct --speakers or --from"
        )
    for speaker in speakers:
        train, held_out = split(found[speaker], eval_minutes)
        for part, files in (("train", train), ("eval", held_out)):
            length = sum(minutes(path) for path in files)
            place({path.name: path for path in files}, out / part / speaker, move=move)
            print(f"{out / part / speaker}: {len(files)} utterances, {length:.1f} minutes")


def split(paths: list[Path], eval_minutes: float) -> tuple[list[Path], list[Path]]:
    """Train and held-out utterances: the latter are the last `eval_minutes` by chapter and number."""
    train = sorted(paths, key=lambda path: [int(part) for part in path.stem.split("-")])
    held_out: list[Path] = []
    while len(train) > 1 and sum(map(minutes, held_out)) < eval_minutes:
        held_out.insert(0, train.pop())
    return train, held_out


def minutes(path: Path) -> float:
    try:
        return float(soundfile.info(path).duration) / 60
    except (OSError, RuntimeError) as error:
        raise InputError(f"cannot read {path} ({error}): download the archive again") from error


if __name__ == "__main__":
    main()
