"""Measure converted VCC2016 evaluation sentences against the target speaker's own.

python recipes/vcc2016/evaluate.py --converted DIR --eval EVAL_ROOT --source SF1 --target TM3
    [--baselines] [--train TRAIN_ROOT] [--limit N] [--json FILE]

EVAL_ROOT holds one folder per speaker with the same stems in each (parallel sentences), DIR converted files
with those stems, best at 16 kHz. --baselines adds "no conversion" and, with --train, the source moved to the
target's training mean and variance (mel-cepstrum, log-F0): what a model must beat; it needs no --converted.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.table import Table
from scipy.special import stdtrit

from audiocycle.metrics import alignment, global_variance, mcd, mel_cepstrum, pitch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pyworld 0.3.5 warns of its own use of pkg_resources
    import pyworld

SAMPLE_RATE, FRAME_PERIOD = 16000, 5.0
COLUMNS = {  # key in the JSON file: heading, number format
    "mcd_db": ("MCD dB", ".2f"),
    "log_f0_rmse_cents": ("log-F0 RMSE cents", ".0f"),
    "log_f0_correlation": ("log-F0 corr.", ".2f"),
    "vuv_error": ("V/UV error", ".3f"),
    "global_variance_ratio": ("GV ratio", ".2f"),
}


@dataclass(frozen=True)
class Voice:
    """What is measured of one recording: mel-cepstrum (T, 35), loud frames (T,), F0 (T,) in Hz."""

    mcep: np.ndarray
    loud: np.ndarray
    f0: np.ndarray


def analyse(path: Path) -> Voice:
    try:
        samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    except soundfile.SoundFileError as error:
        sys.exit(f"cannot read {path}: {error}")
    if rate != SAMPLE_RATE:
        print(f"{path} has {rate} Hz: resampling alone can add 4 dB to the MCD, see mcd.py", file=sys.stderr)
    samples = soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE)
    if len(samples) == 0 or not np.isfinite(samples).all():
        sys.exit(f"{path} is empty, or holds NaN or infinity: convert that sentence again")
    f0, times = pyworld.dio(samples, SAMPLE_RATE, frame_period=FRAME_PERIOD)
    f0 = pyworld.stonemask(samples, f0, times, SAMPLE_RATE)
    sp = pyworld.cheaptrick(samples, f0, times, SAMPLE_RATE)
    return Voice(mel_cepstrum.spectrum_to_mel_cepstrum(sp), alignment.loud_frames(sp, mcd.RANGE_DB), f0)


def analyse_all(files: list[Path]) -> list[Voice]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(analyse, files))


def files_by_stem(folder: Path) -> dict[str, Path]:
    files = {p.stem: p for p in sorted(folder.glob("*")) if p.suffix.lower() in (".wav", ".flac")}
    return files or sys.exit(f"no .wav or .flac files in {folder}")


def moments(voices: list[Voice]) -> tuple[np.ndarray, ...]:
    """Mean and deviation of the loud frames' mel-cepstrum and of voiced log-F0, over a training set."""
    mcep = np.concatenate([v.mcep[v.loud] for v in voices])
    log_f0 = np.log(np.concatenate([v.f0[v.f0 > 0] for v in voices]))
    return mcep.mean(axis=0), mcep.std(axis=0), log_f0.mean(), log_f0.std()


def matched(voice: Voice, source: tuple[np.ndarray, ...], target: tuple[np.ndarray, ...]) -> Voice:
    mcep = (voice.mcep - source[0]) / source[1] * target[1] + target[0]
    log_f0 = (np.log(np.maximum(voice.f0, 1.0)) - source[2]) / source[3] * target[3] + target[2]
    return replace(voice, mcep=mcep, f0=np.where(voice.f0 > 0, np.exp(log_f0), 0.0))


def compare(reference: Voice, converted: Voice) -> dict[str, float]:
    distortion = mcd.aligned_distortion(reference.mcep, converted.mcep, reference.loud, converted.loud)
    f0 = pitch.compare_pitch(reference.f0, converted.f0, distortion.path)
    gv = global_variance.variance_ratio(reference.mcep[reference.loud], converted.mcep[converted.loud])
    return dict(zip(COLUMNS, (distortion.db, f0.rmse_cents, f0.correlation, f0.vuv_error, gv), strict=True))


def mean_ci95(values: list[float]) -> tuple[float, float]:
    """Mean and half its 95 % confidence interval (Student's t) over the files that have a value."""
    finite = np.array([v for v in values if np.isfinite(v)])
    n = len(finite)
    half = stdtrit(n - 1, 0.975) * finite.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return float(finite.mean() if n else np.nan), float(half)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("--converted", "--eval", "--train", "--json"):
        parser.add_argument(name, type=Path, required=name == "--eval")
    for name in ("--source", "--target"):
        parser.add_argument(name, required=True)
    parser.add_argument("--limit", type=int, help="only the first N sentences")
    parser.add_argument("--baselines", action="store_true")
    args = parser.parse_args()
    return args if args.converted or args.baselines else parser.error("give --converted or --baselines")


def main() -> None:
    args = parse_args()
    target, source = files_by_stem(args.eval / args.target), files_by_stem(args.eval / args.source)
    converted = files_by_stem(args.converted) if args.converted else source
    stems = sorted(set(target) & set(source) & set(converted))[: args.limit]
    if not stems:
        sys.exit(f"{args.converted} and the folders in {args.eval} have no file stem in common")
    systems = {"converted": analyse_all([converted[s] for s in stems])} if args.converted else {}
    if args.baselines:
        systems["no conversion"] = analyse_all([source[s] for s in stems])
    if args.baselines and args.train:
        train = [files_by_stem(args.train / speaker) for speaker in (args.source, args.target)]
        stats = [moments(analyse_all([*files.values()])) for files in train]
        systems["mean/variance matched"] = [matched(v, *stats) for v in systems["no conversion"]]
    reference = analyse_all([target[s] for s in stems])
    values = {n: [compare(r, v) for r, v in zip(reference, vs, strict=True)] for n, vs in systems.items()}
    means = {n: {k: mean_ci95([row[k] for row in rows]) for k in COLUMNS} for n, rows in values.items()}

    definitions = [mcd.DEFINITION, pitch.DEFINITION, global_variance.DEFINITION]
    title = f"{args.source} -> {args.target}, {len(stems)} sentences, mean ± 95 % confidence interval"
    table = Table("", *(heading for heading, _ in COLUMNS.values()), title=title)
    for name, row in means.items():
        table.add_row(name, *(f"{row[k][0]:{fmt}} ± {row[k][1]:{fmt}}" for k, (_, fmt) in COLUMNS.items()))
    Console(width=110).print(*definitions, table, sep="\n", highlight=False)
    if args.json:
        files = {name: dict(zip(stems, rows, strict=True)) for name, rows in values.items()}
        report = {"definitions": definitions, "mean_and_ci95": means, "files": files}
        args.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
