"""Short names, as configurations and bundles say them, to classes. Nothing else can be loaded by a name: bundles name no importable code."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from audiocycle.errors import AudioCycleError, ConfigError, one_line
from audiocycle.system.limits import shown


def listed(package: str) -> dict[str, str]:
    """The modules of a package by their names: a further file there is a further choice. Its ``__all__`` names the class that it is for."""
    return {module.name: f"{package}.{module.name}" for module in pkgutil.iter_modules(import_module(package).__path__)}


def resolve(table: Mapping[str, str], what: str, name: str, base: type = object) -> Any:
    """The class that a short name stands for; its module is imported now.

    Args:
        table: short names to ``module:Class``, or to a module that :func:`listed` found.
        base: what such a class has to be derived from.

    Raises:
        ConfigError: the table does not know the name (the message lists those that it knows), or a listed file is not what it should be.
    """
    if not isinstance(name, str) or name not in table:
        raise ConfigError(f"{what} '{shown(name)}' is unknown; this version knows: {', '.join(sorted(table))}")
    place, _, attribute = table[name].partition(":")
    return getattr(import_module(place), attribute) if attribute else only_class(place, what, base)


def only_class(place: str, what: str, base: type) -> type:
    """The class that a listed module is for.

    Raises:
        ConfigError: it cannot be imported, or its ``__all__`` does not name such a class; the message names the file, and what to write.
    """
    file = file_of(place)
    module = imported(place, file)
    names = getattr(module, "__all__", None)
    if not isinstance(names, list | tuple) or not names or not isinstance(names[0], str):
        raise ConfigError(f'{file}: does not say which class it is for; write `__all__ = ["NAME"]` with the name of its {what}')
    found = getattr(module, names[0], None)
    if found is None:
        raise ConfigError(f'{file}: has no {shown(names[0])}, which its __all__ names; write `__all__ = ["NAME"]` with the name of its {what}')
    if not isinstance(found, type) or not issubclass(found, base):
        kind = "class" if base is object else f"class derived from {base.__name__}"
        raise ConfigError(f'{file}: {shown(names[0])}, which its __all__ names, is no {kind}; write `__all__ = ["NAME"]` with the name of its {what}')
    return found


def imported(place: str, file: str) -> ModuleType:
    """A module of a file that anybody may have written.

    Raises:
        ConfigError: it cannot be imported.
    """
    try:
        return import_module(place)
    except AudioCycleError:
        raise
    except Exception as error:  # whatever its lines raise
        raise ConfigError(f"{file}: cannot be imported ({type(error).__name__}: {one_line(error)[:200]}); mend it, or take it away") from error


def file_of(place: str) -> str:
    """The file of a module, which is not imported for that."""
    spec = find_spec(place)
    return spec.origin if spec and spec.origin else place
