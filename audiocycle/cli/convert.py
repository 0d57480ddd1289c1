"""``audiocycle convert``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audiocycle.cli.debugging import debugging
from audiocycle.cli.flags import OPTIONS, flags_of, given, with_flags
from audiocycle.errors import BundleError, ConfigError, InputError, OutputError, printable, worded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audiocycle.bundles.format import BundleConfig
    from audiocycle.bundles.library import Model, Refused
    from audiocycle.conversion.library.cluster import Tls
    from audiocycle.conversion.library.plan import Job
    from audiocycle.conversion.record import Record

CONVERT_HELP = """Convert recordings to another speaker, MIDI files to another genre.

\b
  audiocycle convert in.wav --target ben                          # writes ./in.ben.wav
  audiocycle convert in.wav --target ben --model runs/anna-ben/bundle -o out.wav
  audiocycle convert recordings/ --target ben -o converted/ --jobs 2
  audiocycle convert "*.flac" --target ben -o converted/ --json
  audiocycle convert in.wav --target anna=0.6,ben=0.4             # a voice between those of two targets
  audiocycle convert in.wav --reference friend.wav                # the voice in another recording
  cat in.wav | audiocycle convert - --target ben > out.wav
  audiocycle convert song.mid --target jazz --strength 0.7 --plot --preview
  audiocycle convert library/ --target jazz -o out/ --jobs 4     # again: finished files are skipped

\b
Recordings: wav, flac, aiff, mp3, ogg, opus, m4a, webm, wma, mp4, ... MIDI: mid, midi, kar, rmi.
--runtime auto takes openvino or onnx for a model that was exported (audiocycle export), else torch, which takes a second
longer to start. Models of mel spectrograms load torch all the same: their analysis and their vocoders are made of it.
Without --source, a model of two domains takes every input for the other one's.

\b
--scheduler: Dask's messages are pickles, both ways. Whoever reaches the scheduler's port runs programs on the workers, and
the scheduler and its workers run them here. Start it with dask scheduler --host 127.0.0.1, or with TLS:
  dask scheduler --protocol tls --tls-ca-file ca.pem --tls-cert cert.pem --tls-key key.pem       # dask worker takes the same
  audiocycle convert in/ -t ben -o out/ --scheduler tls://host:8786 --tls-ca-file ca.pem --tls-cert cert.pem --tls-key key.pem
