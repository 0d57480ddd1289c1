"""Options that people may set, said once: a dataclass's fields with their help, from which the command line makes its flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, fields
from typing import Any

from audiocycle.errors import ConfigError


def option(default: Any, help: str, metavar: str = "", choices: Sequence[str] = ()) -> Any:
    """A field of a dataclass of options.

    Args:
        help: a sentence for ``--help``, with the default where it tells something.
        metavar: what stands for a value in the help, e.g. ``0...1``.
        choices: all that it may be.
    """
    return field(default=default, metadata={"help": help, "metavar": metavar, "choices": tuple(choices)})


def refuse_unknown(values: Mapping[str, Any], options: type) -> None:
    """Options that were given, by name, must be fields of a dataclass of options.

    Raises:
        ConfigError: names the first that is not.
    """
    known = [each.name for each in fields(options)]
    for name in values:
        if name not in known:
            raise ConfigError(f"`{name}`: not for this kind of model; it takes: {', '.join(f'`{other}`' for other in known)}")
