"""``audiocycle evaluate``."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audiocycle.errors import printable

if TYPE_CHECKING:
    from audiocycle.conversion.converter import Converter

EVALUATE_HELP = """Measure a model on files that it was not trained on, beside what it must be compared with.

\b
  audiocycle evaluate runs/SF1-TM3/bundle --source-dir eval/SF1 --target-dir eval/TM3 --parallel --report report
  audiocycle evaluate runs/jazz-classic/bundle --source-dir eval/jazz --target-dir eval/classic --classifier CLASSIFIER
  audiocycle evaluate BUNDLE --source-dir eval/straight --target-dir eval/swing --parallel --json

\b
Voices, beside no conversion, matched envelopes, copy-synthesis of source and target, the target's own:
  envelope and pitch   distances to the target's recording of the same sentence (--parallel); how lively the envelope is
  speaker similarity, words lost, predicted naturalness, as networks hear them: pip install 'audiocycle[eval]'
\b
Music, beside the source itself and random phrases of the target:
  strength    how far transfers leave the source's genre, as a classifier sees it (recipes/genre/train_classifier.py)
  content     how much of the piece is still there: chroma, groove, notes, key
  style       how much transfers play like the target's songs: which intervals follow which, where and how long notes are
  quality     do they look like music at all: beside both genres' own numbers, and how many lie in the target's middle 80 %
  seams       do more notes break where the network's windows meet than in the same bars when they meet elsewhere
