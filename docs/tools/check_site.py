"""``python docs/tools/check_site.py FOLDER``: does a built site need another host, miss a file that it links to, or show a raw reST role?"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADING = {"src", "srcset", "href", "data", "poster", "action", "xlink:href"}
"""Attributes that name files. An ``a`` with ``href`` loads nothing until somebody clicks."""
DIAGRAM = "mermaid"
"""A class for which the theme's script would fetch a library from another host."""
ROLE = re.compile(r":(?:mod|class|func|meth|data|attr|exc):`")
IN_STYLES = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


class References(HTMLParser):
    """Collects what a page loads (tag, address) and what it links to."""

    def __init__(self) -> None:
        """Nothing read yet."""
        super().__init__()
        self.loaded: list[tuple[str, str]] = []
        self.linked: list[str] = []
        self.wrong: list[str] = []
        self.styled = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the addresses of one tag."""
        self.styled = tag == "style"
        for name, value in attrs:
            if name == "class" and value and DIAGRAM in value.split():
                self.wrong.append(f"a diagram of {DIAGRAM} would be drawn by a library from another host")
            elif name in LOADING and value and tag == "a":
                self.linked.append(value)
            elif name in LOADING and value:
                addresses = value.split(",") if name == "srcset" else [value]
                self.loaded.extend((tag, address.split()[0]) for address in addresses if address.strip())
            elif name == "style" and value:
                self.loaded.extend((tag, address) for address in in_styles(value))

    def handle_data(self, data: str) -> None:
        """Take the addresses of a style sheet inside the page, and look for what was not rendered."""
        if role := ROLE.search(data):
            self.wrong.append(f"{role[0]}… was not rendered")
        if self.styled:
            self.loaded.extend(("style", address) for address in in_styles(data))


def in_styles(text: str) -> list[str]:
    """The addresses that a style sheet loads."""
    return [one or other for one, other in IN_STYLES.findall(text)]


def elsewhere(address: str) -> bool:
    """Whether an address is on another host: ``https://…``, ``//…``."""
    return bool(urlsplit(address).netloc)


def faults(site: Path) -> Iterator[str]:
    """One line for each address that should not be there."""
    for page in sorted(site.rglob("*.html")):
        references, name = References(), page.relative_to(site).as_posix()
        references.feed(page.read_text(encoding="utf-8"))
        yield from (f"{name}: {fault}" for fault in references.wrong)
        yield from (
            f"{name}: <{tag}> loads {address}" for tag, address in references.loaded if elsewhere(address)
        )
        for address in [*(address for _, address in references.loaded), *references.linked]:
            if name != "404.html" and missing(address, page):  # that one is served for any address
                yield f"{name}: {address} is not there"
    for sheet in sorted(site.rglob("*.css")):
        for address in in_styles(sheet.read_text(encoding="utf-8")):
            if elsewhere(address):
                yield f"{sheet.relative_to(site).as_posix()}: loads {address}"


def missing(address: str, page: Path) -> bool:
    """Whether a relative address leads to no file; folders have their ``index.html``."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not parts.path:
        return False
    target = page.parent / unquote(parts.path)
    return not (target / "index.html" if target.is_dir() else target).is_file()


def main(folder: str) -> int:
    """Print the faults of a built site; 1 if there are any."""
    site = Path(folder)
    if not (site / "index.html").is_file():
        print(f"{site} has no index.html: build the site first (make docs)", file=sys.stderr)
        return 1
    found = list(faults(site))
    print("\n".join(found) or f"{site}/index.html: complete, and loads nothing from another host")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
