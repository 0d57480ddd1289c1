"""MkDocs hooks: documents that lie outside ``docs/``, the reference's pages, and the parts of the navigation that are lists of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from documents import by_package, included, modules, rewritten
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "audiocycle"
Nav = list[Any]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in ``docs/``, then write out the folders in the navigation."""
    for source, page in included(ROOT).items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    names = modules(ROOT / PACKAGE)
    for name in names:
        files.append(File.generated(config, reference_page(name), content=f"# {name}\n\n::: {name}\n"))
    files.append(File.generated(config, "reference/index.md", content=contents(names)))
    config.nav = [written_out(item, files, names) for item in config.nav or []]
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as the site has them."""
    uri = page.file.src_uri
    source = {page: path for path, page in included(ROOT).items()}.get(uri, f"docs/{uri}")
    return rewritten(markdown, source, uri, ROOT)


def reference_page(name: str) -> str:
    """The page of a module, by its dotted name."""
    return f"reference/{name}.md"


def contents(names: dict[str, str]) -> str:
    """The reference's first page: every module with the first line of what it says about itself."""
    rows = [f"| [`{name}`]({name}.md) | {line.replace('|', chr(92) + '|')} |" for name, line in names.items()]
    begin = f"# API reference\n\nMade from the docstrings of `{PACKAGE}/`. To convert from Python, begin with [the guide](../guides/python.md).\n\n"
    return begin + "\n".join(["| module | |", "|---|---|", *rows]) + "\n"


def section(title: str, group: list[str]) -> dict[str, Any]:
    """A package of the reference with its modules, or a module that stands alone."""
    pages = [{name.removeprefix(f"{PACKAGE}."): reference_page(name)} for name in group]
    return pages[0] if len(pages) == 1 else {title: pages}


def written_out(item: Any, files: Files, names: dict[str, str]) -> Any:
    """A part of the navigation, its folders (``name/``) replaced by what is in them."""
    if isinstance(item, dict):
        return {title: written_out(value, files, names) for title, value in item.items()}
    if isinstance(item, list):
        return [written_out(value, files, names) for value in item]
    if item == "reference/":
        sections = (section(title, group) for title, group in by_package(names).items())
        return ["reference/index.md", {PACKAGE: reference_page(PACKAGE)}, *sections]
    if item.endswith("/"):
        inside = sorted(file.src_uri for file in files.documentation_pages() if file.src_uri.startswith(item))
        return sorted(inside, key=lambda uri: not uri.endswith("/index.md"))
    return item
