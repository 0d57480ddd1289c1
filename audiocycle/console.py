"""What ``audiocycle convert`` shows: a progress bar, records, and a summary with the bad files at its end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from audiocycle.batch import REPORT
from audiocycle.convert import Record


def show_records(records: Iterator[Record], n_files: int, folder: Path | None, as_json: bool) -> bool:
    """Consume the records as they come; True when no file failed.

    Args:
        folder: of the outputs; None for a single file.
        as_json: one JSON record a line on stdout.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    finished: list[Record] = []
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        console=console, disable=not console.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("converting", total=n_files)
        for record in records:
            finished.append(record)
            bar.advance(task)
            if as_json:
                print(json.dumps(record.to_json(), ensure_ascii=False), flush=True)
    if folder is not None:
        counts = Counter(record.status for record in finished)
        audio, work = sum(r.audio_seconds for r in finished), sum(r.seconds for r in finished)
        speed = f", {audio / work:.0f} times faster than real time a process" if work else ""
        kept = f", {counts['kept']} kept as they were (--overwrite redoes them)" if counts["kept"] else ""
        text = f"{folder}: {counts['converted']} converted{kept}, {counts['failed']} failed{speed}; {folder / REPORT}"
        console.print(text, markup=False)
    elif finished and finished[0].status == "converted" and finished[0].output != "-":
        record = finished[0]
        text = f"{record.output}: {record.audio_seconds:.1f} s of audio in {record.seconds:.2f} s"
        console.print(text, markup=False)
    bad = [record for record in finished if record.status == "failed"]
    for record in bad:
        console.print(f"error: {record.error}", markup=False)
    return not bad
