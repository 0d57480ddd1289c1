"""How the command line writes options: what the core calls ``pitch_shift=50`` is ``--pitch-shift 50`` here (:func:`audiocycle.errors.worded`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

SHORT = {"output": "-o"}
"""Flags that are better known by their letter."""

_NAMED = re.compile(r"`(\w+)(?:=([^`]*))?`")
_BLAMED = re.compile(r"(\w+)=(.*?): ", re.DOTALL)
"""At the beginning of an error."""


def flags_by_command(commands: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """For each of typer's commands, by name: ``{"pitch_shift": "--pitch-shift", ...}``."""
    found: dict[str, dict[str, str]] = {}
    for command, what in commands.items():
        flags = [option for parameter in what.params for option in parameter.opts if option.startswith("--")]
        found[command] = {"debug": "--debug"} | {name_of(each): SHORT.get(name_of(each), each) for each in flags}
    return found


def name_of(flag: str) -> str:
    """``--pitch-shift`` in the core."""
    return flag.removeprefix("--").replace("-", "_")


def writer(commands: Callable[[], Mapping[str, Any]], words: Sequence[str]) -> Callable[[str], str]:
    """What writes options as flags, in a message.

    An option in backticks is written as whatever command's flag it is: a message may send people to another one. One that begins the
    message is a flag only if the command that runs has it, since settings of a training are written ``seed=-1`` there, too.

    Args:
        commands: typer's, by name; asked for when there is a message.
        words: of the command line.
    """

    def write(message: str) -> str:
        by_command = flags_by_command(commands())
        running = next((by_command[word] for word in words if word in by_command), {})
        known = {name: flag for flags in (*by_command.values(), running) for name, flag in flags.items()}
        blamed = _BLAMED.match(message)
        if blamed and blamed[1] in running:
            message = f"{running[blamed[1]]} {blamed[2]}: {message[blamed.end() :]}"
        return _NAMED.sub(lambda found: as_flag(found, known), message)

    return write


def as_flag(found: re.Match[str], known: Mapping[str, str]) -> str:
    """An option in backticks as a flag with its value; what is none stays as it is."""
    name, value = found.groups()
    if name not in known:
        return found[0]
    return known[name] if value is None else f"{known[name]} {value}"
