"""Results in a model card: once, whole, and nothing else of the card touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_evaluation import small_evaluation
from small_music_evaluation import small_music_evaluation

from audiocycle.bundles.format import CARD
from audiocycle.evaluation.card import BEGIN, END, write_card
from audiocycle.evaluation.music import card as card_music
from audiocycle.evaluation.music.measures import LABELS
from audiocycle.evaluation.voice import card as card_voice
from audiocycle.evaluation.voice.measures import ROWS

RESULTS = "## Evaluation\n\n| a | \\1 and $ |"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (card_voice.markdown(small_evaluation()), ROWS),
        (card_music.markdown(small_music_evaluation()), [LABELS[row] for row in ("model", "identity", "random_target")]),
    ],
    ids=["voice", "music"],
)
def test_every_row_has_as_many_cells_as_the_heading(text: str, rows: list[str]) -> None:
    assert text.startswith("## Evaluation\n")
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("|")]
    assert tables
    for heading, rule, *lines in tables:
        assert {line.count("|") for line in (rule, *lines)} == {heading.count("|")}
        assert [line.split("|")[1].strip(" *") for line in lines] == list(rows)


def test_a_card_without_an_evaluation_gets_one_at_its_end(tmp_path: Path) -> None:
    (tmp_path / CARD).write_text("# model\n\nwords\n", encoding="utf-8")
    path = write_card(tmp_path, RESULTS)
    assert path == tmp_path / CARD
    assert path.read_text(encoding="utf-8").startswith("# model\n\nwords\n\n" + BEGIN)


@pytest.mark.parametrize("after", ["", "\n## Limits\n\nmany, e.g. \\1 and $\n"])
def test_the_next_evaluation_replaces_the_last(tmp_path: Path, after: str) -> None:
    (tmp_path / CARD).write_text(f"# model\n\n{BEGIN}\nold\n{END}\n{after}", encoding="utf-8")
    write_card(tmp_path, RESULTS)
    once = (tmp_path / CARD).read_text(encoding="utf-8")
    assert "old" not in once
    assert once.endswith(f"{END}\n{after}")
    write_card(tmp_path, RESULTS)
    assert (tmp_path / CARD).read_text(encoding="utf-8") == once


def test_a_bundle_without_a_card_gets_one(tmp_path: Path) -> None:
    assert write_card(tmp_path, RESULTS).read_text(encoding="utf-8").count(BEGIN) == 1
