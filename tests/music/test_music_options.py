"""What can be asked of a MIDI conversion: which values, in which words they are refused, and what is said of each option."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from typing import Any

import pytest

from audiocycle.errors import ConfigError
from audiocycle.music.options import MusicOptions


@pytest.mark.parametrize(
    "option",
    [
        {"strength": -0.1},
        {"strength": 1.1},
        {"strength": float("nan")},
        {"threshold": 0.0},
        {"threshold": 1.0},
        {"tracks": "both"},
        {"programs": "none"},
        {"drums": "louder"},
        {"thickness": "thin"},
        {"keep": "tune"},
        {"keep": ""},
        {"keep": "none,bass"},
        {"shortest": 0},
        {"first_bar": 65.0},
    ],
)
def test_impossible_options_are_refused(option: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"^{next(iter(option))}=[\w.,-]*: [^-]+$"):
        MusicOptions(**option)


def test_hysteresis_goes_with_strength() -> None:
    assert MusicOptions(strength=0.0, threshold=0.4).hold == 0.4
    assert MusicOptions(strength=1.0, threshold=0.5).hold == pytest.approx(0.3)


def test_each_option_has_a_line_of_help_and_a_default_that_can_be() -> None:
    for each in fields(MusicOptions):
        assert each.metadata["help"].endswith("."), each.name
        assert "--" not in each.metadata["help"], "the command line spells flags"
        assert each.default in (each.metadata["choices"] or [each.default])


def test_the_command_line_can_ask_for_them_without_loading_numpy() -> None:
    command = "import sys, audiocycle.music.options; print('numpy' in sys.modules or 'symusic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout == "False\n"
