"""The page of the documentation that lists all settings: ``python -m audiocycle.cli.settings_page > docs/guides/settings.md``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from omegaconf import MISSING

from audiocycle.build import ADAPTERS, CRITICS, GENERATORS
from audiocycle.cli.schema import CONSTANTS, GROUPS, MODEL, Group, adapter_settings, arguments_of
from audiocycle.system.registry import resolve

HEAD = """# Settings of a training

Each setting is `KEY=VALUE` on the command line: `audiocycle train experiment=vc2_guided trainer.batch_size=8 ...`. A preset (`experiment=NAME`)
changes some of the defaults below; `audiocycle train experiment=NAME --cfg` prints what it makes of them.

<!-- Made by `python -m audiocycle.cli.settings_page`; edit the docstrings instead. -->
"""
TITLES = {
    "data": "The data", "": "The run", "objective": "The objective", "guide": "Guides, where objective.guide is above 0", "trainer": "The trainer",
}  # fmt: skip
NAMES = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path", dict: "options", type(None): "null"}
ANNOTATIONS = {"str": str, "int": int, "float": float, "bool": bool}
"""Of networks' arguments, which nobody evaluates."""


def settings_page() -> str:
    """All settings, with types, defaults and help, as Markdown."""
    return "".join(f"{line}\n" for line in (HEAD, *sections()))


def sections() -> Iterator[str]:
    """The lines below the head."""
    for group in ("", "data"):
        yield from section(TITLES[group], group, GROUPS[group])
    for name in ADAPTERS:
        settings = {key: setting for key, setting in adapter_settings(name).items() if key not in ("name", *CONSTANTS)}
        yield from section(f"Features: adapter={name}", "adapter", settings)
    yield from section("The model", "model", MODEL)
    for what, table in (("generator", GENERATORS), ("critic", CRITICS)):
        for name in table:
            yield from section(f"model.{what}={name}", f"model.{what}_options", arguments_of(resolve(table, what, name)))
    for group in ("objective", "guide", "trainer"):
        yield from section(TITLES[group], group, GROUPS[group])


def section(title: str, group: str, settings: Group) -> Iterator[str]:
    """A table of settings, with its title."""
    yield from (f"## {title}\n", "| setting | is | default | what it does |", "|---|---|---|---|")
    for name, setting in settings.items():
        key = f"{group}.{name}" if group else name
        cells = f"`{key}`", kind_name(setting.kind), default_text(setting.default), setting.help
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
    yield ""


def kind_name(kind: object) -> str:
    """A type, as people call it."""
    kinds = [ANNOTATIONS.get(kind, kind)] if isinstance(kind, str) else list(get_args(kind)) if type(None) in get_args(kind) else [kind]
    return " or ".join(NAMES[each] if isinstance(each, type) and each in NAMES else "names" for each in kinds)


def default_text(value: object) -> str:
    """A default as it would be written; nothing where there is none, or where it follows from others."""
    if value == MISSING:
        return ""
    if isinstance(value, bool) or value is None:
        return {None: "`null`", True: "`true`", False: "`false`"}[value]
    return f"`[{','.join(map(str, value))}]`" if isinstance(value, tuple | list) else f"`{value}`"


if __name__ == "__main__":
    print(settings_page(), end="")
