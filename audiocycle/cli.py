"""The command line. Heavy imports happen inside commands: ``audiocycle --help`` answers at once."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audiocycle import __version__
from audiocycle.errors import AudioCycleError, ConfigError, DomainError, InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audiocycle.convert import Record
    from audiocycle.plan import Job

app = typer.Typer(
    help="Learn a conversion between two voices, or two genres of MIDI, without paired data, and convert files.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Any command takes --debug, which shows the whole traceback of an error.",
)


def show_version(wanted: bool) -> None:
    """``--version``."""
    if wanted:
        typer.echo(f"audiocycle {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Options of the whole program."""


TRAIN_HELP = """Train a model on folders of recordings or MIDI files, one folder for each speaker or genre.

\b
  audiocycle train experiment=vc2_quick data.root=recordings 'data.domains=[anna,ben]' max_steps=700
  audiocycle train experiment=vc2_quick data.root=recordings 'data.domains=[anna,ben]' resume=true max_steps=2400
  audiocycle train experiment=vc2 data.root=recordings 'data.domains=[anna,ben]'      # as published: days on a CPU
  audiocycle train experiment=genre_quick data.root=midi 'data.domains=[jazz,classic]'        # MIDI: an hour on a laptop

\b
Every setting is KEY=VALUE (Hydra overrides); the most used:
  experiment=NAME           voices: vc2_quick (an hour or two on a laptop) or vc2 (the paper's schedule);
                            MIDI: genre_quick, genre, or pairs (the same tunes in both genres)
  data.root=DIR             holds one folder of recordings (WAV, FLAC, MP3, ...) or MIDI files for each domain
  data.domains=[A,B]        the folders' names; quote it: the shell takes brackets for a pattern
  run_dir=RUN               where everything goes (default runs/A-B); RUN/bundle is the model
  max_steps=N max_minutes=M whichever comes first; minutes count over resumes
  resume=true               continue exactly where the run stopped
  overwrite=true            start a finished or stopped run again
  adapter=mel               mel spectrograms for neural vocoders instead of WORLD features
  model.width=0.5           a factor on every layer's width
  trainer.batch_size=8 trainer.lr=5e-4 trainer.precision=bf16 trainer.device=cuda ...
  --cfg                     print all settings with their values, and stop
"""


