"""The core names options as Python has them; the command line writes them as its flags, and touches nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import audiocycle
from audiocycle.cli.main import commands
from audiocycle.cli.wording import flags_by_command, writer
from audiocycle.errors import options_written, worded
from audiocycle.system.progress import console

PACKAGE = Path(audiocycle.__file__).parent
OTHERS = ("voice", "music", "evaluation")
"""Rooms whose own tests look at their messages."""


@pytest.mark.parametrize(
    ("command", "message", "written"),
    [
        ("convert", "pitch_shift=50: choose between -36 and 36", "--pitch-shift 50: choose between -36 and 36"),
        ("convert", "scheduler=tcp://a:1: not an address: no", "--scheduler tcp://a:1: not an address: no"),
        ("convert", "tracks=: choose one of keep, merge", "--tracks : choose one of keep, merge"),
        ("convert", "out.wav: exists already; add `overwrite` to replace it", "out.wav: exists already; add --overwrite to replace it"),
        ("convert", "`vocoder`: takes no weights; name another with `output`", "--vocoder: takes no weights; name another with -o"),
        ("convert", "use `runtime=openvino` or torch", "use --runtime openvino or torch"),
        ("export", "convert with `runtime=torch`, and report this", "convert with --runtime torch, and report this"),
        ("evaluate", "unexpected KeyError; run again with `debug`", "unexpected KeyError; run again with --debug"),
        ("train", "seed=-1: choose a whole number", "seed=-1: choose a whole number"),
        ("train", "model=5: settings by name are needed", "model=5: settings by name are needed"),
        ("convert", "see `note` in the report; `audiocycle models` lists them", "see `note` in the report; `audiocycle models` lists them"),
        ("convert", "model: no such file", "model: no such file"),
        ("convert", "a=b: not readable", "a=b: not readable"),
    ],
)
def test_options_are_written_as_flags(command: str, message: str, written: str) -> None:
    assert writer(commands, ["--version", command, "in.wav"])(message) == written


@given(st.text(alphabet=st.characters(exclude_characters="`=")))
def test_messages_that_name_no_option_stay(message: str) -> None:
    assert writer(commands, ["convert"])(message) == message


def test_every_flag_has_a_name_in_the_core() -> None:
    flags = flags_by_command(commands())
    assert flags["convert"]["first_bar"] == "--first-bar"
    assert flags["stream"]["input"] == "--input"
    assert flags["export"]["debug"] == "--debug"


def test_words_are_the_command_lines_while_it_runs_only(capsys: pytest.CaptureFixture[str]) -> None:
    said = "add `overwrite`"
    with options_written(writer(commands, ["convert"])):
        assert worded(said) == "add --overwrite"
        console().print(said, markup=False)
        with pytest.raises(ValueError, match="ended"), options_written(str.upper):  # noqa: PT012
            assert worded(said) == "ADD `OVERWRITE`"
            raise ValueError("ended")
        assert worded(said) == "add --overwrite"
    assert worded(said) == said
    console().print(said, markup=False)
    assert capsys.readouterr().err.splitlines() == ["add --overwrite", said]


def test_no_message_of_the_core_is_written_for_a_command_line() -> None:
    known = {flag for flags in flags_by_command(commands()).values() for flag in flags.values()} - {"--help"}
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0]
        if room not in ("cli", *OTHERS):
            lines = path.read_text(encoding="utf-8").splitlines()
            found += [f"{path.name}: {line.strip()}" for line in lines for flag in known if re.search(rf"(?<![\w-]){flag}(?![\w-])", line)]
    documents = ("audiocycle convert INPUT --model", "``audiocycle convert --scheduler", "As ``--json`` and")
    assert [line for line in found if not any(each in line for each in documents)] == []
