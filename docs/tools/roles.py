"""reST roles in docstrings, as the generated reference shows them: links where the name is known, code otherwise."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:mod|class|func|meth|data|attr|exc):`(?P<short>~?)(?P<name>[\w.]+)`")
EXAMPLE = re.compile(r"(?<=\S)::(?=\s*\n\s*\n)")
"""The two colons that begin an example in reST. In Markdown the indentation alone does."""

logger = griffe.get_logger("audiocycle-roles")


class Roles(griffe.Extension):
    """Rewrites the docstrings of a package once it is loaded as a whole, so that every name can be looked up."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **kwargs: Any) -> None:
        """Walk the package; ``loader`` is not needed, names are found among the package's own members."""
        rewrite(pkg, pkg)


def rewrite(thing: griffe.Object, package: griffe.Module) -> None:
    """Markdown in place of reST, in the docstrings of a module, class or function and of all that it defines."""
    if thing.docstring is not None:
        text = ROLE.sub(lambda role: linked(role, thing, package), thing.docstring.value)
        thing.docstring.value = EXAMPLE.sub(":", text)
    for member in thing.members.values():
        if isinstance(member, griffe.Object):
            rewrite(member, package)


def linked(role: re.Match[str], thing: griffe.Object, package: griffe.Module) -> str:
    """A cross-reference for the reference's pages, or code where the name is of another package or private.

    A name that begins with the package's own and is not there is a mistake in the docstring, and is warned of.
    """
    name = role["name"]
    shown = name.rpartition(".")[2] if role["short"] else name
    path = path_of(name, thing, package)
    if path is None:
        if name.split(".")[0] == package.name:
            logger.warning("%s: %s is not there", thing.path, role[0])
        return f"`{shown}`"
    public = not any(part.startswith("_") and not part.endswith("__") for part in path.split("."))
    return f'<autoref optional identifier="{path}"><code>{shown}</code></autoref>' if public else f"`{shown}`"


def path_of(name: str, thing: griffe.Object, package: griffe.Module) -> str | None:
    """The full name of what a docstring calls ``name``: from the package, or as seen from where the docstring stands."""
    head, _, rest = name.partition(".")
    if head == package.name:
        return name if not rest or defined(rest, package) else None
    try:
        start = thing.resolve(head)
    except griffe.NameResolutionError:
        return None
    return f"{start}.{rest}" if rest else start


def defined(name: str, package: griffe.Module) -> bool:
    """Whether the package has a member of this dotted name."""
    try:
        package[name]
    except (KeyError, griffe.AliasResolutionError):
        return False
    return True