"""
VOICE, MUSIC = "voice", "music"
Advance = Callable[[int, int], None]
"""Called with what is done, and how much there is."""


def evaluate(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, an installed model's name, or hf:owner/name[@revision].")],
    source_dir: Annotated[Path, typer.Option(metavar="DIR", help="Held-out files of the first domain, with subfolders.")],
    target_dir: Annotated[Path, typer.Option(metavar="DIR", help="Held-out files of the second domain.")],
    source: Annotated[str | None, typer.Option(help="The first domain (default: the model's first).")] = None,
    target: Annotated[str | None, typer.Option(help="The second domain (default: the model's second).")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Files of each domain, spread evenly.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    parallel: Annotated[
        bool, typer.Option("--parallel", "--paired", help="Files of one name are one sentence, or one tune; compare them.")
    ] = False,
    one_way: Annotated[bool, typer.Option("--one-way", help="Voices: only the first domain to the second; so in any case for a model that was trained so.")] = False,
    transcripts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Voices: what is said, a line NAME TEXT for each file.")
    ] = None,
    recognizer: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Voices: faster-whisper weights, a folder, a size (tiny.en), or hf:owner/name.")
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a page to look at and listen to.")] = None,
    card: Annotated[bool, typer.Option("--card", help="Put the table into the bundle's model card.")] = False,
    classifier: Annotated[Path | None, typer.Option(metavar="DIR", help="Music: needed for the strength.")] = None,
    judge: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Music: a second judge, of whole songs; see recipes/genre/train_song_judge.py.")
    ] = None,
    unseen: Annotated[
        list[str] | None,
        typer.Option(metavar="GENRE=DIR", help="Music: songs of a source that the classifier does not know; may be repeated."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Music: of the random control (default: 0).")] = None,
) -> None:
    """Every direction between two domains, with a progress bar."""
    from audiocycle.bundles.library import locate
    from audiocycle.conversion.converter import Converter
    from audiocycle.errors import ConfigError
    from audiocycle.system import progress

    located = locate(bundle)  # once: a branch on the hub may move meanwhile
    converter = Converter.from_pretrained(located, runtime="torch", precision="fp32")  # the same figures on every machine
    kind, name = converter.config.modality, converter.config.name
    given: dict[str, dict[str, Any]] = {
        VOICE: {"--one-way": one_way, "--transcripts": transcripts, "--recognizer": recognizer},
        MUSIC: {"--classifier": classifier, "--judge": judge, "--unseen": unseen, "--seed": seed},
    }
    for modality, options in given.items():
        for option, value in options.items():
            if modality != kind and value is not None and value is not False and value != []:
                raise ConfigError(f"{option}: is for {modality}, and model {name} converts {kind}; leave it out")
    first, second = two_domains(converter, source, target)
    folders = {first: source_dir, second: target_dir}
    if report is not None and report.exists() and not report.is_dir():
        raise ConfigError(f"--report {report}: is a file; name a folder for the page")
    console = progress.console()
    due = progress.Seldom(60.0, at_once=False)  # what is done before that needs no words
    with progress.counted(console, "songs" if kind == MUSIC else "files") as bar:
        task = bar.add_task("evaluating", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if not (console.is_terminal or as_json) and due():  # a program that reads JSON watches nothing
                console.print(f"evaluated: {done} of {total}")

        if kind == MUSIC:
            found = music(converter, located, folders, classifier, judge, parallel, unseen or [], limit, seed or 0, report, card, show)
        else:
            found = voice(converter, located, folders, parallel, one_way, transcripts, recognizer, limit, report, card, show)
    results, text = found
    typer.echo(json.dumps(results) if as_json else printable(text, lines=True))


def two_domains(converter: Converter, source: str | None, target: str | None) -> tuple[str, str]:
    """The model's first two, or those that are named; of a model that converts everybody, anyone and a target.

    Raises:
        DomainError: unknown names, or twice the same. ConfigError: the model has more than two, and not both are named.
    """
    from audiocycle.errors import ConfigError
    from audiocycle.spec import ANYONE

    source, target = (name and converter.config.own_name(name) for name in (source, target))
    if converter.config.any_source:
        if target is None and len(converter.domains) > 1:
            raise ConfigError(f"model {converter.config.name} makes {', '.join(converter.domains)}; name one of them with --target")
        converter.config.resolve(target or converter.domains[0], source)
        return ANYONE.name, target or converter.domains[0]
    if len(converter.domains) > 2 and (source is None or target is None):
        known = ", ".join(converter.domains)
        raise ConfigError(f"model {converter.config.name} knows {known}; name two of them with --source and --target")
    first = source or next(domain for domain in converter.domains if domain != target)
    second = target or next(domain for domain in converter.domains if domain != first)
    converter.config.resolve(second, first)
    return first, second


def music(
    converter: Converter,
    bundle: Path,
    folders: dict[str, Path],
    classifier: Path | None,
    judge: Path | None,
    parallel: bool,
    unseen: list[str],
    limit: int | None,
    seed: int,
    report: Path | None,
    card: bool,
    progress: Advance,
) -> tuple[dict[str, Any], str]:
    """What was found, for programs and for people; writes the report and into the card, if it is to."""
    from audiocycle.evaluation.music.card import markdown
    from audiocycle.evaluation.music.classifier import Classifier
    from audiocycle.evaluation.music.evaluate import evaluate as measure
    from audiocycle.evaluation.music.report import write_report
    from audiocycle.evaluation.music.song_judge import SongJudge
    from audiocycle.evaluation.music.table import to_json, to_text

    phrases = None if classifier is None else Classifier.load(classifier)
    songs = None if judge is None else SongJudge.load(judge)
    found = measure(
        converter, folders, phrases, songs,
        parallel=parallel, unseen=genre_folders(unseen), limit=limit, seed=seed, listen=report is not None, progress=progress,
    )  # fmt: skip
    keep(bundle, report, card, partial(write_report, found), partial(markdown, found))
    return to_json(found), to_text(found)


def keep(
    bundle: Path, report: Path | None, card: bool, write_report: Callable[[Path, Path | None], Path], markdown: Callable[[], str]
) -> None:
    """Write the page, and into the card, if there are to be any, and say where they lie."""
    from audiocycle.evaluation.card import write_card

    paths = [write_report(report, training_log(bundle))] if report is not None else []
    paths += [write_card(bundle, markdown())] if card else []
    for path in paths:
        typer.echo(f"written: {printable(path)}", err=True)


def genre_folders(given: list[str]) -> list[tuple[str, Path]]:
    """``jazz=DIR`` as a genre and its folder.

    Raises:
        ConfigError: it is written in another way.
    """
    from audiocycle.errors import ConfigError

    found = []
    for text in given:
        genre, _, folder = text.partition("=")
        if not genre or not folder:
            raise ConfigError(f"--unseen {text}: write GENRE=DIR, for example jazz=midi/solos")
        found.append((genre, Path(folder)))
    return found


def training_log(bundle: Path) -> Path | None:
    """The log of the training that made a bundle; None where there is none beside it."""
    log = bundle.parent / "log.jsonl"
    return log if log.is_file() else None


def voice(
    converter: Converter,
    bundle: Path,
    folders: dict[str, Path],
    parallel: bool,
    one_way: bool,
    transcripts: Path | None,
    recognizer: str | None,
    limit: int | None,
    report: Path | None,
    card: bool,
    progress: Advance,
) -> tuple[dict[str, Any], str]:
    """What was found, for programs and for people; writes the report and into the card, if it is to."""
    from audiocycle.evaluation.voice.card import markdown
    from audiocycle.evaluation.voice.evaluate import evaluate as measure
    from audiocycle.evaluation.voice.listeners import load_listeners
    from audiocycle.evaluation.voice.recordings import read_transcripts
    from audiocycle.evaluation.voice.report import write_report
    from audiocycle.evaluation.voice.table import to_json, to_text

    said = None if transcripts is None else read_transcripts(transcripts)
    listeners = load_listeners(recognizer, needs_words=said is not None)
    found = measure(
        converter, folders, listeners, parallel=parallel, one_way=one_way, transcripts=said, limit=limit, progress=progress,
    )  # fmt: skip
    keep(bundle, report, card, partial(write_report, found), partial(markdown, found))
    return to_json(found), to_text(found)
