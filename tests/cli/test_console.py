"""What is shown of a run: counts, and the files that failed."""

from __future__ import annotations

import io
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from audiocycle.cli.console import show_records
from audiocycle.conversion.record import Record
from audiocycle.system import progress


def shown(capsys: pytest.CaptureFixture[str], *records: Record) -> tuple[bool, list[str]]:
    good = show_records(lambda progress: iter(records), len(records), Path("out"), as_json=False)
    return good, capsys.readouterr().err.splitlines()


def test_the_summary_counts(capsys: pytest.CaptureFixture[str]) -> None:
    good, lines = shown(
        capsys,
        Record("a", "out/a", "converted", 10.0, 2.0),
        Record("b", "out/b", "converted", 5.0, 1.0),
        Record("c", "out/c", "kept", 100.0, 50.0),  # of an earlier run
        Record("d", "", "failed", error="d: bad"),
    )
    assert not good
    report = Path("out/report.jsonl")
    assert lines == [
        f"out: 2 converted, 1 kept as they were (--overwrite redoes them), 1 failed, 15 s of audio in 3 s of work; {report}",
        "error: d: bad",
    ]


def test_what_was_kept_though_it_is_not_ours_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    good, lines = shown(capsys, Record("a", "out/a", "kept"), Record("b", "out/b", "kept", why_kept="out/b: was changed"))
    assert good
    assert "2 kept as they were (--overwrite redoes them), 1 of them not as this run would make them (the report says why)" in lines[0]


def test_what_was_unusual_is_counted_or_told(capsys: pytest.CaptureFixture[str]) -> None:
    made = Record("a", "out/a", "converted", 10.0, 2.0, details={"notes_in": 3}, note="a copy")
    _, lines = shown(capsys, replace(made, status="kept"))
    assert "1 kept as they were (--overwrite redoes them), 0 failed, 1 unusual (see `note` in the report)" in lines[0]
    _, lines = shown(capsys, made, Record("b", "out/b", "converted", 5.0, 1.0))
    assert "2 converted, 0 failed, 1 unusual (see `note` in the report)" in lines[0]
    for output, line in (("out/a", "out/a: 10.0 s in 2.00 s; notes: 3 in; note: a copy"), ("-", "note: a copy")):
        record = Record("a", output, "converted", 10.0, 2.0, details={"notes_in": 3}, note="a copy")
        assert show_records(lambda progress, record=record: iter([record]), 1, None, as_json=False)  # type: ignore[misc]
        assert capsys.readouterr().err.splitlines() == [line]


def test_records_are_let_go() -> None:
    seen: list[weakref.ref[Record]] = []

    def records(progress: Callable[[float], None]) -> Iterator[Record]:
        for number in range(50):
            record = Record(f"{number}", "", "converted")
            seen.append(weakref.ref(record))
            yield record
            del record
            assert sum(reference() is not None for reference in seen) <= 2

    assert show_records(records, 50, Path("out"), as_json=False)


def test_a_bar_says_how_fast_it_goes() -> None:
    now = iter(range(100))
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    bar = progress.counted(screen, "files")
    bar.get_time = lambda: float(next(now))
    task = bar.add_task("converting", total=100)
    rate = next(column for column in bar.columns if isinstance(column, progress.Rate))
    assert rate.render(bar.tasks[0]).plain == ""
    for done in (0, 4, 8, 12):
        bar.update(task, completed=done)
    assert rate.render(bar.tasks[0]).plain == "4.0 files/s"
    assert not any(isinstance(column, progress.Rate) for column in progress.counted(screen).columns)


@pytest.mark.parametrize(
    ("seconds", "at_once", "expected"),
    [(0.0, True, [True, True, True]), (3600.0, True, [True, False, False]), (3600.0, False, [False, False, False])],
)
def test_a_log_gets_a_line_now_and_then(seconds: float, at_once: bool, expected: list[bool]) -> None:
    due = progress.Seldom(seconds, at_once)
    assert [due() for _ in range(3)] == expected
