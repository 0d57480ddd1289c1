"""The results of an evaluation in a bundle's model card, between two comments, so that the next evaluation replaces them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from audiocycle.bundles.format import CARD
from audiocycle.errors import OutputError
from audiocycle.system.atomic import write_text

BEGIN, END = "<!-- evaluation -->", "<!-- end of evaluation -->"


def write_card(bundle: Path, results: str) -> Path:
    """Put results (Markdown) into the bundle's card, in place of those of an earlier evaluation, or at its end; the card's path comes back.

    Raises:
        OutputError: it cannot be written.
    """
    path = bundle / CARD
    if path.is_symlink():  # in a stranger's bundle it may point at what is private, and would be copied into what is shared
        raise OutputError(f"{path}: is a link; put a copy in its place, and evaluate again")
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    section = f"{BEGIN}\n{results}\n{END}"
    old = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    whole = old.sub(lambda _: section, before) if old.search(before) else f"{before.rstrip()}\n\n{section}\n"
    write_text(path, whole)
    return path


def markdown_table(title: str, headings: Iterable[str], rows: Mapping[str, Sequence[str]], strong: str) -> str:
    """Rows by label, that of ``strong`` in bold."""

    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cells)} |"

    columns = [title, *headings]
    body = [line([f"**{label}**" if label == strong else label, *cells]) for label, cells in rows.items()]
    return "\n".join([line(columns), "|---" * len(columns) + "|", *body])
