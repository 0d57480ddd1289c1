"""What people can ask of a voice's conversion, and what the command line says of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest

from audiocycle.errors import ConfigError
from audiocycle.voice.options import MAX_SHIFT, VoiceOptions


@pytest.mark.parametrize("shift", [50.0, -36.5, float("nan"), float("inf")])
def test_a_shift_has_a_limit(shift: float) -> None:
    with pytest.raises(ConfigError, match=rf"^pitch_shift={shift:g}: choose between -36 and 36 semitones$"):
        VoiceOptions(pitch_shift=shift)
    assert VoiceOptions(pitch_shift=-MAX_SHIFT).pitch_shift == -MAX_SHIFT


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_between_nothing_and_all(share: float) -> None:
    with pytest.raises(ConfigError, match=rf"^variance={share:g}: choose between 0 and 1$"):
        VoiceOptions(variance=share)


def test_the_pitch_is_the_targets_or_kept() -> None:
    with pytest.raises(ConfigError, match=r"^pitch=high: choose one of target, keep$"):
        VoiceOptions(pitch="high")
    assert VoiceOptions(pitch="keep").pitch == "keep"


def test_the_command_line_finds_help_for_each() -> None:
    said = {each.name: (each.default, each.metadata["help"], each.metadata["metavar"]) for each in fields(VoiceOptions)}
    assert said == {
        "pitch_shift": (0.0, "shift the converted pitch.", "SEMITONES"),
        "pitch": ("target", "target: moved into the target's register; keep: as it is sung.", ""),
        "variance": (0.85, "variance that the network lost and that is put back (0.85).", "0...1"),
    }


def test_help_costs_no_library() -> None:
    source = "import sys, audiocycle.voice.options; print(*sorted({'numpy', 'torch', 'soundfile'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", source], check=True, capture_output=True, text=True).stdout.strip() == ""
