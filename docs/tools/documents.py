"""Which files of the repository are pages of the site, and where a link in one of them leads on the site."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterable
from pathlib import Path

LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]+)\)")
FENCE = re.compile(r"^\s*(```|~~~)")
OWN = {"README.md": "index.md"}
"""Documents that the site has pages of its own for."""
AT_ROOT = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md")


def included(root: Path) -> dict[str, str]:
    """Documents outside ``docs/`` that the site shows: path in the repository to page."""
    pages = {name: name.lower() for name in AT_ROOT}
    for path in sorted(root.glob("recipes/*/README.md")):
        pages[path.relative_to(root).as_posix()] = f"recipes/{path.parent.name}.md"
    return pages


def modules(package: Path) -> dict[str, str]:
    """Every module of a package that has no leading underscore, by walking: dotted name to the first line of its docstring."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if not any(part.startswith("_") for part in parts):
            text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            found[".".join(parts)] = text.partition("\n")[0]
    return dict(sorted(found.items()))


def by_package(names: Iterable[str]) -> dict[str, list[str]]:
    """Dotted names by the first package below the top one; a module that stands alone is a group of itself. The top package is left out."""
    groups: dict[str, list[str]] = {}
    for name in names:
        if "." in name:
            groups.setdefault(name.split(".")[1], []).append(name)
    return groups


def rewritten(markdown: str, source: str, page: str, root: Path) -> str:
    """A document with its relative links made those of the site.

    Args:
        markdown: the document.
        source: its path in the repository.
        page: its path among the pages.
        root: the repository.

    Returns:
        the same text. A link to a file that the site does not show becomes its text; one to a file that is not there is left for
        MkDocs to complain about.
    """
    lines, fenced = [], False
    for line in markdown.split("\n"):
        fenced ^= bool(FENCE.match(line))
        lines.append(line if fenced else LINK.sub(lambda link: site_link(link, source, page, root), line))
    return "\n".join(lines)


def site_link(link: re.Match[str], source: str, page: str, root: Path) -> str:
    """One link of :func:`rewritten`."""
    path, _, anchor = link["target"].partition("#")
    if not path or re.match(r"[a-z]+:", path):
        return link[0]
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    to = page_of(target, root)
    if to is None:
        return link["text"] if (root / target).exists() else link[0]
    path = posixpath.relpath(to, posixpath.dirname(page) or ".")
    return f"{link['image']}[{link['text']}]({path}{'#' + anchor if anchor else ''})"


def page_of(target: str, root: Path) -> str | None:
    """Where the site has a file, or a folder with a README, of the repository; None where it has not."""
    pages = included(root) | OWN
    for name in (target, f"{target}/README.md"):
        if name in pages:
            return pages[name]
    inside = target.removeprefix("docs/")
    return inside if inside != target and (root / target).is_file() else None
