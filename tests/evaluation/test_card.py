"""Results in a model card: once, whole, and nothing else of the card touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_evaluation import small_evaluation

from audiocycle.bundle import CARD
from audiocycle.evaluation.card import BEGIN, END, markdown, write_card
from audiocycle.evaluation.voice import ROWS


def test_every_row_has_as_many_cells_as_the_heading() -> None:
    text = markdown(small_evaluation())
    lines = [line for line in text.splitlines() if line.startswith("|")]
    tables = text.count("|---")
    assert tables
    assert len({line.count("|") for line in lines[: 2 + len(ROWS)]}) == 1
    for row in ROWS:
        assert any(row in line.split("|")[1] for line in lines)


def test_a_card_without_an_evaluation_gets_one_at_its_end(tmp_path: Path) -> None:
    (tmp_path / CARD).write_text("# model\n\nwords\n", encoding="utf-8")
    path = write_card(tmp_path, small_evaluation())
    assert path == tmp_path / CARD
    assert path.read_text(encoding="utf-8").startswith("# model\n\nwords\n\n" + BEGIN)


@pytest.mark.parametrize("after", ["", "\n## Limits\n\nmany, e.g. \\1 and $\n"])
def test_the_next_evaluation_replaces_the_last(tmp_path: Path, after: str) -> None:
    (tmp_path / CARD).write_text(f"# model\n\n{BEGIN}\nold\n{END}\n{after}", encoding="utf-8")
    write_card(tmp_path, small_evaluation())
    once = (tmp_path / CARD).read_text(encoding="utf-8")
    assert "old" not in once
    assert once.endswith(f"{END}\n{after}")
    write_card(tmp_path, small_evaluation())
    assert (tmp_path / CARD).read_text(encoding="utf-8") == once


def test_a_bundle_without_a_card_gets_one(tmp_path: Path) -> None:
    assert write_card(tmp_path, small_evaluation()).read_text(encoding="utf-8").count(BEGIN) == 1