@app.command(help=TRAIN_HELP, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train(
    context: typer.Context,
    cfg: Annotated[bool, typer.Option("--cfg", help="Print the settings and stop.")] = False,
) -> None:
    """Compose the configuration and train."""
    from audiocycle.configure import compose_run, show_config

    odd = [word for word in context.args if word.startswith("-") or "=" not in word]
    if odd:
        raise ConfigError(f"{odd[0]}: not a setting; write KEY=VALUE, e.g. max_minutes=60 (audiocycle train --help)")
    if cfg:
        typer.echo(show_config(context.args))
        return
    config = compose_run(context.args)

    from audiocycle.train import train as run

    bundle = run(config)
    target = config.domains[-1]
    typer.echo(f"model: {bundle}\ntry it: audiocycle convert IN --model {bundle} --target {target} -o OUT", err=True)


CONVERT_HELP = """Convert recordings to another speaker, MIDI files to another genre.

\b
  audiocycle convert in.wav --target ben                          # writes ./in.ben.wav
  audiocycle convert in.wav --target ben --model runs/anna-ben/bundle -o out.wav
  audiocycle convert recordings/ --target ben -o converted/ --jobs 2
  audiocycle convert "*.flac" --target ben -o converted/ --json
  cat in.wav | audiocycle convert - --target ben > out.wav
  audiocycle convert song.mid --target jazz --strength 0.7 --plot --preview
  audiocycle convert library/ --target jazz -o out/ --jobs 4     # again: finished files are skipped

\b
Recordings: wav, flac, ogg, opus, mp3, aiff, ... MIDI: mid, midi, kar, rmi.
Without --source, a model of two domains takes every input for the other one's.
"""


@app.command(help=CONVERT_HELP)
def convert(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, globs or folders; - is stdin.")],
    target: Annotated[str, typer.Option("--target", "-t", help="The speaker or genre to convert to.")],
    source: Annotated[str | None, typer.Option(help="Of the inputs, if the model knows more than two.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="A bundle's folder, an installed model's name, or a hub id.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file, or a folder for several inputs; - is stdout.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.")] = 1,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="A Dask cluster (tcp://host:8786) instead of --jobs; it sees the same files.")] = None,
    renderer: Annotated[str | None, typer.Option(help="world, differential, griffin_lim or hifigan (default: the model's first).")] = None,
    vocoder: Annotated[str | None, typer.Option(help="Weights for --renderer hifigan: a path or a hub id.")] = None,
    pitch_shift: Annotated[float | None, typer.Option(metavar="SEMITONES", help="Voices: shift the converted pitch.")] = None,
    strength: Annotated[float | None, typer.Option(metavar="0...1", help="MIDI: from the source (0) to the whole transfer (1, default).")] = None,
    key_lock: Annotated[bool, typer.Option("--key-lock", help="MIDI: only pitch classes that the source has in the same phrase.")] = False,
    tracks: Annotated[str | None, typer.Option(help="MIDI: keep (default) or merge the tracks.")] = None,
    programs: Annotated[str | None, typer.Option(help="MIDI: instruments of the source (default) or usual in the target.")] = None,
    threshold: Annotated[float | None, typer.Option(metavar="0...1", help="MIDI: probability from which a note begins (0.5).")] = None,
    shortest: Annotated[int | None, typer.Option(metavar="STEPS", help="MIDI: leave shorter new notes out (1).")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")] = False,
    plot: Annotated[bool, typer.Option("--plot", help="Draw input and result beside each output (.png).")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="MIDI: write a sound beside each output (.wav).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON record for each file.")] = False,
) -> None:
    """Convert one file, or many."""
    from audiocycle.batch import convert_jobs
    from audiocycle.build import build_medium
    from audiocycle.bundle import read_config
    from audiocycle.console import show_records
    from audiocycle.plan import plan
    from audiocycle.worker import Task

    bundle = choose_bundle(model, target)
    config = read_config(bundle)
    if target not in config.domains:
        raise DomainError(f"target '{target}' is unknown to model {config.name}; it knows: {', '.join(config.domains)}")
    medium = build_medium(config.modality)
    single = one_file(inputs, output)
    if str(output) == "-" or (single == "-" and output is None):
        check_stdout(single, as_json)
    if single is not None:
        jobs_to_do, folder = [single_job(single, output, target, medium.suffix, overwrite)], None
    elif output is None:
        raise ConfigError("several inputs need a folder for the outputs: add -o DIR")
    else:
        jobs_to_do, folder = plan(inputs, output, medium.suffix, medium.accepts), output
    given = {
        "pitch_shift": pitch_shift, "strength": strength, "key_lock": key_lock or None, "tracks": tracks, "programs": programs,
        "threshold": threshold, "shortest": shortest,
    }  # fmt: skip
    options = {name: value for name, value in given.items() if value is not None}
    task = Task(bundle, target, source, renderer, vocoder, options, overwrite, plot, preview, debugging())

    def records(progress: Callable[[float], None]) -> Iterator[Record]:
        return convert_jobs(task, jobs_to_do, jobs, progress, scheduler, folder)

    if not show_records(records, len(jobs_to_do), folder, as_json):
        raise typer.Exit(1)


def choose_bundle(model: str | None, target: str) -> Path:
    """The bundle that ``--model`` names, else the first installed one that knows the target, and say which."""
    from audiocycle.library import find_for_target, locate

    if model is not None:
        return locate(model)
    found = find_for_target(target)
    typer.echo(f"model: {found.config.name} ({found.path})", err=True)
    return found.path


def one_file(inputs: list[str], output: Path | None) -> str | None:
    """The only input when the output is a file too; None when outputs go into a folder."""
    from glob import has_magic

    name = inputs[0]
    path = Path(name).expanduser()
    many = len(inputs) > 1 or path.is_dir() or (has_magic(name) and not path.exists())
    into_folder = output is not None and str(output) != "-" and (output.is_dir() or not output.suffix)
    return None if many or into_folder else name


def check_stdout(single: str | None, as_json: bool) -> None:
    """Refuse what cannot go to stdout: several files, a sound among JSON, a sound on a terminal."""
    if single is None:
        raise ConfigError("-o -: several outputs do not fit into one stdout; add -o DIR")
    if as_json:
        raise ConfigError("--json: stdout already takes the converted file; add -o FILE")
    if sys.stdout.isatty():
        raise ConfigError("stdout is a terminal, and the output is binary; add -o FILE, or redirect it: > FILE")


def single_job(name: str, output: Path | None, target: str, suffix: str, overwrite: bool) -> Job:
    """A job for one input; cheap checks come before the network is loaded."""
    from audiocycle.plan import Job

    path = Path(name).expanduser()
    if output is None:
        output = Path("-") if name == "-" else Path(f"{path.stem}.{target}{suffix}")  # not beside the input: that may be training material
    if name != "-" and not path.exists():
        raise InputError(f"{path}: no such file")
    if str(output) == "-" or not output.exists():
        return Job(path, output)
    if name != "-" and output.samefile(path):
        raise OutputError(f"{output}: is the input itself; name another output with -o")
    if not overwrite:
        raise OutputError(f"{output}: exists already; add --overwrite to replace it, or name another output with -o")
    return Job(path, output)


@app.command()
def models(as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False) -> None:
    """List the models in ./models, in the user's model folder, and in the package."""
    from audiocycle.library import installed_models, model_folders

    found = [
        {"name": m.config.name, "path": str(m.path), "modality": m.config.modality, "domains": list(m.config.domains)}
        for m in installed_models()
    ]
    if as_json:
        typer.echo(json.dumps(found))
        return
    for model in found:
        typer.echo(f"{model['name']:24} {model['modality']:6} {', '.join(model['domains']):32} {model['path']}")
    if not found:
        typer.echo(f"no models in {', '.join(map(str, model_folders()))}", err=True)


@app.command()
def info(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, an installed model's name, or a hub id.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show what a model converts, its size, versions, licence and training."""
    from audiocycle.bundle import describe_bundle
    from audiocycle.library import locate

    facts = describe_bundle(locate(bundle))
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for key, value in facts.items():
        lines = [f"{k}: {v}" for k, v in value.items()] if isinstance(value, dict) else [value]
        text = ", ".join(value) if isinstance(value, list) else ("\n" + " " * 14).join(map(str, lines))
        typer.echo(f"{key:12}  {text}")


@app.command()
def demo(
    modality: Annotated[str, typer.Argument(help="voice or music.")] = "voice",
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path("audiocycle-demo"),
) -> None:
    """Convert a sentence, or a piece, that came with the package; write both, sounds and pictures."""
    from audiocycle.demo import run_demo

    for path in run_demo(modality, output):
        typer.echo(str(path))


EVALUATE_HELP = """Measure a genre model on MIDI files that it was not trained on, beside two controls.

\b
  audiocycle evaluate runs/jazz-classic/bundle --source-dir eval/jazz --target-dir eval/classic --classifier CLASSIFIER
  audiocycle evaluate BUNDLE --source-dir eval/straight --target-dir eval/swing --paired --json

\b
strength    how far transfers leave the source's genre, as a classifier sees it (recipes/genre/train_classifier.py)
content     how much of the piece is still there: chroma, groove, notes, key
style       how much transfers play like the target's songs: which intervals follow which, where and how long notes are
quality     do they look like music at all: beside both genres' own numbers
"""


@app.command(help=EVALUATE_HELP)
def evaluate(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, an installed model's name, or a hub id.")],
    source_dir: Annotated[Path, typer.Option(metavar="DIR", help="Held-out songs of the first domain, with subfolders.")],
    target_dir: Annotated[Path, typer.Option(metavar="DIR", help="Held-out songs of the second domain.")],
    source: Annotated[str | None, typer.Option(help="The first domain (default: the model's first).")] = None,
    target: Annotated[str | None, typer.Option(help="The second domain (default: the model's second).")] = None,
    classifier: Annotated[Path | None, typer.Option(metavar="DIR", help="Needed for the strength.")] = None,
    paired: Annotated[bool, typer.Option("--paired", help="Songs of one name are counterparts: compare with them, too.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Songs of each domain, spread evenly.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random control.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Both directions, with a progress bar."""
    from audiocycle import progress
    from audiocycle.classifier import Classifier
    from audiocycle.convert import Converter
    from audiocycle.evaluate import evaluate as measure
    from audiocycle.evaluation_table import to_json, to_text

    converter = Converter.from_pretrained(bundle)
    first = source or next(domain for domain in converter.domains if domain != target)
    second = target or next(domain for domain in converter.domains if domain != first)
    converter.resolve(second, first)
    judge = None if classifier is None else Classifier.load(classifier)
    with progress.counted(progress.console(), "songs") as bar:
        task = bar.add_task("evaluating", total=None)
        found = measure(
            converter, {first: source_dir, second: target_dir}, judge, paired=paired, limit=limit, seed=seed,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip
    typer.echo(json.dumps(to_json(found)) if as_json else to_text(found))


def debugging() -> bool:
    """True when the user asked for tracebacks."""
    return "--debug" in sys.argv


def explain(error: Exception) -> str:
    """One line on an error that ended the program."""
    if isinstance(error, AudioCycleError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'stdout'}: {error.strerror or error}"
    text = " ".join(str(error).split())
    return f"unexpected {type(error).__name__}: {text}; run again with --debug, and report what it shows"


def main() -> None:
    """Entry point: an error is one line on stderr and exit code 1; Ctrl-C and a closed pipe are the same without a line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds the stack, which removes what is half-written
    try:
        app(args=[word for word in sys.argv[1:] if word != "--debug"], prog_name="audiocycle")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if debugging():
            raise
        typer.echo(f"error: {explain(error)}".replace("\n", "\\n"), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
