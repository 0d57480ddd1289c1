"""Two folders of recordings → a model that turns either voice into the other, and a first sample of each.

    python recipes/your_own_voice/train.py recordings/me recordings/anna --minutes 60 --out runs/me_and_anna

The folders' names become the speakers' names. The recordings are linked, not copied. A stopped training goes
on with the same command; for a longer one, add minutes.
"""

from __future__ import annotations

import argparse
import glob
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from audiocycle.errors import AudioCycleError, InputError
from audiocycle.system.download import place
from audiocycle.system.names import as_domain_name, file_name
from audiocycle.system.scan import scan
from audiocycle.voice.sound_file import is_recording, open_sound

ENOUGH_MINUTES = 3.0
SAMPLE_SECONDS = (2.0, 20.0)  # a comfortable length for the held-out recording


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("first", type=Path, help="folder with recordings of one person")
    parser.add_argument("second", type=Path, help="folder with recordings of the other person")
    parser.add_argument("--out", type=Path, help="where all results go (default: runs/FIRST_and_SECOND)")
    parser.add_argument("--minutes", type=float, default=60.0, help="training time, all runs (default: 60)")
    parser.add_argument(
        "--experiment",
        default="vc2_guided",
        help="vc2_guided, which keeps the words (default; pip install 'audiocycle[guided]'), vc2_quick, which needs no recogniser, or vc2, as published, for days or a GPU",
    )
    parser.add_argument(
        "--one-way", action="store_true", help="learn the first voice into the second only: steps take half the time (vc2_guided)"
    )
    parser.add_argument("--steps", type=int, help="stop after so many steps, if that comes first")
    parser.add_argument("--check", action="store_true", help="only look at the recordings")
    args = parser.parse_args()
    if args.one_way and args.experiment != "vc2_guided":
        parser.error("--one-way: goes with --experiment vc2_guided only; the others learn by going there and back")
    try:
        voices = {speaker_name(folder): check(folder) for folder in (args.first, args.second)}
        if len(voices) < 2:
            raise InputError(
                f"both folders are called {args.first.name}: rename one, for it names the speaker"
            )
        if not args.check:
            out = args.out or Path("runs", "_and_".join(voices))
            limits = [f"max_minutes={args.minutes:g}"] + (
                [] if args.steps is None else [f"max_steps={args.steps}"]
            )
            ways = ["objective.one_way=true"] if args.one_way else []
            train(voices, out, [f"experiment={args.experiment}", *ways, *limits], args.one_way)
    except AudioCycleError as error:
        raise SystemExit(f"error: {error}") from error


def speaker_name(folder: Path) -> str:
    """The folder's name, as a word that a command line and a file name can carry."""
    return as_domain_name("_".join(folder.resolve().name.split()), "voice")


def check(folder: Path) -> dict[Path, float]:
    """Recordings below `folder` → seconds. Says how many minutes, what is unusable, what too little."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give one folder of recordings for each person")
    seconds: dict[Path, float] = {}
    found = scan(folder, is_recording)
    if found.told:
        print(f"{folder}: passed over {found.told}")
    for path in found.files:
        try:
            with open_sound(path) as sound:
                seconds[path] = sound.frames / sound.samplerate
        except InputError as error:
            print(f"Skipping {error}")
    if not seconds:
        raise InputError(f"{folder} holds no usable recordings: put WAV or FLAC files there (also MP3, OGG)")
    minutes = sum(seconds.values()) / 60
    print(f"{folder}: {len(seconds)} recordings, {minutes:.1f} minutes")
    if minutes < ENOUGH_MINUTES:
        print(f"warning: under {ENOUGH_MINUTES:g} minutes the voice will hardly be learnt: record more")
    return seconds


def train(voices: dict[str, dict[Path, float]], out: Path, settings: list[str], one_way: bool) -> None:
    """Make the data root, train, then convert a held-out recording each way that was learnt. Raises AudioCycleError."""
    samples = {name: arrange(name, seconds, out / "data") for name, seconds in voices.items()}
    names = ",".join(f"'{name}'" for name in voices)
    audiocycle(
        "train",
        *settings,
        f"data.root={out / 'data' / 'train'}",
        f"data.domains=[{names}]",
        f"run_dir={out}",
        "resume=true",
    )
    bundle = out / "bundle"
    if not bundle.is_dir():
        raise AudioCycleError(f"training left no model in {bundle}: run the same command again to go on")
    first, second = voices
    for source, target in [(first, second)] if one_way else [(first, second), (second, first)]:
        folder = out / "listen" / f"{source}_to_{target}"
        for old in folder.glob(f"{glob.escape(samples[source].stem)}*"):  # of an earlier run
            old.unlink()
        audiocycle(
            "convert", str(samples[source]), "--target", target, "--model", str(bundle), "-o", str(folder)
        )
        print(f"Compare {samples[source]} with what is in {folder}")
    print(f"\nThe model is {bundle}. Convert more with:")
    print(f"audiocycle convert RECORDINGS --target {second} --model {shlex.quote(str(bundle))} -o converted")


def arrange(name: str, seconds: dict[Path, float], data: Path) -> Path:
    """Link one recording into `data`/eval/name, the others into `data`/train/name; returns the one."""
    paths = list(seconds)
    pleasant = [path for path in paths if SAMPLE_SECONDS[0] <= seconds[path] <= SAMPLE_SECONDS[1]]
    held_out = (pleasant or paths)[-1]
    if len(paths) > 1:
        paths.remove(held_out)
    else:
        print(
            f"note: {held_out} is all there is of {name}: it is trained on and also converted as the sample"
        )
    names = (file_name(f"{number:04d}_{path.stem}", path.suffix) for number, path in enumerate(paths))
    place(dict(zip(names, paths, strict=True)), data / "train" / name)
    place({held_out.name: held_out}, data / "eval" / name)
    return data / "eval" / name / held_out.name


def audiocycle(*arguments: str) -> None:
    """Run the command line of the same environment; raises AudioCycleError if it fails."""
    program = shutil.which("audiocycle", path=str(Path(sys.executable).parent)) or shutil.which("audiocycle")
    if program is None:
        raise AudioCycleError("the command audiocycle is not installed here: pip install audiocycle")
    print(f"\n$ audiocycle {shlex.join(arguments)}", flush=True)
    process = subprocess.Popen([program, *arguments])
    try:
        status = process.wait()
    except KeyboardInterrupt:  # it got the signal too: let it save what it has
        status = process.wait()
    if status != 0:
        raise AudioCycleError(f"audiocycle {arguments[0]} stopped (status {status}): see its message above")


if __name__ == "__main__":
    main()
