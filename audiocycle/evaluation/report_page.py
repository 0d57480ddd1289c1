"""The frame of a report: one HTML page, and nothing outside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files

from audiocycle.evaluation.markup import Markup, element, joined


def document(title: str, summary: str, links: Sequence[tuple[str, str]], sections: Iterable[Markup]) -> str:
    """The whole page.

    Args:
        summary: a sentence below the title.
        links: (address within the page, text) of its parts.
    """
    style, script = (files(__package__).joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    content = joined(
        element("header", element("h1", title), element("p", summary), navigation(links)),
        element("main", *sections),
        element("footer", element("p", "Made by audiocycle evaluate. This page loads nothing from elsewhere.")),
    )
    head = joined(
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy(script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("link", rel="icon", href="data:,"),
        element("title", title),
        element("style", Markup(style)),
    )
    body = element("body", content, element("script", Markup(script)))
    return f"<!DOCTYPE html>\n{element('html', element('head', head), body, lang='en')}\n"


def policy(script: str) -> str:
    """What browsers may do with the page: show what is in it, run this script and no other, load nothing."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def navigation(links: Sequence[tuple[str, str]]) -> Markup:
    """Links to the parts of the page."""
    items = (element("li", element("a", text, href=target)) for target, text in links)
    return element("nav", element("ul", *items), aria_label="Parts of this page")


def described(facts: Mapping[str, str]) -> Markup:
    """A list of words and what they stand for."""
    return element("dl", *(part for word, fact in facts.items() for part in (element("dt", word), element("dd", fact))))
