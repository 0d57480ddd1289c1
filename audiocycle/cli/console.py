"""What ``audiocycle convert`` shows: a progress bar, records, and a summary with the bad files at its end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from audiocycle.conversion.library.ledger import REPORT
from audiocycle.conversion.record import Record
from audiocycle.errors import printable
from audiocycle.system import progress


def show_records(
    start: Callable[[Callable[[float], None]], Iterator[Record]], n_files: int, folder: Path | None, as_json: bool
) -> bool:
    """Convert and show the records as they come; True when no file failed.

    Args:
        start: begins the conversion; given what to call with the share of the file in work that is done.
        folder: of the outputs; None for a single file.
        as_json: one JSON record a line on stdout.
    """
    console = progress.console()
    counts: Counter[str] = Counter()
    failed: list[Record] = []
    last: Record | None = None
    audio = work = 0.0
    unusual_ones = others = 0
    with progress.counted(console, "files") as bar:
        task = bar.add_task("converting", total=n_files)
        for as_made in start(lambda share: bar.update(task, completed=counts.total() + share)):
            last = record = as_made.worded()
            counts[record.status] += 1
            bar.update(task, completed=counts.total())
            if record.status == "failed":
                failed.append(record)
            elif record.status == "converted":
                audio, work = audio + record.audio_seconds, work + record.seconds
            unusual_ones += bool(record.note)
            others += bool(record.why_kept)
            if as_json:
                print(json.dumps(record.to_json()), flush=True)  # ASCII: no terminal's encoding can be in the way
    if folder is not None:
        speed = f", {audio:.0f} s of audio in {work:.0f} s of work" if work else ""
        kept = f", {counts['kept']} kept as they were (--overwrite redoes them)" if counts["kept"] else ""
        why = f", {others} of them not as this run would make them (the report says why)" if others else ""
        unusual = f", {unusual_ones} unusual (see `note` in the report)" if unusual_ones else ""
        text = f"{printable(folder)}: {counts['converted']} converted{kept}{why}, {counts['failed']} failed{unusual}{speed}; {printable(folder / REPORT)}"
        console.print(text, markup=False)
    elif last is not None and last.status == "converted" and last.output != "-":
        length = f"{last.audio_seconds:.1f} s" + ("" if last.details else " of audio")
        note = f"; note: {printable(last.note)}" if last.note else ""
        text = f"{printable(last.output)}: {length} in {last.seconds:.2f} s{counted(last.details)}{note}"
        console.print(text, markup=False)
    elif last is not None and last.note:  # the result went to stdout
        console.print(f"note: {printable(last.note)}", markup=False)
    for record in failed:
        console.print(f"error: {printable(record.error)}", markup=False)
    return not failed


def counted(details: Mapping[str, Any]) -> str:
    """A modality's counts as words: ``"; notes: 386 in, 404 out, ..."``; empty without any."""
    groups: dict[str, list[str]] = {}
    for name, count in details.items():
        what, _, how = name.partition("_")
        groups.setdefault(what, []).append(f"{count} {how}".strip())
    return "".join(f"; {what}: {', '.join(counts)}" for what, counts in groups.items())