"""


@with_flags(flags_of(OPTIONS), before="overwrite")
def convert(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, globs or folders; - is stdin.")],
    target: Annotated[str | None, typer.Option("--target", "-t", help="The speaker or genre to convert to; of a model that converts everybody also a blend, anna=0.6,ben=0.4.")] = None,
    reference: Annotated[Path | None, typer.Option(metavar="FILE", help="Voices: instead of --target, a recording (10 to 60 s) of the voice to convert to.")] = None,
    source: Annotated[str | None, typer.Option(help="Of the inputs, if several can be converted to the target.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="A bundle's folder, an installed model's name, or hf:owner/name[@revision].")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file, or a folder for several inputs; - is stdout.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.")] = 1,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="A Dask cluster (tcp://host:8786) instead of --jobs; it sees the same files. Only one that you trust (above).")] = None,
    tls_ca_file: Annotated[str | None, typer.Option(metavar="PEM", help="For a scheduler at tls://: whoever signed all certificates, as Dask's own option.")] = None,
    tls_cert: Annotated[str | None, typer.Option(metavar="PEM", help="Likewise: this side's certificate.")] = None,
    tls_key: Annotated[str | None, typer.Option(metavar="PEM", help="Likewise: its key, if it is not in the same file.")] = None,
    renderer: Annotated[str | None, typer.Option(help="world, differential, griffin_lim or hifigan (default: the model's first).")] = None,
    vocoder: Annotated[str | None, typer.Option(help="Weights for --renderer hifigan: a path, or hf:owner/name[@revision].")] = None,
    runtime: Annotated[str, typer.Option(help="What computes the network: torch, onnx, openvino or auto.")] = "auto",
    precision: Annotated[str, typer.Option(help="Of the network: auto, bf16 or fp32; auto is bf16 where the processor has it.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")] = False,
    plot: Annotated[bool, typer.Option("--plot", help="Draw input and result beside each output (.png).")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="MIDI: write a sound beside each output (.wav).")] = False,
    score: Annotated[bool, typer.Option("--score", help="MIDI: write input and result as notes beside each output (.svg).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON record for each file.")] = False,
    **asked: Any,
) -> None:
    """Convert one file, or many.

    Args:
        asked: the options of all modalities.
    """
    from audiocycle.build import modality_class
    from audiocycle.bundles.format import read_config
    from audiocycle.cli.console import show_records
    from audiocycle.conversion.library.batch import convert_jobs
    from audiocycle.conversion.library.plan import plan
    from audiocycle.conversion.library.worker import Task

    if (target is None) == (reference is None):
        raise typer.BadParameter("name the voice or genre to convert to with --target, or a recording of the voice with --reference; one of them")
    named = target or str(Path(f"{reference}").absolute())
    bundle = choose_bundle(model, target, source)
    config = read_config(bundle)
    if target is not None:
        config.resolve(target, source)
        named = target = config.own_name(target)
    modality = modality_class(config.modality)
    single = one_file(inputs, output)
    if str(output) == "-" or (single == "-" and output is None):
        check_stdout(single, as_json)
    check_inputs(inputs, config)
    if single is not None:
        jobs_to_do, folder = [single_job(single, output, target or Path(named).stem, modality.suffix, overwrite)], None
    elif output is None:
        raise ConfigError("several inputs need a folder for the outputs: add -o DIR")
    else:
        jobs_to_do, folder = plan(inputs, output, modality.suffix, modality.accepts, lambda line: typer.echo(line.replace("\n", "\\n"), err=True)), output
    task = Task(bundle, named, source, renderer, vocoder, given(asked), overwrite, plot, preview, score, debugging(), runtime, precision)

    tls = tls_files(scheduler, tls_ca_file, tls_cert, tls_key)

    def records(progress: Callable[[float], None]) -> Iterator[Record]:
        return convert_jobs(task, jobs_to_do, jobs, progress, scheduler, folder, tls)

    if not show_records(records, len(jobs_to_do), folder, as_json):
        raise typer.Exit(1)


def tls_files(scheduler: str | None, ca_file: str | None, cert: str | None, key: str | None) -> Tls | None:
    """The files for a scheduler's TLS, if any are given.

    Raises:
        ConfigError: some are missing, or there is no scheduler.
    """
    if ca_file is None and cert is None and key is None:
        return None
    from audiocycle.conversion.library.cluster import Tls

    if scheduler is None:
        raise ConfigError("--tls-ca-file, --tls-cert, --tls-key: are for a cluster; add --scheduler tls://host:8786")
    if ca_file is None or cert is None:
        raise ConfigError("--scheduler: TLS needs both --tls-ca-file and --tls-cert (and --tls-key, if the key is in another file)")
    return Tls(ca_file, cert, key)


def choose_bundle(model: str | None, target: str | None, source: str | None) -> Path:
    """The bundle that ``--model`` names, else the first installed one that converts to the target, or to any voice, and say which."""
    from audiocycle.bundles.library import find_any_source, find_for_target, locate, passed_over

    if model is not None:
        return locate(model)
    refused: Refused = {}
    try:
        found, *others = sound_ones(find_any_source(refused) if target is None else find_for_target(target, source, refused), refused)
    finally:
        for line in passed_over(refused):
            typer.echo(worded(line), err=True)
    names = dict.fromkeys(other.config.name for other in others if other.config.name != found.config.name)
    further = f"; {', '.join(names)} would do it, too: choose with --model" if names else ""
    sources = [source] if source else found.config.sources_of(target or "")
    given = f", {sources[0]} to {target}" if len(sources) == 1 and target else ""  # whatever the input is, that is what it is taken for
    typer.echo(printable(f"model: {found.config.name} ({found.path}){given}{further}"), err=True)
    return found.path


def sound_ones(models: list[Model], refused: Refused) -> list[Model]:
    """Models from the first on whose settings can be used; those before it are among the refused.

    Raises:
        BundleError: there is none.
    """
    from audiocycle.bundles.format import check_statistics

    for place, model in enumerate(models):
        try:
            check_statistics(model.path, model.config)
            return models[place:]
        except BundleError as error:
            refused[model.path] = str(error)
            last = error
    raise last


def one_file(inputs: list[str], output: Path | None) -> str | None:
    """The only input when the output is a file too; None when outputs go into a folder."""
    from glob import has_magic

    from audiocycle.system.names import expanded

    name = inputs[0]
    path = expanded(name)
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


def check_inputs(inputs: list[str], config: BundleConfig) -> None:
    """Refuse a recording for a music model, and MIDI for a voice. What is in a folder, or matches a glob, is sorted out elsewhere.

    Raises:
        InputError: it is of another modality, as its ending says.
    """
    from audiocycle.build import MODALITIES, modality_class

    own = modality_class(config.modality)
    others = [name for name in MODALITIES if name != config.modality]
    for path in (path for path in map(Path, inputs) if path.is_file() and not own.accepts(path)):
        for modality in map(modality_class, others):  # which are loaded for such a file only
            if modality.accepts(path):
                raise InputError(f"{path}: is {modality.file}, and model {config.name} converts {config.modality}; `audiocycle models` lists who knows which --target")


def single_job(name: str, output: Path | None, target: str, suffix: str, overwrite: bool) -> Job:
    """A job for one input; cheap checks come before the network is loaded."""
    from audiocycle.conversion.library.plan import Job
    from audiocycle.system.names import expanded, file_name

    path = expanded(name)
    if output is None:
        output = Path("-") if name == "-" else Path(file_name(path.stem, f".{target}{suffix}"))  # not beside the input: that may be training material
    if name != "-" and not path.exists():
        raise InputError(f"{path}: no such file")
    if str(output) == "-" or not output.exists():
        return Job(path, output)
    if name != "-" and output.samefile(path):
        raise OutputError(f"{output}: is the input itself; name another output with -o")
    if not overwrite:
        raise OutputError(f"{output}: exists already; add --overwrite to replace it, or name another output with -o")
    return Job(path, output)
