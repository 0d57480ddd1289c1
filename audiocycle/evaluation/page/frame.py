"""The frame of a report: one HTML page, and nothing outside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from audiocycle.evaluation.page.markup import Markup, element, joined
from audiocycle.evaluation.page.training import Losses, read_losses
from audiocycle.system.atomic import write_text


def write_page(page: Callable[[Losses], str], folder: Path, training_log: Path | None) -> Path:
    """Write ``folder/index.html``, whole or not at all; its path comes back.

    Args:
        page: the document, with a training's losses.
        training_log: the training's ``log.jsonl``.

    Raises:
        InputError: the log cannot be read. OutputError: the page cannot be written.
    """
    path = folder / "index.html"
    write_text(path, page({} if training_log is None else read_losses(training_log)))
    return path


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


def small_print(
    rows: Mapping[str, str], measures: Iterable[Markup], definitions: Iterable[str], skipped: Mapping[str, str], what: str, limits: Sequence[str]
) -> Iterator[Markup]:
    """What rows and measures are, which files were left out, and what no figure can say.

    Args:
        measures: terms and their explanations.
        what: the skipped are called, such as "Files".
    """
    yield element("details", element("summary", "The rows"), described(rows))
    yield element("details", element("summary", "The measures in short"), element("dl", *measures))
    exact = (element("p", text) for text in definitions)
    yield element("details", element("summary", "Definitions, units and sources"), *exact)
    if skipped:
        yield element("details", element("summary", f"{what} that could not be used ({len(skipped)})"), described(skipped))
    yield element("h3", "Limits")
    yield element("ul", *(element("li", element("p", text)) for text in limits))
