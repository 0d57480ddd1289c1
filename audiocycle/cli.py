"""The command line. Heavy imports happen inside commands: ``audiocycle --help`` answers at once."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audiocycle import __version__
from audiocycle.errors import AudioCycleError, ConfigError, DomainError, InputError, OutputError

if TYPE_CHECKING:
    from audiocycle.batch import Job

app = typer.Typer(
    help="Learn a conversion between two voices, or two genres of MIDI, without paired data.",
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


TRAIN_HELP = """Train a model on folders of recordings, one folder for each speaker.

\b
  audiocycle train experiment=vc2_quick data.root=recordings 'data.domains=[anna,ben]' max_minutes=60
  audiocycle train experiment=vc2_quick data.root=recordings 'data.domains=[anna,ben]' resume=true max_minutes=120
  audiocycle train experiment=vc2 data.root=recordings 'data.domains=[anna,ben]'      # as published: days on a CPU

\b
Every setting is KEY=VALUE (Hydra overrides); the most used:
  experiment=NAME           vc2_quick (an hour or two on a laptop) or vc2 (the paper's schedule)
  data.root=DIR             holds one folder of recordings (WAV, FLAC, MP3, ...) for each speaker
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


CONVERT_HELP = """Convert recordings (or MIDI) to another speaker (or genre).

\b
  audiocycle convert in.wav --target ben                          # writes in.ben.wav
  audiocycle convert in.wav --target ben --model runs/anna-ben/bundle -o out.wav
  audiocycle convert recordings/ --target ben -o converted/ --jobs 2
  audiocycle convert "*.flac" --target ben -o converted/ --json
  cat in.wav | audiocycle convert - --target ben > out.wav
"""


@app.command(help=CONVERT_HELP)
def convert(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, globs or folders; - is stdin.")],
    target: Annotated[str, typer.Option("--target", "-t", help="The speaker or genre to convert to.")],
    source: Annotated[str | None, typer.Option(help="The speaker of the inputs, if the model knows more than two.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="A bundle's folder, an installed model's name, or a hub id.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file, or a folder for several inputs; - is stdout.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.")] = 1,
    renderer: Annotated[str | None, typer.Option(help="world, differential, griffin_lim or hifigan (default: the model's first).")] = None,
    vocoder: Annotated[str | None, typer.Option(help="Weights for --renderer hifigan: a path or a hub id.")] = None,
    pitch_shift: Annotated[float, typer.Option(metavar="SEMITONES", help="Shift the converted pitch.")] = 0.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON record for each file.")] = False,
) -> None:
    """Convert one file, or many."""
    from audiocycle.batch import Task, convert_jobs, plan, write_report
    from audiocycle.build import build_medium
    from audiocycle.bundle import read_config
    from audiocycle.console import show_records

    bundle = choose_bundle(model, target)
    config = read_config(bundle)
    if target not in config.domains:
        raise DomainError(f"target '{target}' is unknown to model {config.name}; it knows: {', '.join(config.domains)}")
    medium = build_medium(config.modality)
    single = one_file(inputs, output)
    if single is not None:
        jobs_to_do, folder = [single_job(single, output, target, medium.suffix, overwrite)], None
    elif output is None:
        raise ConfigError("several inputs need a folder for the outputs: add -o DIR")
    else:
        jobs_to_do, folder = plan(inputs, output, medium.suffix, medium.accepts), output
    task = Task(bundle, target, source, renderer, vocoder, pitch_shift, overwrite)
    records = convert_jobs(task, jobs_to_do, jobs)
    if folder is not None:
        records = write_report(folder, records)
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
    many = len(inputs) > 1 or Path(name).is_dir() or (has_magic(name) and not Path(name).exists())
    into_folder = output is not None and str(output) != "-" and (output.is_dir() or not output.suffix)
    return None if many or into_folder else name


def single_job(name: str, output: Path | None, target: str, suffix: str, overwrite: bool) -> Job:
    """A job for one input; cheap checks come before the network is loaded."""
    from audiocycle.batch import Job

    path = Path(name).expanduser()
    if output is None:
        output = Path("-") if name == "-" else path.with_name(f"{path.stem}.{target}{suffix}")
    if name != "-" and not path.exists():
        raise InputError(f"{path}: no such file")
    if output.exists() and not overwrite:
        raise OutputError(f"{output}: exists already; add --overwrite to replace it, or name another file with -o")
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
        typer.echo(json.dumps(found, ensure_ascii=False))
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
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    for key, value in facts.items():
        lines = [f"{k}: {v}" for k, v in value.items()] if isinstance(value, dict) else [value]
        text = ", ".join(value) if isinstance(value, list) else ("\n" + " " * 14).join(map(str, lines))
        typer.echo(f"{key:12}  {text}")


@app.command()
def demo(
    modality: Annotated[str, typer.Argument(help="voice (music comes later).")] = "voice",
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path("audiocycle-demo"),
) -> None:
    """Convert a sentence that came with the package; write both sounds and a picture."""
    from audiocycle.demo import run_demo

    for path in run_demo(modality, output):
        typer.echo(str(path))


def main() -> None:
    """Entry point: errors that a user can mend are one line on stderr and exit code 1."""
    debug = "--debug" in sys.argv
    arguments = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        app(args=arguments, prog_name="audiocycle")
    except AudioCycleError as error:
        if debug:
            raise
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our stdout has gone; say nothing, as other programs do
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


if __name__ == "__main__":
    main()
