"""Measures are declared once: complete, and rendered alike as text, as HTML and as Markdown."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace
from math import inf, nan
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_page import Page
from small_evaluation import small_evaluation
from small_music_evaluation import small_music_evaluation

import audiocycle
from audiocycle.evaluation.card import table as card_table
from audiocycle.evaluation.measure import HIGHER, LOWER, OTHERS, Measure, Place, Row, TableLayout
from audiocycle.evaluation.music import measures as music
from audiocycle.evaluation.music import table as music_table
from audiocycle.evaluation.page import tables as page_tables
from audiocycle.evaluation.table import WIDTH, tables
from audiocycle.evaluation.voice import listeners
from audiocycle.evaluation.voice import measures as voice
from audiocycle.evaluation.voice import table as voice_table
from audiocycle.metrics.estimates import Estimate, estimate

ROOT = Path(audiocycle.__file__).parent
LAYOUTS = {
    "voice": (voice.LAYOUT, voice.DEFINITIONS),
    "music": (music.LAYOUT, music.DEFINITIONS),
    "paired": (music.PAIRED_LAYOUT, music.DEFINITIONS),
    "quality": (music.QUALITY_LAYOUT, music.DEFINITIONS),
    "seams": (music.SEAMS_LAYOUT, music.DEFINITIONS),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_declarations_are_complete(name: str) -> None:
    layout, definitions = LAYOUTS[name]
    names = [measure.name for measure in layout.measures]
    assert len(set(names)) == len(names)
    assert len({(m.family, m.label) for m in layout.measures}) == len(names)
    assert {measure.definition for measure in layout.measures} <= set(definitions)
    assert set(layout.classes) >= set(layout.rows) - {music.DIFFERENCE}
    assert list(layout.roles.values()).count("model") == 1
    for measure in layout.measures:
        assert len(measure.heading) <= 15, "a column of a terminal"
        assert measure.scale == (100.0 if measure.unit.startswith("%") else 1.0)


@pytest.mark.parametrize(("module", "general"), [(voice, {"rows", "intervals"}), (music, {"intervals", "statistics"})])
def test_every_definition_is_of_some_measure(module: ModuleType, general: set[str]) -> None:
    declared = [value for value in vars(module).values() if isinstance(value, tuple)]
    used = {measure.definition for values in declared for measure in values if isinstance(measure, Measure)}
    assert set(module.DEFINITIONS) == used | general


def test_what_a_voice_measure_needs_is_something_that_can_be_missing() -> None:
    known = {"", voice.COUNTERPARTS, listeners.SPEAKER, listeners.WORDS, listeners.NATURALNESS}
    assert {measure.needs for measure in voice.MEASURES} == known


SHARE = Measure("share", "Shares", "part of it", "%", 1, HIGHER, "How much there is.", 100.0, heading="part %")
PLAIN = Measure("plain", "Numbers", "plain one", "dB", 2, LOWER, "A number.")
ROWS: dict[str, Row] = {
    "ours": {"share": estimate([[0.25], [0.75]], [1, 1]), "plain": Estimate(np.array([-0.001]))},
    "theirs": {"share": Estimate(np.array([0.25, 0.75]))},
}


def layout_of(*measures: Measure) -> TableLayout:
    return TableLayout(measures, ("ours", "theirs"), {"ours": "r0"}, {"ours": "model"}, ("ours", "theirs"), {"ours": "model x"}, ("ours",), "things")


def text_of(layout: TableLayout, rows: dict[str, Row] = ROWS) -> list[str]:
    return list(tables("title", rows, layout.shown(rows, Place.TABLE), layout))


def test_one_declaration_is_rendered_as_text_html_and_markdown() -> None:
    layout = layout_of(SHARE, PLAIN)
    title, heading, ours, interval, theirs = text_of(layout)
    assert (title, heading.split()) == ("title", ["part", "%", "plain", "one"])
    assert ours.split() == ["model", "x", "50", "0.00"]
    assert interval.split() == ["95", "%", "over", "things", "25–75"]
    assert theirs.split() == ["theirs", "50", "±35", "–"]
    parsed = Page(page_tables.tables(ROWS, "title", layout))
    assert parsed.text("caption").split() == ["Shares", "Numbers"]
    assert [x["title"] for x in parsed.of("th") if x.get("title")] == ["How much there is.", "A number."]
    assert [x["aria-label"] for x in parsed.of("span") if x.get("title") in (HIGHER, LOWER)] == [HIGHER, LOWER]
    assert "part of it" in parsed.text("th")
    assert [data for path, data in parsed.texts if path[-1:] == ("td",)] == ["50.0", "50.0", "0.00"]
    assert card_table("title", ROWS, layout).splitlines() == [
        "| title | part % | plain one |",
        "|---|---|---|",
        "| **model x** | 50 (25–75) | 0.00 |",
        "| theirs | 50 | – |",
    ]


def test_a_measure_is_shown_in_its_places_only() -> None:
    layout = layout_of(replace(SHARE, places=Place.TABLE), replace(PLAIN, places=Place.CARD))
    assert "plain" not in "".join(text_of(layout))
    assert "part" not in card_table("title", ROWS, layout)
    assert layout.shown(ROWS, Place.CHART) == []
    assert Page(page_tables.tables(ROWS, "title", layout)).text("caption").split() == ["Shares", "Numbers"]


def test_a_measure_that_nobody_declared_is_on_the_page_under_its_own_name() -> None:
    layout = layout_of(SHARE)
    parsed = Page(page_tables.tables(ROWS, "title", layout))
    assert parsed.text("caption").split(" ", 1) == ["Shares", OTHERS]
    assert "plain" in parsed.text("th")
    assert "plain" not in "".join(text_of(layout))


@given(st.lists(st.tuples(st.text("ab", min_size=1, max_size=14), st.floats(-1e6, 1e6)), min_size=1, max_size=30))
def test_wide_tables_go_on_below_and_lose_no_column(columns: list[tuple[str, float]]) -> None:
    measures = [Measure(f"m{i}", "all", heading, "", 2, LOWER, "") for i, (heading, _) in enumerate(columns)]
    row: Row = {f"m{i}": estimate([[value], [value - 1]], [1, 1]) for i, (_, value) in enumerate(columns)}
    lines = text_of(layout_of(*measures), {"ours": row})
    assert max(map(len, lines)) <= WIDTH
    parts = "\n".join(lines).split("\n\n")
    assert [heading for part in parts for heading in part.splitlines()[1].split()] == [heading for heading, _ in columns]
    assert all(part.splitlines()[0] == "title" and len(part.splitlines()) == 4 for part in parts)


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.sampled_from([LOWER, HIGHER, 1.0]))
def test_lower_costs_are_better(a: float, b: float, better: str | float) -> None:
    measure = replace(PLAIN, better=better)
    ahead = {LOWER: a < b, HIGHER: a > b}.get(str(better), abs(a - 1) < abs(b - 1))
    assert (measure.cost(a) < measure.cost(b)) == ahead


@given(st.floats(-1e6, 1e6))
def test_numbers_are_rounded_and_zero_has_no_sign(value: float) -> None:
    assert float(PLAIN.text(value).replace("−", "-")) == pytest.approx(value, abs=0.0051)
    assert float(PLAIN.short(value)) == pytest.approx(value, abs=0.0051)
    assert float(SHARE.short(value)) == pytest.approx(100 * value, abs=0.51)
    for text in (PLAIN.text(value), PLAIN.short(value), SHARE.short(value)):
        assert text.strip("-−0.") or text[0] not in "-−"


def test_no_number_is_a_dash_and_a_negative_end_has_dots() -> None:
    assert PLAIN.text(nan) == PLAIN.text(inf) == "–"
    assert PLAIN.interval(Estimate(np.zeros(1))) == ""
    assert PLAIN.interval(Estimate(np.zeros(1), np.array([-1.0, -1.0]))) == "-1.00..-1.00"
    assert PLAIN.interval(Estimate(np.zeros(1), np.array([1.0, 1.0]))) == "1.00–1.00"
    assert (SHARE.direction, replace(SHARE, better=1.0).direction) == (HIGHER, "best is 100")
    assert (SHARE.in_words(0.25), PLAIN.in_words(2.0)) == ("part of it 25 %", "plain one 2.00")
    assert (SHARE.axis, replace(SHARE, unit="").axis) == ("part of it, %", "part of it")
    assert (SHARE.heading, replace(SHARE, heading="").heading, PLAIN.heading) == ("part %", "part of it %", "plain one")


def test_text_and_page_show_all_declared_measures_that_were_measured() -> None:
    voices, pieces = small_evaluation(), small_music_evaluation()
    for layout, rows, whole in (
        (voice.LAYOUT, voices.total, voice_table.to_text(voices)),
        (music.LAYOUT, pieces.total, music_table.to_text(pieces)),
    ):
        text = whole.split("P_A")[0]  # definitions behind the tables say some headings' words, too
        page = Page(page_tables.tables(rows, "title", layout))
        for measure in layout.measured(rows):
            assert measure.label in page.text("th")
            assert (measure.heading in text) == (Place.TABLE in measure.places), measure.name


def imports(path: Path) -> set[str]:
    found = (node.module or "" for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom))
    return set(found)


@pytest.mark.parametrize(("room", "others"), [("page", ("voice", "music")), ("voice", ("music",)), ("music", ("voice",))])
def test_the_page_knows_no_modality_and_a_modality_not_the_other(room: str, others: tuple[str, ...]) -> None:
    files = sorted((ROOT / "evaluation" / room).glob("*.py"))
    assert files
    for path in files:
        wrong = [name for name in imports(path) for other in others if f"{name}.".startswith((f"audiocycle.{other}.", f"audiocycle.evaluation.{other}."))]
        assert wrong == [], path.name


def test_both_modalities_have_the_same_modules_for_the_same_jobs() -> None:
    voices, pieces = ({path.name for path in (ROOT / "evaluation" / room).glob("*.py")} for room in ("voice", "music"))
    shared = {"evaluate", "judge", "measures", "results", "examples", "table", "report", "players", "card"}
    assert {f"{name}.py" for name in shared} <= voices & pieces


def test_no_two_classes_have_one_name() -> None:
    defined = Counter(
        node.name
        for room in ("evaluation", "metrics")
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, times in defined.items() if times > 1] == []
