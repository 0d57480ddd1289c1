"""HTML and SVG from Python, escaped by construction: text is text, only what was built here is markup."""

from __future__ import annotations

from html import escape
from unicodedata import category

TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the direction of writing, and could make a name look like another."""
VOID = frozenset({"meta", "link", "img", "br"})
"""Elements without content and end tag."""


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child = Markup | str | None


def element(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """``<name attribute="...">children</name>``.

    Args:
        children: markup as it is, other text escaped, None nothing.
        attributes: ``class_`` stands for ``class`` and ``stroke_width`` for ``stroke-width``; True gives the bare name, None
            and False nothing.
    """
    parts = [name]
    for key, value in attributes.items():
        label = key.rstrip("_").replace("_", "-")
        if value is True:
            parts.append(label)
        elif value is not None and value is not False:
            text = f"{value:.5g}" if isinstance(value, float) else printable(str(value))
            parts.append(f'{label}="{escape(text)}"')
    start = f"<{' '.join(parts)}>"
    return Markup(start) if name in VOID else Markup(f"{start}{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """Children one after the other."""
    return Markup("".join(x if isinstance(x, Markup) else escape(printable(x)) for x in children if x is not None))


def printable(text: str) -> str:
    """Without what no page should hold: control characters, marks that turn the direction of writing, and halves of letters from
    undecodable file names."""
    if text.isprintable():  # whole sounds and pictures are
        return text
    return "".join("\ufffd" if c in TURNS or (category(c) in ("Cc", "Cs") and c not in "\n\t") else c for c in text)
