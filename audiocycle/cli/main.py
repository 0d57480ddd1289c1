"""The command line: which commands there are, and how it ends. Each command is a module of :mod:`audiocycle.cli`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from audiocycle import __version__
from audiocycle.cli.convert import CONVERT_HELP, convert
from audiocycle.cli.demo import demo
from audiocycle.cli.evaluate import EVALUATE_HELP, evaluate
from audiocycle.cli.export import EXPORT_HELP, export
from audiocycle.cli.models import info, models
from audiocycle.cli.stream import STREAM_HELP, stream
from audiocycle.cli.train import TRAIN_HELP, train
from audiocycle.cli.wording import writer
from audiocycle.errors import explain, options_written, printable, worded
from audiocycle.system.debugging import debugging

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


app.command(help=TRAIN_HELP, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(train)
app.command(help=CONVERT_HELP)(convert)
app.command(help=STREAM_HELP)(stream)
app.command()(models)
app.command()(info)
app.command()(demo)
app.command(help=EVALUATE_HELP)(evaluate)
app.command(help=EXPORT_HELP)(export)


def as_path(word: str) -> str:
    """A file called ``-take1.wav``, which a pattern of the shell may name, is no option: ``./-take1.wav``."""
    looks_like_one = word.startswith("-") and len(word) > 2 and ("." in word or not word.startswith("--"))
    return os.path.join(os.curdir, word) if looks_like_one and "=" not in word and os.path.lexists(word) else word


def end_cleanly() -> None:
    """A signal that ends the program, or a terminal that is closed, unwinds the stack, which removes what is half-written."""
    for name, code in (("SIGTERM", 143), ("SIGHUP", 129)):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, lambda *_, code=code: sys.exit(code))


def main() -> None:
    """Entry point: an error is one line on stderr and exit code 1; Ctrl-C and a closed pipe are the same without a line."""
    end_cleanly()
    words = [as_path(word) for word in sys.argv[1:] if word != "--debug"]
    with options_written(writer(commands, words)):
        try:
            app(args=words, prog_name="audiocycle")
        except KeyboardInterrupt:
            sys.exit(130)
        except Exception as error:
            if debugging():
                raise
            typer.echo(f"error: {printable(worded(explain(error)))}", err=True)
            sys.exit(1)


def commands() -> Mapping[str, Any]:
    """All commands, by name."""
    group: Any = typer.main.get_command(app)
    found: Mapping[str, Any] = group.commands
    return found


if __name__ == "__main__":
    main()
