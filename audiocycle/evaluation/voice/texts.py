"""What a recogniser heard, with the words marked that differ from what was said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audiocycle.evaluation.page.markup import Markup, element, joined
from audiocycle.evaluation.page.tables import arrowed
from audiocycle.evaluation.voice.measures import LAYOUT
from audiocycle.evaluation.voice.results import VoiceDirectionResult
from audiocycle.metrics.voice.recognition import words

KEPT, SWAPPED, ADDED, LOST = "kept", "swapped", "added", "lost"
Edit = tuple[str, str]
"""What happened, and the word that was heard; for lost ones the word that was said."""


def aligned(said: Sequence[str], heard: Sequence[str]) -> list[Edit]:
    """The fewest edits that make ``heard`` of ``said`` (Levenshtein), as many as word errors are counted; with most words kept."""
    edit, keep = len(said) + 1, -1  # all words kept weigh less than an edit
    costs = [[j * edit for j in range(len(heard) + 1)]]
    for i, word in enumerate(said, 1):
        above, row = costs[-1], [i * edit]
        for j, other in enumerate(heard, 1):
            row.append(min(above[j - 1] + (keep if word == other else edit), above[j] + edit, row[j - 1] + edit))
        costs.append(row)
    edits: list[Edit] = []
    i, j = len(said), len(heard)
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + (keep if said[i - 1] == heard[j - 1] else edit):
            i, j = i - 1, j - 1
            edits.append((KEPT if said[i] == heard[j] else SWAPPED, heard[j]))
        elif j and costs[i][j] == costs[i][j - 1] + edit:
            j -= 1
            edits.append((ADDED, heard[j]))
        else:
            i -= 1
            edits.append((LOST, said[i]))
    return edits[::-1]


def marked(said: Sequence[str], heard: Sequence[str]) -> Markup:
    """The words heard, wrong ones in ``mark``, lost ones in ``del``, and how many of those said are wrong."""
    edits = aligned(said, heard)
    wrong = sum(kind != KEPT for kind, _ in edits)
    count = element("span", f"{wrong} of {len(said)}", class_="count", title="word errors, and words said")
    return joined(*spaced(edits), " " if edits else element("em", "nothing "), count)


def spaced(edits: Sequence[Edit]) -> Iterator[Markup | str]:
    """Words with spaces between."""
    for i, (kind, word) in enumerate(edits):
        if i:
            yield " "
        if kind == KEPT:
            yield word
        elif kind == LOST:
            yield element("del", word, title="not heard")
        else:
            yield element("mark", word, title="not said" if kind == ADDED else "another word was said")


def texts(each: VoiceDirectionResult) -> Markup:
    """What the recogniser heard, file by file, in a fold-out; the source's and the target's file of a name are one sentence or not."""
    bodies = []
    for file in dict.fromkeys(each.files + each.target_files):
        lines = [element("tr", element("th", file, colspan="2", scope="rowgroup"), class_="file")]
        for row in LAYOUT.in_order(each.texts):
            heard, said = each.texts[row].get(file), each.said.get(row, {}).get(file)
            if heard is not None:
                cell = heard if said is None else marked(words(said), words(heard))
                lines.append(element("tr", element("td", row), element("td", cell)))
        bodies.append(element("tbody", *lines))
    note = element(
        "p",
        element("mark", "Marked"),
        " words are wrong, ",
        element("del", "struck"),
        " ones were not heard; then how many that are, of those that were said.",
        class_="soft",
    )
    name = f"{arrowed(each)}: recognised texts"
    table = element(
        "div", element("table", *bodies, class_="texts"), class_="scroll", role="region", aria_label=name, tabindex="0"
    )
    return element("details", element("summary", "Recognised texts"), note, table)
