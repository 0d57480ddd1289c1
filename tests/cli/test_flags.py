"""Flags that modalities declare: made of dataclasses, once each, with the help that is said there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import pytest
import typer
from tiny_bundle import run_cli
from typer.testing import CliRunner

from audiocycle import build
from audiocycle.cli import flags
from audiocycle.cli.flags import OPTIONS, flags_of, given, options_class, with_flags
from audiocycle.system.options import option

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Tea:
    sugar: int = option(2, "lumps (2).", metavar="LUMPS")
    hot: bool = option(False, "straight from the fire.")
    cup_size: float = option(0.2, "litres.")


@dataclass(frozen=True)
class Coffee:
    sugar: int = option(1, "another's words.")
    beans: str = option("arabica", "whose beans.", choices=("arabica", "robusta"))


@pytest.fixture
def drinks(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("drinks")
    vars(module).update(Tea=Tea, Coffee=Coffee)
    monkeypatch.setitem(sys.modules, "drinks", module)
    monkeypatch.setattr(flags, "OPTIONS", {"tea": ("Tea", "drinks:Tea"), "coffee": ("Coffee", "drinks:Coffee")})


def app(labelled: bool) -> typer.Typer:
    made = typer.Typer(add_completion=False, rich_markup_mode=None)

    @made.command()
    @with_flags(flags_of(["tea", "coffee"], labelled), before="milk")
    def pour(guest: str, milk: Annotated[bool, typer.Option("--milk", help="With milk.")] = False, **asked: Any) -> None:
        typer.echo(json.dumps([guest, milk, given(asked)]))

    return made


@pytest.mark.usefixtures("drinks")
def test_flags_reach_the_command_as_what_was_said() -> None:
    words = ["anna", "--sugar", "3", "--hot", "--milk", "--cup-size", "0.5"]
    assert json.loads(CliRunner().invoke(app(True), words).output) == ["anna", True, {"sugar": 3, "hot": True, "cup_size": 0.5}]
    assert json.loads(CliRunner().invoke(app(True), ["ben"]).output) == ["ben", False, {}]
    assert CliRunner().invoke(app(True), ["ben", "--sugar", "much"]).exit_code == 2


@pytest.mark.usefixtures("drinks")
def test_help_is_the_fields_and_a_shared_option_appears_once() -> None:
    lines = CliRunner().invoke(app(True), ["--help"]).output.splitlines()
    said = [re.sub(r" <\w+>| (FLOAT|TEXT)", "", " ".join(line.split())) for line in lines if line.strip().startswith("--")]
    assert said[:-1] == [
        "--sugar LUMPS Tea, Coffee: lumps (2).", "--hot Tea: straight from the fire.", "--cup-size Tea: litres.",
        "--beans Coffee: whose beans.", "--milk With milk.",
    ]  # fmt: skip
    assert "Lumps (2)." in CliRunner().invoke(app(False), ["--help"]).output


def test_every_modality_has_its_flags() -> None:
    assert set(OPTIONS) == set(build.MODALITIES)
    names = [flag.name for flag in flags_of(OPTIONS)]
    assert names == [each.name for modality in OPTIONS for each in fields(options_class(modality))]


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("convert", "  --pitch-shift SEMITONES         Voices: shift the converted pitch.\n"),
        ("convert", "  --key-lock                      MIDI: only pitch classes that the source has\n"),
        ("convert", "  MIDI: keep (default) or merge the tracks.\n"),
        ("stream", "Shift the converted pitch.\n"),
    ],
)
def test_help_of_commands_shows_them(command: str, shown: str, capsys: pytest.CaptureFixture[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = run_cli(capsys, command, "--help")
    assert done.code == 0
    assert shown in done.out


def test_options_are_read_without_arrays() -> None:
    code = "import sys\nfrom audiocycle.cli.flags import OPTIONS, flags_of\nflags_of(OPTIONS)\nprint(*[m for m in ('numpy', 'torch', 'soundfile') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_help_of_the_program_loads_no_arrays() -> None:
    code = "import sys\nfrom audiocycle.cli.main import main\nsys.argv = ['audiocycle', '--help']\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
    code += "print('loaded:', *[m for m in ('numpy', 'torch', 'soundfile') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded:"
