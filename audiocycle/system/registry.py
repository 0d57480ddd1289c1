"""Short names, as configurations and bundles say them, to classes. Nothing else can be loaded by a name: bundles name no importable code."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from audiocycle.errors import ConfigError
from audiocycle.system.limits import shown


def listed(package: str) -> dict[str, str]:
    """The modules of a package by their names: a further file there is a further choice. Its ``__all__`` names the class that it is for."""
    return {module.name: f"{package}.{module.name}" for module in pkgutil.iter_modules(import_module(package).__path__)}


def resolve(table: Mapping[str, str], what: str, name: str) -> Any:
    """The class that a short name stands for; its module is imported now.

    Args:
        table: short names to ``module:Class``, or to a module that :func:`listed` found.

    Raises:
        ConfigError: the table does not know the name; the message lists those that it knows.
    """
    if not isinstance(name, str) or name not in table:
        raise ConfigError(f"{what} '{shown(name)}' is unknown; this version knows: {', '.join(sorted(table))}")
    place, _, attribute = table[name].partition(":")
    module = import_module(place)
    return getattr(module, attribute or module.__all__[0])
