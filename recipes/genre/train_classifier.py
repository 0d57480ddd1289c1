"""Train the classifier that says how far a genre transfer goes, and find out what it is worth.

    python recipes/genre/train_classifier.py genres jazz classic -o classifier
    python recipes/genre/train_classifier.py genres jazz classic -o classifier --leave-out leadsheets solos,sonatas

``genres`` is what prepare.py makes: train/GENRE/SOURCE/*.mid, eval/GENRE/SOURCE/*.mid, and perhaps unseen/GENRE/SOURCE/*.mid.
The classifier that is kept is trained on all sources of train/, and tested on the songs of eval/ and unseen/. Songs of a source
that it knows are easy, as sources differ in more than genre. So further classifiers, which are not kept, are trained without
one source each (or without those that --leave-out names, commas join what is left out together) and tested on all songs of it.
All figures go into the classifier's config.json, and `audiocycle evaluate` prints them beside what it measures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from rich.progress import Progress

from audiocycle.errors import AudioCycleError, ConfigError
from audiocycle.evaluation.music.classifier import (
    Classifier,
    ClassifierConfig,
    Corpora,
    CorpusTest,
    Training,
    genre_of,
    load_corpora,
    train_network,
    untested,
)
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.system import progress


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="GENRES_FOLDER")
    parser.add_argument("genres", nargs="+", metavar="GENRE", help="two or more folders in it, named as the model's domains are")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="CLASSIFIER", help="folder for the classifier")
    parser.add_argument("--seeds", type=int, default=3, help="networks that are asked together (default 3)")
    parser.add_argument("--leave-out", nargs="*", metavar="SOURCE[,SOURCE]", help="default: each in turn that its genre can spare")
    parser.add_argument("--grid", default="straight", help="straight (default) or triplet: the model's")
    parser.add_argument("--bars", type=int, default=4, help="of a phrase (default 4): the model's")
    for name, meaning in (
        ("steps", "of training"),
        ("width", "factor on the network's channels; 1 is the paper's"),
        ("noise", "standard deviation of noise on the rolls"),
        ("channels", "1 sustain, 2 onsets, too"),
    ):
        default = getattr(Training(), name)
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"{meaning} (default {default:g})")
    arguments = parser.parse_args()
    if arguments.seeds < 1 or len(set(arguments.genres)) < 2:
        parser.error("give two different genres or more, and --seeds 1 or more")
    try:
        run(arguments)
    except AudioCycleError as error:
        sys.exit(f"error: {error}")


def run(arguments: argparse.Namespace) -> None:
    adapter = PianoRollAdapter(grid=arguments.grid, bars=arguments.bars)
    settings = Training(
        steps=arguments.steps, width=arguments.width, noise=arguments.noise, channels=arguments.channels
    )
    parts = {name: load(arguments.folder / name, arguments.genres, adapter) for name in ("train", "eval", "unseen")}
    train, window = parts["train"], adapter.spec.window
    without = checks(train, arguments.leave_out)
    trainings = (1 + len(without)) * arguments.seeds
    with progress.counted(progress.console(), "steps") as bar:
        task = bar.add_task("training", total=trainings * settings.steps)

        def made_of(corpora: Corpora) -> Classifier:
            seeds = range(arguments.seeds)
            networks = [
                train_network(corpora, arguments.genres, adapter, settings, seed, lambda *_: bar.advance(task)) for seed in seeds
            ]
            config = ClassifierConfig(
                tuple(arguments.genres), {"name": "piano_roll", **asdict(adapter)}, settings.width, settings.channels,
                tuple(seeds), tuple(corpora), training=asdict(settings),
            )  # fmt: skip
            return Classifier(config, networks)

        classifier = made_of(train)
        seen = {corpus: songs for corpus, songs in parts["eval"].items() if corpus in train}
        new = {corpus: songs for corpus, songs in {**parts["eval"], **parts["unseen"]}.items() if corpus not in train}
        tests = [*classifier.test(seen, window, seen=True), *classifier.test(new, window, seen=False)]
        for left_out in without:
            other = made_of({corpus: songs for corpus, songs in train.items() if corpus not in left_out})
            whole = {corpus: [*train[corpus], *parts["eval"].get(corpus, [])] for corpus in left_out}
            tests += other.test(whole, window, seen=False, left_out=left_out)
    classifier.config = replace(classifier.config, tests=tuple(tests))
    classifier.save(arguments.output)
    print_tests(tests, arguments)


def load(root: Path, genres: Sequence[str], adapter: PianoRollAdapter) -> Corpora:
    """Songs of all genres by corpus; only ``unseen`` may lack some."""
    corpora: dict[str, list[np.ndarray]] = {}
    with progress.counted(progress.console(), "files") as bar:
        for genre in genres:
            if root.name == "unseen" and not (root / genre).is_dir():
                continue
            corpora |= load_corpora(root, genre, adapter, shown(bar, f"{root.name}/{genre}"))
    return corpora


def shown(bar: Progress, name: str) -> Callable[[int, int], None]:
    """A line of the bar; call it with (done, total)."""
    task = bar.add_task(name, total=None)
    return lambda done, total: bar.update(task, completed=done, total=total)


def checks(train: Corpora, wanted: Sequence[str] | None) -> list[tuple[str, ...]]:
    """Corpora to leave out, together, one check after the other."""
    by_genre = {genre: [c for c in train if genre_of(c) == genre] for genre in map(genre_of, train)}
    if wanted is None:
        return [(corpus,) for corpora in by_genre.values() if len(corpora) > 1 for corpus in corpora]
    found = []
    for names in wanted:
        corpora = tuple(c for name in names.split(",") for c in train if name in (c, c.partition("/")[2]))
        if len(corpora) < len(names.split(",")):
            raise ConfigError(f"--leave-out {names}: unknown; the sources are {', '.join(train)}")
        if any(set(all_of_genre) <= set(corpora) for all_of_genre in by_genre.values()):
            raise ConfigError(f"--leave-out {names}: nothing is left of a genre; the sources are {', '.join(train)}")
        found.append(corpora)
    return found


def print_tests(tests: Sequence[CorpusTest], arguments: argparse.Namespace) -> None:
    width = max(len(test.corpus) for test in tests)
    print(f"{'tested on':{width}}  {'songs':>6} {'phrases':>8}  {f'accuracy, mean ± sd of {arguments.seeds} seeds':34}  training")
    for test in tests:
        spread = f" ± {np.std(test.accuracy, ddof=1):.3f}" if len(test.accuracy) > 1 else ""
        kind = "other songs of it" if test.seen else "UNSEEN"
        others = f", without {', '.join(c for c in test.left_out)}" if len(test.left_out) > 1 else ""
        share = f"{np.mean(test.accuracy):.3f}{spread}"
        print(f"{test.corpus:{width}}  {test.songs:6} {test.phrases:8}  {share:34}  {kind}{others}")
    for name, seen in (("corpora that it knows", True), ("corpora that it does not know", False)):
        some = [np.mean(test.accuracy) for test in tests if test.seen == seen]
        if some:
            print(f"mean over {name}: {np.mean(some):.3f} (lowest {np.min(some):.3f})")
    for genre in untested(arguments.genres, [test.corpus for test in tests if not test.seen]):
        print(f"never tested on a corpus of {genre} that it does not know: it needs another source, in train/ or unseen/")
    print(f"{arguments.output}: written", file=sys.stderr)


if __name__ == "__main__":
    main()
