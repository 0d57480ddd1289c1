"""What a recogniser heard, with the words marked that differ from what was said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audiocycle.evaluation.markup import Markup, element, joined

KEPT, SWAPPED, ADDED, LOST = "kept", "swapped", "added", "lost"
Edit = tuple[str, str]
"""What happened, and the word that was heard; for lost ones the word that was said."""


def aligned(said: Sequence[str], heard: Sequence[str]) -> list[Edit]:
    """The fewest edits that make ``heard`` of ``said`` (Levenshtein): as many as word errors are counted."""
    costs = [list(range(len(heard) + 1))]
    for i, word in enumerate(said, 1):
        above, row = costs[-1], [i]
        for j, other in enumerate(heard, 1):
            row.append(min(above[j - 1] + (word != other), above[j] + 1, row[j - 1] + 1))
        costs.append(row)
    edits: list[Edit] = []
    i, j = len(said), len(heard)
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + (said[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            edits.append((KEPT if said[i] == heard[j] else SWAPPED, heard[j]))
        elif j and costs[i][j] == costs[i][j - 1] + 1:
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
